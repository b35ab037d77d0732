// SPDX-License-Identifier: GPL-2.0-or-later
/* metrics_process - the daemon as a process, by the names that every such program has for it. */
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "control/metrics_rows.h"
#include "util/clock.h"

DEFINE_CLEANUP(DIR, closedir)

static void render_start(const struct metrics_row *row, const struct family *family)
{
	exposition_sample(row->out, &family->metric, NULL, NULL, MILLI(row->context->started_ms));
}

static void render_cpu(const struct metrics_row *row, const struct family *family)
{
	struct rusage usage;
	uint64_t us;

	if (getrusage(RUSAGE_SELF, &usage) < 0)
		return;
	us = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * US_PER_SEC +
	     (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	exposition_sample(row->out, &family->metric, NULL, NULL, MICRO(us));
}

static void render_memory(const struct metrics_row *row, const struct family *family)
{
	CLEANUP(fclose_p) FILE *file = fopen("/proc/self/statm", "re");
	unsigned long long pages;

	if (file && fscanf(file, "%*u %llu", &pages) == 1)
		exposition_sample(row->out, &family->metric, NULL, NULL,
				  WHOLE(pages * (unsigned long long)sysconf(_SC_PAGESIZE)));
}

static void render_descriptors(const struct metrics_row *row, const struct family *family)
{
	CLEANUP(closedir_p) DIR *directory = opendir("/proc/self/fd");
	uint32_t n = 0;

	if (!directory)
		return;
	for (const struct dirent *entry; (entry = readdir(directory));)
		n += entry->d_name[0] != '.';
	/* Without the one that reads the directory. */
	exposition_sample(row->out, &family->metric, NULL, NULL, WHOLE(n - 1));
}

static void render_descriptors_max(const struct metrics_row *row, const struct family *family)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		exposition_sample(row->out, &family->metric, NULL, NULL, WHOLE(limit.rlim_cur));
}

#define PROCESS(render, type, unit, name, help)                                               \
	{                                                                                     \
		{ "process_" name, type, unit, help }, PART_GATEWAY, OVER_GATEWAY, render, 0, \
			false                                                                 \
	}

static const struct family families[] = {
	PROCESS(render_start, METRIC_GAUGE, "seconds", "start_time_seconds",
		"When the daemon started, in seconds since 1970"),
	PROCESS(render_cpu, METRIC_COUNTER, "seconds", "cpu_seconds",
		"CPU time that the daemon has used"),
	PROCESS(render_memory, METRIC_GAUGE, "bytes", "resident_memory_bytes",
		"Memory of the daemon that is resident"),
	PROCESS(render_descriptors, METRIC_GAUGE, NULL, "open_fds",
		"File descriptors that the daemon has open"),
	PROCESS(render_descriptors_max, METRIC_GAUGE, NULL, "max_fds",
		"File descriptors that the daemon may have open"),
};

const struct family_list metrics_process = FAMILY_LIST(families);
