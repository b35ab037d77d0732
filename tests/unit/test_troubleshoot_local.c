// SPDX-License-Identifier: GPL-2.0-or-later
/* The same on the target itself, where its sockets and its filters can be read. */
#include "tests/unit/trouble_run.h"

static void listening(struct trouble_evidence *e, const char *on)
{
	e->way.to = (struct addr){ .bytes = { 0 } };
	e->local.looked = true;
	e->local.listeners.n = 1;
	e->local.listeners.of[0] = (struct listener){ .addr = addr(on), .backlog = 5 };
	e->local.listeners.of[0].v6 = strchr(on, ':') != NULL;
}
static void not_running(struct trouble_evidence *e)
{
	e->local.looked = true;
}
static void on_loopback(struct trouble_evidence *e)
{
	listening(e, "127.0.0.2");
}
static void on_loopback_v6(struct trouble_evidence *e)
{
	listening(e, "::1");
}
static void on_loopback_as_asked(struct trouble_evidence *e)
{
	listening(e, "127.0.0.1");
	e->way.to = addr("127.0.0.1");
}
static void on_another(struct trouble_evidence *e)
{
	listening(e, "10.2.1.3");
	e->way.to = addr("10.2.1.2");
}
static void on_v6_only(struct trouble_evidence *e)
{
	listening(e, "::");
	e->local.listeners.of[0].v6_only = true;
	e->way.to = addr("10.2.1.2");
}
static void on_all(struct trouble_evidence *e)
{
	listening(e, "::");
	e->way.to = addr("10.2.1.2");
}
static void queued(struct trouble_evidence *e)
{
	listening(e, "0.0.0.0");
	e->local.listeners.of[0].queued = 6;
}
static void just_full(struct trouble_evidence *e)
{
	queued(e);
	e->local.listeners.of[0].queued = 5;
}
static void just_full_and_losing(struct trouble_evidence *e)
{
	just_full(e);
	e->local.overflows = 2;
}
static void filtered(struct trouble_evidence *e)
{
	listening(e, "0.0.0.0");
	matched(&e->local.filters, true);
}
static void filter_rejects(struct trouble_evidence *e)
{
	filtered(e);
	e->local.filters.of[0].action = FILTER_REJECT;
}
static void tried(struct trouble_evidence *e, uint32_t refusals)
{
	listening(e, "0.0.0.0");
	e->local.n_tries = 1;
	e->local.tries[0].to = addr("10.2.1.2");
	e->local.tries[0].attempts =
		(struct attempt_tally){ .sent = 2, .refused = refusals, .silent = 2 - refusals };
}
static void tried_refused(struct trouble_evidence *e)
{
	tried(e, 2);
}
static void tried_silent(struct trouble_evidence *e)
{
	tried(e, 0);
}

static const struct row rows[] = {
	{ not_running, CAUSE_NOT_RUNNING, "TCP port 80", "Unknown" },
	{ on_loopback, CAUSE_LOOPBACK_ONLY, "127.0.0.2:80 only", "Unknown" },
	{ on_loopback_v6, CAUSE_LOOPBACK_ONLY, "[::1]:80", "Unknown" },
	{ on_loopback_as_asked, CAUSE_REACHABLE, "127.0.0.1:80", "Unknown" },
	{ on_another, CAUSE_OTHER_ADDRESS, "10.2.1.3:80, and not on 10.2.1.2", "Unknown" },
	{ on_v6_only, CAUSE_OTHER_ADDRESS, "[::]:80", "Unknown" },
	{ on_all, CAUSE_REACHABLE, "[::]:80", "Unknown" },
	{ queued, CAUSE_ACCEPT_QUEUE_FULL, "6 connections wait", "Unknown" },
	{ just_full, CAUSE_REACHABLE, "", "Unknown" },
	{ just_full_and_losing, CAUSE_ACCEPT_QUEUE_FULL, "overflows", "Unknown" },
	{ filtered, CAUSE_HOST_FIREWALL_DROPS, "handle 7", "Unknown" },
	{ filter_rejects, CAUSE_HOST_FIREWALL_REJECTS, "handle 7", "Unknown" },
	{ tried_refused, CAUSE_HOST_FIREWALL_REJECTS, "10.2.1.2:80", "Unknown" },
	{ tried_silent, CAUSE_ACCEPT_QUEUE_FULL, "10.2.1.2:80", "Unknown" },
};

static void test_rows(void **state)
{
	bool reached[CAUSE_MAX] = { false };

	(void)state;
	run_rows(rows, sizeof(rows) / sizeof(rows[0]), reached);
	assert_true(reached[CAUSE_NOT_RUNNING]);
	assert_true(reached[CAUSE_LOOPBACK_ONLY]);
	assert_true(reached[CAUSE_OTHER_ADDRESS]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("troubleshoot_local", tests, NULL, NULL);
}
