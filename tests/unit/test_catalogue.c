// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/verdict.h"
#include "probe/catalogue.h"

#define CODE(NAME, code, id, passed, ours) SL_MSG_##NAME,
static const enum sl_message codes[] = { SL_MESSAGES(CODE) };
#define N_CODES (sizeof(codes) / sizeof(codes[0]))

/* One row per message, in order. */
static void test_order(void **state)
{
	const struct catalogue_row *rows;
	size_t n;

	(void)state;
	rows = catalogue_rows(&n);
	assert_int_equal(n, N_CODES);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(rows[i].code, codes[i]);
}

static void check_list(const char *const list[CATALOGUE_LIST_MAX])
{
	assert_non_null(list[0]);
	for (size_t i = 0; i < CATALOGUE_LIST_MAX && list[i]; i++)
		assert_true(strlen(list[i]) > 5);
	/* The end is marked, even in the longest list. */
	assert_null(list[CATALOGUE_LIST_MAX - 1]);
}

static void test_filled(void **state)
{
	const struct catalogue_row *rows;
	size_t n;

	(void)state;
	rows = catalogue_rows(&n);
	for (size_t i = 0; i < n; i++) {
		assert_non_null(rows[i].meaning);
		assert_int_equal(rows[i].meaning[strlen(rows[i].meaning) - 1], '.');
		check_list(rows[i].causes);
		check_list(rows[i].remedies);
	}
}

static void test_find(void **state)
{
	char number[16];

	(void)state;
	for (size_t i = 0; i < N_CODES; i++) {
		const struct catalogue_row *row = catalogue_find(codes[i]);

		assert_non_null(row);
		assert_int_equal(row->code, codes[i]);
		assert_ptr_equal(catalogue_find_id(message_id(codes[i])), row);
		snprintf(number, sizeof(number), "%d", (int)codes[i]);
		assert_ptr_equal(catalogue_find_id(number), row);
	}
}

static void test_find_nothing(void **state)
{
	static const char *const ids[] = { "",   "2",  "99",  "-1",    "3x",
					   " 3", "OK", "tcp", "65539", "18446744073709551616" };

	(void)state;
	assert_null(catalogue_find((enum sl_message)99));
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		assert_null(catalogue_find_id(ids[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_filled),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_find_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
