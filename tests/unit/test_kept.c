// SPDX-License-Identifier: GPL-2.0-or-later
/* How old what was kept is, by clocks that somebody may have set, and what it proves then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/kept.h"

#define MINUTE_MS 60000ull
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define WALL_MS 1767225600000ull /* 2026 */

static const struct {
	const char *name;
	struct kept_time at, now;
	uint64_t age_ms;
	bool proves; /* at an interval of 30 s */
} rows[] = {
	{ "the same boot", { 7, 1000, WALL_MS }, { 7, 43000, WALL_MS + 42000 }, 42000, true },
	{ "at once", { 7, 1000, WALL_MS }, { 7, 1000, WALL_MS }, 0, true },
	{ "set forward by a day",
	  { 7, 1000, WALL_MS },
	  { 7, 43000, WALL_MS + DAY_MS },
	  42000,
	  true },
	{ "set back by a day", { 7, 1000, WALL_MS }, { 7, 43000, WALL_MS - DAY_MS }, 42000, true },
	{ "set back to the beginning", { 7, 1000, WALL_MS }, { 7, 43000, 0 }, 42000, true },
	{ "too old",
	  { 7, 0, 0 },
	  { 7, 10 * (int64_t)MINUTE_MS + 1, 0 },
	  10 * MINUTE_MS + 1,
	  false },
	{ "nearly", { 7, 0, 0 }, { 7, 10 * MINUTE_MS, 0 }, 10 * MINUTE_MS, true },
	{ "from later in this boot", { 7, 43000, 0 }, { 7, 1000, 0 }, KEPT_AGE_UNKNOWN, false },
	{ "another boot",
	  { 7, 99 * (int64_t)DAY_MS, WALL_MS },
	  { 8, 9000, WALL_MS + 60000 },
	  60000,
	  true },
	{ "another boot, long ago", { 7, 1, WALL_MS }, { 8, 9, WALL_MS + DAY_MS }, DAY_MS, false },
	{ "another boot, a clock without a battery",
	  { 7, 1, WALL_MS },
	  { 8, 9, 5000 },
	  KEPT_AGE_UNKNOWN,
	  false },
	{ "another boot, a clock that was ahead",
	  { 7, 1, WALL_MS + DAY_MS },
	  { 8, 9, WALL_MS },
	  KEPT_AGE_UNKNOWN,
	  false },
	{ "another boot, clocks that differ",
	  { 7, 1, WALL_MS + MINUTE_MS },
	  { 8, 9, WALL_MS },
	  0,
	  true },
	{ "another boot, a little more",
	  { 7, 1, WALL_MS + MINUTE_MS + 1 },
	  { 8, 9, WALL_MS },
	  KEPT_AGE_UNKNOWN,
	  false },
	/* Two kernels that do not say are not the same boot. */
	{ "no boot known", { 0, 1000, WALL_MS }, { 0, 2000, WALL_MS + 60000 }, 60000, true },
	{ "a boot ago", { 7, -50000, 0 }, { 7, 10000, WALL_MS }, 60000, true },
	{ "for ever", { 7, INT64_MIN, 0 }, { 7, INT64_MAX, 0 }, UINT64_MAX, false },
	{ "nonsense", { 0, INT64_MAX, UINT64_MAX }, { 0, 0, 0 }, KEPT_AGE_UNKNOWN, false },
};

static void test_ages(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct kept kept = { .at = rows[i].at, .verdict.code = SL_MSG_OK };
		uint64_t age_ms = kept_age_ms(&kept.at, &rows[i].now);

		if (age_ms != rows[i].age_ms)
			fail_msg("%s: %llu ms", rows[i].name, (unsigned long long)age_ms);
		if (kept_proves(&kept, &rows[i].now, 30000) != rows[i].proves)
			fail_msg("%s: proves %s", rows[i].name, rows[i].proves ? "nothing" : "it");
	}
}

/* The prober's own trouble says nothing about the endpoint; who is asked rarely is believed for longer. */
static void test_proof(void **state)
{
	const struct kept_time now = { 7, 5 * HOUR_MS, 0 };
	struct kept kept = { .at = { 7, 5 * HOUR_MS, 0 } };

	(void)state;
	kept.verdict.code = SL_MSG_TCP_CONNECT_FAILED;
	assert_true(kept_proves(&kept, &now, 100));
	kept.verdict.code = SL_MSG_PROBER_OVERLOADED;
	assert_false(kept_proves(&kept, &now, 100));
	kept.verdict.code = SL_MSG_OK;
	kept.at.boot_ms = 2 * HOUR_MS;
	assert_true(kept_proves(&kept, &now, HOUR_MS));
	assert_false(kept_proves(&kept, &now, HOUR_MS - 1));
	assert_true(kept_proves(&kept, &now, UINT32_MAX));
}

static void test_list(void **state)
{
	struct kept_list list = { .n = 0 };
	struct sl_target_key key = { .port = 80, .proto = SL_TCP };

	(void)state;
	assert_null(kept_list_find(&list, &key));
	kept_list_sort(&list);
	list = (struct kept_list){ calloc(100, sizeof(struct kept)), 100 };
	for (uint32_t i = 0; i < list.n; i++) {
		list.rows[i].key = key;
		list.rows[i].key.addr[3] = (uint8_t)(i * 37 % 100);
	}
	kept_list_sort(&list);
	for (uint8_t i = 0; i < 100; i++) {
		key.addr[3] = i;
		assert_non_null(kept_list_find(&list, &key));
		assert_memory_equal(&kept_list_find(&list, &key)->key, &key, sizeof(key));
	}
	key.proto = SL_UDP;
	assert_null(kept_list_find(&list, &key));
	kept_list_done(&list);
	assert_int_equal(list.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ages),
		cmocka_unit_test(test_proof),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
