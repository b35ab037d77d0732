// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/log_json.h"

#define LINE_MAX_BYTES 1024
#define ROOM_WAIT_MS 20

enum sink { SINK_STDERR, SINK_JOURNAL, SINK_SYSLOG, SINK_JSON };

static const char *program_name = "sluice";
/* Atomic: a daemon changes it once its workers run. */
static _Atomic enum sink sink = SINK_STDERR;
static enum log_level least_level = LOG_LEVEL_INFO;
/* Lines that standard error had no room for, since it last had. */
static _Atomic unsigned int n_lost;

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

void log_configure(enum log_form form, enum log_level least)
{
	least_level = least;
	if (form == LOG_FORM_TEXT)
		sink = SINK_STDERR;
	else if (form == LOG_FORM_JSON)
		sink = SINK_JSON;
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

/*
 * The gate and its heartbeat hang on the thread that writes. A reader that is behind is waited for,
 * one that does not read at all (a pager, a terminal that was stopped) only once. false: no room.
 */
static bool write_line(char *line, size_t size, int len)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };
	ssize_t n;

	if (poll(&out, 1, n_lost ? 0 : ROOM_WAIT_MS) == 0)
		return false;
	if (len > (int)size - 1)
		len = (int)size - 1;
	line[len] = '\n';
	/* Nobody is left to tell when standard error itself is gone. */
	n = write(STDERR_FILENO, line, (size_t)len + 1);
	(void)n;
	return true;
}

static bool write_json(enum log_level level, const char *text, const struct journal_field fields[],
		       size_t n_fields)
{
	static const char *const names[] = {
		[LOG_LEVEL_ERROR] = "error",
		[LOG_LEVEL_WARN] = "warning",
		[LOG_LEVEL_INFO] = "info",
	};
	const struct log_json line = {
		.level = names[level],
		.program = program_name,
		.message = text,
		.at_us = clock_wall_us(),
		.fields = fields,
		.n_fields = n_fields,
	};
	char buf[LOG_JSON_LEN];
	size_t len = log_json_format(buf, &line);

	return write_line(buf, sizeof(buf), (int)len);
}

static bool write_text(enum log_level level, const char *text)
{
	char line[LINE_MAX_BYTES];
	int len = write_prefix(line, sizeof(line), level);

	len += snprintf(line + len, sizeof(line) - (size_t)len, "%s", text);
	return write_line(line, sizeof(line), len);
}

static bool write_to_stderr(enum log_level level, const char *text,
			    const struct journal_field fields[], size_t n_fields)
{
	return sink == SINK_JSON ? write_json(level, text, fields, n_fields)
				 : write_text(level, text);
}

static void tell_lost(void)
{
	unsigned int n = n_lost;
	char text[LINE_MAX_BYTES];

	if (!n)
		return;
	snprintf(text, sizeof(text), "%u lines lost: the log was not read fast enough", n);
	if (write_to_stderr(LOG_LEVEL_WARN, text, NULL, 0))
		n_lost -= n;
}

static void write_out(enum log_level level, const char *text, const struct journal_field fields[],
		      size_t n_fields)
{
	if (sink == SINK_SYSLOG) {
		syslog((int)level, "%s", text);
		return;
	}
	tell_lost();
	if (!write_to_stderr(level, text, fields, n_fields))
		n_lost++;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	va_list args;

	if (level > least_level)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	write_out(level, text, NULL, 0);
}

/* With the fields that every entry has. */
static int send_to_journal(enum log_level level, const char *line,
			   const struct journal_field fields[], size_t n_fields)
{
	const char priority[] = { (char)('0' + level), '\0' };
	struct journal_field all[LOG_FIELDS_MAX + 3] = {
		{ "MESSAGE", line },
		{ "PRIORITY", priority },
		{ "SYSLOG_IDENTIFIER", program_name },
	};

	if (n_fields > LOG_FIELDS_MAX)
		n_fields = LOG_FIELDS_MAX;
	memcpy(all + 3, fields, n_fields * sizeof(*fields));
	return journal_send(JOURNAL_SOCKET, all, 3 + n_fields);
}

void log_fields(enum log_level level, const char *line, const struct journal_field fields[],
		size_t n_fields)
{
	if (level > least_level)
		return;
	if (sink == SINK_JOURNAL && send_to_journal(level, line, fields, n_fields) == 0)
		return;
	write_out(level, line, fields, n_fields);
}
