// SPDX-License-Identifier: GPL-2.0-or-later
/* The pipeline after a restart: what the kernel acts on, what was kept, and which of the two counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/kept.h"
#include "tests/unit/pipeline_run.h"
#include "util/clock.h"

#define AGE_MS 42000

static struct kept_list kept;

/* That was known of the i-th backend so long ago: before or after a boot. */
static struct kept *keep(uint8_t i, enum sl_health proven, enum sl_message code, uint64_t age_ms,
			 bool rebooted)
{
	struct kept *row;
	struct addr addr;

	if (!kept.rows)
		kept.rows = calloc(N_MAX, sizeof(*kept.rows));
	row = &kept.rows[kept.n++];
	addr_parse(&addr, "10.0.0.0");
	addr.bytes[15] = i;
	memcpy(row->key.addr, addr.bytes, sizeof(row->key.addr));
	row->key.port = 80;
	row->key.proto = SL_TCP;
	row->health = (struct health){ proven, proven, .lapsed = 10u + i };
	row->verdict.code = code;
	row->at.boot = rebooted ? 1 : clock_boot_id();
	row->at.boot_ms = rebooted ? 5 : (int64_t)(clock_boot_ms() - age_ms);
	row->at.wall_ms = rebooted ? clock_wall_ms() - age_ms : 5;
	row->health.since_ms = row->at.wall_ms - 5;
	kept_list_sort(&kept);
	return row;
}

static void begin_with(struct fixture *f, uint32_t min_servers)
{
	with_kept = &kept;
	begin(f, min_servers);
	with_kept = NULL;
	assert_int_equal(kept.n, 0);
}

/* The kernel's word stays, and what is known of it is shown with its age. */
static void kernel_and_kept(void **state)
{
	struct board_entry entry;
	struct fixture f;
	struct kept *row;

	(void)state;
	adopted[0] = adopted[1] = true;
	words[0] = (struct sl_word){ .health = SL_UNHEALTHY };
	words[1] = (struct sl_word){ .health = SL_HEALTHY };
	row = keep(0, SL_UNHEALTHY, SL_MSG_HTTP_STATUS_MISMATCH, AGE_MS, false);
	row->verdict.http_status = 503;
	row->health.failures = 4;
	row = keep(1, SL_HEALTHY, SL_MSG_TCP_CONNECT_FAILED, AGE_MS, false);
	row->health.failures = 1;
	begin_with(&f, 0);
	assert_int_equal(words[0].health, SL_UNHEALTHY);
	assert_int_equal(words[1].health, SL_HEALTHY);

	entry = board_read(f.board, 0);
	assert_true(entry.adopted);
	assert_int_equal(entry.n_verdicts, 0);
	assert_int_equal(entry.health.failures, 4);
	assert_int_equal(entry.recent[0].verdict.http_status, 503);
	assert_in_range(clock_wall_ms() - entry.recent[0].at_ms, AGE_MS, AGE_MS + 1000);
	assert_int_equal(entry.recent[0].at_ms - entry.health.since_ms, 5);
	assert_int_equal(entry.recent[1].at_ms, 0);
	assert_true(pipeline_is_settled(f.pipeline, 0));

	/* The second failure in a row counts the first, which the one before saw. */
	assert_false(pipeline_is_settled(f.pipeline, 1));
	report(&f, 1, SL_MSG_TCP_CONNECT_FAILED);
	assert_int_equal(words[1].health, SL_UNHEALTHY);
	entry = board_read(f.board, 1);
	assert_false(entry.adopted);
	assert_int_equal(entry.n_verdicts, 1);
	assert_in_range(clock_wall_ms() - entry.recent[1].at_ms, AGE_MS, AGE_MS + 1000);
	end(&f);
}

/* The word is newer than what is kept, if the two differ. */
static void kernel_counts(void **state)
{
	struct board_entry entry;
	struct fixture f;

	(void)state;
	adopted[0] = adopted[1] = true;
	words[0] = (struct sl_word){ .health = SL_UNHEALTHY };
	words[1] = (struct sl_word){ .health = SL_UNKNOWN };
	keep(0, SL_HEALTHY, SL_MSG_OK, AGE_MS, false);
	keep(1, SL_UNHEALTHY, SL_MSG_TCP_CONNECT_FAILED, AGE_MS, false);
	begin_with(&f, 0);
	assert_int_equal(words[0].health, SL_UNHEALTHY);
	assert_int_equal(words[1].health, SL_UNKNOWN);
	entry = board_read(f.board, 0);
	assert_true(entry.adopted);
	assert_int_equal(entry.recent[0].at_ms, 0);
	assert_false(board_read(f.board, 1).adopted);
	end(&f);
}

/* After a reboot the kernel knows nothing. */
static void kept_counts(void **state)
{
	struct board_entry entry;
	struct fixture f;

	(void)state;
	keep(0, SL_UNHEALTHY, SL_MSG_TCP_CONNECT_FAILED, AGE_MS, true);
	keep(1, SL_HEALTHY, SL_MSG_OK, AGE_MS, true);
	keep(9, SL_HEALTHY, SL_MSG_OK, AGE_MS, true); /* not configured any more */
	begin_with(&f, 0);
	assert_int_equal(words[0].health, SL_UNHEALTHY);
	assert_int_equal(words[1].health, SL_HEALTHY);
	assert_int_equal(words[2].health, SL_UNKNOWN);
	entry = board_read(f.board, 0);
	assert_true(entry.adopted);
	assert_in_range(clock_wall_ms() - entry.recent[0].at_ms, AGE_MS, AGE_MS + 1000);
	assert_false(board_read(f.board, 2).adopted);
	assert_false(pipeline_is_settled(f.pipeline, 2));
	end(&f);
}

/* Too old, of an unknown age, or about the prober: nothing is proven, and the gate stays open. */
static void kept_proves_nothing(void **state)
{
	struct fixture f;

	(void)state;
	keep(0, SL_UNHEALTHY, SL_MSG_TCP_CONNECT_FAILED, 24 * 3600 * MS_PER_SEC, true);
	keep(1, SL_UNHEALTHY, SL_MSG_TCP_CONNECT_FAILED, (uint64_t)-3600 * MS_PER_SEC, true);
	keep(2, SL_UNHEALTHY, SL_MSG_PROBER_OVERLOADED, AGE_MS, true);
	begin_with(&f, 0);
	for (uint32_t i = 0; i < N_BACKENDS; i++) {
		assert_int_equal(words[i].health, SL_UNKNOWN);
		assert_int_equal(board_read(f.board, i).recent[0].at_ms, 0);
		assert_int_equal(board_health(f.board, i).shown, SL_UNKNOWN);
	}
	end(&f);
}

/* min_servers keeps open who was healthy last, over the restart. */
static void lapsed_last(void **state)
{
	struct fixture f;

	(void)state;
	for (uint8_t i = 0; i < N_BACKENDS; i++)
		keep(i, SL_UNHEALTHY, SL_MSG_TCP_CONNECT_FAILED, AGE_MS, true);
	begin_with(&f, 1);
	assert_int_equal(words[0].flags & SL_WORD_FORCED, 0);
	assert_int_equal(words[1].flags & SL_WORD_FORCED, 0);
	assert_int_equal(words[2].flags & SL_WORD_FORCED, SL_WORD_FORCED);
	end(&f);
}

/* An address that DNS gives later begins with what was kept, once. */
static void kept_for_a_name(void **state)
{
	struct fixture f;

	(void)state;
	with_name = true;
	keep(77, SL_UNHEALTHY, SL_MSG_TCP_CONNECT_FAILED, AGE_MS, true);
	begin_with(&f, 0);
	sit(&f, SEAT, "10.0.0.77");
	assert_int_equal(words[SEAT].health, SL_UNHEALTHY);
	assert_true(board_read(f.board, SEAT).adopted);
	pipeline_vacate(f.pipeline, SEAT, true);
	sit(&f, SEAT, "10.0.0.77");
	assert_int_equal(words[SEAT].health, SL_UNKNOWN);
	assert_false(board_read(f.board, SEAT).adopted);
	end(&f);
	with_name = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_and_kept), cmocka_unit_test(kernel_counts),
		cmocka_unit_test(kept_counts),     cmocka_unit_test(kept_proves_nothing),
		cmocka_unit_test(lapsed_last),     cmocka_unit_test(kept_for_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
