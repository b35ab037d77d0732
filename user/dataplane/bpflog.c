// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/bpflog.h"

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINE_LEN 160
/* A verifier log comes as one message; its last lines say why, so all of it is looked at. */
#define MESSAGE_LEN (1u << 16)

static const char kernel_prefix[] = "Kernel error message: ";

static __thread struct {
	char first[LINE_LEN], last[LINE_LEN], kernel[LINE_LEN], reason[2 * LINE_LEN + 4];
	char message[MESSAGE_LEN];
} kept;

static void keep(char ret[LINE_LEN], const char *text)
{
	snprintf(ret, LINE_LEN, "%s", text);
}

/* libbpf's frames around a verifier log, and the verifier's statistics, explain nothing. */
static bool is_noise(const char *line)
{
	return !*line || strstr(line, "PROG LOAD LOG --") || !strncmp(line, "processed ", 10);
}

static void keep_line(char *line)
{
	if (!strncmp(line, "libbpf: ", 8))
		line += 8;
	if (!strncmp(line, kernel_prefix, strlen(kernel_prefix)))
		keep(kept.kernel, line + strlen(kernel_prefix));
	if (is_noise(line))
		return;
	if (!kept.first[0])
		keep(kept.first, line);
	else if (!strstr(line, "failed to load"))
		keep(kept.last, line);
}

static int keep_message(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char *rest = kept.message, *line;

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(kept.message, sizeof(kept.message), fmt, args);
	while ((line = strsep(&rest, "\n")))
		keep_line(line);
	return 0;
}

void bpflog_begin(void)
{
	kept.first[0] = kept.last[0] = kept.kernel[0] = '\0';
	libbpf_set_print(keep_message);
}

const char *bpflog_reason(void)
{
	snprintf(kept.reason, sizeof(kept.reason), "%s%s%s", kept.first, kept.last[0] ? ": " : "",
		 kept.last);
	return kept.reason;
}

const char *bpflog_kernel(void)
{
	return kept.kernel;
}
