// SPDX-License-Identifier: GPL-2.0-or-later
/* The built program: its exit status, its output, and how it watches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "cli/cli.h"
#include "tests/unit/api_run.h"

static const struct verdict ok = { .code = SL_MSG_OK, .stage = STAGE_BODY, .http_status = 200 };
static const struct verdict refused = { .code = SL_MSG_TCP_CONNECT_FAILED,
					.stage = STAGE_CONNECT,
					.os_errno = ECONNREFUSED };

static const char *program(void)
{
	static char path[512];
	const char *build = getenv("SLUICE_BUILD");

	snprintf(path, sizeof(path), "%s/sluice", build ? build : "build-san");
	return path;
}

/* The program itself, with its standard output going to fd. */
static pid_t spawn(int fd, const char *a, const char *b)
{
	pid_t pid = fork();

	if (!pid) {
		dup2(fd, STDOUT_FILENO);
		execl(program(), "sluice", a, b, NULL);
		_exit(127);
	}
	return pid;
}

static int exit_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_program(void **state)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(exit_of(spawn(null, "status", NULL)), STATUS_DONE);
	assert_int_equal(exit_of(spawn(null, "health", NULL)), STATUS_REFUSED);
	assert_int_equal(exit_of(spawn(null, "nonsense", "--json")), STATUS_USAGE);
	assert_int_equal(exit_of(spawn(null, "status", "--socket=/nonexistent")), STATUS_NO_DAEMON);
	/* What could not be written was not said. */
	assert_int_equal(exit_of(spawn(full, "explain", NULL)), STATUS_REFUSED);
	assert_int_equal(exit_of(spawn(full, "health", "--watch")), STATUS_REFUSED);
	close(null);
	close(full);
}

/* Read blocks until the text has come; the alarm ends a test that waits for ever. */
static void await(int fd, const char *text)
{
	static char seen[1 << 16];
	size_t len = 0;

	while (len < sizeof(seen) - 1) {
		ssize_t n = read(fd, seen + len, sizeof(seen) - 1 - len);

		if (n <= 0)
			fail_msg("end of output before '%s'", text);
		len += (size_t)n;
		seen[len] = '\0';
		if (strstr(seen, text))
			return;
	}
	fail_msg("too much output before '%s'", text);
}

/* "sluice health --watch | head": it ends with its reader, not with the next change. */
static void test_watch_alone(void **state)
{
	int fds[2];
	pid_t pid;

	(void)state;
	alarm(30);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = spawn(fds[1], "health", "--watch");
	close(fds[1]);
	await(fds[0], "unknown");
	close(fds[0]);
	assert_int_equal(exit_of(pid), STATUS_REFUSED);
	alarm(0);
}

static void test_watch(void **state)
{
	int fds[2];
	char rest[64];
	pid_t pid;

	(void)state;
	alarm(30);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	gateway_fake_verdict(&gateway, "10.0.1.1:5432", &ok, 1);
	pid = spawn(fds[1], "health", "--watch");
	close(fds[1]);
	await(fds[0], "1 healthy, 0 unhealthy, 6 unknown");
	/* Not a change: two periods bring nothing. That there is nothing cannot be awaited. */
	gateway_fake_verdict(&gateway, "10.0.1.1:5432", &ok, 1);
	assert_int_equal(poll(&(struct pollfd){ .fd = fds[0], .events = POLLIN }, 1, 2500), 0);
	gateway_fake_verdict(&gateway, "10.0.0.6:80", &refused, 1);
	await(fds[0], "1 healthy, 1 unhealthy, 5 unknown");
	kill(pid, SIGINT);
	/* Nothing changed since, so there is nothing more to read. */
	assert_int_equal(read(fds[0], rest, sizeof(rest)), 0);
	assert_int_equal(exit_of(pid), STATUS_REFUSED);
	close(fds[0]);
	alarm(0);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(test_program),
		SERVED(test_watch_alone),
		SERVED(test_watch),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("cli_program", tests, NULL, NULL);
}
