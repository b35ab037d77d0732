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

#define WARNING(NAME, bit, id) SL_WARN_##NAME,
static const enum sl_warning warnings[] = { SL_WARNINGS(WARNING) };
#define N_WARNINGS (sizeof(warnings) / sizeof(warnings[0]))

/* One row per message and warning, in order, under the ids that verdicts have. */
static void test_order(void **state)
{
	const struct catalogue_row *const *rows;
	size_t n;

	(void)state;
	rows = catalogue_rows(&n);
	assert_int_equal(n, N_CODES + N_WARNINGS);
	for (size_t i = 0; i < N_CODES; i++) {
		assert_false(rows[i]->is_warning);
		assert_int_equal(rows[i]->code, codes[i]);
		assert_string_equal(rows[i]->id, message_id(codes[i]));
	}
	for (size_t i = 0; i < N_WARNINGS; i++) {
		assert_true(rows[N_CODES + i]->is_warning);
		assert_int_equal(rows[N_CODES + i]->warning, warnings[i]);
		assert_string_equal(rows[N_CODES + i]->id, warning_id(warnings[i]));
	}
}

static void check_list(const char *const list[CATALOGUE_LIST_MAX])
{
	assert_non_null(list[0]);
	for (size_t i = 0; i < CATALOGUE_LIST_MAX && list[i]; i++) {
		assert_true(strlen(list[i]) > 5);
		/* Items of a list end without a full stop. */
		assert_int_not_equal(list[i][strlen(list[i]) - 1], '.');
		/* What a wrapped string literal loses at its seams. */
		assert_null(strstr(list[i], "  "));
	}
	/* The end is marked, even in the longest list. */
	assert_null(list[CATALOGUE_LIST_MAX - 1]);
}

static void test_filled(void **state)
{
	const struct catalogue_row *const *rows;
	size_t n;

	(void)state;
	rows = catalogue_rows(&n);
	for (size_t i = 0; i < n; i++) {
		assert_non_null(rows[i]->meaning);
		assert_int_equal(rows[i]->meaning[strlen(rows[i]->meaning) - 1], '.');
		check_list(rows[i]->causes);
		check_list(rows[i]->remedies);
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
	for (size_t i = 0; i < N_WARNINGS; i++) {
		const struct catalogue_row *row = catalogue_find_warning(warnings[i]);

		assert_non_null(row);
		assert_ptr_equal(catalogue_find_id(warning_id(warnings[i])), row);
	}
}

static void test_find_nothing(void **state)
{
	static const char *const ids[] = { "",   "21", "99",  "-1",    "3x",
					   " 3", "OK", "tcp", "65539", "18446744073709551616" };

	(void)state;
	assert_null(catalogue_find((enum sl_message)99));
	assert_null(catalogue_find_warning((enum sl_warning)(1u << 15)));
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
