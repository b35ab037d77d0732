// SPDX-License-Identifier: GPL-2.0-or-later
/* In a network namespace of its own: loopback, one network, and a default route for nobody. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "cli/reach.h"
#include "tests/lib/netpair.h"

#define ADDRS_MAX 4

static int set_up_network(void **state)
{
	(void)state;
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	netpair_run("ip", "link", "set", "lo", "up", NULL);
	netpair_run("ip", "addr", "add", "10.9.0.1/24", "dev", "lo", NULL);
	netpair_run("ip", "route", "add", "unreachable", "10.9.0.7/32", NULL);
	return 0;
}

static void test_first(void **state)
{
	static const struct {
		const char *addrs[ADDRS_MAX];
		uint32_t first;
	} rows[] = {
		{ { "127.0.0.1" }, 0 },
		{ { "10.9.0.2", "127.0.0.1" }, 0 },
		/* No IPv6 here, though DNS has an address. */
		{ { "2001:db8::1", "10.9.0.2" }, 1 },
		{ { "192.0.2.1", "2001:db8::1", "::1", "10.9.0.2" }, 2 },
		{ { "10.9.0.7", "10.9.0.2" }, 1 },
		/* None: the first one's failure is as good as any. */
		{ { "192.0.2.1" }, 0 },
		{ { "2001:db8::1", "192.0.2.1", "10.9.0.7" }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr addrs[ADDRS_MAX];
		uint32_t n = 0, first;

		for (; n < ADDRS_MAX && rows[i].addrs[n]; n++)
			assert_int_equal(addr_parse(&addrs[n], rows[i].addrs[n]), 0);
		first = reach_first(addrs, n);
		if (first != rows[i].first)
			fail_msg("row %zu: %u", i, first);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first),
	};

	return cmocka_run_group_tests(tests, set_up_network, NULL);
}
