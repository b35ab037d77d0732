// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "probe/proxy.h"

static struct proxy_ends ends_of(const char *source, uint16_t source_port, const char *target,
				 uint16_t target_port)
{
	struct proxy_ends ends = { .source_port = source_port, .target_port = target_port };

	assert_int_equal(addr_parse(&ends.source, source), 0);
	assert_int_equal(addr_parse(&ends.target, target), 0);
	return ends;
}

static void test_v1(void **state)
{
	static const struct {
		const char *source, *target, *header;
	} rows[] = {
		{ "10.0.0.1", "10.0.0.5", "PROXY TCP4 10.0.0.1 10.0.0.5 40000 443\r\n" },
		{ "fd00::1", "fd00::5", "PROXY TCP6 fd00::1 fd00::5 40000 443\r\n" },
	};
	uint8_t buf[PROXY_HEADER_MAX];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct proxy_ends ends = ends_of(rows[i].source, 40000, rows[i].target, 443);
		size_t len = proxy_header(buf, PROXY_V1, &ends);

		assert_int_equal(len, strlen(rows[i].header));
		assert_memory_equal(buf, rows[i].header, len);
	}
}

static void test_v1_longest(void **state)
{
	static const char longest[] = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
	struct proxy_ends ends = ends_of(longest, 65535, longest, 65535);
	uint8_t buf[PROXY_HEADER_MAX];

	(void)state;
	/* As the protocol's own document computes it. */
	assert_int_equal(proxy_header(buf, PROXY_V1, &ends), 104);
}

static void test_v2(void **state)
{
	static const uint8_t v4[] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 'Q', 'U', 'I',
				      'T',  0x0a, 0x21, 0x11, 0,    12,   10,   0,   0,   1,
				      10,   0,    0,    5,    0x9c, 0x40, 0x01, 0xbb };
	struct proxy_ends ends = ends_of("10.0.0.1", 40000, "10.0.0.5", 443);
	uint8_t buf[PROXY_HEADER_MAX];

	(void)state;
	assert_int_equal(proxy_header(buf, PROXY_V2, &ends), sizeof(v4));
	assert_memory_equal(buf, v4, sizeof(v4));

	ends = ends_of("fd00::1", 40000, "fd00::5", 443);
	assert_int_equal(proxy_header(buf, PROXY_V2, &ends), 16 + 36);
	assert_int_equal(buf[13], 0x21);
	assert_int_equal(buf[15], 36);
	assert_memory_equal(buf + 16, ends.source.bytes, 16);
	assert_memory_equal(buf + 32, ends.target.bytes, 16);
	assert_memory_equal(buf + 48, "\x9c\x40\x01\xbb", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v1),
		cmocka_unit_test(test_v1_longest),
		cmocka_unit_test(test_v2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
