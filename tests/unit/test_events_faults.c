// SPDX-License-Identifier: GPL-2.0-or-later
/* What becomes of events when their database is damaged, cannot be used, or is used by several. */
#include "tests/unit/events_run.h"

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
	damage(3 * 4096l);
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
	assert_non_null(strstr(state_of(second).why, "another sluiced uses it"));
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
		IN_DIRECTORY(test_damaged),           IN_DIRECTORY(test_damaged_meanwhile),
		IN_DIRECTORY(test_unusable),          IN_DIRECTORY(test_two),
		IN_DIRECTORY(test_full_disk),         IN_DIRECTORY(test_killed),
		IN_DIRECTORY(test_reader_and_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
