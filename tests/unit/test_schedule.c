// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "probe/schedule.h"
#include "tests/lib/fault.h"

#define N 1000

/* Everybody comes out once, the earliest first, and never before its time. */
static void test_order(void **state)
{
	CLEANUP(schedule_free_p) struct schedule *s = schedule_new(N);
	uint64_t due[N], last = 0;
	uint32_t id;

	(void)state;
	assert_non_null(s);
	for (uint32_t i = 0; i < N; i++) {
		due[i] = i * 7919ull % N;
		schedule_set(s, i, due[i]);
	}
	assert_int_equal(schedule_next_ms(s), 0);
	schedule_queue_due(s, N / 2);
	assert_int_equal(schedule_queued(s), N / 2 + 1);
	assert_int_equal(schedule_next_ms(s), N / 2 + 1);
	schedule_queue_due(s, N);
	assert_int_equal(schedule_queued(s), N);
	assert_true(schedule_next_ms(s) == UINT64_MAX);
	for (uint32_t i = 0; i < N; i++) {
		uint32_t head = schedule_peek(s, 0);

		assert_true(schedule_take(s, &id));
		assert_int_equal(id, head);
		assert_true(due[id] >= last);
		last = due[id];
		due[id] = 0;
	}
	assert_false(schedule_take(s, &id));
}

/* The queue is a ring: it goes round many times, keeps its order, and equal times go by number. */
static void test_round_and_round(void **state)
{
	CLEANUP(schedule_free_p) struct schedule *s = schedule_new(3);
	uint32_t id;

	(void)state;
	assert_non_null(s);
	for (uint32_t i = 0; i < 3; i++)
		schedule_set(s, i, 5);
	for (uint64_t now = 5; now < 100; now++) {
		schedule_queue_due(s, now);
		assert_true(schedule_take(s, &id));
		assert_int_equal(id, (now - 5) % 3);
		if (schedule_queued(s) > 1)
			assert_int_equal(schedule_peek(s, 1), (now - 5 + 2) % 3);
		schedule_set(s, id, now + 1);
	}
}

static void test_first(void **state)
{
	static const struct {
		uint32_t k, n, interval_ms;
		uint64_t first_ms;
		bool settled;
	} rows[] = {
		{ 0, 1, 30000, 0, false },
		{ 0, 100, 30000, 0, false },
		{ 50, 100, 30000, 50, false },
		{ 99, 100, 30000, 99, false },
		{ 500, 1000, 100, 50, false },
		{ 999, 1000, 100, 99, false },
		{ 32768, 65536, 86400000, 32768, false },
		{ 65535, 65536, 30000, 29999, false },
		{ 0, 1, 30000, 30000, true },
		{ 0, 2, 30000, 15000, true },
		{ 1, 2, 100, 100, true },
		{ 0, 2, 86400000, 30000, true },
		{ 65535, 65536, 86400000, 65536, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(schedule_first_ms(rows[i].k, rows[i].n, rows[i].interval_ms,
						   rows[i].settled),
				 rows[i].first_ms);
}

static void test_again(void **state)
{
	uint64_t low = UINT64_MAX, high = 0;

	(void)state;
	for (uint32_t random = 0; random < 100000; random++) {
		uint64_t at = schedule_again_ms(1000000, 30000, random);

		low = at < low ? at : low;
		high = at > high ? at : high;
	}
	assert_int_equal(low, 1000000 + 28500);
	assert_int_equal(high, 1000000 + 31500);
	assert_in_range(schedule_again_ms(0, 100, UINT32_MAX), 95, 105);
	assert_in_range(schedule_again_ms(0, 86400000, UINT32_MAX), 82080000, 90720000);
	assert_int_equal(schedule_again_ms(7, 10, 12345), 17);
}

/* Out of the heap and out of the queue, wherever in them; the others keep their order. */
static void test_remove(void **state)
{
	(void)state;
	for (uint32_t gone = 0; gone < 20; gone++) {
		CLEANUP(schedule_free_p) struct schedule *s = schedule_new(20);
		uint32_t id, last = 0;

		assert_non_null(s);
		for (uint32_t i = 0; i < 20; i++)
			schedule_set(s, i, 10 + i);
		schedule_queue_due(s, 19); /* 0..9 are queued, 10..19 wait */
		schedule_remove(s, gone);
		schedule_remove(s, gone);
		assert_int_equal(schedule_queued(s), gone < 10 ? 9 : 10);
		schedule_queue_due(s, 100);
		for (uint32_t n = 0; n < 19; n++) {
			assert_true(schedule_take(s, &id));
			assert_int_not_equal(id, gone);
			assert_true(!n || id > last);
			last = id;
		}
		assert_false(schedule_take(s, &id));
	}
}

/* Taken out and set again at any time, in any order: those that are left still come when they are due. */
static void test_remove_any(void **state)
{
	CLEANUP(schedule_free_p) struct schedule *s = schedule_new(N);
	uint64_t due[N] = { 0 }; /* 0: out */
	unsigned int seed = 1;
	uint32_t id, n = 0;

	(void)state;
	assert_non_null(s);
	for (uint32_t round = 0; round < 20 * N; round++) {
		id = (uint32_t)rand_r(&seed) % N;
		schedule_remove(s, id);
		due[id] = rand_r(&seed) % 4 ? 1 + (uint64_t)rand_r(&seed) % N : 0;
		if (due[id])
			schedule_set(s, id, due[id]);
	}
	for (uint64_t now = 1; now <= N; now++) {
		schedule_queue_due(s, now);
		for (uint32_t i = 0; i < N; i++)
			if (due[i] == now) {
				assert_true(schedule_take(s, &id));
				assert_int_equal(id, i);
				n++;
			}
		assert_false(schedule_take(s, &id));
	}
	assert_in_range(n, N / 2, N);
}

static void test_no_memory(void **state)
{
	(void)state;
	for (int n = 0; n < 4; n++) {
		struct schedule *s;

		fault_after(FAULT_MEMORY, n, ENOMEM);
		s = schedule_new(4);
		assert_true(fault_clear(FAULT_MEMORY));
		assert_null(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),      cmocka_unit_test(test_round_and_round),
		cmocka_unit_test(test_first),      cmocka_unit_test(test_again),
		cmocka_unit_test(test_no_memory),  cmocka_unit_test(test_remove),
		cmocka_unit_test(test_remove_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
