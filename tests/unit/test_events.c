// SPDX-License-Identifier: GPL-2.0-or-later
/* Events in a real database: kept, bounded, paged, and what becomes of them when it fails. */
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

static void tell(void *arg, const struct event *event)
{
	(void)arg;
	if (n_told < 8)
		snprintf(told[n_told], sizeof(told[0]), "%s", event->text);
	__atomic_add_fetch(&n_told, 1, __ATOMIC_SEQ_CST);
}

static int set_up(void **arg)
{
	(void)arg;
	n_told = 0;
	snprintf(directory, sizeof(directory), "/tmp/sluice-test-XXXXXX");
	if (!mkdtemp(directory))
		return -errno;
	snprintf(state, sizeof(state), "%s/state", directory);
	return 0;
}

static int tear_down(void **arg)
{
	char command[128];

	(void)arg;
	snprintf(command, sizeof(command), "rm -rf %s", directory); /* our own name */
	return system(command) == 0 ? 0 : -EIO;
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static struct events *start(uint64_t max)
{
	const struct events_options options = {
		.directory = state, .max = max, .retry_ms = RETRY_MS, .tell = tell
	};
	struct events *events;

	assert_int_equal(events_open(&events, &options), 0);
	return events;
}

static void add(struct events *events, const char *pool, const char *text)
{
	struct event event = { .kind = EVENT_HEALTH, .severity = EVENT_WARNING };

	event_set(event.pool, pool);
	event_set(event.text, text);
	events_add(events, &event);
}

static void add_many(struct events *events, int from, int to)
{
	char text[32];

	for (int i = from; i < to; i++) {
		snprintf(text, sizeof(text), "event %d", i);
		add(events, i % 2 ? "odd" : "even", text);
	}
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 2 * (long)NS_PER_MS }, NULL);
}

static struct events_state state_of(struct events *events)
{
	struct events_state now;

	events_state(events, &now);
	return now;
}

/* Until nothing waits to be written and the database is usable, or not. */
static void await(struct events *events, bool usable)
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

static void await_told(int n)
{
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	while (__atomic_load_n(&n_told, __ATOMIC_SEQ_CST) < n) {
		assert_true(clock_mono_ms() < until_ms);
		nap();
	}
}

static struct events_page page(struct events *events, struct events_query query)
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
static size_t count(struct events *events)
{
	struct events_page all = page(events, .after = 0);

	free(all.events);
	return all.n;
}

static mode_t mode_of(const char *name)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s%s", state, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

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

/* Whoever goes on from the last id while the thread writes gets each event once, in order. */
static void test_follow(void **arg)
{
	struct events *events = start(10000);
	struct events_page first;
	pthread_t adder;
	uint64_t after;
	int next = 0;

	(void)arg;
	first = page(events, .after = 0);
	after = first.last;
	free(first.events);
	assert_int_equal(pthread_create(&adder, NULL, add_slowly, events), 0);
	while (next < 1500) {
		struct events_page found = page(events, .after = after, .limit = 50);
		char text[32];

		for (size_t i = 0; i < found.n; i++) {
			snprintf(text, sizeof(text), "event %d", next++);
			assert_string_equal(found.events[i].text, text);
		}
		if (found.n)
			after = found.events[found.n - 1].id;
		if (!found.more)
			after = found.last;
		free(found.events);
	}
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

/* Overwrite the middle of the file. */
static void damage(off_t at)
{
	static const char rubbish[8192] = "this is no database";
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/state.db", state);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, rubbish, sizeof(rubbish), at), sizeof(rubbish));
	close(fd);
}

static int n_aside(void)
{
	DIR *dir = opendir(state);
	struct dirent *entry;
	int n = 0;

	while ((entry = readdir(dir)))
		n += !strncmp(entry->d_name, "state.db.damaged-", 17);
	closedir(dir);
	return n;
}

static void test_damaged(void **arg)
{
	struct events *events;
	struct events_page found;

	(void)arg;
	/* No database at all, then one of which pages are bad; more often than files are kept. */
	for (int i = 0; i < 5; i++) {
		events = start(1000);
		add_many(events, 0, 200);
		events_close(events);
		n_told = 0;
		damage(i % 2 ? 4096 : 0);
		events = start(1000);
		await_told(1);
		add(events, "p", "afterwards");
		await(events, true);
		found = page(events, .after = 0);
		assert_int_equal(found.n, 2);
		assert_int_equal(found.events[0].kind, EVENT_STORE);
		assert_string_equal(found.events[0].reason, "database_damaged");
		assert_non_null(strstr(found.events[0].text, "/state.db.damaged-2"));
		assert_null(strchr(found.events[0].text, '\n'));
		assert_string_equal(found.events[1].text, "afterwards");
		free(found.events);
		assert_int_equal(n_told, 1);
		assert_int_equal(n_aside(), i < 3 ? i + 1 : 3);
		events_close(events);
	}
}

/* Somebody writes into the file while it is open, or removes it. */
static void test_damaged_meanwhile(void **arg)
{
	struct events *events = start(10000);
	char path[128];

	(void)arg;
	add_many(events, 0, 1000);
	await(events, true);
	events_close(events);
	events = start(10000);
	await(events, true);
	add(events, "p", "one");
	await(events, true);
	damage(8192);
	/* A reader notices, and the writer sees to it. */
	count(events);
	await_told(1);
	await(events, true);
	assert_non_null(strstr(told[0], "is damaged"));
	add(events, "p", "two");
	await(events, true);
	assert_int_equal(count(events), 2);

	snprintf(path, sizeof(path), "%s/state.db", state);
	assert_int_equal(unlink(path), 0);
	add(events, "p", "three");
	await_told(2);
	await(events, true);
	assert_non_null(strstr(told[1], "was removed or replaced"));
	assert_int_equal(count(events), 2);
	events_close(events);
	events = start(100);
	assert_int_equal(count(events), 2);
	events_close(events);
}

/* What the directory may be instead of one. */
static void test_unusable(void **arg)
{
	struct events *events;
	struct events_state now;
	int fd;

	(void)arg;
	fd = open(state, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	events = start(100);
	add_many(events, 0, 10);
	await(events, false);
	await_told(1);
	now = state_of(events);
	assert_non_null(strstr(now.why, "Not a directory"));
	assert_non_null(strstr(told[0], "events stay in memory, the last 4096"));
	/* It is said once, however often it is tried. */
	nanosleep(&(struct timespec){ .tv_nsec = 5 * RETRY_MS * (long)NS_PER_MS }, NULL);
	assert_int_equal(n_told, 1);
	assert_int_equal(count(events), 11);

	/* More than there is room for: the oldest go. */
	add_many(events, 10, EVENTS_WAITING_MAX + 100);
	now = state_of(events);
	assert_int_equal(now.waiting, EVENTS_WAITING_MAX);
	assert_int_equal(now.lost, 101);

	unlink(state);
	events_set_max(events, 100000);
	await(events, true);
	await_told(3);
	assert_non_null(strstr(told[1], "can be used again"));
	assert_non_null(strstr(told[2], "101 events were lost"));
	await(events, true);
	assert_int_equal(state_of(events).kept, EVENTS_WAITING_MAX + 2);
	events_close(events);
}

/* Two daemons, one directory: the second waits until the first has gone. */
static void test_two(void **arg)
{
	struct events *first = start(100), *second;

	(void)arg;
	add(first, "p", "of the first");
	await(first, true);
	second = start(100);
	add(second, "p", "of the second");
	await(second, false);
	assert_non_null(strstr(state_of(second).why, "another sluiced uses the directory"));
	events_close(first);
	await(second, true);
	assert_int_equal(count(second), 4);
	events_close(second);
}

static void fill_disk(void)
{
	static const char block[4096];
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/filler", state);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		continue;
	close(fd);
}

/* A file system of half a megabyte that is full: from the start, and later. */
static void test_full_disk(void **arg)
{
	struct events *events;
	char path[128];

	(void)arg;
	snprintf(path, sizeof(path), "%s/filler", state);
	assert_int_equal(mkdir(state, 0750), 0);
	assert_int_equal(mount("tmpfs", state, "tmpfs", 0, "size=512k"), 0);
	fill_disk();
	events = start(1000);
	add_many(events, 0, 10);
	await(events, false);
	assert_int_equal(count(events), 11);
	unlink(path);
	await(events, true);
	assert_int_equal(state_of(events).kept, 12);

	fill_disk();
	add_many(events, 10, 500);
	await(events, false);
	/* What was written before can still be read. */
	assert_int_equal(count(events), 503);
	assert_non_null(strstr(state_of(events).why, "full"));
	unlink(path);
	await(events, true);
	assert_int_equal(count(events), 504);
	assert_int_equal(state_of(events).lost, 0);
	events_close(events);
	assert_int_equal(umount(state), 0);
}

/* Killed at any point: what is there can be read, is whole, and has no gaps. */
static void test_killed(void **arg)
{
	struct events *events;
	struct events_page found;
	int expected;

	(void)arg;
	for (int round = 0; round < 12; round++) {
		pid_t pid = fork();

		if (pid == 0) {
			events = start(500);
			for (int i = 0;; i += 50) {
				add_many(events, i, i + 50);
				while (state_of(events).waiting > 500)
					nap();
			}
		}
		assert_true(pid > 0);
		nanosleep(&(struct timespec){ .tv_nsec = (20 + 17L * round) * (long)NS_PER_MS },
			  NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);

		events = start(500);
		await(events, true);
		found = page(events, .newest = true);
		assert_true(found.n <= 500);
		for (size_t i = 0; i < found.n; i++) {
			assert_int_equal(sscanf(found.events[i].text, "event %d", &expected), 1);
			if (i && expected)
				assert_string_not_equal(found.events[i].text,
							found.events[i - 1].text);
		}
		free(found.events);
		if (n_told)
			print_message("# round %d: %s\n", round, told[0]);
		assert_int_equal(n_told, 0);
		events_close(events);
	}
	assert_int_equal(n_aside(), 0);
}

/* A reader in the middle of a long look does not keep the writer from writing. */
static void test_reader_and_writer(void **arg)
{
	struct events *events = start(100000);
	sqlite3_stmt *look;
	char path[128];
	sqlite3 *db;

	(void)arg;
	add_many(events, 0, 3000);
	await(events, true);
	snprintf(path, sizeof(path), "%s/state.db", state);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT * FROM events", -1, &look, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(look), SQLITE_ROW);
	add_many(events, 3000, 4000);
	await(events, true);
	assert_int_equal(state_of(events).kept, 4000);
	assert_int_equal(n_told, 0);
	sqlite3_finalize(look);
	sqlite3_close(db);
	events_close(events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(test_whole),
		IN_DIRECTORY(test_bounded),
		IN_DIRECTORY(test_pages),
		IN_DIRECTORY(test_follow),
		IN_DIRECTORY(test_clock_set_back),
		IN_DIRECTORY(test_damaged),
		IN_DIRECTORY(test_damaged_meanwhile),
		IN_DIRECTORY(test_unusable),
		IN_DIRECTORY(test_two),
		IN_DIRECTORY(test_full_disk),
		IN_DIRECTORY(test_killed),
		IN_DIRECTORY(test_reader_and_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
