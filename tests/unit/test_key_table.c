// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows found by their keys, against a plain search. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/key_table.h"
#include "tests/lib/fault.h"

#define ROWS 3000

struct row {
	int before;
	struct sl_target_key key;
	int behind;
};

/* Few different keys, so that many rows share one. */
static struct sl_target_key key_at_random(void)
{
	struct sl_target_key key = { .port = (uint16_t)(1 + rand() % 4), .proto = SL_TCP };

	key.addr[SL_ADDR_LEN - 1] = (uint8_t)rand();
	key.addr[0] = (uint8_t)(rand() % 2);
	return key;
}

static uint32_t search(const struct row *rows, uint32_t n, const struct sl_target_key *key)
{
	for (uint32_t i = 0; i < n; i++)
		if (!memcmp(&rows[i].key, key, sizeof(*key)))
			return i;
	return KEY_TABLE_NONE;
}

static void test_rows(void **state)
{
	struct row *rows = calloc(ROWS, sizeof(*rows));
	struct key_table table;
	uint32_t n_twice = 0;

	(void)state;
	assert_non_null(rows);
	srand(7);
	assert_int_equal(key_table_open(&table, &rows[0].key, sizeof(rows[0]), ROWS), 0);
	for (uint32_t i = 0; i < ROWS; i++) {
		rows[i].key = key_at_random();
		assert_int_equal(key_table_find(&table, &rows[i].key),
				 search(rows, i, &rows[i].key));
		assert_int_equal(key_table_enter(&table, i), search(rows, i + 1, &rows[i].key));
		n_twice += search(rows, i + 1, &rows[i].key) != i;
	}
	assert_in_range(n_twice, 1, ROWS - 1);
	for (uint32_t i = 0; i < ROWS; i++) {
		const struct sl_target_key key = key_at_random();

		assert_int_equal(key_table_find(&table, &key), search(rows, ROWS, &key));
	}
	key_table_close(&table);
	free(rows);
}

static void test_nothing(void **state)
{
	const struct sl_target_key key = { .port = 1, .proto = SL_TCP };
	struct key_table table = { .slots = NULL };

	(void)state;
	assert_int_equal(key_table_find(&table, &key), KEY_TABLE_NONE);
	assert_int_equal(key_table_open(&table, &key, sizeof(key), 0), 0);
	assert_int_equal(key_table_find(&table, &key), KEY_TABLE_NONE);
	key_table_close(&table);
	fault_after(FAULT_MEMORY, 0, ENOMEM);
	assert_int_equal(key_table_open(&table, &key, sizeof(key), 1), -ENOMEM);
	assert_true(fault_clear(FAULT_MEMORY));
	key_table_close(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
