// SPDX-License-Identifier: GPL-2.0-or-later
/* Texts for terminals: what is let through, and how times are read and written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/text.h"
#include "tests/unit/view_json.h"
#include "util/cleanup.h"

static void test_clean(void **state)
{
	(void)state;
	json_t *json = parse("{\"a\": [\"x\\u001b\", {\"b\": \"\\u0085\"}], \"c\": 1}");
	assert_int_equal(text_clean_json(json), 0);
	CLEANUP(free_p) char *text = json_dumps(json, JSON_COMPACT);
	assert_string_equal(text, "{\"a\":[\"x?\",{\"b\":\"??\"}],\"c\":1}");
	json_decref(json);
}

static void test_times(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} rows[] = {
		{ "1970-01-01T00:00:01.000Z", 1000 },
		{ "1970-01-01T00:00:01.234Z", 1234 },
		{ "1970-01-01T00:00:01.2Z", 1200 },
		{ "1970-01-01T00:00:01.234567Z", 1234 },
		{ "1970-01-01T00:00:01Z", 1000 },
		{ "2026-01-01T00:00:00.001Z", 1767225600001 },
		{ "1970-01-01T00:00:01.", 1000 },
		{ "1960-01-01T00:00:01.5Z", 0 },
		{ "yesterday", 0 },
		{ "", 0 },
	};
	char buf[TEXT_TIME_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (text_parse_time(rows[i].text) != rows[i].ms)
			fail_msg("%s", rows[i].text);
	assert_string_equal(text_format_us(buf, 0), "-");
	assert_string_equal(text_format_us(buf, 999), "999us");
	assert_string_equal(text_format_us(buf, 1000), "1.0ms");
	assert_string_equal(text_format_us(buf, 30012345), "30012.3ms");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_times),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
