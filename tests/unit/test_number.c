// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "util/number.h"

static const struct row {
	const char *text;
	uint64_t min, max;
	int r;
	uint64_t number;
} rows[] = {
	{ "0", 0, 0, 0, 0 },
	{ "1", 1, 65535, 0, 1 },
	{ "65535", 1, 65535, 0, 65535 },
	{ "00080", 1, 65535, 0, 80 },
	{ "18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX },
	{ "0", 1, 65535, -ERANGE, 0 },
	{ "65536", 1, 65535, -ERANGE, 0 },
	{ "18446744073709551616", 0, UINT64_MAX, -ERANGE, 0 },
	{ "99999999999999999999999999", 0, UINT64_MAX, -ERANGE, 0 },
	{ "", 0, 9, -EINVAL, 0 },
	{ "-1", 0, UINT64_MAX, -EINVAL, 0 },
	{ "+1", 0, 9, -EINVAL, 0 },
	{ " 1", 0, 9, -EINVAL, 0 },
	{ "1 ", 0, 9, -EINVAL, 0 },
	{ "1.0", 0, 9, -EINVAL, 0 },
	{ "1e1", 0, 99, -EINVAL, 0 },
	{ "0x1", 0, 9, -EINVAL, 0 },
	{ "1_000", 0, 9999, -EINVAL, 0 },
	{ "one", 0, 9, -EINVAL, 0 },
	/* Both too large and no number: it is no number. */
	{ "99999999999999999999999999x", 0, 9, -EINVAL, 0 },
};

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t number = 77;
		int r = number_parse(&number, rows[i].text, rows[i].min, rows[i].max);

		if (r != rows[i].r)
			fail_msg("'%s': %d", rows[i].text, r);
		assert_int_equal(number, r < 0 ? 77 : rows[i].number);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
