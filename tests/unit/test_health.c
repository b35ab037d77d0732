// SPDX-License-Identifier: GPL-2.0-or-later
/* Health as a function of verdicts: thresholds, the prober's own trouble, min_servers, the word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "model/health.h"

/*
 * One endpoint's life: each letter of verdicts is one verdict, and shown and proven have the state
 * after it. p: passed, f: failed, o: the prober's own trouble; H, U, K: Healthy, Unhealthy, Unknown.
 */
static const struct life {
	uint32_t unhealthy_threshold, healthy_threshold;
	char start;
	const char *verdicts, *shown, *proven;
} lives[] = {
	/* The first verdict decides, whatever the thresholds are. */
	{ 3, 1, 'K', "p", "H", "H" },
	{ 3, 1, 'K', "f", "U", "U" },
	{ 20, 20, 'K', "p", "H", "H" },
	{ 20, 20, 'K', "f", "U", "U" },
	{ 1, 1, 'K', "pfpf", "HUHU", "HUHU" },
	/* Failures count only in a row. */
	{ 3, 1, 'K', "pff", "HHH", "HHH" },
	{ 3, 1, 'K', "pfff", "HHHU", "HHHU" },
	{ 3, 1, 'K', "pffpff", "HHHHHH", "HHHHHH" },
	{ 3, 1, 'K', "pffpfff", "HHHHHHU", "HHHHHHU" },
	{ 2, 1, 'K', "pfpfpff", "HHHHHHU", "HHHHHHU" },
	{ 20, 1, 'H', "fffffffffffffffffff", "HHHHHHHHHHHHHHHHHHH", "HHHHHHHHHHHHHHHHHHH" },
	{ 20, 1, 'H', "ffffffffffffffffffff", "HHHHHHHHHHHHHHHHHHHU", "HHHHHHHHHHHHHHHHHHHU" },
	/* So do successes. */
	{ 3, 1, 'K', "fp", "UH", "UH" },
	{ 3, 3, 'K', "fpp", "UUU", "UUU" },
	{ 3, 3, 'K', "fppp", "UUUH", "UUUH" },
	{ 3, 3, 'K', "fppfppp", "UUUUUUH", "UUUUUUH" },
	{ 3, 2, 'K', "fpfpfpp", "UUUUUUH", "UUUUUUH" },
	/* More of the same changes nothing. */
	{ 2, 2, 'K', "ppppffff", "HHHHHUUU", "HHHHHUUU" },
	/* The prober's own trouble is shown, proves nothing, and does not break a row. */
	{ 3, 1, 'K', "o", "K", "K" },
	{ 3, 1, 'K', "ooo", "KKK", "KKK" },
	{ 3, 1, 'K', "of", "KU", "KU" },
	{ 3, 1, 'K', "op", "KH", "KH" },
	{ 3, 1, 'K', "poooo", "HKKKK", "HHHHH" },
	{ 3, 1, 'K', "pop", "HKH", "HHH" },
	{ 3, 1, 'K', "pof", "HKH", "HHH" },
	{ 3, 1, 'K', "pffof", "HHHKU", "HHHHU" },
	{ 3, 1, 'K', "poffof", "HKHHKU", "HHHHHU" },
	{ 3, 1, 'K', "fo", "UK", "UU" },
	{ 3, 1, 'K', "fof", "UKU", "UUU" },
	{ 3, 1, 'K', "fop", "UKH", "UUH" },
	{ 3, 2, 'K', "fpop", "UUKH", "UUUH" },
	/* Taken over from the kernel: the thresholds count from there. */
	{ 3, 1, 'H', "ff", "HH", "HH" },
	{ 3, 1, 'H', "fff", "HHU", "HHU" },
	{ 3, 2, 'U', "p", "U", "U" },
	{ 3, 2, 'U', "pp", "UH", "UH" },
	{ 3, 2, 'U', "f", "U", "U" },
};

static enum sl_health health_of(char letter)
{
	return letter == 'H' ? SL_HEALTHY : letter == 'U' ? SL_UNHEALTHY : SL_UNKNOWN;
}

static enum sl_message verdict_of(char letter)
{
	return letter == 'p'   ? SL_MSG_OK
	       : letter == 'f' ? SL_MSG_TCP_CONNECT_FAILED
			       : SL_MSG_LOCAL_RESOURCE;
}

static void live(const struct life *life)
{
	const struct health_policy policy = { life->unhealthy_threshold, life->healthy_threshold };
	struct health health;

	assert_int_equal(strlen(life->verdicts), strlen(life->shown));
	assert_int_equal(strlen(life->verdicts), strlen(life->proven));
	health_init(&health, health_of(life->start), 1000);

	for (size_t i = 0; life->verdicts[i]; i++) {
		const struct health before = health;
		uint64_t now_ms = 2000 + i;
		bool changed = health_step(&health, &policy, verdict_of(life->verdicts[i]), now_ms);
		bool shown = health.shown != before.shown, proven = health.proven != before.proven;

		if (health.shown != health_of(life->shown[i]) ||
		    health.proven != health_of(life->proven[i]))
			fail_msg("%s from %c at %zu: shown %s, proven %s", life->verdicts,
				 life->start, i, health_name(health.shown),
				 health_name(health.proven));
		assert_int_equal(changed, shown || proven);
		assert_int_equal(health.since_ms, shown ? now_ms : before.since_ms);
	}
}

static void test_lives(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++)
		live(&lives[i]);
}

static void test_counts(void **state)
{
	const struct health_policy policy = { 5, 5 };
	struct health health;

	(void)state;
	health_init(&health, SL_UNKNOWN, 7);
	assert_int_equal(health.since_ms, 7);
	assert_int_equal(health.lapsed, 0);
	assert_false(health.forced);
	health_step(&health, &policy, SL_MSG_BACKEND_TIMEOUT, 8);
	health_step(&health, &policy, SL_MSG_HTTP_STATUS_MISMATCH, 8);
	health_step(&health, &policy, SL_MSG_PROBER_OVERLOADED, 8);
	health_step(&health, &policy, SL_MSG_PROBE_PENDING, 8);
	assert_int_equal(health.failures, 2);
	assert_int_equal(health.successes, 0);
	health_step(&health, &policy, SL_MSG_OK, 8);
	assert_int_equal(health.failures, 0);
	assert_int_equal(health.successes, 1);
}

/* One letter per member; digits: when it lapsed. */
static const struct force_row {
	const char *members, *times;
	uint32_t min;
	const char *forced; /* x: must be chosen, .: must not */
} force_rows[] = {
	{ "", "", 0, "" },
	{ "", "", 5, "" },
	{ "U", "1", 0, "." },
	{ "U", "1", 1, "x" },
	{ "H", "1", 1, "." },
	{ "K", "1", 1, "." },
	/* Enough are open: none is chosen, though some are closed. */
	{ "HUU", "123", 1, "..." },
	{ "HKU", "123", 2, "..." },
	/* The most recently healthy first. */
	{ "UUU", "132", 1, ".x." },
	{ "UUU", "132", 2, ".xx" },
	{ "UUU", "132", 3, "xxx" },
	{ "HUU", "912", 2, "..x" },
	{ "KUHU", "1923", 3, ".x.." },
	/* Ties go by position. */
	{ "UUU", "111", 1, "x.." },
	{ "UUU", "111", 2, "xx." },
	{ "UUU", "211", 2, "xx." },
	{ "UHU", "595", 2, "x.." },
	/* Never healthy at all is last. */
	{ "UUU", "001", 1, "..x" },
	{ "UUU", "001", 2, "x.x" },
	/* More than there are. */
	{ "UU", "12", 9, "xx" },
	{ "HU", "12", 9, ".x" },
	{ "HK", "12", 9, ".." },
};

static void check_forced(const struct force_row *row, bool before)
{
	struct health healths[8];
	const struct health *members[8] = { 0 };
	bool forced[8];
	size_t n = strlen(row->members);

	for (size_t i = 0; i < n; i++) {
		health_init(&healths[i], health_of(row->members[i]), 7);
		healths[i].lapsed = (uint64_t)(row->times[i] - '0');
		/* What is shown must not matter. */
		healths[i].shown = SL_UNKNOWN;
		members[i] = &healths[i];
		forced[i] = before;
	}
	health_force(members, (uint32_t)n, row->min, forced);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(forced[i], row->forced[i] == 'x');
}

static void test_force(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(force_rows) / sizeof(force_rows[0]); i++) {
		check_forced(&force_rows[i], false);
		check_forced(&force_rows[i], true);
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(health_name(SL_HEALTHY), "Healthy");
	assert_string_equal(health_name(SL_UNHEALTHY), "Unhealthy");
	assert_string_equal(health_name(SL_UNKNOWN), "Unknown");
}

/* The gate acts on what is proven, not on what is shown. */
static void test_word(void **state)
{
	static const enum sl_action actions[] = { SL_ACTION_PASS, SL_ACTION_REJECT,
						  SL_ACTION_DROP };
	struct health health = { .shown = SL_UNKNOWN, .proven = SL_UNHEALTHY };
	struct sl_word word;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		word = health_word(&health, actions[i], false);
		assert_int_equal(word.health, SL_UNHEALTHY);
		assert_int_equal(word.admin, SL_ENABLED);
		assert_int_equal(word.action, actions[i]);
		assert_int_equal(word.flags, 0);
		assert_int_equal(word.deadline_s, 0);
	}
	assert_int_equal(health_word(&health, SL_ACTION_DROP, true).flags, SL_WORD_RESET);
	health.forced = true;
	assert_int_equal(health_word(&health, SL_ACTION_DROP, false).flags, SL_WORD_FORCED);
	assert_int_equal(health_word(&health, SL_ACTION_DROP, true).flags,
			 SL_WORD_FORCED | SL_WORD_RESET);
	health_init(&health, SL_UNKNOWN, 1);
	assert_int_equal(health_word(&health, SL_ACTION_REJECT, false).health, SL_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lives), cmocka_unit_test(test_counts),
		cmocka_unit_test(test_force), cmocka_unit_test(test_names),
		cmocka_unit_test(test_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
