// SPDX-License-Identifier: GPL-2.0-or-later
/* Events in a real database: kept, bounded and paged. */
#include "tests/unit/events_run.h"

/* Every member comes back as it was, by the next process as well. */
static void test_whole(void **arg)
{
	struct events *events;
	struct events_page found;
	struct event event = { .at_us = 1767225600000001,
			       .kind = EVENT_EVIDENCE,
			       .severity = EVENT_INFO };
	const struct event *e;
	mode_t mask = umask(0);

	(void)arg;
	event_set(event.pool, "web");
	event_set(event.service, "shop");
	event_set(event.settings, "tls");
	event_set(event.endpoint, "[fd00::5]:443 (app.test)");
	event_set(event.before, "trusted");
	event_set(event.after, "suspect");
	event_set(event.reason, "rst_burst");
	event_set(event.text, "it's \"odd\"; DROP TABLE events; \xc3\xa9");
	event_number(&event, "rst", 12);
	event_number(&event, "syn", -3);

	events = start(100);
	events_add(events, &event);
	add(events, "web", "second");
	events_close(events);
	assert_int_equal(mode_of(""), 0750);
	assert_int_equal(mode_of("/state.db"), 0640);
	umask(mask);

	events = start(100);
	found = page(events, .after = 0);
	assert_int_equal(found.n, 2);
	assert_false(found.more);
	e = &found.events[0];
	assert_true(e->id >= event.at_us);
	assert_true(e->at_us == event.at_us);
	assert_int_equal(e->kind, EVENT_EVIDENCE);
	assert_int_equal(e->severity, EVENT_INFO);
	assert_string_equal(e->pool, "web");
	assert_string_equal(e->service, "shop");
	assert_string_equal(e->settings, "tls");
	assert_string_equal(e->endpoint, "[fd00::5]:443 (app.test)");
	assert_string_equal(e->before, "trusted");
	assert_string_equal(e->after, "suspect");
	assert_string_equal(e->reason, "rst_burst");
	assert_string_equal(e->text, event.text);
	assert_string_equal(e->numbers, "{\"rst\": 12, \"syn\": -3}");
	assert_true(found.events[1].at_us > e->at_us);
	assert_string_equal(found.events[1].numbers, "");
	free(found.events);
	events_close(events);
	assert_int_equal(n_told, 0);
}

/* The oldest go when there are too many; those who read on by id miss nothing that is there. */
static void test_bounded(void **arg)
{
	struct events *events = start(100);
	struct events_page found;

	(void)arg;
	add_many(events, 0, 1000);
	await(events, true);
	assert_int_equal(state_of(events).kept, 100);
	assert_int_equal(state_of(events).lost, 0);
	found = page(events, .after = 0);
	assert_int_equal(found.n, 100);
	assert_string_equal(found.events[0].text, "event 900");
	assert_string_equal(found.events[99].text, "event 999");
	free(found.events);

	events_set_max(events, 10);
	add_many(events, 1000, 1001);
	await(events, true);
	assert_int_equal(count(events), 10);
	events_close(events);

	/* A lower bound holds for what was there before. */
	events = start(3);
	add_many(events, 1001, 1002);
	await(events, true);
	assert_int_equal(count(events), 3);
	events_close(events);
}

static void test_pages(void **arg)
{
	struct events *events = start(10000);
	struct events_page found;
	uint64_t after = 0, middle_us;
	int next = 0;

	(void)arg;
	add_many(events, 0, 250);
	await(events, true);
	nap();
	middle_us = clock_wall_us();
	add_many(events, 250, 500);

	/* However far the writer is, each comes once and in order. */
	do {
		char text[32];

		found = page(events, .after = after, .limit = 7);
		assert_true(found.n <= 7 && (!found.more || found.n == 7));
		for (size_t i = 0; i < found.n; i++) {
			snprintf(text, sizeof(text), "event %d", next++);
			assert_string_equal(found.events[i].text, text);
			after = found.events[i].id;
		}
		assert_true(found.last >= after);
		free(found.events);
	} while (found.more);
	assert_int_equal(next, 500);

	found = page(events, .newest = true, .limit = 10);
	assert_int_equal(found.n, 10);
	assert_true(found.more);
	assert_string_equal(found.events[0].text, "event 490");
	assert_string_equal(found.events[9].text, "event 499");
	free(found.events);

	await(events, true);
	found = page(events, .since_us = middle_us);
	assert_int_equal(found.n, 250);
	assert_string_equal(found.events[0].text, "event 250");
	free(found.events);
	found = page(events, .since_us = middle_us, .pool = "odd", .limit = 2);
	assert_int_equal(found.n, 2);
	assert_true(found.more);
	assert_string_equal(found.events[1].text, "event 253");
	free(found.events);
	found = page(events, .pool = "odd", .newest = true, .limit = 1);
	assert_string_equal(found.events[0].text, "event 499");
	free(found.events);
	found = page(events, .pool = "no such pool");
	assert_int_equal(found.n, 0);
	free(found.events);
	found = page(events, .after = found.last);
	assert_int_equal(found.n, 0);
	free(found.events);
	events_close(events);
}

static void *add_slowly(void *arg)
{
	for (int i = 0; i < 1500; i++) {
		add_many(arg, i, i + 1);
		if (i % 3 == 0)
			nap();
	}
	return NULL;
}

/* Until 1500 were read, each once and in order; NULL: so it was. */
static void *read_all(void *arg)
{
	struct events_query query = { .limit = 50 };
	int next = 0;

	while (next < 1500) {
		struct events_page found;
		char text[32];

		if (events_read(arg, &query, &found) < 0)
			return arg;
		for (size_t i = 0; i < found.n; i++) {
			snprintf(text, sizeof(text), "event %d", next++);
			if (strcmp(found.events[i].text, text) != 0)
				return arg;
		}
		if (found.n)
			query.after = found.events[found.n - 1].id;
		if (!found.more)
			query.after = found.last;
		free(found.events);
	}
	return NULL;
}

/* Whoever goes on from the last id while the thread writes gets each event once, in order; so does the next one. */
static void test_follow(void **arg)
{
	struct events *events = start(10000);
	pthread_t adder, other;
	void *wrong;

	(void)arg;
	assert_int_equal(pthread_create(&other, NULL, read_all, events), 0);
	assert_int_equal(pthread_create(&adder, NULL, add_slowly, events), 0);
	assert_null(read_all(events));
	pthread_join(other, &wrong);
	assert_null(wrong);
	pthread_join(adder, NULL);
	events_close(events);
}

/* Ids grow although the clock was set back, and also when it was in the future for a while. */
static void test_clock_set_back(void **arg)
{
	const uint64_t future_us = clock_wall_us() + 3600 * US_PER_SEC;
	struct event event = { .at_us = future_us };
	struct events *events = start(100);
	struct events_page found;

	(void)arg;
	event_set(event.text, "from the future");
	events_add(events, &event);
	add(events, "p", "behind it");
	events_close(events);

	events = start(100);
	add(events, "p", "the next daemon's");
	await(events, true);
	found = page(events, .after = 0);
	assert_int_equal(found.n, 3);
	assert_true(found.events[0].id >= future_us);
	assert_string_equal(found.events[2].text, "the next daemon's");
	assert_true(found.last == found.events[2].id);
	free(found.events);
	events_close(events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(test_whole),          IN_DIRECTORY(test_bounded),
		IN_DIRECTORY(test_pages),          IN_DIRECTORY(test_follow),
		IN_DIRECTORY(test_clock_set_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
