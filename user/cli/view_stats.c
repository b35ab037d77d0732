// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/view.h"

#include <errno.h>
#include <inttypes.h>

#include "cli/text.h"
#include "util/cleanup.h"

DEFINE_CLEANUP(struct table, table_free)

/* Not counted is not the same as zero. */
static void put_counters(struct table *table, const json_t *kernel, const char *const keys[],
			 size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (json_object_get(kernel, keys[i]))
			table_cell(table, TABLE_PLAIN, "%" PRIu64, text_get_uint(kernel, keys[i]));
		else
			table_cell(table, TABLE_DIM, "-");
	}
}

/* "~12800" where a sample stands for all. */
static void put_estimated(struct table *table, const json_t *kernel, const char *key)
{
	const char *about = json_object_get(kernel, "reply_sample") ? "~" : "";

	if (json_object_get(kernel, key))
		table_cell(table, TABLE_PLAIN, "%s%" PRIu64, about, text_get_uint(kernel, key));
	else
		table_cell(table, TABLE_DIM, "-");
}

static int add_stats(void *arg, const json_t *pool, const json_t *service, const json_t *endpoint)
{
	static const char *const keys[] = { "syn",     "packets", "bytes",   "rejected",
					    "dropped", "reset",   "limited", "icmp_errors" };
	const json_t *kernel = json_object_get(endpoint, "kernel");
	char address[VIEW_ADDRESS_LEN], state[VIEW_HEALTH_LEN];
	struct table *table = arg;

	table_cell(table, TABLE_PLAIN, "%s", text_get(pool, "name"));
	table_cell(table, TABLE_PLAIN, "%s", text_get(service, "name"));
	table_cell(table, TABLE_PLAIN, "%s", view_address(address, endpoint));
	table_cell(table, view_health_color(text_get(endpoint, "health")), "%s",
		   view_state(state, endpoint));
	put_counters(table, kernel, keys, sizeof(keys) / sizeof(keys[0]));
	put_estimated(table, kernel, "replies");
	put_estimated(table, kernel, "reply_bytes");
	return 0;
}

static int add_attempts(void *arg, const json_t *pool, const json_t *service,
			const json_t *endpoint)
{
	static const char *const keys[] = { "attempts",      "syn_ack",     "completed",
					    "refused",       "unreachable", "unanswered",
					    "abandoned",     "retransmits", "reset_client",
					    "reset_endpoint" };
	const json_t *kernel = json_object_get(endpoint, "kernel");
	const json_t *times = json_object_get(kernel, "handshake_us");
	char address[VIEW_ADDRESS_LEN], time[TEXT_TIME_LEN];
	struct table *table = arg;

	if (!json_object_get(kernel, "attempts"))
		return 0;
	table_cell(table, TABLE_PLAIN, "%s", text_get(pool, "name"));
	table_cell(table, TABLE_PLAIN, "%s", text_get(service, "name"));
	table_cell(table, TABLE_PLAIN, "%s", view_address(address, endpoint));
	put_counters(table, kernel, keys, sizeof(keys) / sizeof(keys[0]));
	table_cell(table, TABLE_PLAIN, "%s",
		   times ? text_format_us(time, text_get_uint(times, "p50")) : "-");
	table_cell(table, TABLE_PLAIN, "%s",
		   times ? text_format_us(time, text_get_uint(times, "p99")) : "-");
	return 0;
}

/* What came of attempts to connect, where they are watched. */
static int print_attempts(const struct view *view, const json_t *json)
{
	static const char *const headings[] = {
		"POOL",        "SERVICE",    "ADDRESS",      "ATTEMPTS",   "SYN-ACK",
		"COMPLETED",   "REFUSED",    "UNREACHABLE",  "UNANSWERED", "ABANDONED",
		"RETRANSMITS", "RST-CLIENT", "RST-ENDPOINT", "P50",        "P99",
	};
	const int n = (int)(sizeof(headings) / sizeof(headings[0]));
	CLEANUP(table_free_p) struct table *table = table_new(n, headings);

	if (!table)
		return -ENOMEM;
	for (int i = 3; i < n; i++)
		table_align_right(table, i);
	view_each_endpoint(json, add_attempts, table);
	if (table_is_empty(table))
		return 0;
	fputc('\n', view->out);
	return table_print(table, view->out, view->color);
}

static void put_service(struct table *table, const json_t *pool, const json_t *service)
{
	static const char *const keys[] = { "packets", "bytes", "flows",   "none",
					    "failed",  "moved", "replies", "reply_bytes" };
	const char *listen = text_get(service, "listen");

	table_cell(table, TABLE_PLAIN, "%s", text_get(pool, "name"));
	table_cell(table, TABLE_PLAIN, "%s", text_get(service, "name"));
	table_cell(table, TABLE_PLAIN, "%s", *listen ? listen : "-");
	table_cell(table, TABLE_PLAIN, "%s", text_get(service, "forward"));
	put_counters(table, json_object_get(service, "kernel"), keys,
		     sizeof(keys) / sizeof(keys[0]));
}

/* Those whose packets are forwarded. */
static int print_services(const struct view *view, const json_t *json)
{
	static const char *const headings[] = { "POOL",    "SERVICE", "LISTEN",  "FORWARD",
						"PACKETS", "BYTES",   "FLOWS",   "NONE",
						"FAILED",  "MOVED",   "REPLIES", "REPLY-BYTES" };
	const int n = (int)(sizeof(headings) / sizeof(headings[0]));
	CLEANUP(table_free_p) struct table *table = table_new(n, headings);
	json_t *pool, *service;
	bool any = false;
	size_t p, s;

	if (!table)
		return -ENOMEM;
	for (int i = 4; i < n; i++)
		table_align_right(table, i);
	json_array_foreach(json_object_get(json, "pools"), p, pool)
		json_array_foreach(json_object_get(pool, "services"), s, service)
	{
		if (!*text_get(service, "forward"))
			continue;
		put_service(table, pool, service);
		any = true;
	}
	if (!any)
		return 0;
	fputc('\n', view->out);
	return table_print(table, view->out, view->color);
}

int view_stats(const struct view *view, const json_t *json)
{
	static const char *const headings[] = {
		"POOL",    "SERVICE",     "ADDRESS",  "HEALTH",      "SYN",
		"PACKETS", "BYTES",       "REJECTED", "DROPPED",     "RESET",
		"LIMITED", "ICMP-ERRORS", "REPLIES",  "REPLY-BYTES",
	};
	const int n = (int)(sizeof(headings) / sizeof(headings[0]));
	CLEANUP(table_free_p) struct table *table = table_new(n, headings);
	int r;

	if (!table)
		return -ENOMEM;
	/* The first four columns are words. */
	for (int i = 4; i < n; i++)
		table_align_right(table, i);
	view_each_endpoint(json, add_stats, table);
	r = table_print(table, view->out, view->color);
	if (r < 0)
		return r;
	r = print_attempts(view, json);
	if (r < 0)
		return r;
	r = print_services(view, json);
	if (r == 0)
		r = view_l7_numbers(view, json);
	if (r < 0)
		return r;
	return view_decisions(view, json_object_get(json, "decisions"));
}
