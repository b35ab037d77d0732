/* SPDX-License-Identifier: GPL-2.0-or-later */
/* top_rows - the endpoints of a health document as rows: filtered, and in an order. */
#ifndef SLUICE_CLI_TOP_ROWS_H
#define SLUICE_CLI_TOP_ROWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/view.h"

/* X(NAME, "name") */
#define TOP_SORTS(X)          \
	X(STATE, "state")     \
	X(POOL, "pool")       \
	X(ADDRESS, "address") \
	X(SINCE, "since")     \
	X(TIME, "time")

#define TOP_SORT_ENUM(NAME, name) TOP_SORT_##NAME,
enum top_sort { TOP_SORTS(TOP_SORT_ENUM) TOP_SORTS_N };

const char *top_sort_name(enum top_sort sort);

/* Texts are of the document. */
struct top_row {
	const json_t *endpoint;
	const char *pool, *service, *health, *message;
	char address[VIEW_ADDRESS_LEN];
	uint64_t since_ms; /* wall clock */
	uint64_t took_us; /* of the last probe */
	size_t position; /* in the document */
};

/* Healthy, but certificates end soon, or clients fail nevertheless. */
bool top_row_is_warned(const struct top_row *row);

#define TOP_FILTER_LEN 64

struct top_choice {
	enum top_sort sort;
	bool reversed;
	bool troubled; /* only what is not Healthy, not enabled, or warned of */
	char filter
		[TOP_FILTER_LEN]; /* words, all of which must be somewhere in the row; "": none */
};

struct top_rows {
	json_t *json; /* owned */
	struct top_row *rows;
	size_t n, capacity;
	size_t healthy, unhealthy, unknown; /* of all */
};

/* Take another document, over; NULL: none. */
void top_rows_set(struct top_rows *rows, json_t *json);
void top_rows_done(struct top_rows *rows);

/* What of the gate is not there, as in the document. */
const json_t *top_rows_unguarded(const struct top_rows *rows);

/* Make the rows that were chosen, in order. -ENOMEM */
int top_rows_choose(struct top_rows *rows, const struct top_choice *choice);

/* Where the row of that pool, service and address is; 0: nowhere any more. */
size_t top_rows_find(const struct top_rows *rows, const struct top_row *was);

#endif
