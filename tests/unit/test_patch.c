// SPDX-License-Identifier: GPL-2.0-or-later
/* Replacements in a text: made, and shown as diff -u shows them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "config/patch.h"
#include "tests/lib/fault.h"
#include "util/cleanup.h"

#define EDITS_MAX 4

struct edit {
	uint32_t start, end;
	const char *text;
};

static const struct row {
	const char *text;
	struct edit edits[EDITS_MAX]; /* the first without text ends them */
	const char *result, *difference;
} rows[] = {
	{ "a\nb\n", { { 0 } }, "a\nb\n", "" },
	/* What is replaced by itself is no difference. */
	{ "a\nb\n", { { 2, 3, "b" } }, "a\nb\n", "" },
	{ "a\nb\nc\n",
	  { { 2, 3, "x" } },
	  "a\nx\nc\n",
	  "--- f\n+++ f\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n" },
	/* In any order; at one place what is put in stands before what goes. */
	{ "abc",
	  { { 2, 2, "2" }, { 1, 2, "" }, { 1, 1, "0" }, { 1, 1, "1" } },
	  "a012c",
	  "--- f\n+++ f\n@@ -1,1 +1,1 @@\n-abc\n\\ No newline at end of file\n+a012c\n"
	  "\\ No newline at end of file\n" },
	/* The end of a line that stays is not that of one which only ends like it. */
	{ "xa\na\n",
	  { { 0, 3, "" }, { 3, 3, "ya\n" } },
	  "ya\na\n",
	  "--- f\n+++ f\n@@ -1,2 +1,2 @@\n-xa\n+ya\n a\n" },
	{ "za\n",
	  { { 0, 1, "b\nc" } },
	  "b\nca\n",
	  "--- f\n+++ f\n@@ -1,1 +1,2 @@\n-za\n+b\n+ca\n" },
	{ "a\n", { { 0, 0, "z" } }, "za\n", "--- f\n+++ f\n@@ -1,1 +1,1 @@\n-a\n+za\n" },
	{ "a\n", { { 0, 0, "z\n" } }, "z\na\n", "--- f\n+++ f\n@@ -1,1 +1,2 @@\n+z\n a\n" },
	{ "a\nb\n", { { 0, 4, "" } }, "", "--- f\n+++ f\n@@ -1,2 +0,0 @@\n-a\n-b\n" },
	{ "", { { 0, 0, "a\n" } }, "a\n", "--- f\n+++ f\n@@ -0,0 +1,1 @@\n+a\n" },
	{ "a",
	  { { 1, 1, "\nb" } },
	  "a\nb",
	  "--- f\n+++ f\n@@ -1,1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n"
	  "\\ No newline at end of file\n" },
	/* Six lines between two of them are shown with both; seven are one too many. */
	{ "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n",
	  { { 2, 4, "" }, { 16, 18, "" } },
	  "0\n2\n3\n4\n5\n6\n7\n9\n",
	  "--- f\n+++ f\n@@ -1,10 +1,8 @@\n 0\n-1\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n 9\n" },
	{ "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n",
	  { { 2, 4, "" }, { 18, 20, "" } },
	  "0\n2\n3\n4\n5\n6\n7\n8\n",
	  "--- f\n+++ f\n@@ -1,5 +1,4 @@\n 0\n-1\n 2\n 3\n 4\n@@ -7,4 +6,3 @@\n 6\n 7\n 8\n-9\n" },
};

static int collect(struct patch *patch, const struct edit *edits)
{
	int r = patch_init(patch);

	for (size_t i = 0; r == 0 && i < EDITS_MAX && edits[i].text; i++) {
		patch_replace(patch, edits[i].start, edits[i].end);
		fputs(edits[i].text, patch->out);
	}
	return r < 0 ? r : patch_settle(patch);
}

static void patches(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		CLEANUP(patch_done) struct patch patch = { .n = 0 };
		CLEANUP(free_p) char *result = NULL;
		CLEANUP(free_p) char *difference = NULL;
		size_t len;
		FILE *out = open_memstream(&difference, &len);

		assert_int_equal(collect(&patch, row->edits), 0);
		assert_int_equal(patch_print(out, &patch, row->text, strlen(row->text), "f"), 0);
		fclose(out);
		assert_string_equal(difference, row->difference);
		assert_int_equal(patch_apply(&result, &len, &patch, row->text, strlen(row->text)),
				 0);
		assert_string_equal(result, row->result);
		assert_int_equal(len, strlen(row->result));
	}
}

static void overlaps_are_refused(void **state)
{
	static const struct edit edits[EDITS_MAX] = { { 3, 5, "" }, { 1, 4, "x" } };
	static const struct edit inside[EDITS_MAX] = { { 2, 2, "x" }, { 1, 4, "" } };
	static const struct edit beside[EDITS_MAX] = { { 4, 4, "x" }, { 1, 4, "" } };
	struct patch patch;

	(void)state;
	assert_int_equal(collect(&patch, edits), -EINVAL);
	patch_done(&patch);
	assert_int_equal(collect(&patch, inside), -EINVAL);
	patch_done(&patch);
	assert_int_equal(collect(&patch, beside), 0);
	patch_done(&patch);
}

static void memory_runs_out(void **state)
{
	static const struct edit edits[EDITS_MAX] = { { 1, 2, "x" } };
	CLEANUP(patch_done) struct patch patch = { .n = 0 };
	char *result = NULL;
	size_t len;

	(void)state;
	fault_after(FAULT_MEMORY, 0, ENOMEM);
	assert_int_equal(collect(&patch, edits), -ENOMEM);
	assert_true(fault_clear(FAULT_MEMORY));
	patch_done(&patch);
	assert_int_equal(collect(&patch, edits), 0);
	fault_after(FAULT_MEMORY, 0, ENOMEM);
	assert_int_equal(patch_apply(&result, &len, &patch, "abc", 3), -ENOMEM);
	assert_true(fault_clear(FAULT_MEMORY));
	fault_after(FAULT_MEMORY, 0, ENOMEM);
	assert_int_equal(patch_print(stdout, &patch, "abc", 3, "f"), -ENOMEM);
	assert_true(fault_clear(FAULT_MEMORY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patches),
		cmocka_unit_test(overlaps_are_refused),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
