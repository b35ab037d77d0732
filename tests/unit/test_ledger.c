// SPDX-License-Identifier: GPL-2.0-or-later
/* What is changed at runtime, kept: by daemons that are killed, on disks that fail. */
#include "tests/unit/layers_run.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/ledger.h"
#include "util/err.h"

#define ROUNDS 200

static char directory[64];
static char path[128];

static int begin(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/sluice-test-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/" LEDGER_FILE, directory);
	return 0;
}

static int end(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

static void expect_same(const struct overlay *a, const struct overlay *b)
{
	assert_int_equal(a->n, b->n);
	assert_int_equal(a->version, b->version);
	assert_true(a->file_digest == b->file_digest);
	for (uint32_t i = 0; i < a->n; i++) {
		const struct overlay_row *x = &a->rows[i], *y = &b->rows[i];

		assert_int_equal(overlay_compare(x, y), 0);
		assert_int_equal(x->presence, y->presence);
		assert_int_equal(x->has_weight, y->has_weight);
		assert_int_equal(x->weight, y->weight);
		assert_int_equal(x->has_options, y->has_options);
		assert_int_equal(x->xdp, y->xdp);
		assert_int_equal(x->egress, y->egress);
		assert_int_equal(x->admin, y->admin);
		assert_int_equal(x->deadline_ms, y->deadline_ms);
		assert_int_equal(x->at_ms, y->at_ms);
	}
}

static struct ledger *open_ledger(struct overlay *ret)
{
	struct ledger *ledger = NULL;
	char aside[DATABASE_ASIDE_LEN];
	struct err err = { "" };

	if (ledger_open(&ledger, directory, ret, aside, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(aside, "");
	return ledger;
}

static void write_ok(struct ledger *ledger, const struct overlay *overlay)
{
	struct err err = { "" };

	if (ledger_write(ledger, overlay, &err) < 0)
		fail_msg("%s", err.text);
}

/* A few rows that depend on i, with a version that tells which. */
static struct overlay overlay_number(uint64_t i)
{
	struct overlay overlay = { .version = i, .file_digest = UINT64_MAX - i };
	char address[32];

	for (uint64_t j = 0; j < 1 + i % 5; j++) {
		struct overlay_row row;

		snprintf(address, sizeof(address), "10.0.%u.%u", (unsigned int)(i % 7),
			 (unsigned int)j);
		row = row_of(i % 3 ? "alpha" : "beta", address, OVERLAY_ADDED);
		row.has_weight = true;
		row.weight = (uint32_t)(i % 256);
		row.admin = (enum sl_admin)(i % 3);
		row.deadline_ms = i * 1000;
		row.at_ms = i;
		put(&overlay, row);
	}
	put(&overlay, row_of("pool", "", i % 2 ? OVERLAY_ADDED : OVERLAY_REMOVED));
	put(&overlay, interface_row("lan0", OVERLAY_REMOVED));
	for (uint64_t j = 0; j < i % 3; j++) {
		struct overlay_row row =
			with_options(interface_row(j ? "wan1" : "wan0", OVERLAY_ADDED),
				     (enum xdp_mode)(i % 5), i % 2);
		row.at_ms = i;
		put(&overlay, row);
	}
	return overlay;
}

static void what_is_written_is_read(void **state)
{
	struct overlay before = { .n = 0 }, found;
	struct ledger *ledger = open_ledger(&found);
	struct stat st;

	(void)state;
	assert_int_equal(found.n, 0);
	for (uint64_t i = 1; i < 30; i++) {
		struct overlay after = overlay_number(i);

		write_ok(ledger, &after);
		ledger_close(ledger);
		ledger = open_ledger(&found);
		expect_same(&found, &after);
		overlay_done(&found);
		overlay_done(&before);
		before = after;
	}
	overlay_done(&before);
	ledger_close(ledger);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

/* Killed wherever it may be: what is found is what was told to be kept, or the change after that, whole. */
static void killed_at_any_point(void **state)
{
	struct overlay found;
	uint64_t last = 0;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct ledger *ledger;
		uint64_t told = last;
		int pipes[2];
		ssize_t n;
		pid_t pid;

		assert_int_equal(pipe(pipes), 0);
		pid = fork();
		if (!pid) {
			struct overlay before;

			ledger = open_ledger(&before);
			for (uint64_t i = last + 1;; i++) {
				struct overlay after = overlay_number(i);

				write_ok(ledger, &after);
				if (write(pipes[1], &i, sizeof(i)) != sizeof(i))
					_exit(1);
				overlay_done(&before);
				before = after;
			}
		}
		close(pipes[1]);
		/* After the first one, at some point within the next few. */
		assert_int_equal(read(pipes[0], &told, sizeof(told)), sizeof(told));
		usleep((useconds_t)(round * 37 % 3000));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		while ((n = read(pipes[0], &told, sizeof(told))) == sizeof(told))
			;
		assert_int_equal(n, 0);
		close(pipes[0]);

		ledger = open_ledger(&found);
		assert_in_range(found.version, told, told + 1);
		{
			struct overlay expected = overlay_number(found.version);

			expect_same(&found, &expected);
			overlay_done(&expected);
		}
		last = found.version;
		overlay_done(&found);
		ledger_close(ledger);
	}
	assert_true(last >= ROUNDS);
}

static void write_file(const char *name, const char *text, size_t len)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	fclose(file);
}

static void damage_is_set_aside(void **state)
{
	struct ledger *ledger = NULL;
	char aside[DATABASE_ASIDE_LEN], kept[256];
	struct overlay found;
	struct err err;
	struct stat st;

	(void)state;
	write_file(path, "this is no database, whatever its name says", 43);
	assert_int_equal(ledger_open(&ledger, directory, &found, aside, &err), 0);
	assert_int_equal(found.n, 0);
	assert_non_null(strstr(aside, LEDGER_FILE ".damaged-"));
	snprintf(kept, sizeof(kept), "%s/%s", directory, aside);
	assert_int_equal(stat(kept, &st), 0);
	assert_int_equal(st.st_size, 43);
	ledger_close(ledger);
}

/* Rows that no daemon has written: not taken for ours, wherever they are from. */
static void strange_rows_are_damage(void **state)
{
	static const char *const rows[] = {
		"changes VALUES ('', '10.0.0.1', 1, NULL, 1, 0, 0)",
		"changes VALUES ('a', '10.0.0.1', 3, NULL, 1, 0, 0)",
		"changes VALUES ('a', '10.0.0.1', 1, 257, 1, 0, 0)",
		"changes VALUES ('a', '10.0.0.1', 1, NULL, 9, 0, 0)",
		"changes VALUES ('a', '10.0.0.1', -1, NULL, 1, 0, 0)",
		"interfaces VALUES ('', 1, 'auto', 1, 0)",
		"interfaces VALUES ('sixteenletters00', 1, 'auto', 1, 0)",
		"interfaces VALUES ('a', 3, 'auto', 1, 0)",
		"interfaces VALUES ('a', 1, 'fast', 1, 0)",
		"interfaces VALUES ('a', 1, 'auto', 2, 0)",
		"changes VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '', 1, "
		"NULL, 1, 0, 0)",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ledger *ledger = NULL;
		char aside[DATABASE_ASIDE_LEN], sql[512];
		struct overlay found;
		struct err err;
		sqlite3 *db;

		ledger_close(open_ledger(&found));
		snprintf(sql, sizeof(sql), "INSERT INTO %s", rows[i]);
		assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
		assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(db);
		assert_int_equal(ledger_open(&ledger, directory, &found, aside, &err), 0);
		if (!aside[0])
			fail_msg("row %s was taken", rows[i]);
		assert_int_equal(found.n, 0);
		ledger_close(ledger);
	}
}

static void two_cannot_have_it(void **state)
{
	struct overlay found;
	struct ledger *first = open_ledger(&found), *second = NULL;
	char aside[DATABASE_ASIDE_LEN];
	struct err err = { "" };

	(void)state;
	assert_int_equal(ledger_open(&second, directory, &found, aside, &err), -EBUSY);
	assert_non_null(strstr(err.text, "another sluiced uses it"));
	assert_null(second);
	ledger_close(first);
}

static void a_removed_file_is_made_anew(void **state)
{
	struct overlay found, one = overlay_number(1), two = overlay_number(2);
	struct ledger *ledger = open_ledger(&found);

	(void)state;
	write_ok(ledger, &one);
	assert_int_equal(unlink(path), 0);
	write_ok(ledger, &two);
	ledger_close(ledger);
	ledger = open_ledger(&found);
	expect_same(&found, &two);
	overlay_done(&found);
	overlay_done(&one);
	overlay_done(&two);
	ledger_close(ledger);
}

/* A file that takes what is left of the disk. */
static void fill(const char *filler)
{
	static const char block[4096];
	int fd = open(filler, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
}

/* What does not fit on the disk is refused, and what was there before is there still. */
static void a_full_disk_refuses(void **state)
{
	struct overlay found, one = overlay_number(1), two = { .version = 2 };
	struct ledger *ledger;
	struct err err = { "" };
	char filler[128], address[32];
	int r;

	(void)state;
	assert_int_equal(mount("tmpfs", directory, "tmpfs", 0, "size=512k"), 0);
	ledger = open_ledger(&found);
	write_ok(ledger, &one);
	snprintf(filler, sizeof(filler), "%s/filler", directory);
	fill(filler);
	for (int i = 0; i < 2000; i++) {
		snprintf(address, sizeof(address), "10.%d.%d.1", i / 256, i % 256);
		put(&two, row_of("alpha", address, OVERLAY_ADDED));
	}
	r = ledger_write(ledger, &two, &err);
	assert_true(r < 0);
	assert_true(err.text[0]);
	unlink(filler);
	ledger_close(ledger);
	ledger = open_ledger(&found);
	expect_same(&found, &one);
	/* And can be written again. */
	fill(filler);
	assert_true(ledger_write(ledger, &two, &err) < 0);
	unlink(filler);
	overlay_done(&two);
	two = overlay_number(2);
	write_ok(ledger, &two);
	ledger_close(ledger);
	overlay_done(&found);
	ledger = open_ledger(&found);
	expect_same(&found, &two);
	ledger_close(ledger);
	overlay_done(&found);
	overlay_done(&one);
	overlay_done(&two);
	assert_int_equal(umount(directory), 0);
}

#define IN_A_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_DIRECTORY(what_is_written_is_read),
		IN_A_DIRECTORY(killed_at_any_point),
		IN_A_DIRECTORY(damage_is_set_aside),
		IN_A_DIRECTORY(strange_rows_are_damage),
		IN_A_DIRECTORY(two_cannot_have_it),
		IN_A_DIRECTORY(a_removed_file_is_made_anew),
		IN_A_DIRECTORY(a_full_disk_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
