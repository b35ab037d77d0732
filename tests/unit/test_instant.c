// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "util/clock.h"
#include "util/instant.h"

#define NOW_US (1767225600 * US_PER_SEC) /* 2026-01-01T00:00:00Z */
#define REFUSED UINT64_MAX

static const struct row {
	const char *text;
	uint64_t us;
} rows[] = {
	{ "10m", NOW_US - 600 * US_PER_SEC },
	{ "500ms", NOW_US - 500000 },
	{ "30", NOW_US - 30 * US_PER_SEC },
	{ "0", NOW_US },
	{ "40000d", 0 },
	{ "2026-01-01T00:00:00Z", NOW_US },
	{ "2026-01-01t00:00:00z", NOW_US },
	{ "2026-01-01T00:00:00.5Z", NOW_US + 500000 },
	{ "2026-01-01T00:00:00.0000019Z", NOW_US + 1 },
	{ "2026-01-01T02:30:00+02:30", NOW_US },
	{ "2025-12-31T19:00:00-05:00", NOW_US },
	{ "2024-02-29T12:00:00Z", 1709208000 * US_PER_SEC },
	{ "1969-01-01T00:00:00Z", 0 },
	{ "", REFUSED },
	{ "yesterday", REFUSED },
	{ "-10m", REFUSED },
	{ "10x", REFUSED },
	{ "2026-01-01", REFUSED },
	{ "2026-01-01T00:00:00", REFUSED },
	{ "2026-01-01T00:00:00.Z", REFUSED },
	{ "2026-01-01T00:00:00Z ", REFUSED },
	{ "2026-01-01T00:00:00+0200", REFUSED },
	{ "2026-01-01T00:00:00+24:00", REFUSED },
	{ "2026-01-01T00:00:00+02:000", REFUSED },
	{ "2026-02-29T00:00:00Z", REFUSED },
	{ "2026-13-01T00:00:00Z", REFUSED },
	{ "2026-00-01T00:00:00Z", REFUSED },
	{ "2026-01-01T24:00:00Z", REFUSED },
	{ "2026-01-01T00:60:00Z", REFUSED },
	{ "2026-1-01T00:00:00Z", REFUSED },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t us = REFUSED;
		int r = instant_parse(&us, rows[i].text, NOW_US);

		if (us != rows[i].us || r != (us == REFUSED ? -EINVAL : 0))
			fail_msg("'%s': %d, %llu", rows[i].text, r, (unsigned long long)us);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
