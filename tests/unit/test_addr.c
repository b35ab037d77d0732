// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "util/addr.h"

static const struct parse_row {
	const char *text;
	const char *formatted; /* NULL: refused */
	bool v4;
} parse_rows[] = {
	{ "10.0.0.5", "10.0.0.5", true },
	{ "0.0.0.0", "0.0.0.0", true },
	{ "255.255.255.255", "255.255.255.255", true },
	{ "fd00::5", "fd00::5", false },
	{ "FD00:0:0:0:0:0:0:5", "fd00::5", false },
	{ "[fd00::5]", "fd00::5", false },
	{ "::", "::", false },
	{ "::1", "::1", false },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	  false },
	{ "::ffff:192.0.2.1", "192.0.2.1", true },
	{ "[::ffff:c000:201]", "192.0.2.1", true },
	{ "", NULL, false },
	{ "10.0.0", NULL, false },
	{ "10.0.0.256", NULL, false },
	{ "10.0.0.5 ", NULL, false },
	{ " 10.0.0.5", NULL, false },
	{ "10.0.0.5/8", NULL, false },
	{ "10.0.0.5:80", NULL, false },
	{ "010.0.0.5", NULL, false },
	{ "0x0a.0.0.5", NULL, false },
	{ "167772165", NULL, false },
	{ "[10.0.0.5]", NULL, false },
	{ "[fd00::5", NULL, false },
	{ "fd00::5]", NULL, false },
	{ "[]", NULL, false },
	{ "[", NULL, false },
	{ "fd00::5%eth0", NULL, false },
	{ "fd00::5::6", NULL, false },
	{ "localhost", NULL, false },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL, false },
	{ "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]",
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false },
};

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(parse_rows) / sizeof(parse_rows[0]); i++) {
		const struct parse_row *row = &parse_rows[i];
		struct addr addr = { .bytes = { 0xaa } }, before = addr;
		char buf[SL_TEXT_LEN];
		int r = addr_parse(&addr, row->text);

		if ((r == 0) != (row->formatted != NULL))
			fail_msg("'%s': %d", row->text, r);
		if (r < 0) {
			assert_int_equal(r, -EINVAL);
			assert_memory_equal(&addr, &before, sizeof(addr));
			continue;
		}
		assert_string_equal(addr_format(buf, &addr), row->formatted);
		assert_int_equal(addr_is_v4(&addr), row->v4);
	}
}

/* IPv4 is v4-mapped inside. */
static void test_mapping(void **state)
{
	static const uint8_t mapped[SL_ADDR_LEN] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };
	struct addr addr;

	(void)state;
	assert_int_equal(addr_parse(&addr, "192.0.2.1"), 0);
	assert_memory_equal(addr.bytes, mapped, sizeof(mapped));
}

static const struct port_row {
	const char *text;
	const char *formatted; /* NULL: refused */
	uint16_t port;
} port_rows[] = {
	{ "10.0.0.5:443", "10.0.0.5:443", 443 },
	{ "10.0.0.5:1", "10.0.0.5:1", 1 },
	{ "10.0.0.5:65535", "10.0.0.5:65535", 65535 },
	{ "[fd00::5]:443", "[fd00::5]:443", 443 },
	{ "[::ffff:10.0.0.5]:80", "10.0.0.5:80", 80 },
	{ "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
	  "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", 65535 },
	{ "10.0.0.5", NULL, 0 },
	{ "10.0.0.5:", NULL, 0 },
	{ "10.0.0.5:0", NULL, 0 },
	{ "10.0.0.5:65536", NULL, 0 },
	{ "10.0.0.5:+80", NULL, 0 },
	{ "10.0.0.5: 80", NULL, 0 },
	{ "10.0.0.5:80 ", NULL, 0 },
	{ "10.0.0.5:http", NULL, 0 },
	{ ":80", NULL, 0 },
	{ "fd00::5", NULL, 0 },
	{ "fd00::5:80", NULL, 0 },
	{ "fd00::5]:80", NULL, 0 },
	{ "[fd00::5:80", NULL, 0 },
	{ "[fd00::5]", NULL, 0 },
	{ "[fd00::5]80", NULL, 0 },
	{ "localhost:80", NULL, 0 },
	{ "", NULL, 0 },
	{ ":", NULL, 0 },
	{ "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", NULL, 0 },
};

static void test_port(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(port_rows) / sizeof(port_rows[0]); i++) {
		const struct port_row *row = &port_rows[i];
		char buf[SL_TEXT_LEN];
		struct addr addr;
		uint16_t port = 7;
		int r = addr_port_parse(&addr, &port, row->text);

		if ((r == 0) != (row->formatted != NULL))
			fail_msg("'%s': %d", row->text, r);
		if (r < 0) {
			assert_int_equal(r, -EINVAL);
			assert_int_equal(port, 7);
			continue;
		}
		assert_int_equal(port, row->port);
		assert_string_equal(addr_port_format(buf, &addr, port), row->formatted);
	}
}

static const struct usable_row {
	const char *text, *why; /* NULL: usable */
} usable_rows[] = {
	{ "10.0.0.5", NULL },
	{ "1.0.0.0", NULL },
	{ "127.0.0.1", NULL },
	{ "223.255.255.255", NULL },
	{ "240.0.0.1", NULL },
	{ "255.255.255.254", NULL },
	{ "169.254.0.1", NULL },
	{ "fd00::5", NULL },
	{ "::1", NULL },
	{ "fec0::1", NULL },
	{ "::ffff:10.0.0.5", NULL },
	{ "0.0.0.0", "is in 0.0.0.0/8, which names no host" },
	{ "0.255.255.255", "is in 0.0.0.0/8, which names no host" },
	{ "::ffff:0.0.0.0", "is in 0.0.0.0/8, which names no host" },
	{ "255.255.255.255", "is the broadcast address" },
	{ "224.0.0.0", "is a multicast address" },
	{ "239.255.255.255", "is a multicast address" },
	{ "::", "is the unspecified address" },
	{ "ff00::", "is a multicast address" },
	{ "ff02::1", "is a multicast address" },
	{ "fe80::1", "is link-local: it names a host on one interface only" },
	{ "febf:ffff::1", "is link-local: it names a host on one interface only" },
};

static void test_unusable(void **state)
{
	/* Anywhere in memory: the bytes need no alignment. */
	struct __attribute__((packed)) {
		char shift;
		struct addr addr;
	} odd;

	(void)state;
	for (size_t i = 0; i < sizeof(usable_rows) / sizeof(usable_rows[0]); i++) {
		const char *why;

		assert_int_equal(addr_parse(&odd.addr, usable_rows[i].text), 0);
		why = addr_unusable(&odd.addr);
		assert_string_equal(why ? why : "usable",
				    usable_rows[i].why ? usable_rows[i].why : "usable");
	}
}

static void test_sockaddr(void **state)
{
	struct sockaddr_storage ss;
	const struct sockaddr_in *in = (const struct sockaddr_in *)&ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&ss;
	struct addr addr;

	(void)state;
	memset(&ss, 0xff, sizeof(ss));
	assert_int_equal(addr_parse(&addr, "192.0.2.1"), 0);
	assert_int_equal(addr_to_sockaddr(&ss, &addr, 443), sizeof(*in));
	assert_int_equal(in->sin_family, AF_INET);
	assert_int_equal(ntohs(in->sin_port), 443);
	assert_int_equal(ntohl(in->sin_addr.s_addr), 0xc0000201);

	memset(&ss, 0xff, sizeof(ss));
	assert_int_equal(addr_parse(&addr, "fd00::5"), 0);
	assert_int_equal(addr_to_sockaddr(&ss, &addr, 443), sizeof(*in6));
	assert_int_equal(in6->sin6_family, AF_INET6);
	assert_int_equal(ntohs(in6->sin6_port), 443);
	assert_memory_equal(&in6->sin6_addr, addr.bytes, sizeof(addr.bytes));
	assert_int_equal(in6->sin6_scope_id, 0);
	assert_int_equal(in6->sin6_flowinfo, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),    cmocka_unit_test(test_mapping),
		cmocka_unit_test(test_port),     cmocka_unit_test(test_unusable),
		cmocka_unit_test(test_sockaddr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
