// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "model/event.h"

static void test_numbers(void **state)
{
	struct event event = { 0 };
	json_t *json;
	char name[16];

	(void)state;
	event_number(&event, "a", 0);
	assert_string_equal(event.numbers, "{\"a\": 0}");
	event_number(&event, "b_2", INT64_MIN);
	assert_string_equal(event.numbers, "{\"a\": 0, \"b_2\": -9223372036854775808}");
	/* Whatever does not fit is left out whole. */
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "number_%d", i);
		event_number(&event, name, i);
	}
	json = json_loads(event.numbers, 0, NULL);
	assert_non_null(json);
	assert_in_range(json_object_size(json), 10, 100);
	json_decref(json);
}

/* Cut at a character, never within one. */
static void test_put(void **state)
{
	char member[6];

	(void)state;
	event_set(member, "abcde");
	assert_string_equal(member, "abcde");
	event_set(member, "abcdef");
	assert_string_equal(member, "abcde");
	event_set(member, "abcd\xc3\xa9");
	assert_string_equal(member, "abcd");
	event_set(member, "abc\xe2\x82\xac");
	assert_string_equal(member, "abc");
	event_set(member, "\x80\x80\x80\x80\x80\x80\x80");
	assert_string_equal(member, "");
}

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i < EVENT_KINDS_N; i++)
		assert_int_equal(event_kind_parse(event_kind_name((enum event_kind)i)), i);
	assert_int_equal(event_kind_parse("of a later version"), EVENT_OTHER);
	assert_string_equal(event_severity_name(EVENT_ERROR), "error");
	assert_string_equal(event_severity_name(EVENT_WARNING), "warning");
	assert_string_equal(event_severity_name(EVENT_INFO), "info");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
