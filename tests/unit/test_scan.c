// SPDX-License-Identifier: GPL-2.0-or-later
/* What passes as JSON, beside what jansson says of the same texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "cli/scan.h"

static bool passes(struct scan *scan, const char *text, size_t piece)
{
	size_t len = strlen(text);

	for (size_t at = 0; at < len; at += piece)
		if (!scan_feed(scan, text + at, len - at < piece ? len - at : piece))
			return false;
	return scan_is_complete(scan);
}

static bool is_json(const char *text)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
	bool ret = json != NULL;

	json_decref(json);
	return ret;
}

static const char *const texts[] = {
	"",
	" ",
	"{}",
	"[]",
	"{",
	"}",
	"[}",
	"{]",
	"[[[]]]",
	"[[]",
	"[],",
	"[] []",
	"{\"a\": 1}",
	"{\"a\": 1,}",
	"{\"a\" 1}",
	"{\"a\": }",
	"{\"a\", 1}",
	"{a: 1}",
	"{\"a\": 1 \"b\": 2}",
	"{\"a\": [1, {\"b\": null}, true], \"c\": false}\n",
	"[1,]",
	"[,1]",
	"[1 2]",
	"[1, 2]",
	"\"text\"",
	"\"open",
	"\"a\\\"b\\\\\\u00e9\\n\"",
	"\"\\x\"",
	"\"\\u00g0\"",
	"\"\\u00",
	"\"tab\there\"",
	"0",
	"-0",
	"-",
	"01",
	"1.",
	"1.5",
	".5",
	"1e5",
	"1E+5",
	"1e",
	"1e-",
	"-12.5e-3",
	"+1",
	"0x10",
	"tru",
	"true",
	"nulls",
	"[true,false,null]",
	"[nan]",
	"nothing at all",
	"{\"a\":\"b\"}x",
	"[\"\xc3\xa9\"]",
};

static void test_grammar(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (size_t piece = 1; piece <= 8; piece++) {
			struct scan scan = { .key = NULL };

			if (passes(&scan, texts[i], piece) != is_json(texts[i]))
				fail_msg("'%s' in pieces of %zu", texts[i], piece);
		}
}

/* Every text with one byte changed, left out or added is judged as jansson judges it. */
static void test_damaged(void **state)
{
	static const char bytes[] = "{}[]\",:\\ 0-.eut1\n";
	static const char text[] =
		"{\"a\": [1, -2.5e3, \"x\\n\\u0041\", {}, []], \"b\": {\"c\": null}}";
	char damaged[sizeof(text) + 1];
	uint32_t n = 0;

	(void)state;
	for (size_t at = 0; at < sizeof(text); at++)
		for (size_t b = 0; b < sizeof(bytes); b++)
			for (int skip = 0; skip <= 1; skip++) {
				struct scan scan = { .key = NULL };

				snprintf(damaged, sizeof(damaged), "%.*s%c%s", (int)at, text,
					 bytes[b],
					 bytes[b] && at + (size_t)skip < sizeof(text)
						 ? text + at + skip
						 : "");
				n += is_json(damaged);
				if (passes(&scan, damaged, sizeof(damaged)) != is_json(damaged))
					fail_msg("'%s'", damaged);
			}
	assert_true(n > 20);
}

static void test_depth(void **state)
{
	char text[SCAN_DEPTH_MAX + 2] = "";

	(void)state;
	for (int i = 0; i <= SCAN_DEPTH_MAX; i++) {
		struct scan scan = { .key = NULL };

		assert_int_equal(scan_feed(&scan, text, strlen(text)), true);
		text[i] = '[';
	}
	assert_false(scan_feed(&(struct scan){ .key = NULL }, text, strlen(text)));
}

/* Only texts under that very key count, wherever it is, and not what merely looks like them. */
static void test_count(void **state)
{
	static const char text[] =
		"{\"health\": \"Healthy\", \"a\": [{\"health\": \"Unhealthy\"}, {\"health\": \"\"},"
		" {\"health\": \"Healthy, or nearly so, as long as nobody looks any closer\"},"
		" {\"healthy\": \"no\"}, {\"health\": [\"no\"]}, {\"health\": {\"is\": \"no\"}},"
		" \"health\", \"{\\\"health\\\": \\\"no\\\"}\", {\"health\": 1, \"b\": \"no\"}]}";

	(void)state;
	for (size_t piece = 1; piece <= sizeof(text); piece++) {
		struct scan scan = { .key = "health", .expected = "Healthy" };

		assert_true(passes(&scan, text, piece));
		assert_int_equal(scan.n_others, 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
