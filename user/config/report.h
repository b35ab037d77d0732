/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report - the errors of one configuration file, in the order of its lines. */
#ifndef SLUICE_CONFIG_REPORT_H
#define SLUICE_CONFIG_REPORT_H

#include <stddef.h>

#define REPORT_MAX 20 /* further errors are counted only */
#define REPORT_VALUE_LEN 80 /* longer values are cut, "…" at the end */

struct report_item {
	unsigned int line, column; /* from 1; 0: the file as a whole */
	char key[128]; /* "settings[2].port"; "" when there is none */
	char value[REPORT_VALUE_LEN]; /* as read, made printable; "" when there is none */
	char message[256]; /* what is wrong and what is allowed */
};

struct report {
	char file[256];
	struct report_item items[REPORT_MAX];
	size_t n_items; /* stored */
	size_t n_errors; /* found */
};

/* An empty report about the file of that name. */
void report_init(struct report *report, const char *file);

/*
 * Count an error at that place and store it at its position by line and column; the last item gives
 * way when there are too many. Returns the stored item, whose texts the caller fills, or NULL: it
 * is counted only.
 */
struct report_item *report_add(struct report *report, unsigned int line, unsigned int column);

/* Copy text into buf with control characters as '?'; what does not fit ends in "…". */
void report_copy(char *buf, size_t size, const char *text);

/* Write one item as "FILE:LINE:COLUMN: KEY: 'VALUE': MESSAGE" (parts that are empty left out). */
void report_format(char *buf, size_t size, const struct report *report, size_t item);

#endif
