// SPDX-License-Identifier: GPL-2.0-or-later
/* The report of errors: order, capacity, and what of a hostile file reaches a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "config/report.h"

static void test_order(void **state)
{
	static const unsigned int places[][2] = {
		{ 5, 1 }, { 3, 9 }, { 3, 2 }, { 0, 0 }, { 3, 2 }
	};
	static const char *const expected = "0:0 d\n3:2 c\n3:2 e\n3:9 b\n5:1 a\n";
	struct report report;
	char text[256] = "";

	(void)state;
	report_init(&report, "f");
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		report_add(&report, places[i][0], places[i][1])->message[0] = (char)('a' + i);
	for (size_t i = 0; i < report.n_items; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%u:%u %s\n",
			 report.items[i].line, report.items[i].column, report.items[i].message);
	assert_string_equal(text, expected);
}

static void test_capacity(void **state)
{
	struct report report;

	(void)state;
	report_init(&report, "f");
	/* From the last line to the first: each pushes one out, once it is full. */
	for (unsigned int line = 100; line > 0; line--)
		assert_non_null(report_add(&report, line, 1));
	assert_null(report_add(&report, REPORT_MAX, 1));
	assert_null(report_add(&report, 1000, 1));
	assert_int_equal(report.n_items, REPORT_MAX);
	assert_int_equal(report.n_errors, 102);
	for (unsigned int i = 0; i < REPORT_MAX; i++)
		assert_int_equal(report.items[i].line, i + 1);
}

static const struct copy_row {
	const char *text, *copy; /* into 8 bytes */
} copy_rows[] = {
	{ "", "" },
	{ "1234567", "1234567" },
	{ "12345678", "1234…" },
	{ "123456789012", "1234…" },
	{ "a\nb\tc\x7f", "a?b?c?" },
	{ "\x1b[31m", "?[31m" },
	{ "ä", "ä" },
	/* A character is not cut in half. */
	{ "123äbcdef", "123…" },
	{ "12äbcdef", "12ä…" },
	{ "€€€", "€…" },
	/* C1 control characters, among them one that begins an escape sequence. */
	{ "a\xc2\x9b"
	  "b",
	  "a??b" },
	{ "a\xc2\xa0"
	  "b",
	  "a\xc2\xa0"
	  "b" },
	{ "\xc3\x9f", "\xc3\x9f" },
};

static void test_copy(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(copy_rows) / sizeof(copy_rows[0]); i++) {
		char buf[10] = "xxxxxxxxx";

		report_copy(buf, 8, copy_rows[i].text);
		assert_string_equal(buf, copy_rows[i].copy);
		assert_int_equal(buf[8], 'x');
	}
}

static const struct format_row {
	struct report_item item;
	const char *line;
} format_rows[] = {
	{ { 1, 2, "a.b", "v", "is bad" }, "f.yaml:1:2: a.b: 'v': is bad" },
	{ { 1, 2, "a.b", "", "is bad" }, "f.yaml:1:2: a.b: is bad" },
	{ { 1, 2, "", "v", "is bad" }, "f.yaml:1:2: 'v': is bad" },
	{ { 1, 2, "", "", "is bad" }, "f.yaml:1:2: is bad" },
	{ { 0, 0, "", "", "is bad" }, "f.yaml: is bad" },
};

static void test_format(void **state)
{
	struct report report;
	char line[128], cut[10];

	(void)state;
	for (size_t i = 0; i < sizeof(format_rows) / sizeof(format_rows[0]); i++) {
		report_init(&report, "f.yaml");
		*report_add(&report, 1, 1) = format_rows[i].item;
		report_format(line, sizeof(line), &report, 0);
		assert_string_equal(line, format_rows[i].line);
		report_format(cut, sizeof(cut), &report, 0);
		assert_int_equal(strlen(cut), sizeof(cut) - 1);
		assert_memory_equal(cut, line, sizeof(cut) - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_capacity),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
