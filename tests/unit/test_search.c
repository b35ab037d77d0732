// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/limits.h"
#include "probe/search.h"
#include "tests/lib/fault.h"

static const struct {
	const char *text, *stream;
	bool found;
} rows[] = {
	{ "ready", "ready", true },         { "ready", "", false },
	{ "ready", "read", false },         { "ready", "not yet ready!", true },
	{ "ready", "Ready", false },        { "a", "bbba", true },
	{ "aab", "aaaaaaab", true },        { "abab", "abaabaabab", true },
	{ "abcabd", "abcabcabcabd", true }, { "abcabd", "abcabcabcab", false },
	{ "aaa", "aabaabaab", false },      { "\xc3\xa9t", "l'\xc3\xa9t\xc3\xa9", true },
};

static void test_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint8_t *stream = (const uint8_t *)rows[i].stream;
		size_t len = strlen(rows[i].stream);

		for (size_t cut = 0; cut <= len; cut++) {
			CLEANUP(search_free_p) struct search *s = search_new(rows[i].text);

			assert_non_null(s);
			search_feed(s, stream, cut);
			assert_int_equal(search_feed(s, stream + cut, len - cut), rows[i].found);
			assert_int_equal(search_found(s), rows[i].found);
		}
	}
}

static void test_stays_found(void **state)
{
	CLEANUP(search_free_p) struct search *s = search_new("ok");

	(void)state;
	assert_non_null(s);
	assert_true(search_feed(s, (const uint8_t *)"ok", 2));
	assert_true(search_feed(s, (const uint8_t *)"xyz", 3));
}

static void test_longest(void **state)
{
	char text[LIMIT_MATCH_BODY_BYTES + 1];
	CLEANUP(search_free_p) struct search *s = NULL;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 2] = 'b';
	text[sizeof(text) - 1] = '\0';
	s = search_new(text);
	assert_non_null(s);
	for (int i = 0; i < 2 * LIMIT_MATCH_BODY_BYTES; i++)
		assert_false(search_feed(s, (const uint8_t *)"a", 1));
	assert_true(search_feed(s, (const uint8_t *)"b", 1));
}

static void test_no_memory(void **state)
{
	struct search *s;

	(void)state;
	fault_after(FAULT_MEMORY, 0, ENOMEM);
	s = search_new("ok");
	assert_true(fault_clear(FAULT_MEMORY));
	assert_null(s);
	search_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_stays_found),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
