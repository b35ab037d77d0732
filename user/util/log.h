/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log - the daemon's one line per fact.
 *
 * Goes to standard error: with the time in front, or, when that is systemd's journal, with the
 * severity in the form it understands ("<6>"), or as one JSON object. A daemon in the background logs to syslog(3)
 * instead. Only the edges of the program log: the daemon's main and its pipeline. Each line is
 * written with one call, so that lines of several threads never mix. Standard error that nobody
 * reads does not hold up the daemon: lines for which there is no room are counted, not written.
 */
#ifndef SLUICE_UTIL_LOG_H
#define SLUICE_UTIL_LOG_H

#include "util/journal.h"

/* The numbers are syslog's. */
enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARN = 4, LOG_LEVEL_INFO = 6 };

/* Name of the program, put in front of every line. Borrowed; call once, before any thread. */
void log_init(const char *program);

/* LOG_FORM_AUTO: text, and to the journal fields, if standard error is the journal. */
enum log_form { LOG_FORM_AUTO, LOG_FORM_TEXT, LOG_FORM_JSON };

/* How lines look, and the least grave that is written. Once, before any thread. */
void log_configure(enum log_form form, enum log_level least);

/* From now on log to syslog(3). */
void log_to_syslog(void);

/*
 * A line that says something about named things. Where the journal reads standard error it gets the
 * fields as well, besides MESSAGE, PRIORITY and SYSLOG_IDENTIFIER; elsewhere it is a line as others are.
 */
void log_fields(enum log_level level, const char *line, const struct journal_field fields[],
		size_t n_fields);

/* At most this many fields. */
#define LOG_FIELDS_MAX 16

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)

#endif
