// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/probing.h"

#include <errno.h>
#include <string.h>

#include "cli/reach.h"
#include "probe/probe.h"
#include "probe/trust.h"
#include "util/clock.h"
#include "util/err.h"

/* Of the reason and the servers, in a verdict's detail; the report has both whole. */
#define WHY_SHOWN 44
#define SERVERS_SHOWN 42

static void take_verdict(void *arg, const struct verdict *verdict)
{
	*(struct verdict *)arg = verdict_keep(verdict);
}

static void fail_resolve(struct probing *probing)
{
	probing->verdict = (struct verdict){
		.code = SL_MSG_DNS_RESOLUTION_FAILED,
		.stage = STAGE_RESOLVE,
		.elapsed_ms = probing->resolve_us / (uint32_t)US_PER_MS,
	};
	snprintf(probing->verdict.detail, sizeof(probing->verdict.detail), "%.*s; asked %.*s",
		 WHY_SHOWN,
		 probing->answer.why[0] ? probing->answer.why : rcode_name(probing->answer.rcode),
		 SERVERS_SHOWN, probing->answer.servers[0] ? probing->answer.servers : "nobody");
}

void probing_choose(struct resolve_answer *answer)
{
	uint32_t first = reach_first(answer->addrs, answer->n);
	struct addr addr = answer->addrs[first];

	answer->addrs[first] = answer->addrs[0];
	answer->addrs[0] = addr;
}

/* Whether there is an address to probe; if not, the verdict is known. Or -errno: nobody was asked. */
static int resolve(struct probing *probing)
{
	char name[sizeof(probing->order.target.host)];
	uint64_t start_ns = clock_mono_ns();
	size_t len;
	int r;

	len = (size_t)snprintf(name, sizeof(name), "%s", probing->order.target.host);
	if (len && name[len - 1] == '.')
		name[len - 1] = '\0';
	r = resolve_once(&probing->loop, name, probing->plan.timeout_ms, &probing->answer);
	if (r < 0)
		return r;

	probing->resolve_us = (uint32_t)((clock_mono_ns() - start_ns) / NS_PER_US);
	if (!probing->answer.n) {
		fail_resolve(probing);
		return false;
	}
	probing_choose(&probing->answer);
	probing->plan.addr = probing->answer.addrs[0];
	/* One timeout covers the whole probe. */
	if (probing->resolve_us / US_PER_MS < probing->plan.timeout_ms)
		probing->plan.timeout_ms -= probing->resolve_us / (uint32_t)US_PER_MS;
	else
		probing->plan.timeout_ms = 1;
	return true;
}

static int run_probe(struct probing *probing)
{
	int r;

	if (probing->order.target.is_name) {
		r = resolve(probing);
		if (r <= 0)
			return r;
	}
	if (!probe_start(&probing->loop, &probing->plan, NULL, take_verdict, &probing->verdict))
		return -ENOMEM;
	uv_run(&probing->loop, UV_RUN_DEFAULT);
	return 0;
}

/* Fetching lists is part of the probe's time, and leaves the server half of it. */
static void settle_trust(struct probing *probing)
{
	uint64_t start_ns = clock_mono_ns(), spent_ms;

	trust_settle(probing->trust, probing->plan.timeout_ms / 2);
	spent_ms = (clock_mono_ns() - start_ns) / NS_PER_MS;
	if (spent_ms < probing->plan.timeout_ms)
		probing->plan.timeout_ms -= (uint32_t)spent_ms;
	probing->plan.tls.trust = probing->trust;
}

int probing_run(struct probing *probing)
{
	int r;

	r = uv_loop_init(&probing->loop);
	if (r < 0)
		return r;
	r = run_probe(probing);
	/* What has been closed needs a turn to be gone. */
	uv_run(&probing->loop, UV_RUN_DEFAULT);
	uv_loop_close(&probing->loop);
	probing->verdict.timing.resolve_us = probing->resolve_us;
	probing->verdict.timing.total_us += probing->resolve_us;
	return r;
}

int probing_prepare(struct probing *ret_probing, const struct cli *cli, struct err *err)
{
	struct probing *probing = ret_probing;
	int r;

	*probing = (struct probing){ .verdict.code = SL_MSG_LOCAL_RESOURCE };
	r = order_parse(&probing->order, cli, err);
	if (r < 0)
		return r;
	probing->plan = order_plan(&probing->order);
	return 0;
}

int probing_trust(struct probing *probing, struct err *err)
{
	int r;

	if (!probing->plan.tls.enabled)
		return 0;
	r = trust_new(&probing->trust, &probing->order.trust, err);
	if (r < 0)
		return err->text[0] ? r : err_set(err, r, "%s", strerror(-r));
	settle_trust(probing);
	return 0;
}

void probing_done(struct probing *probing)
{
	verdict_done(&probing->verdict);
	trust_free(probing->trust);
	order_done(&probing->order);
}
