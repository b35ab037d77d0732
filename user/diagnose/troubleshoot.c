// SPDX-License-Identifier: GPL-2.0-or-later
/* troubleshoot - the order in which evidence is believed. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "diagnose/disagree.h"
#include "diagnose/troubleshoot_work.h"
#include "util/duration.h"

#define V4_AT 12 /* of an address in a v4-mapped one */

bool trouble_say(struct trouble_finding *finding, enum cause cause, const char *fmt, ...)
{
	va_list args;

	finding->cause = cause;
	va_start(args, fmt);
	vsnprintf(finding->text, sizeof(finding->text), fmt, args);
	va_end(args);
	return true;
}

const struct filter_match *trouble_certain(const struct filter_report *report)
{
	for (uint32_t i = 0; i < report->n; i++)
		if (report->of[i].certain)
			return &report->of[i];
	return NULL;
}

bool trouble_is_own(const struct trouble_evidence *e, const struct addr *addr)
{
	return e->route.has_source && !memcmp(addr, &e->route.source, sizeof(*addr));
}

/* --- inside and outside ------------------------------------------------------------------------ */

/* Networks that the internet has no routes to. */
static bool is_private(const struct addr *addr)
{
	static const struct {
		uint8_t byte[2], mask[2];
	} nets[] = {
		{ { 10, 0 }, { 0xff, 0 } },       { { 172, 16 }, { 0xff, 0xf0 } },
		{ { 192, 168 }, { 0xff, 0xff } }, { { 169, 254 }, { 0xff, 0xff } },
		{ { 100, 64 }, { 0xff, 0xc0 } },  { { 127, 0 }, { 0xff, 0 } },
	};
	const uint8_t *b = addr->bytes + V4_AT;

	if (!addr_is_v4(addr))
		return (addr->bytes[0] & 0xfe) == 0xfc ||
		       (addr->bytes[0] == 0xfe && (addr->bytes[1] & 0xc0) == 0x80);
	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		if ((b[0] & nets[i].mask[0]) == nets[i].byte[0] &&
		    (b[1] & nets[i].mask[1]) == nets[i].byte[1])
			return true;
	return false;
}

bool trouble_is_edge(const struct trouble_evidence *e, const struct addr *device)
{
	return !is_private(&e->way.to) && is_private(device) && e->route.has_source &&
	       is_private(&e->route.source);
}

/* --- the tree ---------------------------------------------------------------------------------- */

static bool from_refusal(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	char target[SL_TEXT_LEN];

	if (!e->attempts.refused)
		return false;
	return trouble_say(finding, CAUSE_REFUSED, "%s answered %s to %u of %u attempts.",
			   addr_port_format(target, &e->way.to, e->way.port),
			   e->way.udp ? "ICMP port unreachable" : "RST", e->attempts.refused,
			   e->attempts.sent);
}

static bool from_own_trouble(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	if (!e->attempts.local)
		return false;
	return trouble_say(finding, CAUSE_OWN_TROUBLE, "%u of %u attempts never left: %s.",
			   e->attempts.local, e->attempts.sent, strerror(e->attempts.os_errno));
}

static void decide(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	/* In the order of how much each proves. Answers come first: they prove the way. */
	static trouble_step *const steps[] = {
		trouble_from_name,       trouble_from_route, trouble_from_answers,
		trouble_from_own_filter, trouble_from_icmp,  from_refusal,
		trouble_from_silence,    from_own_trouble,
	};

	*finding = (struct trouble_finding){ .cause = CAUSE_REACHABLE };
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i](finding, e))
			return;
	trouble_say(finding, CAUSE_REACHABLE, "Nothing was found.");
}

/* The traffic's port and the probe's, where they are not the same, say who is wrong. */
static void compare_probe(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	char before[TROUBLE_TEXT_LEN / 2];

	snprintf(before, sizeof(before), "%.*s", (int)sizeof(before) - 1, finding->text);
	if (finding->cause == CAUSE_REACHABLE && e->probe.done && !e->probe.passed)
		trouble_say(finding, CAUSE_PROBE_WRONG,
			    "The port of the traffic, %u/%s, works; the probe's, %u/%s, does not: "
			    "%.300s",
			    e->way.port, e->way.udp ? "udp" : "tcp", e->probe.port,
			    e->probe.udp ? "udp" : "tcp", e->probe.message);
	else if (finding->cause != CAUSE_REACHABLE && e->probe.done && e->probe.passed)
		trouble_say(finding, CAUSE_GREEN_BUT_BROKEN,
			    "The probe's port, %u/%s, works; the traffic's, %u/%s, does not (%s): "
			    "%s",
			    e->probe.port, e->probe.udp ? "udp" : "tcp", e->way.port,
			    e->way.udp ? "udp" : "tcp", cause_id(finding->cause), before);
}

/* What this host is served, clients may not be; and the other way round. */
static void compare_clients(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	const struct traffic *lately = &e->clients.lately;
	char count[DISAGREE_COUNT_LEN], window[DURATION_LEN];
	size_t len = strlen(finding->text);

	if (!e->clients.known)
		return;
	disagree_count(count, lately);
	duration_human(window, e->clients.window_ms);
	if (finding->cause == CAUSE_REACHABLE && traffic_fails(lately))
		trouble_say(finding, disagree_clients_cause(lately),
			    "This host is served, and clients are not: within %s, %s.", window,
			    count);
	else if (finding->cause != CAUSE_REACHABLE && !e->attempts.answered &&
		 traffic_works(lately))
		snprintf(finding->text + len, sizeof(finding->text) - len,
			 " But clients connect (within %s, %s): it is this host alone that is not "
			 "served.",
			 window, count);
}

static void say_gate(struct trouble_finding *finding, const struct trouble_gate *gate)
{
	if (!gate->is_endpoint)
		trouble_say(finding, CAUSE_GATE_CLOSED, "The gateway itself refuses this: %s",
			    gate->reason);
	else if (strcmp(gate->admin, "enabled") != 0 && gate->admin[0])
		trouble_say(
			finding, CAUSE_GATE_CLOSED,
			"The gateway itself refuses this, because the endpoint in pool %s is %s.",
			gate->pool, gate->admin);
	else
		trouble_say(finding, CAUSE_GATE_CLOSED,
			    "The gateway itself refuses this, because the endpoint in pool %s is "
			    "%s: %s",
			    gate->pool, gate->health, gate->reason);
}

static void decide_behind_gate(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	struct trouble_evidence past = *e;
	struct trouble_finding behind;

	say_gate(finding, &e->gate);
	if (!e->behind.sent)
		return;
	past.attempts = e->behind;
	decide(&behind, &past);
	compare_probe(&behind, &past);
	/* A gate that is closed for nothing but its probe is not what has to be repaired. */
	if (behind.cause == CAUSE_PROBE_WRONG) {
		*finding = behind;
		return;
	}
	finding->has_behind = true;
	finding->behind = behind.cause;
	snprintf(finding->behind_text, sizeof(finding->behind_text), "%s", behind.text);
}

void troubleshoot(struct trouble_finding *ret_finding, const struct trouble_evidence *evidence)
{
	if (evidence->local.looked) {
		troubleshoot_local(ret_finding, evidence);
		return;
	}
	decide(ret_finding, evidence);
	if (evidence->gate.refuses && evidence->route.kind == ROUTE_FORWARD) {
		decide_behind_gate(ret_finding, evidence);
		return;
	}
	compare_probe(ret_finding, evidence);
	compare_clients(ret_finding, evidence);
}

/* --- in the vocabulary of Network Watcher ------------------------------------------------------ */

const char *trouble_connection_status(const struct trouble_evidence *evidence)
{
	return evidence->attempts.answered ? "Reachable" : "Unreachable";
}

const char *trouble_port_status(const struct trouble_evidence *evidence)
{
	const struct attempt_tally *attempts = &evidence->attempts;

	if (!attempts->sent)
		return "Unknown";
	if (attempts->answered)
		return attempts->answered == attempts->sent ? "Reachable" : "Unstable";
	/* Datagrams that nobody answers are nothing unusual. */
	if (attempts->silent == attempts->sent)
		return evidence->way.udp ? "Unknown" : "Timeout";
	return "NoConnection";
}
