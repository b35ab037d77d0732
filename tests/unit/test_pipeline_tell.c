// SPDX-License-Identifier: GPL-2.0-or-later
/* What the pipeline says of endpoints: events, and how many of them. */
#include <unistd.h>

#include "model/damper.h"
#include "store/events.h"
#include "tests/unit/pipeline_run.h"

static int n_events;
static struct event last_event, one_before;

/* What a pipeline tells, with events kept in a directory of the test's own. */
static struct events *open_events(char directory[])
{
	struct events *events;

	assert_non_null(mkdtemp(directory));
	assert_int_equal(events_open(&events, &(struct events_options){ .directory = directory,
									.max = 1000 }),
			 0);
	return events;
}

static void read_events(struct events *events)
{
	struct events_page page;

	assert_int_equal(
		events_read(events, &(struct events_query){ .newest = true, .limit = 100 }, &page),
		0);
	n_events = (int)page.n;
	if (page.n)
		last_event = page.events[page.n - 1];
	if (page.n > 1)
		one_before = page.events[page.n - 2];
	free(page.events);
}

static void close_events(struct events *events, const char *directory)
{
	char path[64];

	events_close(events);
	snprintf(path, sizeof(path), "%s/state.db", directory);
	unlink(path);
	assert_int_equal(rmdir(directory), 0);
}

/* Health and evidence become events; what is too much of either is held, and told of at the end. */
static void tells(void **state)
{
	char directory[] = "/tmp/sluice-test-XXXXXX";
	struct event evidence = { .kind = EVENT_EVIDENCE, .severity = EVENT_WARNING };
	struct events *events = open_events(directory);
	struct fixture f;

	(void)state;
	with_events = events;
	begin(&f, 0);
	report(&f, 1, SL_MSG_TCP_CONNECT_FAILED);
	read_events(events);
	assert_int_equal(n_events, 1);
	assert_int_equal(last_event.kind, EVENT_HEALTH);
	assert_int_equal(last_event.severity, EVENT_WARNING);
	assert_string_equal(last_event.settings, "web");
	assert_string_equal(last_event.endpoint, "10.0.0.1:80");
	assert_string_equal(last_event.before, "Unknown");
	assert_string_equal(last_event.after, "Unhealthy");
	assert_string_equal(last_event.reason, "tcp_connect_failed");
	assert_non_null(strstr(last_event.numbers, "\"code\": 3, \"failures\": 1"));

	event_set(evidence.before, "trusted");
	event_set(evidence.after, "suspect");
	event_set(evidence.text, "7 resets in 1s");
	event_number(&evidence, "rst", 7);
	for (int i = 0; i < 100; i++)
		pipeline_tell(f.pipeline, 1, &evidence);
	read_events(events);
	assert_int_equal(n_events, 1 + DAMPER_TOLD);
	assert_string_equal(last_event.endpoint, "10.0.0.1:80");
	assert_string_equal(last_event.numbers, "{\"rst\": 7}");

	/* Which does not hide what becomes of its health, nor what happens to others. */
	for (int i = 0; i < 5; i++) {
		report(&f, 1, SL_MSG_OK);
		report(&f, 1, SL_MSG_TCP_CONNECT_FAILED);
		report(&f, 1, SL_MSG_TCP_CONNECT_FAILED);
	}
	report(&f, 0, SL_MSG_OK);
	read_events(events);
	assert_int_equal(n_events, DAMPER_TOLD + DAMPER_TOLD + 1);
	assert_string_equal(last_event.endpoint, "10.0.0.0:80");

	pipeline_tell_held(f.pipeline);
	read_events(events);
	assert_int_equal(n_events, DAMPER_TOLD + DAMPER_TOLD + 3);
	assert_int_equal(last_event.kind, EVENT_EVIDENCE);
	assert_non_null(strstr(last_event.text, "94 more events within 10s"));
	/* The sixth change was the last that was told one by one. */
	assert_int_equal(one_before.kind, EVENT_HEALTH);
	assert_string_equal(one_before.before, "Healthy");
	assert_string_equal(one_before.after, "Unhealthy");
	assert_string_equal(one_before.reason, "tcp_connect_failed");
	assert_non_null(strstr(one_before.text, "5 more changes within 10s, now: TCP connection "));
	assert_non_null(strstr(one_before.numbers, "\"more\": 5, \"within_ms\": 10000"));
	with_events = NULL;
	end(&f);
	close_events(events, directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(tells) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
