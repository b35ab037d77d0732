/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log - the daemon's one line per fact, on standard error.
 *
 * Only the edges of the program log: the daemon's main, its pipeline and the API server. Each line
 * is written with one write(2), so that lines of several threads never mix. The severity comes
 * first in the form that systemd's journal understands ("<6>") when standard error is the journal.
 */
#ifndef SLUICE_UTIL_LOG_H
#define SLUICE_UTIL_LOG_H

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARN = 4, LOG_LEVEL_INFO = 6 };

/* Name of the program, put in front of every line. Borrowed; call once, before any thread. */
void log_init(const char *program);

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)

#endif
