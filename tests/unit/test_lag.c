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
	lag_init(&lag, START_MS);
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
	lag_init(&lag, now);
	assert_int_equal(lag_total_ms(&lag, now + LAG_TICK_MS), 0);
	/* The tick has not come yet: what is overdue counts already. */
	assert_int_equal(lag_total_ms(&lag, now + LAG_TICK_MS + 700), 700);
	now += LAG_TICK_MS + 700;
	lag_tick(&lag, now);
	assert_int_equal(lag_total_ms(&lag, now), 700);
	assert_int_equal(lag_worst_ms(&lag), 700);
	now += LAG_TICK_MS + 50;
	lag_tick(&lag, now);
	assert_int_equal(lag_total_ms(&lag, now), 750);
	assert_int_equal(lag_total_ms(&lag, now + LAG_TICK_MS + 20), 770);
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
	assert_int_equal(lag_total_ms(&lag, now), 750);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_time),
		cmocka_unit_test(test_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
