// SPDX-License-Identifier: GPL-2.0-or-later
/* What is asked of the kernel about its network: next hops, changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/network.h"
#include "dataplane/source.h"
#include "sluice/abi.h"
#include "tests/lib/netbed.h"
#include "util/err.h"

#define NIC "gw0"
#define FAR "far0"

static int set_up(void **state)
{
	(void)state;
	netbed_enter();
	netbed_veth(NIC, FAR);
	netbed_must("ip", "addr", "add", "10.9.0.254/24", "dev", NIC);
	netbed_must("ip", "addr", "add", "fd09::fe/64", "dev", NIC, "nodad");
	netbed_must("ip", "route", "add", "10.10.0.0/16", "via", "10.9.0.7");
	netbed_must("ip", "route", "add", "10.11.0.0/16", "nexthop", "via", "10.9.0.8", "nexthop",
		    "via", "10.9.0.9");
	netbed_must("ip", "-6", "route", "add", "fd0a::/64", "via", "fd09::7");
	netbed_must("ip", "neigh", "add", "10.9.0.3", "lladdr", "02:00:00:00:00:03", "dev", NIC,
		    "nud", "permanent");
	return 0;
}

static struct network *must_open(void)
{
	struct network *network = NULL;
	struct err err = { "" };

	if (network_open(&network, &err) < 0)
		fail_msg("%s", err.text);
	return network;
}

static struct addr addr_of(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(&addr, text), 0);
	return addr;
}

/* --- next hops --------------------------------------------------------------------------------- */

static bool is_managed(const char *addr)
{
	char *list = netbed_output("ip", "neigh", "show", addr, NULL);
	bool managed = strstr(list, "managed");

	free(list);
	return managed;
}

static void test_next_hops(void **state)
{
	CLEANUP(network_close_p) struct network *network = must_open();
	const struct addr addrs[] = {
		addr_of("10.9.0.1"),  addr_of("fd09::1"),  addr_of("10.10.3.3"),
		addr_of("fd0a::5"),   addr_of("10.9.0.3"), addr_of("8.8.8.8"), /* no route */
		addr_of("127.0.0.1"), addr_of("10.9.0.1"),
	};
	char *list;

	(void)state;
	network_keep_next_hops(network, addrs, sizeof(addrs) / sizeof(addrs[0]));
	assert_true(is_managed("10.9.0.1"));
	assert_true(is_managed("fd09::1"));
	/* Routers, of the destinations and of anybody else. */
	assert_true(is_managed("10.9.0.7"));
	assert_true(is_managed("fd09::7"));
	assert_true(is_managed("10.9.0.8"));
	assert_true(is_managed("10.9.0.9"));
	assert_false(is_managed("10.10.3.3"));
	/* What the operator has fixed stays fixed. */
	list = netbed_output("ip", "neigh", "show", "10.9.0.3", NULL);
	assert_non_null(strstr(list, "02:00:00:00:00:03"));
	assert_non_null(strstr(list, "PERMANENT"));
	free(list);
}

static void test_source(void **state)
{
	struct addr want = addr_of("10.9.0.254");
	const __u8 none[SL_ADDR_LEN] = { 0 };
	struct addr to = addr_of("10.10.3.3");
	__u8 source[SL_ADDR_LEN];

	(void)state;
	source_find(source, &to);
	assert_memory_equal(source, want.bytes, sizeof(source));
	to = addr_of("fd0a::9");
	want = addr_of("fd09::fe");
	source_find(source, &to);
	assert_memory_equal(source, want.bytes, sizeof(source));
	to = addr_of("8.8.8.8");
	source_find(source, &to);
	assert_memory_equal(source, none, sizeof(source));
}

/* --- changes ----------------------------------------------------------------------------------- */

static struct network *watched;
static unsigned int seen;

static bool has_seen(void *arg)
{
	seen |= network_read(watched);
	return seen & *(const unsigned int *)arg;
}

static void must_see(unsigned int what)
{
	assert_true(netbed_eventually(has_seen, &what));
}

static void test_changes(void **state)
{
	CLEANUP(network_close_p) struct network *network = must_open();

	(void)state;
	watched = network;
	/* What the link does by itself after it has come up. */
	network_read(network);
	seen = 0;
	netbed_must("ip", "neigh", "replace", "10.9.0.77", "lladdr", "02:00:00:00:00:77", "dev",
		    NIC);
	must_see(NETWORK_NEIGHBOURS);
	seen = 0;
	netbed_must("ip", "route", "add", "10.12.0.0/16", "via", "10.9.0.7");
	must_see(NETWORK_ROUTES);
	seen = 0;
	netbed_must("ip", "addr", "add", "10.9.1.1/24", "dev", NIC);
	must_see(NETWORK_ROUTES);
	seen = 0;
	netbed_must("ip", "link", "set", FAR, "down");
	must_see(NETWORK_ROUTES);
	netbed_must("ip", "link", "set", FAR, "up");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next_hops),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_changes),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
