// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "control/print.h"
#include "tests/lib/fault.h"
#include "util/cleanup.h"

/* The same document as jansson's, in both forms, for every kind of value. */
static void test_print(void **state)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"[[], {}, [[]], {\"a\": {}}]",
		"{\"a\": 1, \"b\": -9223372036854775808, \"c\": [true, false, null]}",
		"{\"quote \\\" back \\\\ slash\": \"\\u0001\\u001f\\n\\t\\\"\\\\/\"}",
		"[\"caf\\u00e9 \\u2026 \\ud83d\\ude00\", \"\"]",
		"[[[[[[[[[[[[[[[[[[[[{\"deep\": [1, 2]}]]]]]]]]]]]]]]]]]]]]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *json = json_loads(texts[i], 0, NULL);

		assert_non_null(json);
		for (enum print_form form = PRINT_LINE; form <= PRINT_TREE; form++) {
			CLEANUP(free_p) char *text = print_json(json, form);
			json_t *again = json_loads(text, 0, NULL);

			assert_true(json_equal(json, again));
			assert_true(form == PRINT_TREE || !strchr(text, '\n'));
			json_decref(again);
		}
		json_decref(json);
	}
	CLEANUP(free_p) char *tree = NULL;
	json_t *json = json_loads("{\"a\": [1, 2], \"b\": {}}", 0, NULL);
	tree = print_json(json, PRINT_TREE);
	assert_string_equal(tree, "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}\n");
	fault_after(FAULT_MEMORY, 0, ENOMEM);
	assert_null(print_json(json, PRINT_LINE));
	assert_true(fault_clear(FAULT_MEMORY));
	assert_null(print_json(NULL, PRINT_LINE));
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_print),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("print", tests, NULL, NULL);
}
