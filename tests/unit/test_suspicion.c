// SPDX-License-Identifier: GPL-2.0-or-later
/* When failing connections are reason enough to probe, and when no more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/suspicion.h"

#define STEP_MS 50

static const struct suspicion_policy policy = {
	.enabled = true, .failures = 5, .window_ms = 1000, .rest_max_ms = 8000, .limit_ms = 3000
};

static enum suspicion_step step(struct suspicion *s, uint64_t *now_ms,
				struct suspicion_sample sample)
{
	bool idle = suspicion_is_idle(s, &sample);
	enum suspicion_step step;

	*now_ms += STEP_MS;
	step = suspicion_step(s, &policy, &sample, *now_ms);
	/* Whoever is idle may be passed over. */
	if (idle)
		assert_true(step == SUSPICION_NONE && suspicion_is_idle(s, &sample));
	return step;
}

/* Fail at this pace for so long; how often it was raised. Probes acquit at once. */
static int raised(struct suspicion *s, uint64_t *now_ms, uint32_t *failed, uint32_t every_ms,
		  uint64_t for_ms)
{
	uint64_t until_ms = *now_ms + for_ms;
	int n = 0;

	while (*now_ms < until_ms) {
		if (*now_ms % every_ms == 0)
			(*failed)++;
		if (step(s, now_ms,
			 (struct suspicion_sample){ .failed = *failed, .acquitted = s->raised }) ==
		    SUSPICION_RAISED)
			n++;
	}
	return n;
}

static void test_window(void **state)
{
	struct suspicion s = { 0 };
	uint64_t now_ms = 1000;
	uint32_t failed = UINT32_MAX - 2; /* the counters wrap */

	(void)state;
	/* Four in any second are none too many, for ever; five are. */
	assert_int_equal(raised(&s, &now_ms, &failed, 400, 60000), 0);
	assert_int_equal(raised(&s, &now_ms, &failed, 100, 1000), 1);
}

static void test_late(void **state)
{
	struct suspicion s = { 0 };
	uint64_t now_ms = 1000;

	(void)state;
	assert_int_equal(step(&s, &now_ms, (struct suspicion_sample){ .late = 4 }), SUSPICION_NONE);
	assert_int_equal(step(&s, &now_ms, (struct suspicion_sample){ .late = 4 }), SUSPICION_NONE);
	assert_int_equal(step(&s, &now_ms, (struct suspicion_sample){ .failed = 1, .late = 4 }),
			 SUSPICION_RAISED);
	assert_int_equal(s.failures, 5);
}

/* Whoever is suspected for nothing is left alone for longer and longer. */
static void test_rest(void **state)
{
	struct suspicion s = { 0 };
	uint64_t now_ms = 1000;
	uint32_t failed = 0;

	(void)state;
	/* At 0, 1, 3, 7, 15, 23 s and so on up to 55, and a little for the failures to be seen. */
	assert_in_range(raised(&s, &now_ms, &failed, STEP_MS, 60000), 9, 10);
	/* In peace its past is forgotten. */
	assert_int_equal(raised(&s, &now_ms, &failed, UINT32_MAX, 20000), 0);
	assert_in_range(raised(&s, &now_ms, &failed, STEP_MS, 5000), 3, 3);
}

static void test_verdicts(void **state)
{
	struct suspicion s = { 0 };
	uint64_t now_ms = 1000;
	uint32_t failed = 0;

	(void)state;
	step(&s, &now_ms, (struct suspicion_sample){ .failed = 0 });
	assert_int_equal(step(&s, &now_ms, (struct suspicion_sample){ .failed = 9 }),
			 SUSPICION_RAISED);
	/* As long as no probe has spoken, nothing changes. */
	assert_int_equal(step(&s, &now_ms, (struct suspicion_sample){ .failed = 99 }),
			 SUSPICION_NONE);
	assert_int_equal(
		step(&s, &now_ms, (struct suspicion_sample){ .failed = 100, .blind = true }),
		SUSPICION_CLEARED);
	/* Nothing is sent there any more; and when there is again, it begins anew, and at once. */
	assert_int_equal(
		step(&s, &now_ms, (struct suspicion_sample){ .failed = 200, .blind = true }),
		SUSPICION_NONE);
	assert_int_equal(step(&s, &now_ms, (struct suspicion_sample){ .failed = 204 }),
			 SUSPICION_NONE);
	failed = 205;
	assert_int_equal(step(&s, &now_ms, (struct suspicion_sample){ .failed = failed }),
			 SUSPICION_RAISED);
	/* Probes that say nothing do not keep it suspected for ever. */
	for (uint32_t ms = STEP_MS; ms < policy.limit_ms; ms += STEP_MS)
		assert_int_equal(step(&s, &now_ms, (struct suspicion_sample){ .failed = failed }),
				 SUSPICION_NONE);
	assert_int_equal(step(&s, &now_ms, (struct suspicion_sample){ .failed = failed }),
			 SUSPICION_CLEARED);
}

static void test_disabled(void **state)
{
	struct suspicion_policy off = policy;
	struct suspicion s = { 0 };

	(void)state;
	off.enabled = false;
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(
			suspicion_step(&s, &off,
				       &(struct suspicion_sample){ .failed = 100 * i, .late = 100 },
				       1000 + (uint64_t)i * STEP_MS),
			SUSPICION_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window),   cmocka_unit_test(test_late),
		cmocka_unit_test(test_rest),     cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_disabled),
	};

	return cmocka_run_group_tests_name("suspicion", tests, NULL, NULL);
}
