// SPDX-License-Identifier: GPL-2.0-or-later
/* SIGHUP, and who sent it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/hangup.h"
#include "util/err.h"

static uv_loop_t loop;
static struct hangup hangup;
static struct change_giver giver;
static int n_came;

static void come(void *arg, const struct change_giver *from)
{
	assert_ptr_equal(arg, &giver);
	giver = *from;
	n_came++;
}

static int set_up(void **state)
{
	(void)state;
	memset(&hangup, 0, sizeof(hangup));
	n_came = 0;
	return uv_loop_init(&loop) < 0 || hangup_start(&hangup, &loop, come, &giver, NULL) < 0 ? -1
											       : 0;
}

static int tear_down(void **state)
{
	(void)state;
	hangup_stop(&hangup);
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop);
}

static void names_who_sent_it(void **state)
{
	pid_t parent = getpid(), pid = fork();

	(void)state;
	if (!pid)
		_exit(setresuid(0, 65534, 0) < 0 || kill(parent, SIGHUP) < 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(n_came, 1);
	assert_true(giver.known);
	assert_true(giver.by_signal);
	assert_int_equal(giver.uid, 0);
	assert_int_equal(giver.pid, pid);
	/* It has ended. */
	assert_string_equal(giver.command, "");

	kill(getpid(), SIGHUP);
	uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(n_came, 2);
	assert_int_equal(giver.pid, getpid());
	assert_non_null(strstr(giver.command, "test_hangup"));
}

/* Many at once are one, and one that comes while nobody looks is not lost. */
static void is_one(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		kill(getpid(), SIGHUP);
	uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(n_came, 1);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(n_came, 1);
}

static void need_not_start(void **state)
{
	struct hangup none = { .is_started = false };

	(void)state;
	hangup_stop(&none);
}

#define STARTED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STARTED(names_who_sent_it),
		STARTED(is_one),
		cmocka_unit_test(need_not_start),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("hangup", tests, NULL, NULL);
}
