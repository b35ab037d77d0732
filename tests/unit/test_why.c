// SPDX-License-Identifier: GPL-2.0-or-later
/* What is found, for every state an endpoint can be in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "diagnose/why.h"
#include "util/clock.h"

#define NOW_MS 1767225600000ull
#define MONO_NS (100 * NS_PER_SEC)

static const struct verdict passed = { .code = SL_MSG_OK, .http_status = 200, .elapsed_ms = 3 };
static const struct verdict failed = { .code = SL_MSG_TCP_CONNECT_FAILED,
				       .stage = STAGE_CONNECT,
				       .os_errno = ECONNREFUSED };
static const struct verdict trouble = { .code = SL_MSG_PROBER_OVERLOADED };

static const struct row {
	const char *name;
	struct health health;
	const struct verdict *newest; /* NULL: never probed */
	bool adopted, removed, with_history;
	struct sl_meta meta; /* heartbeat_ns: counted back from now */
	struct settings settings;
	struct sl_endpoint_stats stats;
	const char *finding, *note; /* substrings; note NULL: no notes at all */
} rows[] = {
	{ .name = "pending",
	  .health = { SL_UNKNOWN, SL_UNKNOWN },
	  .stats = { .packets = 1 },
	  .finding = "New connections pass: no probe has ended yet, and the gate closes on proof" },
	{ .name = "healthy",
	  .health = { SL_HEALTHY, SL_HEALTHY, 0, 5 },
	  .newest = &passed,
	  .stats = { .packets = 1 },
	  .finding = "New connections pass: " },
	{ .name = "no traffic",
	  .health = { SL_HEALTHY, SL_HEALTHY, 0, 5 },
	  .newest = &passed,
	  .finding = "New connections pass: ",
	  .note = "No packet of a client" },
	{ .name = "failing, but not yet down",
	  .health = { SL_HEALTHY, SL_HEALTHY, 1, 0 },
	  .newest = &failed,
	  .stats = { .packets = 1 },
	  .finding = "New connections pass, but 1 probe in a row failed and 3 close the gate; "
		     "last: " },
	{ .name = "down, rejected",
	  .health = { SL_UNHEALTHY, SL_UNHEALTHY, 3, 0 },
	  .newest = &failed,
	  .settings = { .on_unhealthy = SL_ACTION_REJECT },
	  .stats = { .packets = 1 },
	  .finding = "No new connection reaches it (reject): 3 probes in a row failed; last: TCP",
	  .note = "left alone (established: keep)" },
	{ .name = "down, dropped and reset",
	  .health = { SL_UNHEALTHY, SL_UNHEALTHY, 1, 0 },
	  .newest = &failed,
	  .settings = { .on_unhealthy = SL_ACTION_DROP, .reset_established = true },
	  .stats = { .packets = 1 },
	  .with_history = true,
	  .finding = "No new connection reaches it (drop): 1 probe in a row failed",
	  .note = "reset (established: reset)" },
	{ .name = "down from the start",
	  .health = { SL_UNHEALTHY, SL_UNHEALTHY, 1, 0 },
	  .newest = &failed,
	  .settings = { .on_unhealthy = SL_ACTION_REJECT },
	  .stats = { .packets = 1 },
	  .finding = "(reject): the first probe since the daemon started failed, which is enough",
	  .note = "left alone" },
	{ .name = "down, but the gate was removed",
	  .health = { SL_UNHEALTHY, SL_UNHEALTHY, 3, 0 },
	  .newest = &failed,
	  .removed = true,
	  .settings = { .on_unhealthy = SL_ACTION_REJECT },
	  .stats = { .packets = 1 },
	  .finding = "New connections pass, because the gate was removed: 3 probes in a row",
	  .note = "Nothing is guarded" },
	{ .name = "down, passed",
	  .health = { SL_UNHEALTHY, SL_UNHEALTHY, 3, 0 },
	  .newest = &failed,
	  .settings = { .on_unhealthy = SL_ACTION_PASS },
	  .stats = { .packets = 1 },
	  .finding = "New connections pass, because on_unhealthy is pass: 3 probes" },
	{ .name = "down, coming back",
	  .health = { SL_UNHEALTHY, SL_UNHEALTHY, 0, 1 },
	  .newest = &passed,
	  .settings = { .on_unhealthy = SL_ACTION_REJECT },
	  .stats = { .packets = 1 },
	  .finding = "(reject): 1 of the 2 successes in a row that reopen the gate",
	  .note = "left alone" },
	{ .name = "observe",
	  .health = { SL_UNHEALTHY, SL_UNHEALTHY, 3, 0 },
	  .newest = &failed,
	  .meta = { .mode = SL_MODE_OBSERVE },
	  .settings = { .on_unhealthy = SL_ACTION_REJECT },
	  .finding = "The gate would reject new connections, but the mode is observe and they pass",
	  .note = "Mode is observe" },
	{ .name = "forced",
	  .health = { SL_UNHEALTHY, SL_UNHEALTHY, 3, 0, .forced = true },
	  .newest = &failed,
	  .settings = { .on_unhealthy = SL_ACTION_REJECT },
	  .finding = "New connections pass, because min_servers keeps it open: 3 probes",
	  .note = "Forced open by min_servers" },
	{ .name = "prober in trouble, down",
	  .health = { SL_UNKNOWN, SL_UNHEALTHY, 3, 0 },
	  .newest = &trouble,
	  .settings = { .on_unhealthy = SL_ACTION_REJECT },
	  .finding = "No new connection reaches it (reject): it was proven unhealthy, and the "
		     "prober is in trouble now",
	  .note = "shown as Unknown, and the gate keeps the last proven state, Unhealthy" },
	{ .name = "prober in trouble, up",
	  .health = { SL_UNKNOWN, SL_HEALTHY, 0, 3 },
	  .newest = &trouble,
	  .finding = "New connections pass: it was proven healthy, and the prober is in trouble",
	  .note = "last proven state, Healthy" },
	{ .name = "prober in trouble from the start",
	  .health = { SL_UNKNOWN, SL_UNKNOWN },
	  .newest = &trouble,
	  .stats = { .packets = 1 },
	  .finding = "New connections pass: nothing is proven yet, because the prober is in" },
	{ .name = "adopted, down",
	  .health = { SL_UNHEALTHY, SL_UNHEALTHY },
	  .adopted = true,
	  .settings = { .on_unhealthy = SL_ACTION_REJECT },
	  .finding = "(reject): it was unhealthy before the daemon started",
	  .note = "health was adopted" },
	{ .name = "adopted, up",
	  .health = { SL_HEALTHY, SL_HEALTHY },
	  .adopted = true,
	  .finding = "New connections pass: it was healthy before the daemon started",
	  .note = "health was adopted" },
	{ .name = "adopted with its verdict, down",
	  .health = { SL_UNHEALTHY, SL_UNHEALTHY, 3, 0 },
	  .newest = &failed,
	  .adopted = true,
	  .settings = { .on_unhealthy = SL_ACTION_REJECT },
	  .finding =
		  "(reject): it was unhealthy by the verdict of 42s ago, before the daemon started: "
		  "TCP",
	  .note = "what was known 42s ago, not yet probed since" },
	{ .name = "adopted with its verdict, up",
	  .health = { SL_HEALTHY, SL_HEALTHY, 0, 5 },
	  .newest = &passed,
	  .adopted = true,
	  .finding =
		  "New connections pass: it was healthy by the verdict of 42s ago, before the daemon",
	  .note = "what was known 42s ago" },
	{ .name = "adopted with the prober's trouble",
	  .health = { SL_UNKNOWN, SL_UNKNOWN },
	  .newest = &trouble,
	  .adopted = true,
	  .finding =
		  "New connections pass: nothing is proven yet, because the prober is in trouble",
	  .note = "what was known 42s ago" },
	{ .name = "heartbeat stopped, hold",
	  .health = { SL_UNHEALTHY, SL_UNHEALTHY, 3, 0 },
	  .newest = &failed,
	  .meta = { .heartbeat_ns = 45 * NS_PER_SEC },
	  .settings = { .on_unhealthy = SL_ACTION_REJECT },
	  .finding = "No new connection reaches it (reject)",
	  .note = "heartbeat is 45s old; the kernel acts by on_daemon_loss: hold" },
	{ .name = "heartbeat stopped, open",
	  .health = { SL_UNHEALTHY, SL_UNHEALTHY, 3, 0 },
	  .newest = &failed,
	  .meta = { .heartbeat_ns = 45 * NS_PER_SEC, .on_daemon_loss = SL_LOSS_OPEN },
	  .settings = { .on_unhealthy = SL_ACTION_REJECT },
	  .finding = "New connections pass, because the daemon's heartbeat stopped",
	  .note = "on_daemon_loss: open" },
	{ .name = "reply budget spent",
	  .health = { SL_UNHEALTHY, SL_UNHEALTHY, 3, 0 },
	  .newest = &failed,
	  .settings = { .on_unhealthy = SL_ACTION_REJECT },
	  .stats = { .packets = 9, .limited = 1 },
	  .finding = "No new connection",
	  .note = "1 packet went without an answer because the reply budget was spent" },
	{ .name = "ICMP errors",
	  .health = { SL_HEALTHY, SL_HEALTHY, 0, 3 },
	  .newest = &passed,
	  .stats = { .packets = 9, .icmp_errors = 4 },
	  .finding = "New connections pass",
	  .note = "4 ICMP errors came back" },
	{ .name = "old rejects",
	  .health = { SL_HEALTHY, SL_HEALTHY, 0, 3 },
	  .newest = &passed,
	  .stats = { .packets = 9, .rejected = 4 },
	  .finding = "New connections pass",
	  .note = "date from when it was unhealthy" },
};

static struct plan some_plan(void)
{
	static struct probe_match match = { .status = { { 200, 399 } }, .n_status = 1 };
	struct plan plan = { .protocol = PROTO_HTTP,
			     .port = 80,
			     .host = "shop.test",
			     .path = "/",
			     .match = &match,
			     .unhealthy_threshold = 3,
			     .healthy_threshold = 2 };

	assert_int_equal(addr_parse(&plan.addr, "10.0.0.5"), 0);
	return plan;
}

static bool has_note(const struct why *why, const char *text)
{
	for (uint32_t i = 0; i < why->n_notes; i++)
		if (strstr(why->notes[i], text))
			return true;
	return false;
}

static void explain(struct why *ret, const struct row *row, bool with_stats)
{
	struct plan plan = some_plan();
	struct board_entry entry = { .health = row->health, .adopted = row->adopted };
	struct sl_meta meta = row->meta;
	struct why_facts facts = { .settings = &row->settings,
				   .plan = &plan,
				   .entry = &entry,
				   .stats = with_stats ? &row->stats : NULL,
				   .meta = &meta,
				   .removed = row->removed,
				   .mono_ns = MONO_NS,
				   .wall_ms = NOW_MS + 42000 };

	meta.heartbeat_ns = MONO_NS - row->meta.heartbeat_ns;
	meta.daemon_loss_after_ns = 30 * NS_PER_SEC;
	if (row->newest) {
		entry.recent[0] = (struct board_verdict){ *row->newest, NOW_MS };
		entry.n_verdicts = row->adopted ? 0 : row->with_history ? 2 : 1;
	}
	why_explain(ret, &facts);
}

static void test_rows(void **state)
{
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		explain(&why, &rows[i], true);
		if (!strstr(why.finding, rows[i].finding))
			fail_msg("%s: %s", rows[i].name, why.finding);
		if (rows[i].note && !has_note(&why, rows[i].note))
			fail_msg("%s: no note '%s'", rows[i].name, rows[i].note);
		if (!rows[i].note && why.n_notes && rows[i].health.proven != SL_UNHEALTHY)
			fail_msg("%s: note '%s'", rows[i].name, why.notes[0]);
		explain(&why, &rows[i], false);
		assert_true(has_note(&why, "could not be read"));
	}
}

/* The longest message still ends inside the buffer, and a passing verdict has no remedies. */
static void test_bounds_and_advice(void **state)
{
	struct row row = rows[4];
	struct verdict verdict = *row.newest;
	struct why why;

	(void)state;
	memset(verdict.detail, 'x', sizeof(verdict.detail) - 1);
	row.newest = &verdict;
	explain(&why, &row, true);
	assert_in_range(strlen(why.finding), 1, sizeof(why.finding) - 1);
	assert_true(why.advice.n_causes > 0 && why.advice.n_remedies > 0);
	for (size_t i = 0; i < why.advice.n_remedies; i++)
		assert_non_null(why.advice.remedies[i]);

	explain(&why, &rows[1], true);
	assert_int_equal(why.advice.n_causes, 0);
	assert_int_equal(why.advice.n_remedies, 0);
	explain(&why, &rows[0], true);
	assert_int_equal(why.newest.code, SL_MSG_PROBE_PENDING);
}

static bool lately_is(struct why *ret, struct verdict newest, struct health health,
		      struct traffic lately)
{
	struct plan plan = some_plan();
	struct endpoint endpoint = { .key = { .port = 80, .proto = SL_TCP } };
	struct settings settings = { .on_unhealthy = SL_ACTION_REJECT };
	struct sl_meta meta = { .heartbeat_ns = MONO_NS, .daemon_loss_after_ns = NS_PER_SEC };
	struct sl_endpoint_stats stats = { .packets = 1 };
	struct board_entry entry = {
		.health = health,
		.n_verdicts = 1,
		.stretch = 4,
		.mark = { .totals = { .answered = 100 }, .set = true, .mono_ms = 40000 },
	};
	struct why_facts facts = {
		.settings = &settings,
		.plan = &plan,
		.endpoint = &endpoint,
		.entry = &entry,
		.stats = &stats,
		.traffic = &lately,
		.meta = &meta,
		.mono_ns = MONO_NS,
	};

	plan.interval_ms = 30000;
	lately.answered += 100;
	entry.recent[0] = (struct board_verdict){ newest, NOW_MS };
	why_explain(ret, &facts);
	return ret->disagreement.cause != CAUSE_REACHABLE;
}

/* How clients fare is compared with what probes say. */
static void test_clients(void **state)
{
	struct verdict status = { .code = SL_MSG_HTTP_STATUS_MISMATCH,
				  .stage = STAGE_HEADER,
				  .http_status = 404 };
	struct health up = { SL_HEALTHY, SL_HEALTHY, .successes = 5 };
	struct health down = { SL_UNHEALTHY, SL_UNHEALTHY, .failures = 3 };
	struct why why;

	(void)state;
	assert_false(lately_is(&why, passed, up, (struct traffic){ .answered = 7 }));
	assert_int_equal(why.window_ms, 60000);
	assert_int_equal(why.lately.answered, 7);
	assert_true(has_note(&why, "it is probed every 2m"));
	assert_false(has_note(&why, "Clients fail"));

	assert_true(lately_is(&why, passed, up, (struct traffic){ .refused = 7 }));
	assert_non_null(strstr(why.disagreement.text, "within 1m, of 7 attempts"));
	assert_true(lately_is(&why, failed, down, (struct traffic){ .answered = 7 }));
	assert_int_equal(why.disagreement.cause, CAUSE_PROBE_WRONG);

	assert_false(lately_is(&why, status, down, (struct traffic){ .answered = 7, .reset = 5 }));
	assert_true(has_note(&why, "it is the probe's request that is wrong"));
	assert_true(has_note(&why, "Of 7 connections of clients within 1m the endpoint reset 5."));
	assert_false(lately_is(&why, failed,
			       (struct health){ SL_HEALTHY, SL_HEALTHY, .failures = 2 },
			       (struct traffic){ .unanswered = 7 }));
	assert_true(has_note(&why, "Clients fail, too"));
}

/* What fits the chain at hand comes before what fits the data, and that before the catalogue. */
static void test_hints_first(void **state)
{
	struct verdict verdict = { .code = SL_MSG_CERT_NAME_MISMATCH, .tls.certs = certs_new(0) };
	struct advice advice;
	size_t n;

	(void)state;
	assert_non_null(verdict.tls.certs);
	n = advice_for(&verdict).n_remedies;
	verdict.tls.certs->hint = strdup("this chain");
	advice = advice_for(&verdict);
	assert_int_equal(advice.n_remedies, n + 1);
	assert_string_equal(advice.remedies[0], "this chain");

	verdict.code = SL_MSG_TLS_HANDSHAKE_FAILED;
	verdict.tls.alert = 70;
	advice = advice_for(&verdict);
	assert_string_equal(advice.remedies[0], "this chain");
	assert_non_null(strstr(advice.remedies[1], "TLS 1.2 or 1.3"));
	verdict.code = SL_MSG_OK;
	assert_int_equal(advice_for(&verdict).n_remedies, 0);
	verdict_done(&verdict);
}

static void test_verdict_health(void **state)
{
	(void)state;
	assert_int_equal(advice_health(SL_MSG_OK), SL_HEALTHY);
	assert_int_equal(advice_health(SL_MSG_HTTP_MALFORMED), SL_UNHEALTHY);
	assert_int_equal(advice_health(SL_MSG_LOCAL_RESOURCE), SL_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_clients),
		cmocka_unit_test(test_bounds_and_advice),
		cmocka_unit_test(test_hints_first),
		cmocka_unit_test(test_verdict_health),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("why", tests, NULL, NULL);
}
