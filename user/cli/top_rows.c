// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/top_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/text.h"
#include "util/cleanup.h"

#define ROWS_START 64
#define ALL_WELL 4 /* as gravity has it */

const char *top_sort_name(enum top_sort sort)
{
#define NAME(NAME, name) name,
	static const char *const names[] = { TOP_SORTS(NAME) };
#undef NAME

	return names[sort];
}

bool top_row_is_warned(const struct top_row *row)
{
	return json_array_size(json_object_get(row->endpoint, "warnings")) > 0;
}

/* What is worst comes first. */
static int gravity(const struct top_row *row)
{
	if (!strcmp(row->health, "Unhealthy"))
		return 0;
	if (!strcmp(row->health, "Unknown"))
		return 1;
	if (strcmp(text_get(row->endpoint, "admin"), "enabled") != 0)
		return 2;
	return top_row_is_warned(row) ? 3 : ALL_WELL;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* IPv4 before IPv6, and shorter before longer, so that 10.0.0.9 is before 10.0.0.10 more often than not. */
static int compare_addresses(const struct top_row *a, const struct top_row *b)
{
	return strverscmp(a->address, b->address);
}

static int compare_by(enum top_sort sort, const struct top_row *a, const struct top_row *b)
{
	switch (sort) {
	case TOP_SORT_STATE:
		return gravity(a) - gravity(b);
	case TOP_SORT_POOL:
		return strcmp(a->pool, b->pool) ?: strcmp(a->service, b->service);
	case TOP_SORT_ADDRESS:
		return compare_addresses(a, b);
	case TOP_SORT_SINCE:
		return compare_numbers(b->since_ms, a->since_ms);
	case TOP_SORT_TIME:
		return compare_numbers(b->took_us, a->took_us);
	case TOP_SORTS_N:
		break;
	}
	return 0;
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct top_choice *choice = arg;
	const struct top_row *x = a, *y = b;
	int order = compare_by(choice->sort, x, y);

	if (choice->reversed)
		order = -order;
	return order ?: compare_numbers(x->position, y->position);
}

static bool has(const char *text, const char *word)
{
	return strcasestr(text, word) != NULL;
}

static bool is_chosen(const struct top_row *row, const struct top_choice *choice)
{
	char words[TOP_FILTER_LEN], *rest = NULL;

	if (choice->troubled && gravity(row) == ALL_WELL)
		return false;
	memcpy(words, choice->filter, sizeof(words));
	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		if (!has(row->address, word) && !has(row->pool, word) && !has(row->service, word) &&
		    !has(row->health, word) && !has(row->message, word) &&
		    !has(text_get(row->endpoint, "backend"), word) &&
		    !has(text_get(row->endpoint, "admin"), word))
			return false;
	return true;
}

static int add(struct top_rows *rows, const struct top_row *row)
{
	size_t capacity = rows->capacity ? rows->capacity * 2 : ROWS_START;
	struct top_row *grown;

	if (rows->n == rows->capacity) {
		grown = reallocarray(rows->rows, capacity, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		rows->rows = grown;
		rows->capacity = capacity;
	}
	rows->rows[rows->n++] = *row;
	return 0;
}

struct gathering {
	struct top_rows *rows;
	const struct top_choice *choice;
	size_t position;
};

static int gather(void *arg, const json_t *pool, const json_t *service, const json_t *endpoint)
{
	struct gathering *gathering = arg;
	struct top_rows *rows = gathering->rows;
	const json_t *timing = json_object_get(json_object_get(endpoint, "probe"), "timing_us");
	struct top_row row = {
		.endpoint = endpoint,
		.pool = text_get(pool, "name"),
		.service = text_get(service, "name"),
		.health = text_get(endpoint, "health"),
		.message = text_get(endpoint, "message"),
		.since_ms = text_parse_time(text_get(endpoint, "since")),
		.took_us = text_get_uint(timing, "total"),
		.position = gathering->position++,
	};

	view_address(row.address, endpoint);
	rows->healthy += !strcmp(row.health, "Healthy");
	rows->unhealthy += !strcmp(row.health, "Unhealthy");
	rows->unknown += !strcmp(row.health, "Unknown");
	return is_chosen(&row, gathering->choice) ? add(rows, &row) : 0;
}

void top_rows_set(struct top_rows *rows, json_t *json)
{
	/* Rows are of the document that goes. */
	rows->n = 0;
	json_decref(rows->json);
	rows->json = json;
}

const json_t *top_rows_unguarded(const struct top_rows *rows)
{
	return json_object_get(rows->json, "unguarded");
}

void top_rows_done(struct top_rows *rows)
{
	json_decref(rows->json);
	free(rows->rows);
}

int top_rows_choose(struct top_rows *rows, const struct top_choice *choice)
{
	struct gathering gathering = { rows, choice, 0 };
	struct top_choice order = *choice;
	int r;

	rows->n = rows->healthy = rows->unhealthy = rows->unknown = 0;
	r = view_each_endpoint(rows->json, gather, &gathering);
	if (r < 0)
		return r;
	if (rows->n)
		qsort_r(rows->rows, rows->n, sizeof(*rows->rows), compare, &order);
	return 0;
}

size_t top_rows_find(const struct top_rows *rows, const struct top_row *was)
{
	for (size_t i = 0; i < rows->n; i++)
		if (!strcmp(rows->rows[i].address, was->address) &&
		    !strcmp(rows->rows[i].pool, was->pool) &&
		    !strcmp(rows->rows[i].service, was->service))
			return i;
	return 0;
}
