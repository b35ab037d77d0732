// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "util/clock.h"

#define LINE_MAX_BYTES 1024

enum sink { SINK_STDERR, SINK_JOURNAL, SINK_SYSLOG };

static const char *program_name = "sluice";
/* Atomic: a daemon changes it once its workers run. */
static _Atomic enum sink sink = SINK_STDERR;

/* systemd sets JOURNAL_STREAM=device:inode; it holds only while standard error is that stream. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long device, inode;
	struct stat st;

	if (!stream || sscanf(stream, "%lu:%lu", &device, &inode) != 2)
		return false;
	return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_init(const char *program)
{
	program_name = program;
	sink = stderr_is_journal() ? SINK_JOURNAL : SINK_STDERR;
}

void log_to_syslog(void)
{
	openlog(program_name, LOG_PID, LOG_DAEMON);
	sink = SINK_SYSLOG;
}

static int write_prefix(char *line, size_t size, enum log_level level)
{
	static const char *const words[] = {
		[LOG_LEVEL_ERROR] = "error: ",
		[LOG_LEVEL_WARN] = "warning: ",
		[LOG_LEVEL_INFO] = "",
	};
	char time[CLOCK_ISO_LEN];

	if (sink == SINK_JOURNAL)
		return snprintf(line, size, "<%d>", (int)level);
	return snprintf(line, size, "%s %s: %s", clock_iso_us(time, clock_wall_us()), program_name,
			words[level]);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;
	int len = 0;

	if (sink != SINK_SYSLOG)
		len = write_prefix(line, sizeof(line), level);
	va_start(args, fmt);
	len += vsnprintf(line + len, sizeof(line) - (size_t)len, fmt, args);
	va_end(args);
	if (len > (int)sizeof(line) - 1)
		len = (int)sizeof(line) - 1;

	if (sink == SINK_SYSLOG) {
		syslog((int)level, "%s", line);
		return;
	}
	line[len] = '\n';
	/* Nobody is left to tell when standard error itself is gone. */
	if (write(STDERR_FILENO, line, (size_t)len + 1) < 0)
		return;
}
