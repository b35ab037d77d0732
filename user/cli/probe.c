// SPDX-License-Identifier: GPL-2.0-or-later
/* probe - one probe now, from here, without a daemon. */
#include "probe/probe.h"

#include <errno.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/order.h"
#include "cli/reach.h"
#include "cli/report.h"
#include "probe/resolve.h"
#include "probe/trust.h"
#include "util/clock.h"
#include "util/err.h"

/* Of the reason and the servers, in a verdict's detail; the report has both whole. */
#define WHY_SHOWN 44
#define SERVERS_SHOWN 42

/* Everything of one run; plan borrows from order and trust. */
struct run {
	uv_loop_t loop;
	struct order order;
	struct plan plan;
	struct trust *trust;
	struct verdict verdict;
	struct resolve_answer answer;
	uint32_t resolve_us;
};

static void run_done(struct run *run)
{
	verdict_done(&run->verdict);
	trust_free(run->trust);
	order_done(&run->order);
}

static void take_verdict(void *arg, const struct verdict *verdict)
{
	*(struct verdict *)arg = verdict_keep(verdict);
}

static void fail_resolve(struct run *run)
{
	run->verdict = (struct verdict){
		.code = SL_MSG_DNS_RESOLUTION_FAILED,
		.stage = STAGE_RESOLVE,
		.elapsed_ms = run->resolve_us / (uint32_t)US_PER_MS,
	};
	snprintf(run->verdict.detail, sizeof(run->verdict.detail), "%.*s; asked %.*s", WHY_SHOWN,
		 run->answer.why[0] ? run->answer.why : rcode_name(run->answer.rcode),
		 SERVERS_SHOWN, run->answer.servers[0] ? run->answer.servers : "nobody");
}

/* Put first what is probed. */
static void choose(struct resolve_answer *answer)
{
	uint32_t first = reach_first(answer->addrs, answer->n);
	struct addr addr = answer->addrs[first];

	answer->addrs[first] = answer->addrs[0];
	answer->addrs[0] = addr;
}

/* Whether there is an address to probe; if not, the verdict is known. Or -errno: nobody was asked. */
static int resolve(struct run *run)
{
	char name[sizeof(run->order.target.host)];
	uint64_t start_ns = clock_mono_ns();
	size_t len;
	int r;

	len = (size_t)snprintf(name, sizeof(name), "%s", run->order.target.host);
	if (len && name[len - 1] == '.')
		name[len - 1] = '\0';
	r = resolve_once(&run->loop, name, run->plan.timeout_ms, &run->answer);
	if (r < 0)
		return r;

	run->resolve_us = (uint32_t)((clock_mono_ns() - start_ns) / NS_PER_US);
	if (!run->answer.n) {
		fail_resolve(run);
		return false;
	}
	choose(&run->answer);
	run->plan.addr = run->answer.addrs[0];
	/* One timeout covers the whole probe. */
	if (run->resolve_us / US_PER_MS < run->plan.timeout_ms)
		run->plan.timeout_ms -= run->resolve_us / (uint32_t)US_PER_MS;
	else
		run->plan.timeout_ms = 1;
	return true;
}

static int run_probe(struct run *run)
{
	int r;

	if (run->order.target.is_name) {
		r = resolve(run);
		if (r <= 0)
			return r;
	}
	if (!probe_start(&run->loop, &run->plan, NULL, take_verdict, &run->verdict))
		return -ENOMEM;
	uv_run(&run->loop, UV_RUN_DEFAULT);
	return 0;
}

/* Fetching lists is part of the probe's time, and leaves the server half of it. */
static void settle_trust(struct run *run)
{
	uint64_t start_ns = clock_mono_ns(), spent_ms;

	trust_settle(run->trust, run->plan.timeout_ms / 2);
	spent_ms = (clock_mono_ns() - start_ns) / NS_PER_MS;
	if (spent_ms < run->plan.timeout_ms)
		run->plan.timeout_ms -= (uint32_t)spent_ms;
	run->plan.tls.trust = run->trust;
}

static int run_on_loop(struct run *run)
{
	int r;

	r = uv_loop_init(&run->loop);
	if (r < 0)
		return r;
	r = run_probe(run);
	/* What has been closed needs a turn to be gone. */
	uv_run(&run->loop, UV_RUN_DEFAULT);
	uv_loop_close(&run->loop);
	run->verdict.timing.resolve_us = run->resolve_us;
	run->verdict.timing.total_us += run->resolve_us;
	return r;
}

static enum cli_status report(const struct cli *cli, const struct run *run)
{
	struct probe_report report = {
		.target = cli->args[0],
		.plan = &run->plan,
		.verdict = &run->verdict,
		.answer = run->order.target.is_name ? &run->answer : NULL,
		.show_certs = run->order.show_certs,
		.now_s = (int64_t)(clock_wall_ms() / MS_PER_SEC),
	};
	int r;

	if (cli->json) {
		report_json(cli, &report);
	} else {
		r = report_text(cli, &report);
		if (r < 0)
			return command_print_failed(cli, r);
	}
	return message_passed(run->verdict.code) ? STATUS_DONE : STATUS_REFUSED;
}

enum cli_status command_probe(struct cli *cli)
{
	CLEANUP(run_done) struct run run = { .verdict.code = SL_MSG_LOCAL_RESOURCE };
	struct err err = { "" };
	int r;

	r = order_parse(&run.order, cli, &err);
	if (r == -ENOMEM)
		return cli_fail(cli, STATUS_REFUSED, "out_of_memory", "out of memory");
	if (r < 0)
		return cli_fail(cli, STATUS_USAGE, "usage", "%s", err.text);
	run.plan = order_plan(&run.order);
	if (run.plan.tls.enabled) {
		r = trust_new(&run.trust, &run.order.trust, &err);
		if (r < 0)
			return cli_fail(cli, STATUS_REFUSED, "bad_trust", "%s",
					err.text[0] ? err.text : strerror(-r));
		settle_trust(&run);
	}

	r = run_on_loop(&run);
	if (r < 0)
		return cli_fail(cli, STATUS_REFUSED, "probe_failed", "the probe did not start: %s",
				strerror(-r));
	return report(cli, &run);
}
