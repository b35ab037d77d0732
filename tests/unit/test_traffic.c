// SPDX-License-Identifier: GPL-2.0-or-later
/* What clients fared lately, and whether probes say the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "diagnose/disagree.h"

static void test_marks(void **state)
{
	struct traffic_past past = { 0 };
	struct traffic totals = { .answered = UINT32_MAX - 1 }, lately;
	struct traffic_mark mark;

	(void)state;
	assert_false(traffic_mark(&past).set);
	for (uint64_t now_ms = 50; now_ms < 300000; now_ms += 50) {
		if (traffic_wants(&past, false, now_ms))
			traffic_note(&past, &totals, false, now_ms);
		totals.answered++; /* wraps */
		mark = traffic_mark(&past);
		assert_true(mark.set);
		lately = traffic_since(&totals, &mark);
		assert_int_equal(lately.answered, (now_ms - mark.mono_ms) / 50 + 1);
		/* About a minute, once there has been one. */
		assert_in_range(now_ms - mark.mono_ms, now_ms > 60100 ? 59900 : 0, 80000);
	}
}

/* While probes fail, what counts is what came since they began to. */
static void test_mark_of_failing(void **state)
{
	struct traffic_past past = { 0 };
	struct traffic totals = { .answered = 1000 };

	(void)state;
	traffic_note(&past, &totals, false, 1000);
	assert_false(traffic_wants(&past, false, 1050));
	assert_true(traffic_wants(&past, true, 1050));
	totals.answered = 1003;
	traffic_note(&past, &totals, true, 1050);
	for (uint64_t now_ms = 1100; now_ms < 200000; now_ms += 50) {
		totals.answered++;
		if (traffic_wants(&past, true, now_ms))
			traffic_note(&past, &totals, true, now_ms);
	}
	assert_int_equal(traffic_mark(&past).mono_ms, 1050);
	assert_int_equal(traffic_mark(&past).totals.answered, 1003);
	assert_true(traffic_wants(&past, false, 200000));
	traffic_note(&past, &totals, false, 200000);
	assert_int_equal(traffic_mark(&past).mono_ms, 200000);
}

static const struct row {
	const char *name;
	struct traffic lately;
	struct health health;
	enum sl_message code;
	enum stage stage;
	uint16_t probe_port;
	enum cause cause;
	const char *text;
} rows[] = {
	{ "all is well",
	  { .answered = 1000, .unanswered = 3 },
	  { SL_HEALTHY, SL_HEALTHY, .failures = 0, .successes = 3 },
	  SL_MSG_OK,
	  STAGE_BODY,
	  80,
	  CAUSE_REACHABLE,
	  "" },
	{ "one client among many",
	  { .answered = 1000, .refused = 20 },
	  { SL_HEALTHY, SL_HEALTHY, .failures = 0, .successes = 3 },
	  SL_MSG_OK,
	  STAGE_BODY,
	  80,
	  CAUSE_REACHABLE,
	  "" },
	{ "too few to say",
	  { .refused = 4 },
	  { SL_HEALTHY, SL_HEALTHY, .failures = 0, .successes = 3 },
	  SL_MSG_OK,
	  STAGE_BODY,
	  81,
	  CAUSE_REACHABLE,
	  "" },
	{ "another port",
	  { .refused = 5 },
	  { SL_HEALTHY, SL_HEALTHY, .failures = 0, .successes = 3 },
	  SL_MSG_OK,
	  STAGE_BODY,
	  81,
	  CAUSE_GREEN_BUT_BROKEN,
	  "of 5 attempts to connect 5 failed (refused 5, unreachable 0, unanswered 0). The probe asks "
	  "port 81/tcp and clients use 80/tcp" },
	{ "the same port, refused",
	  { .answered = 9, .refused = 3, .unreachable = 2 },
	  { SL_HEALTHY, SL_HEALTHY, .failures = 0, .successes = 3 },
	  SL_MSG_OK,
	  STAGE_BODY,
	  80,
	  CAUSE_CLIENTS_REFUSED,
	  "within 1m 5s, of 14 attempts to connect 5 failed" },
	{ "the same port, silent",
	  { .unanswered = 9, .refused = 3 },
	  { SL_HEALTHY, SL_HEALTHY, .failures = 0, .successes = 3 },
	  SL_MSG_OK,
	  STAGE_BODY,
	  80,
	  CAUSE_CLIENTS_UNANSWERED,
	  "Both use port 80" },
	{ "the prober is in trouble: it says nothing",
	  { .refused = 50 },
	  { SL_UNKNOWN, SL_HEALTHY, .failures = 0, .successes = 3 },
	  SL_MSG_PROBER_OVERLOADED,
	  STAGE_QUEUE,
	  81,
	  CAUSE_REACHABLE,
	  "" },
	{ "both fail",
	  { .refused = 50 },
	  { SL_UNHEALTHY, SL_UNHEALTHY, .failures = 3, .successes = 0 },
	  SL_MSG_TCP_CONNECT_FAILED,
	  STAGE_CONNECT,
	  80,
	  CAUSE_REACHABLE,
	  "" },
	{ "the probe alone fails",
	  { .answered = 50 },
	  { SL_UNHEALTHY, SL_UNHEALTHY, .failures = 3, .successes = 0 },
	  SL_MSG_TCP_CONNECT_FAILED,
	  STAGE_CONNECT,
	  80,
	  CAUSE_PROBE_WRONG,
	  "since it began to, 1m 5s ago, of 50 attempts to connect 0 failed" },
	{ "one probe that fails is bad luck",
	  { .answered = 50 },
	  { SL_HEALTHY, SL_HEALTHY, .failures = 1, .successes = 0 },
	  SL_MSG_TCP_CONNECT_FAILED,
	  STAGE_CONNECT,
	  80,
	  CAUSE_REACHABLE,
	  "" },
	{ "a second one is not",
	  { .answered = 50 },
	  { SL_HEALTHY, SL_HEALTHY, .failures = 2, .successes = 0 },
	  SL_MSG_TCP_CONNECT_FAILED,
	  STAGE_CONNECT,
	  80,
	  CAUSE_PROBE_WRONG,
	  "Both use port 80" },
	{ "what is answered, connecting does not show",
	  { .answered = 50 },
	  { SL_UNHEALTHY, SL_UNHEALTHY, .failures = 3, .successes = 0 },
	  SL_MSG_HTTP_STATUS_MISMATCH,
	  STAGE_HEADER,
	  80,
	  CAUSE_REACHABLE,
	  "" },
	{ "but on another port it is another server",
	  { .answered = 50 },
	  { SL_UNHEALTHY, SL_UNHEALTHY, .failures = 3, .successes = 0 },
	  SL_MSG_HTTP_STATUS_MISMATCH,
	  STAGE_HEADER,
	  8080,
	  CAUSE_PROBE_WRONG,
	  "port 8080/tcp and clients use 80/tcp" },
};

static bool compare(struct disagreement *ret, const struct row *row, uint64_t window_ms,
		    enum sl_proto proto)
{
	struct plan plan = { .protocol = PROTO_HTTP, .port = row->probe_port };
	struct endpoint endpoint = { .key = { .port = 80, .proto = proto } };
	struct board_entry entry = { .health = row->health, .n_verdicts = 1 };
	struct disagree_facts facts = {
		.plan = &plan,
		.endpoint = &endpoint,
		.entry = &entry,
		.lately = row->lately,
		.window_ms = window_ms,
	};

	entry.recent[0].verdict.code = row->code;
	entry.recent[0].verdict.stage = row->stage;
	return disagree(ret, &facts);
}

static void test_disagree(void **state)
{
	struct disagreement found;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		bool differ = compare(&found, row, 65000, SL_TCP);

		if (found.cause != row->cause || !strstr(found.text, row->text))
			fail_msg("%s: %s: %s", row->name, cause_id(found.cause), found.text);
		assert_int_equal(differ, row->cause != CAUSE_REACHABLE);
		/* Nothing is known yet, or can be. */
		assert_false(compare(&found, row, 0, SL_TCP));
		assert_false(compare(&found, row, 65000, SL_UDP));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_mark_of_failing),
		cmocka_unit_test(test_disagree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
