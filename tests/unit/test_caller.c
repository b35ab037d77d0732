// SPDX-License-Identifier: GPL-2.0-or-later
/* Who is at the other end of a socket: what the kernel says, and what a process says of itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "control/caller.h"
#include "tests/lib/fault.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define READERS 64001
#define CHANGERS 64002
#define SOMEBODY 64100
#define MANY 3000

static const struct roles roles = {
	.own = 64500,
	.readers = { true, READERS },
	.changers = { true, CHANGERS },
};

static int listener = -1;
static struct sockaddr_un at = { .sun_family = AF_UNIX };
static socklen_t at_len;

/* An address of the kernel's choice, which no file stands for. */
static int set_up(void **state)
{
	(void)state;
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	at_len = sizeof(at);
	return bind(listener, (struct sockaddr *)&at, sizeof(sa_family_t)) < 0 ||
			       listen(listener, 8) < 0 ||
			       getsockname(listener, (struct sockaddr *)&at, &at_len) < 0
		       ? -1
		       : 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(listener);
	return 0;
}

struct who {
	uid_t uid;
	gid_t gid;
	gid_t groups[MANY];
	size_t n;
};

/* A process that is somebody and connects, and then is called something else, until it is killed. */
static pid_t connect_as(const struct who *who, char *const argv[])
{
	pid_t pid = fork();

	if (!pid) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		if (setgroups(who->n, who->groups) < 0 ||
		    setresgid(who->gid, who->gid, who->gid) < 0 ||
		    setresuid(who->uid, who->uid, who->uid) < 0 ||
		    connect(fd, (struct sockaddr *)&at, at_len) < 0)
			_exit(100);
		if (argv)
			execv("/bin/sleep", argv);
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static struct caller receive(int *ret_fd)
{
	struct caller caller;

	*ret_fd = accept(listener, NULL, NULL);
	assert_true(*ret_fd >= 0);
	assert_int_equal(caller_of(&caller, *ret_fd, &roles), 0);
	return caller;
}

static void is_known(void **state)
{
	static const struct {
		struct who who;
		enum role role;
	} rows[] = {
		{ { 0, 0, { 0 }, 0 }, ROLE_CHANGE },
		{ { 64500, 1, { 0 }, 0 }, ROLE_CHANGE },
		{ { SOMEBODY, SOMEBODY, { 0 }, 0 }, ROLE_NONE },
		{ { SOMEBODY, READERS, { 0 }, 0 }, ROLE_READ },
		{ { SOMEBODY, SOMEBODY, { 4, READERS }, 2 }, ROLE_READ },
		{ { SOMEBODY, CHANGERS, { READERS }, 1 }, ROLE_CHANGE },
		{ { SOMEBODY, SOMEBODY, { CHANGERS }, 1 }, ROLE_CHANGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pid_t pid = connect_as(&rows[i].who, NULL);
		int fd;
		struct caller caller = receive(&fd);

		if (caller.role != rows[i].role || caller.uid != rows[i].who.uid ||
		    caller.pid != pid)
			fail_msg("row %zu: role %d, uid %d, pid %d", i, caller.role, caller.uid,
				 caller.pid);
		end(pid);
		close(fd);
	}
}

/* The one that counts is the last of thousands. */
static void may_be_in_many_groups(void **state)
{
	static struct who who = { .uid = SOMEBODY, .gid = SOMEBODY, .n = MANY };
	pid_t pid;
	int fd;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		who.groups[i] = (gid_t)(61000 + i);
	pid = connect_as(&who, NULL);
	assert_int_equal(receive(&fd).role, ROLE_NONE);
	end(pid);
	close(fd);
	who.groups[MANY - 1] = CHANGERS;
	pid = connect_as(&who, NULL);
	assert_int_equal(receive(&fd).role, ROLE_CHANGE);
	end(pid);
	close(fd);
}

static void may_be_nobody(void **state)
{
	struct caller caller;

	(void)state;
	assert_int_equal(caller_of(&caller, -1, &roles), -EBADF);
	assert_int_equal(caller.role, ROLE_NONE);
	assert_int_equal(caller.uid, CALLER_UNKNOWN);
}

/* Without memory for his groups he is who he is, and no more. */
static void may_be_too_much(void **state)
{
	static const struct {
		struct who who;
		enum role role;
	} rows[] = {
		{ { 0, 0, { 0 }, 0 }, ROLE_CHANGE },
		{ { SOMEBODY, READERS, { CHANGERS }, 1 }, ROLE_READ },
		{ { SOMEBODY, SOMEBODY, { READERS }, 1 }, ROLE_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pid_t pid = connect_as(&rows[i].who, NULL);
		int fd = accept(listener, NULL, NULL);
		struct caller caller;

		fault_after(FAULT_MEMORY, 0, ENOMEM);
		assert_int_equal(caller_of(&caller, fd, &roles), -ENOMEM);
		assert_true(fault_clear(FAULT_MEMORY));
		assert_int_equal(caller.uid, rows[i].who.uid);
		assert_int_equal(caller.role, rows[i].role);
		end(pid);
		close(fd);
	}
}

static bool is_called(const struct caller *caller, const char *wanted)
{
	const struct timespec moment = { .tv_nsec = 10 * NS_PER_MS };
	char got[GIVER_COMMAND_LEN] = "";

	/* It is executed in a moment. */
	for (int i = 0; i < 500 && strcmp(got, wanted) != 0; i++) {
		snprintf(got, sizeof(got), "%s", caller_giver(caller).command);
		nanosleep(&moment, NULL);
	}
	if (strcmp(got, wanted) != 0)
		printf("# '%s', not '%s'\n", got, wanted);
	return !strcmp(got, wanted);
}

static char minute[] = "60";

static void says_what_it_is(void **state)
{
	static const struct who who = { .uid = SOMEBODY, .gid = SOMEBODY };
	static char ugly[] = "sl\nuice\x1b[2J\xe2\x80\xae\xff";
	static char longer[4096];
	char *rows[][3] = {
		{ ugly, minute, NULL },
		{ longer, minute, NULL },
	};
	char cut[GIVER_COMMAND_LEN];
	const char *wanted[] = { "sl?uice?[2J???? 60", cut };

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	memset(cut, 'x', sizeof(cut) - 1);
	snprintf(cut + sizeof(cut) - 4, 4, "...");
	for (size_t i = 0; i < 2; i++) {
		pid_t pid = connect_as(&who, rows[i]);
		int fd;
		struct caller caller = receive(&fd);
		struct change_giver giver;
		char text[GIVER_TEXT_LEN];

		assert_true(is_called(&caller, wanted[i]));
		giver = caller_giver(&caller);
		assert_true(giver.known);
		assert_int_equal(giver.uid, SOMEBODY);
		assert_int_equal(giver.pid, pid);
		if (i == 0) {
			char whole[GIVER_TEXT_LEN];

			snprintf(whole, sizeof(whole), "uid 64100, process %d (%s)", pid,
				 wanted[0]);
			assert_string_equal(giver_text(text, &giver), whole);
		}
		end(pid);
		close(fd);
	}
}

/* Its name, which is told in brackets in the line that says since when it has been there, is made to lead astray. */
static void may_have_any_name(void **state)
{
	static char name[] = "a) R 1 1 1 1 (b";
	char path[] = "/tmp/sluice-test-XXXXXX", file[64];
	char *argv[] = { name, minute, NULL };
	struct caller caller;
	pid_t pid;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(file, sizeof(file), "%s/%s", path, name);
	assert_int_equal(symlink("/bin/sleep", file), 0);
	pid = fork();
	if (!pid) {
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&at, at_len) == 0)
			execv(file, argv);
		_exit(1);
	}
	caller = receive(&fd);
	assert_true(is_called(&caller, "a) R 1 1 1 1 (b 60"));
	end(pid);
	close(fd);
	unlink(file);
	rmdir(path);
}

static void may_have_gone(void **state)
{
	static const struct who who = { .uid = SOMEBODY, .gid = SOMEBODY };
	pid_t pid = connect_as(&who, NULL);
	int fd;
	struct caller caller = receive(&fd);
	char text[GIVER_TEXT_LEN], whole[64];
	struct change_giver giver;

	(void)state;
	end(pid);
	giver = caller_giver(&caller);
	assert_true(giver.known);
	assert_string_equal(giver.command, "");
	snprintf(whole, sizeof(whole), "uid 64100, process %d", pid);
	assert_string_equal(giver_text(text, &giver), whole);
	close(fd);

	/* Of another PID namespace; and of one that nobody knows. */
	caller.pid = 0;
	assert_string_equal(caller_giver(&caller).command, "");
	giver = (struct change_giver){ .known = false };
	assert_string_equal(giver_text(text, &giver), "");
}

/* Somebody else has the number by now: a process that is younger than the connection. */
static void may_be_another_one(void **state)
{
	const struct timespec moment = { .tv_nsec = 50 * NS_PER_MS };
	struct caller caller = { .uid = 0, .at_ms = clock_boot_ms() };

	(void)state;
	nanosleep(&moment, NULL);
	caller.pid = fork();
	if (!caller.pid) {
		pause();
		_exit(0);
	}
	assert_string_equal(caller_giver(&caller).command, "");
	caller.at_ms = clock_boot_ms();
	assert_true(*caller_giver(&caller).command);
	end(caller.pid);
}

static void may_send_a_signal(void **state)
{
	char text[GIVER_TEXT_LEN];
	struct change_giver giver = caller_giver_of_signal(0, 0);

	(void)state;
	assert_string_equal(giver_text(text, &giver), "SIGHUP of uid 0, process 0");
	giver = caller_giver_of_signal(getuid(), getpid());
	assert_non_null(strstr(giver_text(text, &giver), "test_caller)"));
}

#define LISTENING(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LISTENING(is_known),          LISTENING(may_be_in_many_groups),
		LISTENING(may_be_nobody),     LISTENING(may_be_too_much),
		LISTENING(says_what_it_is),   LISTENING(may_have_gone),
		LISTENING(may_have_any_name), LISTENING(may_be_another_one),
		LISTENING(may_send_a_signal),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("caller", tests, NULL, NULL);
}
