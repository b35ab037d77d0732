/* SPDX-License-Identifier: GPL-2.0-or-later */
/* events_run - events in a database of the test's own; included by one .c of each test program. */
#ifndef SLUICE_TESTS_EVENTS_RUN_H
#define SLUICE_TESTS_EVENTS_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store/events.h"
#include "util/clock.h"
#include "util/err.h"

#define PATIENCE_MS 10000
#define RETRY_MS 50

static char directory[64]; /* the test's own; the state directory is below it */
static char state[80];
static int n_told;
static char told[8][EVENT_TEXT_LEN];

static inline void tell(void *arg, const struct event *event)
{
	(void)arg;
	if (n_told < 8)
		snprintf(told[n_told], sizeof(told[0]), "%s", event->text);
	__atomic_add_fetch(&n_told, 1, __ATOMIC_SEQ_CST);
}

static inline int set_up(void **arg)
{
	(void)arg;
	n_told = 0;
	snprintf(directory, sizeof(directory), "/tmp/sluice-test-XXXXXX");
	if (!mkdtemp(directory))
		return -errno;
	snprintf(state, sizeof(state), "%s/state", directory);
	return 0;
}

static inline int tear_down(void **arg)
{
	char command[128];

	(void)arg;
	snprintf(command, sizeof(command), "rm -rf %s", directory); /* our own name */
	return system(command) == 0 ? 0 : -EIO;
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static inline struct events *start(uint64_t max)
{
	const struct events_options options = {
		.directory = state, .max = max, .retry_ms = RETRY_MS, .tell = tell
	};
	struct events *events;

	assert_int_equal(events_open(&events, &options), 0);
	return events;
}

static inline void add(struct events *events, const char *pool, const char *text)
{
	struct event event = { .kind = EVENT_HEALTH, .severity = EVENT_WARNING };

	event_set(event.pool, pool);
	event_set(event.text, text);
	events_add(events, &event);
}

static inline void add_many(struct events *events, int from, int to)
{
	char text[32];

	for (int i = from; i < to; i++) {
		snprintf(text, sizeof(text), "event %d", i);
		add(events, i % 2 ? "odd" : "even", text);
	}
}

static inline void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 2 * (long)NS_PER_MS }, NULL);
}

static inline struct events_state state_of(struct events *events)
{
	struct events_state now;

	events_state(events, &now);
	return now;
}

/* Until nothing waits to be written and the database is usable, or not. */
static inline void await(struct events *events, bool usable)
{
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	for (;;) {
		struct events_state now = state_of(events);

		if (now.usable == usable && (!usable || !now.waiting))
			return;
		assert_true(clock_mono_ms() < until_ms);
		nap();
	}
}

static inline void await_told(int n)
{
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	while (__atomic_load_n(&n_told, __ATOMIC_SEQ_CST) < n) {
		assert_true(clock_mono_ms() < until_ms);
		nap();
	}
}

static inline struct events_page page(struct events *events, struct events_query query)
{
	struct events_page found;

	if (!query.limit)
		query.limit = EVENTS_PAGE_MAX;
	assert_int_equal(events_read(events, &query, &found), 0);
	for (size_t i = 1; i < found.n; i++)
		assert_true(found.events[i - 1].id < found.events[i].id);
	return found;
}

#define page(events, ...) page(events, (struct events_query){ __VA_ARGS__ })

/* How many there are, whether kept or not. */
static inline size_t count(struct events *events)
{
	struct events_page all = page(events, .after = 0);

	free(all.events);
	return all.n;
}

static inline mode_t mode_of(const char *name)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s%s", state, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

#endif
