// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "probe/lag.h"

#define START_MS 1000000

static void test_in_time(void **state)
{
	struct lag lag;

	(void)state;
	lag_init(&lag, LAG_TICK_MS, START_MS);
	for (uint64_t now = START_MS + LAG_TICK_MS; now < START_MS + 100 * LAG_TICK_MS;
	     now += LAG_TICK_MS + 3)
		lag_tick(&lag, now);
	assert_int_equal(lag.total_ms, 0);
	assert_int_equal(lag_worst_ms(&lag), 0);
}

static void test_late(void **state)
{
	uint64_t now = START_MS;
	struct lag lag;

	(void)state;
	lag_init(&lag, LAG_TICK_MS, now);
	assert_int_equal(lag_read(&lag, now + LAG_TICK_MS).late_ms, 0);
	/* The tick has not come yet: what is overdue counts already. */
	assert_int_equal(lag_read(&lag, now + LAG_TICK_MS + 700).late_ms, 700);
	now += LAG_TICK_MS + 700;
	lag_tick(&lag, now);
	assert_int_equal(lag_read(&lag, now).late_ms, 700);
	assert_int_equal(lag_worst_ms(&lag), 700);
	now += LAG_TICK_MS + 50;
	lag_tick(&lag, now);
	assert_int_equal(lag_read(&lag, now).late_ms, 750);
	assert_int_equal(lag_read(&lag, now + LAG_TICK_MS + 20).late_ms, 770);
	assert_int_equal(lag_worst_ms(&lag), 700);
	/* The worst is forgotten after a window, the total is not. */
	for (int i = 0; i < LAG_WINDOW - 1; i++) {
		now += LAG_TICK_MS;
		lag_tick(&lag, now);
	}
	assert_int_equal(lag_worst_ms(&lag), 50);
	now += LAG_TICK_MS;
	lag_tick(&lag, now);
	assert_int_equal(lag_worst_ms(&lag), 0);
	assert_int_equal(lag_read(&lag, now).late_ms, 750);
}

/* Seconds at a time are a stall, however many hundredths of seconds are not. */
static void test_stall(void **state)
{
	static const struct {
		const char *name;
		uint64_t gaps_ms[3]; /* how late the ticks are */
		uint64_t stalled_ms;
	} rows[] = {
		{ "in time", { 0 }, 0 },
		{ "often late", { 1999, 1999, 1999 }, 0 },
		{ "one stall", { 10, 2000, 10 }, 2000 },
		{ "two stalls", { 3000, 0, 5000 }, 8000 },
		{ "a suspended host", { 86400000 }, 86400000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lag_reading before, during;
		uint64_t now = START_MS;
		struct lag lag;

		lag_init(&lag, LAG_TICK_MS, now);
		before = lag_read(&lag, now);
		for (int k = 0; k < 3; k++) {
			now += LAG_TICK_MS + rows[i].gaps_ms[k];
			lag_tick(&lag, now);
		}
		during = lag_between(before, lag_read(&lag, now));
		if (during.stalled_ms != rows[i].stalled_ms)
			print_message("# %s\n", rows[i].name);
		assert_int_equal(during.stalled_ms, rows[i].stalled_ms);
		assert_int_equal(lag_is_stall(during), rows[i].stalled_ms > 0);
	}
}

/* The loop is back, its tick has not run yet: what begins now has seen nothing of the stall. */
static void test_stall_edges(void **state)
{
	uint64_t now = START_MS + LAG_TICK_MS + 5000;
	struct lag_reading before, early;
	struct lag lag;

	(void)state;
	lag_init(&lag, LAG_TICK_MS, START_MS);
	early = lag_read(&lag, START_MS);
	before = lag_read(&lag, now);
	assert_true(lag_is_stall(lag_between(early, before)));
	lag_tick(&lag, now + 3);
	assert_true(lag_is_stall(lag_between(early, lag_read(&lag, now + 3))));
	assert_false(lag_is_stall(lag_between(before, lag_read(&lag, now + 3))));
}

/* A slower tick: what it is late by counts, not its period. */
static void test_period(void **state)
{
	struct lag lag;

	(void)state;
	lag_init(&lag, 1000, START_MS);
	lag_tick(&lag, START_MS + 1000);
	assert_int_equal(lag_read(&lag, START_MS + 2000).late_ms, 0);
	lag_tick(&lag, START_MS + 2700);
	assert_int_equal(lag_read(&lag, START_MS + 2700).late_ms, 700);
	assert_int_equal(lag_read(&lag, START_MS + 2700).stalled_ms, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_time), cmocka_unit_test(test_late),
		cmocka_unit_test(test_stall),   cmocka_unit_test(test_stall_edges),
		cmocka_unit_test(test_period),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
