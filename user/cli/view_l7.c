// SPDX-License-Identifier: GPL-2.0-or-later
/* view_l7 - HAProxy, which carries services of layer 7. */
#include <errno.h>
#include <inttypes.h>

#include "cli/text.h"
#include "cli/view.h"
#include "util/cleanup.h"

DEFINE_CLEANUP(struct table, table_free)

static bool is_true(const json_t *json, const char *key)
{
	return json_is_true(json_object_get(json, key));
}

int view_l7(const struct view *view, const json_t *json)
{
	const json_t *clients = json_object_get(json, "clients");
	const char *error = text_get(json, "error");

	if (!text_get_uint(json, "services") && !is_true(json, "running")) {
		fputs("no service has forward: l7, so HAProxy does not run\n", view->out);
		return 0;
	}
	fprintf(view->out, "services       %" PRIu64 "\n", text_get_uint(json, "services"));
	if (is_true(json, "running"))
		fprintf(view->out, "HAProxy        process %" PRIu64 ", since %s\n",
			text_get_uint(json, "pid"), text_get(json, "since"));
	else
		fputs("HAProxy        not running\n", view->out);
	fprintf(view->out,
		"clients        %" PRIu64 " of %" PRIu64 " connections, %" PRIu64 " waiting\n",
		text_get_uint(clients, "connected"), text_get_uint(clients, "allowed"),
		text_get_uint(clients, "waiting"));
	fprintf(view->out, "configuration  %" PRIu64 ", %s\n", text_get_uint(json, "configuration"),
		is_true(json, "current") ? "served" : "not served yet");
	fprintf(view->out,
		"so far         starts %" PRIu64 ", reloads %" PRIu64 ", failures %" PRIu64
		", changes of servers told %" PRIu64 "\n",
		text_get_uint(json, "starts"), text_get_uint(json, "reloads"),
		text_get_uint(json, "failures"), text_get_uint(json, "told"));
	if (error && *error)
		fprintf(view->out, "last failure   %s\n", error);
	return 0;
}

int view_l7_configuration(const struct view *view, const json_t *json)
{
	const json_t *lines = json_object_get(json, "lines");
	json_t *line;
	size_t i;

	if (!json_array_size(lines))
		fputs("no service has forward: l7, so HAProxy has no configuration\n", view->out);
	json_array_foreach(lines, i, line)
		fprintf(view->out, "%s\n", json_is_string(line) ? json_string_value(line) : "");
	return 0;
}

static int add_numbers(void *arg, const json_t *pool, const json_t *service, const json_t *endpoint)
{
	static const char *const classes[] = { "2xx", "3xx", "4xx", "5xx" };
	static const char *const keys[] = { "retries",         "redispatches", "connect_errors",
					    "response_errors", "queued",       "sessions" };
	const json_t *l7 = json_object_get(endpoint, "l7");
	const json_t *status = json_object_get(l7, "status");
	char address[VIEW_ADDRESS_LEN];
	struct table *table = arg;

	if (!l7)
		return 0;
	table_cell(table, TABLE_PLAIN, "%s", text_get(pool, "name"));
	table_cell(table, TABLE_PLAIN, "%s", text_get(service, "name"));
	table_cell(table, TABLE_PLAIN, "%s", view_address(address, endpoint));
	table_cell(table, TABLE_PLAIN, "%" PRIu64, text_get_uint(l7, "requests"));
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		table_cell(table, TABLE_PLAIN, "%" PRIu64, text_get_uint(status, classes[i]));
	table_cell(table, TABLE_PLAIN, "%" PRIu64 "ms", text_get_uint(l7, "response_ms"));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		table_cell(table, TABLE_PLAIN, "%" PRIu64, text_get_uint(l7, keys[i]));
	return 0;
}

int view_l7_numbers(const struct view *view, const json_t *json)
{
	static const char *const headings[] = {
		"POOL",      "SERVICE",       "ADDRESS", "REQUESTS", "2XX",
		"3XX",       "4XX",           "5XX",     "RESPONSE", "RETRIES",
		"ELSEWHERE", "NO-CONNECTION", "BROKEN",  "QUEUED",   "OPEN",
	};
	const int n = (int)(sizeof(headings) / sizeof(headings[0]));
	CLEANUP(table_free_p) struct table *table = table_new(n, headings);

	if (!table)
		return -ENOMEM;
	for (int i = 3; i < n; i++)
		table_align_right(table, i);
	view_each_endpoint(json, add_numbers, table);
	if (table_is_empty(table))
		return 0;
	fputc('\n', view->out);
	return table_print(table, view->out, view->color);
}
