// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/damper.h"

#define HOUR_MS (3600 * 1000)

/* Something every so often, for so long. */
struct row {
	uint32_t every_ms, for_ms;
	uint32_t told_min, told_max; /* one by one */
	uint32_t sums_min, sums_max; /* summed up */
};

static const struct row rows[] = {
	{ 1000, 6000, 6, 6, 0, 0 },
	{ 1000, 7000, 6, 6, 1, 1 },
	/* Rare enough for every one of them. */
	{ 2000, HOUR_MS, HOUR_MS / 2000, HOUR_MS / 2000, 0, 0 },
	{ 60000, HOUR_MS, 60, 60, 0, 0 },
	/* A flapping endpoint in a day: windows of 10, 20, … 640 s. */
	{ 200, 24 * HOUR_MS, 800, 900, 130, 150 },
	{ 1, HOUR_MS, 60, 80, 10, 13 },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct damper damper = { 0 };
		uint32_t told = 0, sums = 0, all = 0, in_sums = 0, held, window_ms;
		uint64_t start_ms = 123456789, now_ms = start_ms;

		for (; now_ms < start_ms + rows[i].for_ms; now_ms++) {
			if (damper_due(&damper, now_ms, &held, &window_ms)) {
				sums++;
				in_sums += held;
			}
			if ((now_ms - start_ms) % rows[i].every_ms)
				continue;
			all++;
			told += damper_admit(&damper, now_ms);
		}
		/* The end of it is told, too. */
		if (damper_due(&damper, now_ms + DAMPER_WINDOW_MAX_MS, &held, &window_ms)) {
			sums++;
			in_sums += held;
		}
		assert_false(damper_due(&damper, now_ms + HOUR_MS, &held, &window_ms));
		assert_int_equal(told + in_sums, all);
		assert_in_range(told, rows[i].told_min, rows[i].told_max);
		assert_in_range(sums, rows[i].sums_min, rows[i].sums_max);
	}
}

/* After a quiet time it is as if nothing had been. */
static void test_forgets(void **state)
{
	struct damper damper = { 0 };
	uint32_t held, window_ms;
	uint64_t now_ms = 1;

	(void)state;
	for (int i = 0; i < 20; i++)
		damper_admit(&damper, now_ms);
	now_ms += DAMPER_WINDOW_MIN_MS - 1;
	assert_false(damper_due(&damper, now_ms, &held, &window_ms));
	now_ms++;
	assert_true(damper_due(&damper, now_ms, &held, &window_ms));
	assert_int_equal(held, 20 - DAMPER_TOLD);
	assert_int_equal(window_ms, DAMPER_WINDOW_MIN_MS);
	for (int i = 0; i < DAMPER_TOLD; i++)
		assert_true(damper_admit(&damper, now_ms));
	assert_false(damper_admit(&damper, now_ms));
	now_ms += 2 * DAMPER_WINDOW_MIN_MS;
	assert_true(damper_due(&damper, now_ms, &held, &window_ms));
	assert_int_equal(window_ms, 2 * DAMPER_WINDOW_MIN_MS);
	now_ms += DAMPER_WINDOW_MAX_MS;
	for (int i = 0; i < DAMPER_TOLD; i++)
		assert_true(damper_admit(&damper, now_ms));
	assert_false(damper_admit(&damper, now_ms));
	assert_true(damper_due(&damper, now_ms + DAMPER_WINDOW_MIN_MS, &held, &window_ms));
	assert_int_equal(window_ms, DAMPER_WINDOW_MIN_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
