// SPDX-License-Identifier: GPL-2.0-or-later
/* What a service manager is told, at a socket of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/notify.h"

#define SECOND_NS 1000000000ull

static char directory[] = "/tmp/sluice-test-XXXXXX";
static char path[64], name[64];
static int manager;

/* With a name: a socket in no file system. */
static int listen_at(const char *at)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(at));

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", at);
	if (at[0] == '@')
		address.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return bind(manager, (const struct sockaddr *)&address, len);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -errno;
	snprintf(path, sizeof(path), "%s/socket", directory);
	snprintf(name, sizeof(name), "@sluice-test-%d", (int)getpid());
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(directory);
}

static const char *receive(void)
{
	static char got[1024];
	ssize_t n = recv(manager, got, sizeof(got) - 1, 0);

	got[n < 0 ? 0 : n] = '\0';
	return got;
}

static void forget(void)
{
	close(manager);
	unlink(path);
}

static struct notify started(const char *socket, const char *usec, const char *pid)
{
	struct notify notify;

	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	setenv("NOTIFY_SOCKET", socket, 1);
	if (usec)
		setenv("WATCHDOG_USEC", usec, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
	notify_init(&notify);
	return notify;
}

static void test_states(void **state)
{
	const char *const sockets[] = { path, name };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct notify notify = started(sockets[i], NULL, NULL);

		assert_int_equal(listen_at(sockets[i]), 0);
		assert_int_equal(notify_tell(&notify, "READY=1\nSTATUS=well"), 0);
		assert_string_equal(receive(), "READY=1\nSTATUS=well");
		assert_int_equal(notify_reloading(&notify, 12345678), 0);
		assert_string_equal(receive(), "RELOADING=1\nMONOTONIC_USEC=12345");
		/* Nobody asked for signs of life. */
		notify_alive(&notify, SECOND_NS);
		assert_string_equal(receive(), "");
		forget();
	}
	assert_null(getenv("NOTIFY_SOCKET"));
}

static void test_watchdog(void **state)
{
	struct notify notify = started(path, "8000000", NULL);

	(void)state;
	assert_null(getenv("WATCHDOG_USEC"));
	assert_int_equal(listen_at(path), 0);
	notify_alive(&notify, 10 * SECOND_NS);
	assert_string_equal(receive(), "WATCHDOG=1");
	notify_alive(&notify, 12 * SECOND_NS - 1);
	assert_string_equal(receive(), "");
	notify_alive(&notify, 12 * SECOND_NS);
	assert_string_equal(receive(), "WATCHDOG=1");
	forget();
	/* The manager is away: it is told as soon as it is back. */
	notify_alive(&notify, 14 * SECOND_NS);
	assert_int_equal(listen_at(path), 0);
	notify_alive(&notify, 14 * SECOND_NS + 1);
	assert_string_equal(receive(), "WATCHDOG=1");
	forget();
}

static void test_watched_or_not(void **state)
{
	static const struct {
		const char *usec;
		bool mine;
		uint64_t every_ns;
	} rows[] = {
		{ "4000000", true, SECOND_NS },
		{ "4000000", false, 0 },
		{ "0", true, 0 },
		{ "x", true, 0 },
		{ "99999999999999999999", true, 0 },
	};
	char mine[16], parent[16];

	(void)state;
	snprintf(mine, sizeof(mine), "%d", (int)getpid());
	snprintf(parent, sizeof(parent), "%d", (int)getppid());
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			started(path, rows[i].usec, rows[i].mine ? mine : parent).alive_every_ns,
			rows[i].every_ns);
}

static void test_nobody(void **state)
{
	static char too_long[200];
	const char *const sockets[] = { "", "relative", "@", too_long };
	struct notify notify;

	(void)state;
	memset(too_long, '/', sizeof(too_long) - 1);
	for (int i = 0; i < 4; i++) {
		notify = started(sockets[i], "4000000", NULL);
		assert_int_equal(notify.address_len, 0);
		assert_int_equal(notify_tell(&notify, "READY=1"), 0);
		notify_alive(&notify, SECOND_NS);
	}
	notify_init(&notify);
	assert_int_equal(notify_tell(&notify, "READY=1"), 0);
	notify = started(path, NULL, NULL);
	assert_int_equal(notify_tell(&notify, "READY=1"), -ENOENT);
}

/* A manager that does not read holds up no sign of life, and an announcement for a second. */
static void test_hangs(void **state)
{
	struct notify notify = started(path, "4", NULL);

	(void)state;
	alarm(10);
	assert_int_equal(listen_at(path), 0);
	for (uint64_t now = 1; now < 10000; now++)
		notify_alive(&notify, now * SECOND_NS);
	assert_int_equal(notify_tell(&notify, "STOPPING=1"), -EAGAIN);
	alarm(0);
	forget();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),         cmocka_unit_test(test_watchdog),
		cmocka_unit_test(test_watched_or_not), cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_hangs),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("notify", tests, set_up, tear_down);
}
