/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rows - events as rows of the table: written, counted, trimmed, read. All return 0 or what database_error() says. */
#ifndef SLUICE_STORE_ROWS_H
#define SLUICE_STORE_ROWS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "model/event.h"

struct err;

struct rows_query {
	uint64_t after; /* ids greater than this */
	uint64_t since_us; /* wall clock: not earlier */
	const char *pool; /* NULL: all */
	uint32_t limit;
	bool newest; /* the last ones that fit, not the first; in the order of ids all the same */
};

/* Whether the query is about this one. */
bool rows_match(const struct rows_query *query, const struct event *event);

/* Add events, and remove that many of the oldest, in one transaction. */
int rows_write(sqlite3 *db, const struct event *const events[], size_t n, uint64_t n_remove,
	       struct err *err);

/* How many there are, and the greatest id; 0: none. */
int rows_count(sqlite3 *db, uint64_t *ret_n, uint64_t *ret_last, struct err *err);

/* Writes at most query->limit events. */
int rows_read(sqlite3 *db, const struct rows_query *query, struct event *ret_events, size_t *ret_n,
	      struct err *err);

#endif
