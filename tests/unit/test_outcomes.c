// SPDX-License-Identifier: GPL-2.0-or-later
/* What probes came to: counted by verdict, timed by stage, and nothing else kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "model/outcomes.h"
#include "tests/lib/fault.h"

static const struct bucket_row {
	uint32_t us;
	size_t bucket;
} bucket_rows[] = {
	{ 1, 0 },       { 500, 0 },     { 501, 1 },      { 1000, 1 },      { 2500, 2 },
	{ 2501, 3 },    { 5001, 4 },    { 25000, 5 },    { 25001, 6 },     { 500000, 7 },
	{ 2500000, 8 }, { 9999999, 9 }, { 10000000, 9 }, { 10000001, 10 }, { UINT32_MAX, 10 },
};

static void test_buckets(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bucket_rows) / sizeof(bucket_rows[0]); i++) {
		struct outcomes outcomes = { 0 };
		const struct verdict verdict = { .timing = { .tls_us = bucket_rows[i].us } };
		const struct outcomes_times *times;

		outcomes_add(&outcomes, &verdict);
		times = outcomes_times(&outcomes, OUTCOMES_TLS);
		assert_non_null(times);
		for (size_t b = 0; b < OUTCOMES_BUCKETS; b++)
			assert_int_equal(times->buckets[b], b == bucket_rows[i].bucket);
		assert_int_equal(times->sum_us, bucket_rows[i].us);
		outcomes_done(&outcomes);
	}
}

static void test_stages(void **state)
{
	struct outcomes outcomes = { 0 }, copy;
	const struct verdict verdict = {
		.timing = { .connect_us = 180, .first_byte_us = 900, .total_us = 2000 }
	};

	(void)state;
	for (int i = 0; i < 3; i++)
		outcomes_add(&outcomes, &verdict);
	assert_null(outcomes_times(&outcomes, OUTCOMES_RESOLVE));
	assert_null(outcomes_times(&outcomes, OUTCOMES_TLS));
	copy = outcomes_copy(&outcomes);
	outcomes_add(&outcomes, &verdict);
	assert_int_equal(outcomes_times(&copy, OUTCOMES_CONNECT)->sum_us, 3 * 180);
	assert_int_equal(outcomes_times(&copy, OUTCOMES_FIRST_BYTE)->buckets[1], 3);
	assert_int_equal(outcomes_times(&copy, OUTCOMES_TOTAL)->buckets[2], 3);
	assert_int_equal(outcomes_times(&outcomes, OUTCOMES_TOTAL)->buckets[2], 4);
	assert_string_equal(outcomes_stage_name(OUTCOMES_RESOLVE), "resolve");
	assert_string_equal(outcomes_stage_name(OUTCOMES_CONNECT), "connect");
	assert_string_equal(outcomes_stage_name(OUTCOMES_TLS), "tls");
	assert_string_equal(outcomes_stage_name(OUTCOMES_FIRST_BYTE), "first_byte");
	assert_string_equal(outcomes_stage_name(OUTCOMES_TOTAL), "total");
	outcomes_done(&copy);
	outcomes_done(&outcomes);
}

/* Every code there is has a counter of its own. */
static void test_verdicts(void **state)
{
	struct outcomes outcomes = { 0 };
	uint32_t n = 0;

	(void)state;
#define ADD(NAME, code_, id, passed, ours) \
	n++;                               \
	for (uint32_t i = 0; i < n; i++)   \
		outcomes_add(&outcomes, &(struct verdict){ .code = SL_MSG_##NAME });
	SL_MESSAGES(ADD)
#undef ADD
	n = 0;
#define CHECK(NAME, code_, id, passed, ours) \
	assert_int_equal(outcomes_verdicts(&outcomes, SL_MSG_##NAME), ++n);
	SL_MESSAGES(CHECK)
#undef CHECK
	outcomes_done(&outcomes);
	assert_int_equal(outcomes_verdicts(&outcomes, SL_MSG_OK), 0);
}

/* What cannot be kept is not counted; the rest goes on, and a copy is whole or empty. */
static void test_memory(void **state)
{
	const struct verdict verdict = { .timing = { .connect_us = 1, .total_us = 2 } };

	(void)state;
	for (int n = 0; n < 3; n++) {
		struct outcomes outcomes = { 0 };

		fault_after(FAULT_MEMORY, n, ENOMEM);
		outcomes_add(&outcomes, &verdict);
		assert_true(fault_clear(FAULT_MEMORY));
		outcomes_add(&outcomes, &verdict);
		assert_int_equal(outcomes_verdicts(&outcomes, SL_MSG_OK), n == 0 ? 1 : 2);
		assert_int_equal(outcomes_times(&outcomes, OUTCOMES_TOTAL)->sum_us, n == 2 ? 2 : 4);
		for (int k = 0; k < 2; k++) {
			struct outcomes copy;

			fault_after(FAULT_MEMORY, k, ENOMEM);
			copy = outcomes_copy(&outcomes);
			assert_true(fault_clear(FAULT_MEMORY));
			assert_int_equal(outcomes_verdicts(&copy, SL_MSG_OK), 0);
			assert_null(outcomes_times(&copy, OUTCOMES_TOTAL));
			outcomes_done(&copy);
		}
		outcomes_done(&outcomes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buckets),
		cmocka_unit_test(test_stages),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
