// SPDX-License-Identifier: GPL-2.0-or-later
/* hunt_talk - what a target that accepts connections makes of what is said to it. */
#include <errno.h>
#include <string.h>

#include "cli/hunt.h"
#include "util/clock.h"
#include "util/err.h"

#define PROBE_MS 4000
#define TALK_MS 1200
#define SIZES_MS 700
/* More than one packet of any usual MTU is filled with, and less than servers take for a header. */
#define LARGE_BYTES 3500
#define REQUEST_MAX 4096

/* --- the full probe ---------------------------------------------------------------------------- */

static void keep_verdict(struct trouble_probe *ret_probe, const struct probing *probing)
{
	const struct verdict *verdict = &probing->verdict;

	*ret_probe = (struct trouble_probe){
		.done = !message_ours(verdict->code),
		.passed = message_passed(verdict->code),
		.port = probing->plan.port,
		.udp = probing->plan.protocol == PROTO_UDP,
		.code = verdict->code,
		.stage = verdict->stage,
	};
	message_format(ret_probe->message, &probing->plan, verdict);
}

static void probe(struct hunt *hunt, const char *name, struct probing *probing,
		  struct trouble_probe *ret_probe)
{
	struct err err = { "" };
	int r;

	hunt_begin(hunt, name);
	probing->plan.timeout_ms = hunt_time(hunt, PROBE_MS);
	if (!probing->plan.timeout_ms)
		probing->plan.timeout_ms = 1;
	if (hunt->evidence.gate.refuses && hunt->evidence.behind.sent)
		probing->plan.mark = SL_PROBE_MARK;
	r = probing_trust(probing, &err);
	if (r == 0)
		r = probing_run(probing);
	if (r < 0) {
		hunt_end(hunt, name, HUNT_UNCLEAR, "not probed: %s",
			 err.text[0] ? err.text : strerror(-r));
		return;
	}
	keep_verdict(ret_probe, probing);
	hunt_end(hunt, name,
		 ret_probe->passed ? HUNT_GOOD
		 : ret_probe->done ? HUNT_BAD
				   : HUNT_UNCLEAR,
		 "%s: %s", message_id(ret_probe->code) ?: "unknown", ret_probe->message);
}

/* The endpoint's own probe, where it asks for something else than the traffic does. */
static void probe_as_configured(struct hunt *hunt)
{
	CLEANUP(probing_done) struct probing probing = { .trust = NULL };
	struct cli cli = *hunt->cli;
	struct err err = { "" };

	if (!hunt->probe_target[0])
		return;
	memset(cli.options, 0, sizeof(cli.options));
	cli.options[OPT_NO_VALIDATE_CHAIN] = "";
	cli.options[OPT_NO_VALIDATE_SNI] = "";
	cli.n_repeats = 0;
	cli.args[0] = hunt->probe_target;
	cli.n_args = 1;
	if (!strstr(hunt->probe_target, "s://")) {
		cli.options[OPT_NO_VALIDATE_CHAIN] = NULL;
		cli.options[OPT_NO_VALIDATE_SNI] = NULL;
	}
	if (probing_prepare(&probing, &cli, &err) < 0) {
		hunt_begin(hunt, "configured probe");
		hunt_end(hunt, "configured probe", HUNT_SKIPPED, "%s", err.text);
		return;
	}
	probe(hunt, "configured probe", &probing, &hunt->evidence.probe);
}

/* --- sizes of packets -------------------------------------------------------------------------- */

static void try_sizes(struct hunt *hunt)
{
	static const uint32_t sizes[] = {
		1500, 1492, 1480, 1472, 1450, 1420, 1400, 1280, 1000, 576
	};
	struct trouble_evidence *e = &hunt->evidence;
	struct trouble_sizes *found = &e->sizes;
	struct echo echo = { .n = 2 };
	uint32_t mtu = e->route.mtu < ECHO_PACKET_MAX ? e->route.mtu : ECHO_PACKET_MAX;

	if (!e->echo.n_answered || mtu <= echo_min_bytes(&e->way))
		return;
	hunt_begin(hunt, "packet sizes");
	echo.shots[0].packet_bytes = mtu;
	echo.shots[1].packet_bytes = echo_min_bytes(&e->way);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (sizes[i] < mtu)
			echo.shots[echo.n++].packet_bytes = sizes[i];
	if (echo_send(&echo, &e->way, hunt_time(hunt, SIZES_MS)) < 0 || !echo.permitted) {
		hunt_end(hunt, "packet sizes", HUNT_UNCLEAR, "not tried");
		return;
	}
	*found = (struct trouble_sizes){
		.asked = true,
		.large = echo.shots[0].answered,
		.small = echo.shots[1].answered,
		.told = echo.has_error,
		.mtu = mtu,
	};
	for (uint32_t i = 0; i < echo.n; i++)
		if (echo.shots[i].answered && echo.shots[i].packet_bytes > found->best)
			found->best = echo.shots[i].packet_bytes;
	hunt_end(hunt, "packet sizes",
		 found->large  ? HUNT_GOOD
		 : found->told ? HUNT_UNCLEAR
			       : HUNT_BAD,
		 "up to %u of %u bytes come through whole%s", found->best, mtu,
		 found->large  ? ""
		 : found->told ? ", and senders are told so"
			       : ", and nobody says so");
}

/* --- a request --------------------------------------------------------------------------------- */

static size_t compose(char request[REQUEST_MAX], const struct hunt *hunt, size_t padding)
{
	const struct plan *plan = &hunt->probing.plan;
	size_t len = (size_t)snprintf(request, REQUEST_MAX,
				      "HEAD / HTTP/1.1\r\nHost: %.255s\r\nConnection: close\r\n",
				      plan->host);

	if (padding) {
		len += (size_t)snprintf(request + len, REQUEST_MAX - len, "X-Padding: ");
		memset(request + len, 'a', padding - len);
		len = padding;
		memcpy(request + len, "\r\n", 2);
		len += 2;
	}
	memcpy(request + len, "\r\n", 2);
	return len + 2;
}

/* A request that fits into one packet, and one that fills several, of servers that speak HTTP. */
static void try_requests(struct hunt *hunt)
{
	struct trouble_evidence *e = &hunt->evidence;
	char request[REQUEST_MAX];
	struct way way = e->way;

	if (hunt->probing.plan.protocol != PROTO_HTTP)
		return;
	if (e->gate.refuses && e->behind.sent)
		way.mark = SL_PROBE_MARK;
	hunt_begin(hunt, "requests");
	if (talk_try(&e->small, &way, request, compose(request, hunt, 0),
		     hunt_time(hunt, TALK_MS)) < 0)
		return;
	if (e->small.acked &&
	    talk_try(&e->large, &way, request, compose(request, hunt, LARGE_BYTES),
		     hunt_time(hunt, TALK_MS)) < 0)
		return;
	hunt_end(hunt, "requests",
		 e->small.acked && e->large.acked && e->small.answered ? HUNT_GOOD : HUNT_BAD,
		 "a short one is %s and %s; one of %u bytes is %s",
		 e->small.acked ? "acknowledged" : "not acknowledged",
		 e->small.answered ? "answered" : "not answered", LARGE_BYTES,
		 !e->large.done   ? "not sent"
		 : e->large.acked ? "acknowledged"
				  : "not acknowledged");
}

void hunt_talk(struct hunt *hunt)
{
	struct trouble_evidence *e = &hunt->evidence;
	bool reached = e->attempts.answered || e->behind.answered;

	if (e->route.kind != ROUTE_FORWARD && e->route.kind != ROUTE_LOCAL)
		return;
	if (reached && e->route.kind == ROUTE_FORWARD) {
		try_sizes(hunt);
		try_requests(hunt);
	}
	if (e->way.has_from || e->way.device[0])
		hunt_note(hunt, "The full probe left as the routes say, whatever --from says.");
	if (reached || (e->way.udp && e->attempts.silent))
		probe(hunt, "full probe", &hunt->probing, &e->traffic);
	probe_as_configured(hunt);
}
