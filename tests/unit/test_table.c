// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/fault.h"
#include "util/cleanup.h"
#include "util/table.h"

static const char *const headings[] = { "NAME", "N", "NOTE" };

/* What the table prints; the caller frees it. */
static char *print(const struct table *table, bool color)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(table_print(table, out, color), 0);
	fclose(out);
	return text;
}

static void expect(struct table *table, bool color, const char *wanted)
{
	char *text = print(table, color);

	assert_string_equal(text, wanted);
	free(text);
	table_free(table);
}

static struct table *make_table(void)
{
	struct table *table = table_new(3, headings);

	assert_non_null(table);
	return table;
}

static void add_row(struct table *table, const char *name, int n, const char *note)
{
	table_cell(table, TABLE_PLAIN, "%s", name);
	table_cell(table, TABLE_PLAIN, "%d", n);
	table_cell(table, TABLE_PLAIN, "%s", note);
}

static void test_columns(void **state)
{
	struct table *table = make_table();

	(void)state;
	add_row(table, "a", 12345, "x");
	add_row(table, "longer", 1, "");
	expect(table, false,
	       "NAME    N      NOTE\n"
	       "a       12345  x\n"
	       "longer  1      \n");
}

static void test_heading_only(void **state)
{
	(void)state;
	expect(make_table(), false, "NAME  N  NOTE\n");
}

static void test_right(void **state)
{
	struct table *table = make_table();

	(void)state;
	table_align_right(table, 1);
	table_align_right(table, 2);
	add_row(table, "a", 100, "x");
	expect(table, false,
	       "NAME    N  NOTE\n"
	       "a     100     x\n");
}

/* Characters count, not bytes. */
static void test_utf8(void **state)
{
	struct table *table = make_table();

	(void)state;
	add_row(table, "größe…", 1, "x");
	add_row(table, "123456", 1, "x");
	expect(table, false,
	       "NAME    N  NOTE\n"
	       "größe…  1  x\n"
	       "123456  1  x\n");
}

/* A backend must not be able to write to the operator's terminal. */
static void test_control_characters(void **state)
{
	struct table *table = make_table();

	(void)state;
	add_row(table, "a\033[2Jb", 1, "c\nd\x7f");
	expect(table, false,
	       "NAME    N  NOTE\n"
	       "a?[2Jb  1  c?d?\n");
}

/* Escapes stand around the text, not around the padding, and have no width. */
static void test_colors(void **state)
{
	struct table *table = table_new(2, headings);

	(void)state;
	assert_non_null(table);
	table_cell(table, TABLE_RED, "down");
	table_cell(table, TABLE_PLAIN, "1");
	table_cell(table, TABLE_GREEN, "up");
	table_cell(table, TABLE_PLAIN, "2");
	expect(table, true,
	       "\033[1mNAME\033[0m  \033[1mN\033[0m\n"
	       "\033[1;31mdown\033[0m  1\n"
	       "\033[32mup\033[0m    2\n");
}

static void test_many_rows(void **state)
{
	struct table *table = make_table();
	char *text, *line;
	int n = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		add_row(table, "row", i, "x");
	text = print(table, false);
	for (line = strchr(text, '\n'); line; line = strchr(line + 1, '\n'))
		n++;
	assert_int_equal(n, 1001);
	assert_non_null(strstr(text, "\nrow   999  x\n"));
	free(text);
	table_free(table);
}

/* A lost cell is not a shorter table but an error. vasprintf() is the C library's own. */
static void test_memory(void **state)
{
	CLEANUP(fclose_p) FILE *nowhere = fopen("/dev/null", "w");
	struct table *table;
	int n = 0;
	bool happened;

	(void)state;
	assert_non_null(nowhere);
	fault_after(FAULT_MEMORY, 0, ENOMEM);
	assert_null(table_new(3, headings));
	assert_true(fault_clear(FAULT_MEMORY));

	do {
		fault_after(FAULT_MEMORY, ++n, ENOMEM);
		table = make_table();
		for (int i = 0; i < 100; i++)
			add_row(table, "row", i, "x");
		happened = fault_clear(FAULT_MEMORY);
		assert_int_equal(table_print(table, nowhere, false) == -ENOMEM, happened);
		table_free(table);
	} while (happened && n < 100);
	assert_true(n > 1);
	table_free(NULL);
}

static void test_full_device(void **state)
{
	CLEANUP(fclose_p) FILE *full = fopen("/dev/full", "w");
	struct table *table = make_table();

	(void)state;
	assert_non_null(full);
	setvbuf(full, NULL, _IONBF, 0);
	assert_int_equal(table_print(table, full, false), -EIO);
	table_free(table);
}

static void test_wants_color(void **state)
{
	CLEANUP(fclose_p) FILE *file = tmpfile();

	(void)state;
	assert_non_null(file);
	assert_false(table_wants_color(file));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_heading_only),
		cmocka_unit_test(test_right),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_control_characters),
		cmocka_unit_test(test_colors),
		cmocka_unit_test(test_many_rows),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_full_device),
		cmocka_unit_test(test_wants_color),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
