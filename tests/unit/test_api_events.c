// SPDX-License-Identifier: GPL-2.0-or-later
/* Events over the API and on the command line: pages, filters, and what is refused. */
#include "cli/cli.h"
#include "store/events.h"
#include "tests/unit/api_run.h"
#include "tests/unit/cli_run.h"

static void add(const char *pool, const char *text, uint64_t at_us)
{
	struct event event = { .kind = EVENT_HEALTH, .severity = EVENT_WARNING, .at_us = at_us };

	event_set(event.pool, pool);
	event_set(event.text, text);
	events_add(gateway.events, &event);
}

static void add_many(int n)
{
	char text[32];

	for (int i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "event %d", i);
		add(i % 2 ? "odd" : "even", text, 0);
	}
}

static void test_one(void **state)
{
	struct event event = { .at_us = 1767225600000001,
			       .kind = EVENT_EVIDENCE,
			       .severity = EVENT_WARNING };
	json_t *json;

	(void)state;
	event_set(event.pool, "web-pool");
	event_set(event.endpoint, "10.0.0.5:80");
	event_set(event.before, "trusted");
	event_set(event.after, "suspect");
	event_set(event.text, "not UTF-8: \xff, and a line\nend");
	event_number(&event, "rst", 7);
	events_add(gateway.events, &event);

	json = get("/v1/events", 200);
	assert_int_equal(json_array_size(json_at(json, "events")), 1);
	assert_true(json_number_at(json, "events.0.id") >= 1767225600000001);
	assert_true(json_number_at(json, "events.0.id") == json_number_at(json, "last"));
	assert_string_equal(json_text_at(json, "events.0.at"), "2026-01-01T00:00:00.000001Z");
	assert_string_equal(json_text_at(json, "events.0.kind"), "evidence");
	assert_string_equal(json_text_at(json, "events.0.severity"), "warning");
	assert_string_equal(json_text_at(json, "events.0.endpoint"), "10.0.0.5:80");
	assert_string_equal(json_text_at(json, "events.0.after"), "suspect");
	assert_string_equal(json_text_at(json, "events.0.text"), "not UTF-8: ?, and a line\nend");
	assert_int_equal(json_number_at(json, "events.0.numbers.rst"), 7);
	assert_null(json_at(json, "events.0.service"));
	assert_null(json_at(json, "events.0.reason"));
	assert_true(json_is_false(json_at(json, "more")));
	json_decref(json);

	json = get("/v1/status", 200);
	assert_true(json_is_true(json_at(json, "events.usable")));
	assert_int_equal(json_number_at(json, "events.max"), 1000);
	assert_int_equal(json_number_at(json, "events.lost"), 0);
	json_decref(json);
}

static const struct row {
	const char *path;
	int n; /* -1: refused */
	const char *first; /* the first one's text, or what is said */
} rows[] = {
	{ "/v1/events", 100, "event 150" },
	{ "/v1/events?limit=250", 250, "event 0" },
	{ "/v1/events?limit=1", 1, "event 249" },
	{ "/v1/events?after=0", 100, "event 0" },
	{ "/v1/events?after=0&limit=1000", 250, "event 0" },
	{ "/v1/events?since=1h&limit=2", 2, "event 0" },
	{ "/v1/events?since=0s", 0, NULL },
	{ "/v1/events?after=9007199254740992", 0, NULL },
	{ "/v1/events?pool=odd&limit=2", 2, "event 247" },
	{ "/v1/events?pool=odd&after=0&limit=2", 2, "event 1" },
	{ "/v1/events?pool=%27%20OR%201=1--", 0, NULL },
	{ "/v1/events?limit=0", -1, "limit '0' is not a whole number from 1 to 1000" },
	{ "/v1/events?limit=1001", -1, "limit '1001' is not" },
	{ "/v1/events?limit=-1", -1, "limit '-1' is not" },
	{ "/v1/events?after=x", -1, "after 'x' is not the id of an event" },
	{ "/v1/events?after=9007199254740993", -1, "is not the id of an event" },
	{ "/v1/events?since=soon", -1, "since 'soon' is not a duration such as 10m" },
};

static void test_rows(void **state)
{
	(void)state;
	add_many(250);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *json = get(rows[i].path, rows[i].n < 0 ? 400 : 200);
		const char *text =
			json_text_at(json, rows[i].n < 0 ? "error.message" : "events.0.text");

		if (rows[i].n >= 0)
			assert_int_equal(json_array_size(json_at(json, "events")), rows[i].n);
		if (rows[i].first && !strstr(text, rows[i].first))
			fail_msg("%s: %s", rows[i].path, text);
		json_decref(json);
	}
}

/* More than one page of them is one document, and one table. */
static void test_command(void **state)
{
	RESULT json = { 0 }, table = { 0 }, last = { 0 };
	json_t *document;
	size_t n = 0;

	(void)state;
	add_many(900);
	last = run("events");
	assert_int_equal(last.status, STATUS_DONE);
	assert_non_null(strstr(last.out, "event 899\nolder ones: --limit N, --since T\n"));
	assert_non_null(strstr(last.out, "event 800\n"));
	assert_null(strstr(last.out, "event 799\n"));

	json = run("events --since 1h --json");
	assert_int_equal(json.status, STATUS_DONE);
	document = json_loads(json.out, 0, NULL);
	assert_int_equal(json_array_size(json_at(document, "events")), 900);
	assert_string_equal(json_text_at(document, "events.0.text"), "event 0");
	assert_string_equal(json_text_at(document, "events.899.text"), "event 899");
	assert_true(json_is_false(json_at(document, "more")));
	json_decref(document);

	table = run("events --since 1h --pool even");
	for (const char *c = table.out; *c; c++)
		n += *c == '\n';
	assert_int_equal(n, 450 + 1);
	assert_non_null(strstr(table.out, "event 898\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { SERVED(test_one), SERVED(test_rows),
					    SERVED(test_command) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
