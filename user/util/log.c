// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

static const char *program_name = "sluice";
static bool to_journal;

void log_init(const char *program)
{
	program_name = program;
	to_journal = getenv("JOURNAL_STREAM") != NULL;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	static const char *const words[] = {
		[LOG_LEVEL_ERROR] = "error: ",
		[LOG_LEVEL_WARN] = "warning: ",
		[LOG_LEVEL_INFO] = "",
	};
	char line[LINE_MAX_BYTES];
	va_list args;
	int len;

	if (to_journal)
		len = snprintf(line, sizeof(line), "<%d>", (int)level);
	else
		len = snprintf(line, sizeof(line), "%s: %s", program_name, words[level]);

	va_start(args, fmt);
	len += vsnprintf(line + len, sizeof(line) - (size_t)len, fmt, args);
	va_end(args);

	if (len > (int)sizeof(line) - 1)
		len = (int)sizeof(line) - 1;
	line[len] = '\n';
	/* Nobody is left to tell when standard error itself is gone. */
	if (write(STDERR_FILENO, line, (size_t)len + 1) < 0)
		return;
}
