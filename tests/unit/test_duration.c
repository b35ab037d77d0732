// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "util/duration.h"

static const struct parse_row {
	const char *text;
	int r;
	uint64_t ms;
} parse_rows[] = {
	{ "0", 0, 0 },
	{ "0ms", 0, 0 },
	{ "30", 0, 30000 },
	{ "500ms", 0, 500 },
	{ "30s", 0, 30000 },
	{ "2m", 0, 120000 },
	{ "1h", 0, 3600000 },
	{ "1d", 0, 86400000 },
	{ "007s", 0, 7000 },
	{ "9007199254740992ms", 0, 1ull << 53 },
	{ "9007199254740993ms", -ERANGE, 0 },
	{ "9007199254741", -ERANGE, 0 },
	{ "104249991374d", -ERANGE, 0 },
	{ "18446744073709551616ms", -ERANGE, 0 },
	{ "99999999999999999999999s", -ERANGE, 0 },
	{ "", -EINVAL, 0 },
	{ "s", -EINVAL, 0 },
	{ "-1s", -EINVAL, 0 },
	{ "+1s", -EINVAL, 0 },
	{ " 1s", -EINVAL, 0 },
	{ "1 s", -EINVAL, 0 },
	{ "1s ", -EINVAL, 0 },
	{ "1.5s", -EINVAL, 0 },
	{ "1S", -EINVAL, 0 },
	{ "1sec", -EINVAL, 0 },
	{ "1w", -EINVAL, 0 },
	{ "1h30m", -EINVAL, 0 },
	{ "0x10s", -EINVAL, 0 },
	{ "soon", -EINVAL, 0 },
};

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(parse_rows) / sizeof(parse_rows[0]); i++) {
		uint64_t ms = 77;
		int r = duration_parse(&ms, parse_rows[i].text);

		if (r != parse_rows[i].r)
			fail_msg("'%s': %d", parse_rows[i].text, r);
		assert_int_equal(ms, r < 0 ? 77 : parse_rows[i].ms);
	}
}

static const struct format_row {
	uint64_t ms;
	const char *exact, *human;
} format_rows[] = {
	{ 0, "0s", "0ms" },
	{ 1, "1ms", "1ms" },
	{ 999, "999ms", "999ms" },
	{ 1000, "1s", "1.0s" },
	{ 1299, "1299ms", "1.2s" },
	{ 1500, "1500ms", "1.5s" },
	{ 9999, "9999ms", "9.9s" },
	{ 10000, "10s", "10s" },
	{ 59999, "59999ms", "59s" },
	{ 60000, "1m", "1m" },
	{ 60999, "60999ms", "1m" },
	{ 90000, "90s", "1m 30s" },
	{ 130000, "130s", "2m 10s" },
	{ 3599999, "3599999ms", "59m 59s" },
	{ 3600000, "1h", "1h" },
	{ 3660000, "61m", "1h 1m" },
	{ 86399999, "86399999ms", "23h 59m" },
	{ 86400000, "1d", "1d" },
	{ 273600000, "76h", "3d 4h" },
	{ 1ull << 53, "9007199254740992ms", "104249991d 8h" },
};

static void test_format(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(format_rows) / sizeof(format_rows[0]); i++) {
		const struct format_row *row = &format_rows[i];
		char buf[DURATION_LEN];
		uint64_t ms;

		assert_string_equal(duration_format(buf, row->ms), row->exact);
		assert_int_equal(duration_parse(&ms, buf), 0);
		assert_int_equal(ms, row->ms);
		assert_string_equal(duration_human(buf, row->ms), row->human);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
