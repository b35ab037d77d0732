// SPDX-License-Identifier: GPL-2.0-or-later
/* Where metrics are listened for: errors in words, and moves that end where they should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/listener.h"
#include "tests/lib/fault.h"
#include "util/err.h"

/* Tests run side by side, and all of 127.0.0.0/8 is ours. */
static struct listen local(uint16_t port)
{
	struct listen listen = { .key = { .port = port, .proto = SL_TCP } };
	struct addr addr = {
		{ [10] = 0xff, 0xff, 127, 91, (uint8_t)(getpid() >> 8), (uint8_t)getpid() }
	};

	memcpy(listen.key.addr, addr.bytes, sizeof(addr.bytes));
	addr_port_format(listen.text, &addr, port);
	return listen;
}

static struct listen at(const char *text)
{
	struct listen listen = { .key = { .proto = SL_TCP } };
	struct addr addr;

	assert_int_equal(addr_port_parse(&addr, &listen.key.port, text), 0);
	memcpy(listen.key.addr, addr.bytes, sizeof(addr.bytes));
	snprintf(listen.text, sizeof(listen.text), "%s", text);
	return listen;
}

static bool answers(const struct listen *listen)
{
	struct sockaddr_storage to;
	struct addr addr;
	socklen_t len;
	int fd, r;

	memcpy(addr.bytes, listen->key.addr, sizeof(addr.bytes));
	len = addr_to_sockaddr(&to, &addr, listen->key.port);
	fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	r = connect(fd, (struct sockaddr *)&to, len);
	close(fd);
	return r == 0;
}

static const struct listen none;

static void test_open(void **state)
{
	const struct listen here = local(9477), v6 = at("[::1]:39477");
	struct err err;
	int fd = listener_open(&here, &err), fd6 = listener_open(&v6, &err);
	char text[256];

	(void)state;
	assert_true(fd >= 0 && fd6 >= 0);
	assert_true(answers(&here) && answers(&v6));
	assert_int_equal(listener_open(&none, &err), -ENOENT);
	assert_int_equal(listener_open(&here, &err), -EADDRINUSE);
	snprintf(text, sizeof(text),
		 "gateway.listen: cannot listen at %s: another process listens there", here.text);
	assert_string_equal(err.text, text);
	close(fd);
	close(fd6);
	/* What had listened a moment ago is no hindrance. */
	fd = listener_open(&here, &err);
	assert_true(fd >= 0);
	close(fd);
}

static void test_no_such_address(void **state)
{
	const struct listen v4 = at("198.51.100.9:9477"), v6 = at("[2001:db8::9]:9477");
	struct err err;

	(void)state;
	assert_int_equal(listener_open(&v4, &err), -EADDRNOTAVAIL);
	assert_string_equal(err.text, "gateway.listen: cannot listen at 198.51.100.9:9477: this "
				      "host has no such address");
	assert_int_equal(listener_open(&v6, &err), -EADDRNOTAVAIL);
	fault_after(FAULT_SOCKET, 0, EMFILE);
	assert_int_equal(listener_open(&v4, &err), -EMFILE);
	assert_true(fault_clear(FAULT_SOCKET));
	assert_string_equal(err.text, "gateway.listen: cannot listen at 198.51.100.9:9477: Too "
				      "many open files");
}

static void test_moves(void **state)
{
	const struct listen a = local(9477), b = local(9478), nowhere = at("198.51.100.9:9479");
	struct err err;
	int fd = listener_open(&a, &err), same;

	(void)state;
	same = fd;
	assert_int_equal(listener_move(&fd, &a, &a, &err), 0);
	assert_int_equal(fd, same);
	assert_int_equal(listener_move(&fd, &a, &nowhere, &err), -EADDRNOTAVAIL);
	assert_true(answers(&a));
	assert_int_equal(listener_move(&fd, &a, &b, &err), 0);
	assert_true(answers(&b) && !answers(&a));
	assert_int_equal(listener_move(&fd, &b, &none, &err), 0);
	assert_int_equal(fd, -1);
	assert_false(answers(&b));
	assert_int_equal(listener_move(&fd, &none, &none, &err), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(listener_move(&fd, &none, &a, &err), 0);
	assert_true(answers(&a));
	close(fd);
	/* It was lost on the way: the same address is opened anew. */
	fd = -1;
	assert_int_equal(listener_move(&fd, &a, &a, &err), 0);
	assert_true(answers(&a));
	close(fd);
}

/* To the address that stands for all, and back: the old socket is in the new one's way. */
static void test_overlap(void **state)
{
	uint16_t port = (uint16_t)(30000 + getpid() % 20000);
	const struct listen one = local(port);
	struct listen all = one, nowhere = at("198.51.100.9:1");
	struct err err;
	int fd;

	(void)state;
	memset(all.key.addr + 12, 0, 4);
	nowhere.key.port = port;
	fd = listener_open(&one, &err);
	assert_true(fd >= 0);
	assert_int_equal(listener_move(&fd, &one, &all, &err), 0);
	assert_true(fd >= 0 && answers(&one));
	assert_int_equal(listener_move(&fd, &all, &one, &err), 0);
	assert_true(answers(&one));
	/* Refused, it listens where it did. */
	assert_int_equal(listener_move(&fd, &one, &nowhere, &err), -EADDRNOTAVAIL);
	assert_true(fd >= 0 && answers(&one));
	close(fd);
}

static void test_local(void **state)
{
	static const struct {
		const char *text;
		bool local;
	} rows[] = {
		{ "127.0.0.1:9477", true },  { "127.1.2.3:9477", true },  { "[::1]:9477", true },
		{ "10.0.0.1:9477", false },  { "0.0.0.0:9477", false },   { "[::]:9477", false },
		{ "[fd00::1]:9477", false }, { "128.0.0.1:9477", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct listen listen = at(rows[i].text);

		assert_int_equal(listener_is_local(&listen), rows[i].local);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),  cmocka_unit_test(test_no_such_address),
		cmocka_unit_test(test_moves), cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
