// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "probe/admit.h"

#define TICK_MS 100

static void tick(struct admit *admit, uint32_t late_ms, uint32_t in_flight, uint32_t queued)
{
	const struct admit_load load = { .late_ms = late_ms,
					 .in_flight = in_flight,
					 .queued = queued,
					 .finished = admit->finished_total };

	admit_tick(admit, &load);
}

static void test_grows_for_the_silent(void **state)
{
	struct admit admit;

	(void)state;
	admit_init(&admit, 4096);
	assert_int_equal(admit.limit, ADMIT_START);
	/* Places are free, or nobody waits: no reason to change anything. */
	tick(&admit, 0, ADMIT_START - 1, 9);
	tick(&admit, 0, ADMIT_START, 0);
	assert_int_equal(admit.limit, ADMIT_START);
	for (int i = 0; i < 30; i++)
		tick(&admit, ADMIT_LATE_MS, admit.limit, 1);
	assert_int_equal(admit.limit, 4096);
}

static void test_shrinks_when_late(void **state)
{
	struct admit admit;

	(void)state;
	admit_init(&admit, 4096);
	for (int i = 0; i < 30; i++)
		tick(&admit, 0, admit.limit, 1);
	tick(&admit, ADMIT_LATE_MS + 1, 100, 1);
	assert_int_equal(admit.limit, 75);
	for (int i = 0; i < 30; i++)
		tick(&admit, ADMIT_LATE_MS + 1, admit.limit, 1);
	assert_int_equal(admit.limit, ADMIT_MIN);
}

static void test_shrinks_when_busy(void **state)
{
	struct admit admit;
	struct admit_load load = { .busy_percent = ADMIT_BUSY_PERCENT + 1,
				   .in_flight = ADMIT_START,
				   .queued = 1 };

	(void)state;
	admit_init(&admit, 4096);
	admit_tick(&admit, &load);
	assert_int_equal(admit.limit, ADMIT_START * 3 / 4);
	/* In between it stays. */
	load.busy_percent = ADMIT_FREE_PERCENT;
	admit_tick(&admit, &load);
	assert_int_equal(admit.limit, ADMIT_START * 3 / 4);
	load.busy_percent--;
	admit_tick(&admit, &load);
	assert_true(admit.limit > ADMIT_START * 3 / 4);
}

static void test_small_maximum(void **state)
{
	struct admit admit;

	(void)state;
	admit_init(&admit, 3);
	assert_int_equal(admit.limit, 3);
	tick(&admit, ADMIT_LATE_MS + 1, 3, 1);
	assert_int_equal(admit.limit, 3);
	tick(&admit, 0, 3, 1);
	assert_int_equal(admit.limit, 3);
}

static void test_rate(void **state)
{
	struct admit admit;
	struct admit_load load = { .queued = 1, .in_flight = 5 };
	uint32_t per_s = 0;

	(void)state;
	admit_init(&admit, 5);
	for (int i = 0; i < ADMIT_WINDOW; i++) {
		assert_false(admit_is_overloaded(&admit, TICK_MS, &per_s));
		load.finished += 7;
		admit_tick(&admit, &load);
	}
	assert_true(admit_is_overloaded(&admit, TICK_MS, &per_s));
	assert_int_equal(per_s, 70);
	load.queued = 0;
	admit_tick(&admit, &load);
	assert_false(admit_is_overloaded(&admit, TICK_MS, &per_s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows_for_the_silent),
		cmocka_unit_test(test_shrinks_when_late),
		cmocka_unit_test(test_shrinks_when_busy),
		cmocka_unit_test(test_small_maximum),
		cmocka_unit_test(test_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
