// SPDX-License-Identifier: GPL-2.0-or-later
/* Entries as a journal gets them, at a socket of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/journal.h"

static char directory[] = "/tmp/sluice-test-XXXXXX";
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static int journal;
static char got[65536];

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", directory);
	journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return bind(journal, (const struct sockaddr *)&address, sizeof(address));
}

static int tear_down(void **state)
{
	(void)state;
	close(journal);
	unlink(address.sun_path);
	return rmdir(directory);
}

static const char *receive(void)
{
	ssize_t n = recv(journal, got, sizeof(got) - 1, 0);

	got[n < 0 ? 0 : n] = '\0';
	return got;
}

static void test_fields(void **state)
{
	const struct journal_field fields[] = {
		{ "MESSAGE", "a = b" }, { "EMPTY", "" },
		{ "NULL", NULL },       { "EVIL", "x\nPRIORITY=0\n\nMESSAGE=forged" },
		{ "UTF8", "\xc3\xa9" },
	};

	(void)state;
	assert_int_equal(journal_send(address.sun_path, fields, 5), 0);
	assert_string_equal(receive(),
			    "MESSAGE=a = b\nEVIL=x PRIORITY=0  MESSAGE=forged\nUTF8=\xc3\xa9\n");
}

static void test_too_long(void **state)
{
	static char value[16384];
	struct journal_field fields[] = { { "MESSAGE", value } };

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	assert_int_equal(journal_send(address.sun_path, fields, 1), -EMSGSIZE);
	value[8000] = '\0';
	assert_int_equal(journal_send(address.sun_path, fields, 1), 0);
	assert_int_equal(strlen(receive()), strlen("MESSAGE=") + 8000 + 1);
}

/* A journal that hangs does not hang us, and neither does one that is not there. */
static void test_nobody_reads(void **state)
{
	const struct journal_field fields[] = { { "MESSAGE", "unread" } };
	int r = 0;

	(void)state;
	for (int i = 0; r == 0 && i < 100000; i++)
		r = journal_send(address.sun_path, fields, 1);
	assert_int_equal(r, -EAGAIN);
	while (*receive())
		continue;
	assert_int_equal(journal_send(address.sun_path, fields, 1), 0);
	receive();
	assert_int_equal(journal_send("/nonexistent/socket", fields, 1), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_nobody_reads),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
