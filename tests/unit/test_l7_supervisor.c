// SPDX-License-Identifier: GPL-2.0-or-later
/* What HAProxy is told while it loads, when it loses signals or dies of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>

#include "l7/supervisor.h"
#include "tests/unit/l7_run.h"

#define LOOKS 1500 /* of 10 ms */

/* A configuration that differs by its timeout from others. */
#define CONFIGURATION(timeout)                                                                \
	"gateway: { interfaces: [ { name: eth0 } ], l7: { user: root } }\n" POOL              \
	"settings: [ { name: w, protocol: http, port: 80, request_timeout: " timeout " } ]\n" \
	"services: [ { name: s, listen: 127.0.0.1:18090, forward: l7, pool: p, settings: w } ]\n"

static void tell(void *arg, enum supervisor_severity severity, const char *state, const char *line)
{
	(void)arg;
	(void)severity;
	printf("%s: %s\n", state, line);
}

static void bring(struct supervisor *supervisor, struct l7_plan *plan)
{
	assert_int_equal(supervisor_stage(supervisor, plan, "/usr/sbin/haproxy", true), 0);
	supervisor_commit(supervisor);
}

static struct supervisor_status status_of(struct supervisor *supervisor)
{
	struct supervisor_status status;

	supervisor_status(supervisor, &status);
	return status;
}

static bool serves(struct supervisor *supervisor)
{
	bool is = status_of(supervisor).current;

	for (int i = 0; i < LOOKS && !is; i++) {
		usleep(10000);
		is = status_of(supervisor).current;
	}
	return is;
}

static bool ends(int pid)
{
	for (int i = 0; i < LOOKS && kill(pid, 0) == 0; i++)
		usleep(10000);
	return kill(pid, 0) < 0 && errno == ESRCH;
}

/* A second configuration comes before the first is served, and none while the third is loaded. */
static void test_loading(void **state)
{
	struct l7_run *run = *state;
	const struct supervisor_options options = { .dir = run->l7, .tell = tell };
	struct l7_plan *first = l7_run_plan(run, CONFIGURATION("20"));
	struct l7_plan *second = l7_run_plan(run, CONFIGURATION("21"));
	struct l7_plan *third = l7_run_plan(run, CONFIGURATION("22"));
	struct supervisor *supervisor;
	struct err err;
	int pid;

	assert_int_equal(supervisor_new(&supervisor, &options, &err), 0);
	bring(supervisor, first);
	for (int i = 0; i < LOOKS && !status_of(supervisor).pid; i++)
		usleep(1000);
	bring(supervisor, second);
	assert_true(serves(supervisor));
	assert_int_equal(status_of(supervisor).failures, 0);

	pid = status_of(supervisor).pid;
	bring(supervisor, third);
	for (int i = 0; i < LOOKS && !status_of(supervisor).reloads; i++)
		usleep(1000);
	bring(supervisor, NULL);
	assert_true(ends(pid));
	assert_int_equal(status_of(supervisor).failures, 0);
	supervisor_free(supervisor, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loading),
	};

	return cmocka_run_group_tests(tests, l7_run_begin, l7_run_end);
}
