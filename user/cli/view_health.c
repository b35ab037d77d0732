// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/view.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/text.h"
#include "util/cleanup.h"
#include "util/duration.h"

#define REASON_LEN 2048
#define BEFORE_LEN (DURATION_LEN + 64)

DEFINE_CLEANUP(struct table, table_free)

const char *view_address(char buf[VIEW_ADDRESS_LEN], const json_t *endpoint)
{
	const char *address = text_get(endpoint, "address");
	bool v6 = strchr(address, ':') != NULL;

	snprintf(buf, VIEW_ADDRESS_LEN, "%s%s%s:%" PRIu64, v6 ? "[" : "", address, v6 ? "]" : "",
		 text_get_uint(endpoint, "port"));
	return buf;
}

const char *view_state(char buf[VIEW_HEALTH_LEN], const json_t *endpoint)
{
	const char *gate = text_get(endpoint, "gate");
	const char *health = text_get(endpoint, "health");

	if (*text_get(endpoint, "admin") && strcmp(text_get(endpoint, "admin"), "enabled") != 0)
		snprintf(buf, VIEW_HEALTH_LEN, "%s (%s)", health, text_get(endpoint, "admin"));
	else if (text_get_bool(endpoint, "forced"))
		snprintf(buf, VIEW_HEALTH_LEN, "%s (forced open)", health);
	else if (*gate)
		snprintf(buf, VIEW_HEALTH_LEN, "%s (gate: %s)", health, gate);
	else if (*text_get(endpoint, "disagrees"))
		snprintf(buf, VIEW_HEALTH_LEN, "%s (clients disagree)", health);
	else
		snprintf(buf, VIEW_HEALTH_LEN, "%s%s", health,
			 text_get_bool(endpoint, "adopted") ? " (adopted)" : "");
	return buf;
}

const char *view_drain(char buf[VIEW_DRAIN_LEN], const json_t *endpoint)
{
	const json_t *drain = json_object_get(endpoint, "drain");
	uint64_t flows = text_get_uint(drain, "flows");
	char left[DURATION_LEN] = "no end", counted[DURATION_LEN] = "flows not counted";

	buf[0] = '\0';
	if (!drain)
		return buf;
	if (json_object_get(drain, "left_ms"))
		duration_human(left, text_get_uint(drain, "left_ms"));
	if (json_object_get(drain, "flows"))
		snprintf(counted, sizeof(counted), "%" PRIu64 " flow%s", flows,
			 flows == 1 ? "" : "s");
	snprintf(buf, VIEW_DRAIN_LEN, "%s, %s%s", counted, left,
		 json_object_get(drain, "left_ms") ? " left" : "");
	return buf;
}

enum table_color view_health_color(const char *health)
{
	if (!strcmp(health, "Healthy"))
		return TABLE_GREEN;
	return !strcmp(health, "Unhealthy") ? TABLE_RED : TABLE_YELLOW;
}

int view_each_endpoint(const json_t *json, view_endpoint_fn *fn, void *arg)
{
	json_t *pool, *service, *endpoint;
	size_t p, s, e;
	int r;

	json_array_foreach(json_object_get(json, "pools"), p, pool)
		json_array_foreach(json_object_get(pool, "services"), s, service)
			json_array_foreach(json_object_get(service, "endpoints"), e, endpoint)
	{
		r = fn(arg, pool, service, endpoint);
		if (r)
			return r;
	}
	return 0;
}

static int is_not_healthy(void *arg, const json_t *pool, const json_t *service,
			  const json_t *endpoint)
{
	(void)arg;
	(void)pool;
	(void)service;
	return strcmp(text_get(endpoint, "health"), "Healthy") != 0;
}

bool view_all_healthy(const json_t *json)
{
	return !view_each_endpoint(json, is_not_healthy, NULL);
}

static int sign(void *arg, const json_t *pool, const json_t *service, const json_t *endpoint)
{
	char address[VIEW_ADDRESS_LEN], state[VIEW_HEALTH_LEN];

	json_t *warning;
	size_t i;

	fprintf(arg, "%s/%s %s %s %s", text_get(pool, "name"), text_get(service, "name"),
		view_address(address, endpoint), view_state(state, endpoint),
		text_get(endpoint, "id"));
	json_array_foreach(json_object_get(endpoint, "warnings"), i, warning)
		fprintf(arg, " %s", json_is_string(warning) ? json_string_value(warning) : "");
	fputc('\n', arg);
	return 0;
}

char *view_signature(const json_t *json)
{
	const json_t *lack;
	char *text = NULL;
	size_t len, i;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	json_array_foreach(json_object_get(json, "unguarded"), i, lack)
		fprintf(out, "%s %s\n", text_get(lack, "interface"), text_get(lack, "state"));
	view_each_endpoint(json, sign, out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* "": the verdict is of this daemon, or there is none. */
static const char *view_before(char buf[BEFORE_LEN], const json_t *endpoint)
{
	char age[DURATION_LEN];

	buf[0] = '\0';
	if (json_object_get(endpoint, "verdict_ms_ago"))
		snprintf(buf, BEFORE_LEN, "Verdict of %s ago, not yet probed since the start: ",
			 duration_human(age, text_get_uint(endpoint, "verdict_ms_ago")));
	return buf;
}

/* The message, and behind it what it should be warned of. */
static void put_reason(struct table *table, const json_t *endpoint, uint64_t now_ms)
{
	char reason[REASON_LEN], text[VIEW_WARNING_LEN];
	json_t *warning;
	char drain[VIEW_DRAIN_LEN], before[BEFORE_LEN];
	size_t len, i;

	view_drain(drain, endpoint);
	len = (size_t)snprintf(reason, sizeof(reason), "%s%s%s%s%s", *drain ? "Draining: " : "",
			       drain, *drain ? ". " : "", view_before(before, endpoint),
			       text_get(endpoint, "message"));
	json_array_foreach(json_object_get(endpoint, "warnings"), i, warning)
	{
		if (!json_is_string(warning) || len >= sizeof(reason))
			continue;
		len += (size_t)snprintf(
			reason + len, sizeof(reason) - len, " Warning: %s.",
			view_warning(text, endpoint, json_string_value(warning), now_ms));
	}
	table_cell(table, TABLE_PLAIN, "%s", reason);
}

static void put_row(struct table *table, const json_t *endpoint, uint64_t now_ms)
{
	const char *health = text_get(endpoint, "health");
	uint64_t since_ms = text_parse_time(text_get(endpoint, "since"));
	char address[VIEW_ADDRESS_LEN], state[VIEW_HEALTH_LEN], age[DURATION_LEN];

	table_cell(table, TABLE_PLAIN, "%s", view_address(address, endpoint));
	table_cell(table, view_health_color(health), "%s", view_state(state, endpoint));
	table_cell(table, TABLE_PLAIN, "%s",
		   since_ms && now_ms > since_ms ? duration_human(age, now_ms - since_ms) : "now");
	put_reason(table, endpoint, now_ms);
}

static int print_service(const struct view *view, const json_t *pool, const json_t *service)
{
	static const char *const headings[] = { "ADDRESS", "HEALTH", "SINCE", "REASON" };
	CLEANUP(table_free_p) struct table *table = NULL;
	const json_t *endpoints = json_object_get(service, "endpoints");
	json_t *endpoint;
	size_t i;

	fprintf(view->out, "%s / %s (settings %s)\n", text_get(pool, "name"),
		text_get(service, "name"), text_get(service, "settings"));
	if (!json_array_size(endpoints)) {
		fputs("  the pool has no backends\n", view->out);
		return 0;
	}

	table = table_new(4, headings);
	if (!table)
		return -ENOMEM;
	json_array_foreach(endpoints, i, endpoint) put_row(table, endpoint, view->now_ms);
	return table_print(table, view->out, view->color);
}

struct sums {
	uint64_t healthy, unhealthy, unknown;
};

static int add_sum(void *arg, const json_t *pool, const json_t *service, const json_t *endpoint)
{
	const char *health = text_get(endpoint, "health");
	struct sums *sums = arg;

	(void)pool;
	(void)service;
	sums->healthy += !strcmp(health, "Healthy");
	sums->unhealthy += !strcmp(health, "Unhealthy");
	sums->unknown += !strcmp(health, "Unknown");
	return 0;
}

static int print_pool(const struct view *view, const json_t *pool)
{
	const json_t *services = json_object_get(pool, "services");
	json_t *service;
	size_t i;
	int r;

	if (!json_array_size(services))
		fprintf(view->out, "%s: no service uses it, so nothing of it is probed\n\n",
			text_get(pool, "name"));
	json_array_foreach(services, i, service)
	{
		r = print_service(view, pool, service);
		if (r < 0)
			return r;
		fputc('\n', view->out);
	}
	return 0;
}

int view_health(const struct view *view, const json_t *json)
{
	const json_t *lack;
	struct sums sums = { 0 };
	json_t *pool;
	size_t i;
	int r;

	json_array_foreach(json_object_get(json, "unguarded"), i, lack)
		view_unguarded(view, text_get(lack, "interface"), text_get(lack, "why"));
	json_array_foreach(json_object_get(json, "pools"), i, pool)
	{
		r = print_pool(view, pool);
		if (r < 0)
			return r;
	}
	view_each_endpoint(json, add_sum, &sums);
	fprintf(view->out, "%" PRIu64 " healthy, %" PRIu64 " unhealthy, %" PRIu64 " unknown\n",
		sums.healthy, sums.unhealthy, sums.unknown);
	return 0;
}
