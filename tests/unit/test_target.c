// SPDX-License-Identifier: GPL-2.0-or-later
/* What `sluice probe` takes as a target, and what is nearest to a wrong word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "cli/suggest.h"
#include "cli/target.h"
#include "util/err.h"

#define TLS 1u
#define NAME 2u

static const struct good {
	const char *text, *connect, *address, *host, *path;
	enum protocol protocol;
	unsigned int flags;
} goods[] = {
	{ "tcp://10.0.0.5:443", NULL, "10.0.0.5:443", "10.0.0.5", "", PROTO_TCP, 0 },
	{ "tcp://10.0.0.5:443/", NULL, "10.0.0.5:443", "10.0.0.5", "", PROTO_TCP, 0 },
	{ "tcp://[fd00::5]:22", NULL, "[fd00::5]:22", "[fd00::5]", "", PROTO_TCP, 0 },
	{ "http://10.0.0.5", NULL, "10.0.0.5:80", "10.0.0.5", "/", PROTO_HTTP, 0 },
	{ "http://10.0.0.5/", NULL, "10.0.0.5:80", "10.0.0.5", "/", PROTO_HTTP, 0 },
	{ "http://10.0.0.5:8080/a/b?c=d", NULL, "10.0.0.5:8080", "10.0.0.5", "/a/b?c=d", PROTO_HTTP,
	  0 },
	{ "http://[fd00::5]:8080/x", NULL, "[fd00::5]:8080", "[fd00::5]", "/x", PROTO_HTTP, 0 },
	{ "HTTP://10.0.0.5/", NULL, "10.0.0.5:80", "10.0.0.5", "/", PROTO_HTTP, 0 },
	{ "http://[fd00::5]/x", NULL, "[fd00::5]:80", "[fd00::5]", "/x", PROTO_HTTP, 0 },
	{ "http://shop.test/x", "10.0.0.5", "10.0.0.5:80", "shop.test", "/x", PROTO_HTTP, 0 },
	{ "http://shop.test:81/x", "10.0.0.5", "10.0.0.5:81", "shop.test", "/x", PROTO_HTTP, 0 },
	{ "http://shop.test/x", "10.0.0.5:8080", "10.0.0.5:8080", "shop.test", "/x", PROTO_HTTP,
	  0 },
	{ "http://shop.test", "[fd00::5]:8080", "[fd00::5]:8080", "shop.test", "/", PROTO_HTTP, 0 },
	{ "tcp://shop.test:1", "fd00::5", "[fd00::5]:1", "shop.test", "", PROTO_TCP, 0 },
	{ "http://127.0.0.1:65535/", NULL, "127.0.0.1:65535", "127.0.0.1", "/", PROTO_HTTP, 0 },
	{ "https://10.0.0.5", NULL, "10.0.0.5:443", "10.0.0.5", "/", PROTO_HTTPS, TLS },
	{ "https://10.0.0.5:8443/x", NULL, "10.0.0.5:8443", "10.0.0.5", "/x", PROTO_HTTPS, TLS },
	{ "https://shop.test/x", "10.0.0.5", "10.0.0.5:443", "shop.test", "/x", PROTO_HTTPS, TLS },
	{ "tls://10.0.0.5:636", NULL, "10.0.0.5:636", "10.0.0.5", "", PROTO_TLS, TLS },
	{ "udp://[fd00::5]:53", NULL, "[fd00::5]:53", "[fd00::5]", "", PROTO_UDP, 0 },
	{ "grpc://10.0.0.5:50051", NULL, "10.0.0.5:50051", "10.0.0.5", "/", PROTO_GRPC, 0 },
	{ "grpc://10.0.0.5:50051/pkg.Service", NULL, "10.0.0.5:50051", "10.0.0.5", "/pkg.Service",
	  PROTO_GRPC, 0 },
	{ "grpcs://10.0.0.5:50051/", NULL, "10.0.0.5:50051", "10.0.0.5", "/", PROTO_GRPC, TLS },
	{ "GRPCS://10.0.0.5:1", NULL, "10.0.0.5:1", "10.0.0.5", "/", PROTO_GRPC, TLS },
	/* Names that are to be resolved: no address yet. */
	{ "http://shop.test/", NULL, "[::]:80", "shop.test", "/", PROTO_HTTP, NAME },
	{ "https://shop.test.", NULL, "[::]:443", "shop.test.", "/", PROTO_HTTPS, TLS | NAME },
	{ "tcp://shop:22", NULL, "[::]:22", "shop", "", PROTO_TCP, NAME },
};

static const struct bad {
	const char *text, *connect;
	int code;
	const char *reason;
} bads[] = {
	{ "", NULL, -EINVAL, "is not a target" },
	{ "10.0.0.5:80", NULL, -EINVAL, "is not a target" },
	{ "ftp://10.0.0.5/", NULL, -EINVAL, "is not a target" },
	{ "://10.0.0.5/", NULL, -EINVAL, "is not a target" },
	{ "HTTP//10.0.0.5/", NULL, -EINVAL, "is not a target" },
	{ "httpss://10.0.0.5/", NULL, -EINVAL, "is not a target: http[s]://" },
	{ "tls://10.0.0.5", NULL, -EINVAL, "needs a port" },
	{ "udp://10.0.0.5", NULL, -EINVAL, "udp:// needs a port" },
	{ "grpc://10.0.0.5/x", NULL, -EINVAL, "grpc:// needs a port" },
	{ "grpcs://10.0.0.5", NULL, -EINVAL, "grpcs:// needs a port" },
	{ "tls://10.0.0.5:443/x", NULL, -EINVAL, "a tls:// target has no path" },
	{ "udp://10.0.0.5:53/x", NULL, -EINVAL, "a udp:// target has no path" },
	{ "http://", NULL, -EINVAL, "the target has no host" },
	{ "http:///x", NULL, -EINVAL, "the target has no host" },
	{ "tcp://:80", NULL, -EINVAL, "the target has no host" },
	{ "tcp://10.0.0.5", NULL, -EINVAL, "needs a port" },
	{ "tcp://10.0.0.5:", NULL, -EINVAL, "port ''" },
	{ "tcp://10.0.0.5:0", NULL, -EINVAL, "port '0'" },
	{ "tcp://10.0.0.5:65536", NULL, -EINVAL, "port '65536'" },
	{ "tcp://10.0.0.5:80x", NULL, -EINVAL, "port '80x'" },
	{ "tcp://10.0.0.5:-1", NULL, -EINVAL, "port '-1'" },
	{ "tcp://[fd00::5]80", NULL, -EINVAL, "port '80'" },
	{ "tcp://[fd00::5:80", NULL, -EINVAL, "'[fd00' is not an IPv6 address" },
	{ "tcp://fd00::5:80", NULL, -EINVAL, "in brackets, as in tcp://[fd00::5]:443" },
	{ "http://fd00::5/x", NULL, -EINVAL, "'fd00::5' has more than one colon" },
	{ "tcp://10.0.0.5:80/x", NULL, -EINVAL, "has no path" },
	{ "http://10.0.0.5?x", NULL, -EINVAL, "path '?x'" },
	{ "http://10.0.0.5/a b", NULL, -EINVAL, "path '/a b'" },
	{ "http://10.0.0.5/\r\nX: y", NULL, -EINVAL, "path" },
	{ "http://a@10.0.0.5/", NULL, -EINVAL, "the target has an '@'" },
	{ "http://a:secret@10.0.0.5/", NULL, -EINVAL, "the target has an '@'" },
	{ "tcp://::1:80", NULL, -EINVAL, "'::1:80' has more than one colon" },
	{ "tcp://[fe80::1%lo]:80", NULL, -EINVAL, "'[fe80::1%lo]' is not an IPv6 address" },
	{ "http://a b/", "10.0.0.5", -EINVAL, "host" },
	{ "http://shop.test/", "other.test", -EINVAL, "--connect 'other.test'" },
	{ "http://shop.test/", "10.0.0.5:0", -EINVAL, "--connect" },
	{ "http://224.0.0.1/", NULL, -EINVAL, "multicast" },
	{ "http://shop.test/", "0.0.0.0", -EINVAL, "0.0.0.0" },
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(goods) / sizeof(goods[0]); i++) {
		struct target target = { .port = 0 };
		struct err err = { "" };
		char address[SL_TEXT_LEN];
		int r = target_parse(&target, goods[i].text, goods[i].connect, &err);

		if (r < 0)
			fail_msg("%s: %s", goods[i].text, err.text);
		addr_port_format(address, &target.addr, target.port);
		assert_string_equal(address, goods[i].address);
		assert_string_equal(target.host, goods[i].host);
		assert_string_equal(target.path, goods[i].path);
		assert_int_equal(target.protocol, goods[i].protocol);
		assert_int_equal((target.tls ? TLS : 0) | (target.is_name ? NAME : 0),
				 goods[i].flags);
	}
}

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		struct target target = { .port = 7 };
		struct err err = { "" };
		int r = target_parse(&target, bads[i].text, bads[i].connect, &err);

		if (r != bads[i].code || !strstr(err.text, bads[i].reason))
			fail_msg("%s: %d %s", bads[i].text, r, err.text);
		assert_int_equal(target.port, 7);
	}
}

/* One byte too many, everywhere. */
static void test_limits(void **state)
{
	static const char *const shapes[] = { "http://%s/", "tcp://%s:1", "http://[%s]/",
					      "http://10.0.0.5/%s", "http://10.0.0.5:%s/" };
	static char text[70000], filler[66000];
	struct target target;
	struct err err;

	(void)state;
	memset(filler, '1', sizeof(filler) - 1);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const char *place = strstr(shapes[i], "%s");

		snprintf(text, sizeof(text), "%.*s%s%s", (int)(place - shapes[i]), shapes[i],
			 filler, place + 2);
		assert_int_equal(target_parse(&target, text, NULL, &err), -EINVAL);
	}

	snprintf(text, sizeof(text), "http://10.0.0.5/%.*s", LIMIT_PATH_BYTES - 1, filler);
	assert_int_equal(target_parse(&target, text, NULL, &err), 0);
	snprintf(text, sizeof(text), "http://10.0.0.5/%.*s", LIMIT_PATH_BYTES, filler);
	assert_int_equal(target_parse(&target, text, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.text, "2048"));
}

static void test_suggest(void **state)
{
	static const char *const words[] = { "status",    "health",    "stats",
					     "pool list", "pool show", "explain" };
	static const struct {
		const char *typed, *best;
	} rows[] = {
		{ "statu", "status" },
		{ "helth", "health" },
		{ "stast", "stats" },
		{ "pool", "pool list" },
		{ "pool shwo", "pool show" },
		{ "expl", "explain" },
		{ "frobnicate", NULL },
		{ "", NULL },
		{ "x", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct suggest suggest = suggest_for(rows[i].typed);
		const char *best = NULL;

		for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++)
			suggest_try(&suggest, words[w], &best);
		if (!best || !rows[i].best)
			assert_ptr_equal(best, rows[i].best);
		else
			assert_string_equal(best, rows[i].best);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_suggest),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
