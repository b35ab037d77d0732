// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>

#include "daemon/inbox.h"
#include "tests/lib/fault.h"

#define MANY 1000

static void put(struct inbox *inbox, uint32_t endpoint)
{
	struct letter letter = { .endpoint = endpoint };

	assert_int_equal(inbox_put(inbox, &letter), 0);
}

static void keeps_order(void **state)
{
	CLEANUP(inbox_free_p) struct inbox *inbox = inbox_new();
	struct letter *letters;

	(void)state;
	assert_int_equal(inbox_take(inbox, &letters), 0);
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < MANY; i++)
			put(inbox, round * MANY + i);
		assert_int_equal(inbox_take(inbox, &letters), MANY);
		/* What is put now must not touch what was taken. */
		put(inbox, UINT32_MAX);
		for (uint32_t i = 0; i < MANY; i++)
			assert_int_equal(letters[i].endpoint, round * MANY + i);
		assert_int_equal(inbox_take(inbox, &letters), 1);
		assert_int_equal(letters[0].endpoint, UINT32_MAX);
	}
}

static void says_when_memory_ends(void **state)
{
	CLEANUP(inbox_free_p) struct inbox *inbox = inbox_new();
	struct letter letter = { .endpoint = 7 };
	struct letter *letters;

	(void)state;
	fault_after(FAULT_MEMORY, 0, ENOMEM);
	assert_int_equal(inbox_put(inbox, &letter), -ENOMEM);
	assert_true(fault_clear(FAULT_MEMORY));
	assert_int_equal(inbox_put(inbox, &letter), 0);
	assert_int_equal(inbox_take(inbox, &letters), 1);
	assert_int_equal(letters[0].endpoint, 7);
}

static void *put_many(void *arg)
{
	for (uint32_t i = 0; i < MANY; i++) {
		struct letter letter = { .endpoint = i };

		inbox_put(arg, &letter);
	}
	return NULL;
}

static void loses_nothing_between_threads(void **state)
{
	CLEANUP(inbox_free_p) struct inbox *inbox = inbox_new();
	struct letter *letters;
	pthread_t threads[2];
	size_t taken = 0;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, put_many, inbox), 0);
	while (taken < MANY)
		taken += inbox_take(inbox, &letters);
	for (size_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	taken += inbox_take(inbox, &letters);
	assert_int_equal(taken, 2 * MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_order),
		cmocka_unit_test(says_when_memory_ends),
		cmocka_unit_test(loses_nothing_between_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
