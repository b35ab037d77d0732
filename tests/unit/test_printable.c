// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "util/printable.h"

/* A terminal's idea of control characters; everything else, UTF-8 too, is left alone. */
static void test_clean(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{ "plain", "plain" },
		{ "", "" },
		{ "a\033[31mb", "a?[31mb" },
		{ "tab\tnl\ncr\r\x7f", "tab?nl?cr??" },
		{ "caf\xc3\xa9 \xe2\x80\xa6", "caf\xc3\xa9 \xe2\x80\xa6" },
		{ "c1 \xc2\x9b"
		  "2J",
		  "c1 ??2J" },
		{ "nbsp \xc2\xa0.", "nbsp \xc2\xa0." },
		{ "cut \xc2", "cut \xc2" },
		/* The same byte within another character. */
		{ "\xe2\x80\x9b\x9b", "\xe2\x80\x9b\x9b" },
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(buf, sizeof(buf), "%s", rows[i].from);
		assert_string_equal(printable_clean(buf), rows[i].to);
	}
}

static void test_control_len(void **state)
{
	(void)state;
	assert_int_equal(printable_control_len(""), 0);
	assert_int_equal(printable_control_len("a\n"), 0);
	assert_int_equal(printable_control_len("\n"), 1);
	assert_int_equal(printable_control_len("\x7f"), 1);
	assert_int_equal(printable_control_len("\xc2\x80"), 2);
	assert_int_equal(printable_control_len("\xc2\x9f"), 2);
	assert_int_equal(printable_control_len("\xc2\xa0"), 0);
	assert_int_equal(printable_control_len("\xc2"), 0);
}

static void test_ascii(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		assert_int_equal(printable_is_ascii((char)c), c >= 32 && c <= 126);
		assert_int_equal(printable_is_control((char)c), c < 32 || c == 127);
	}
}

/* To the first line end, whatever comes first: it, the end of the data or of the room. */
static void test_line(void **state)
{
	static const struct {
		const char *data;
		size_t len, size;
		const char *line;
	} rows[] = {
		{ "HTTP/1.1 200\r\nX: y", 18, 32, "HTTP/1.1 200" },
		{ "one\ntwo", 7, 32, "one" },
		{ "no end", 6, 32, "no end" },
		{ "too long", 8, 5, "too " },
		{ "\x01\x7f\xff\0a", 5, 32, "....a" },
		{ "", 0, 32, "" },
		{ "x", 1, 1, "" },
	};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(printable_line(buf, rows[i].size, (const uint8_t *)rows[i].data,
						   rows[i].len),
				    rows[i].line);
}

static void test_path(void **state)
{
	(void)state;
	assert_int_equal(printable_path_len("/healthz"), 8);
	assert_int_equal(printable_path_len("/healthz?key=1?2"), 8);
	assert_int_equal(printable_path_len("?"), 0);
	assert_int_equal(printable_path_len(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),       cmocka_unit_test(test_path),
		cmocka_unit_test(test_control_len), cmocka_unit_test(test_ascii),
		cmocka_unit_test(test_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
