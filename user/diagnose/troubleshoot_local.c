// SPDX-License-Identifier: GPL-2.0-or-later
/* troubleshoot_local - what is wrong on the target itself. */
#include <stdio.h>
#include <string.h>

#include "diagnose/troubleshoot_work.h"

static const struct addr anywhere = { .bytes = { 0 } };

/* "nginx (pid 12)"; returns buf. */
#define WHO_LEN 48
static const char *who(char buf[WHO_LEN], const struct listener *listener)
{
	if (listener->pid)
		snprintf(buf, WHO_LEN, "%s (pid %d)", listener->comm, listener->pid);
	else
		snprintf(buf, WHO_LEN, "a process that is not ours to see");
	return buf;
}

static bool no_listener(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	if (e->local.listeners.n)
		return false;
	return trouble_say(finding, CAUSE_NOT_RUNNING,
			   "No socket of this host waits on %s port %u.",
			   e->way.udp ? "UDP" : "TCP", e->way.port);
}

static bool loopback_only(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	const struct listeners *listeners = &e->local.listeners;
	char text[WHO_LEN], address[SL_TEXT_LEN];

	/* Who asks for loopback itself gets what he wants. */
	if (memcmp(&e->way.to, &anywhere, sizeof(anywhere)) != 0)
		for (uint32_t i = 0; i < listeners->n; i++)
			if (listener_covers(&listeners->of[i], &e->way.to))
				return false;
	for (uint32_t i = 0; i < listeners->n; i++)
		if (!listener_is_loopback(&listeners->of[i]))
			return false;
	return trouble_say(finding, CAUSE_LOOPBACK_ONLY, "%s listens on %s only.",
			   who(text, &listeners->of[0]),
			   addr_port_format(address, &listeners->of[0].addr, e->way.port));
}

static bool other_address(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	const struct listeners *listeners = &e->local.listeners;
	char text[WHO_LEN], address[SL_TEXT_LEN], target[SL_TEXT_LEN];

	if (!memcmp(&e->way.to, &anywhere, sizeof(anywhere)))
		return false;
	for (uint32_t i = 0; i < listeners->n; i++)
		if (listener_covers(&listeners->of[i], &e->way.to))
			return false;
	return trouble_say(finding, CAUSE_OTHER_ADDRESS, "%s listens on %s, and not on %s.",
			   who(text, &listeners->of[0]),
			   addr_port_format(address, &listeners->of[0].addr, e->way.port),
			   addr_format(target, &e->way.to));
}

/* The kernel lets one more in than the backlog says; a queue that is just full loses some in bursts. */
static bool is_full(const struct listener *listener, const struct trouble_local *local)
{
	return listener->queued > listener->backlog ||
	       (listener->queued && listener->queued == listener->backlog && local->overflows);
}

static bool queue_full(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	const struct listeners *listeners = &e->local.listeners;
	char text[WHO_LEN];

	for (uint32_t i = 0; !e->way.udp && i < listeners->n; i++) {
		const struct listener *listener = &listeners->of[i];

		if (is_full(listener, &e->local))
			return trouble_say(finding, CAUSE_ACCEPT_QUEUE_FULL,
					   "%u connections wait to be accepted by %s, whose "
					   "backlog is %u%s.",
					   listener->queued, who(text, listener), listener->backlog,
					   e->local.overflows ? "; the host's count of overflows "
								"rises"
							      : "");
	}
	return false;
}

static bool filtered(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	const struct filter_match *match = trouble_certain(&e->local.filters);
	char rule[TROUBLE_RULE_LEN];

	if (!match)
		return false;
	return trouble_say(finding,
			   match->action == FILTER_DROP ? CAUSE_HOST_FIREWALL_DROPS
							: CAUSE_HOST_FIREWALL_REJECTS,
			   "What comes in to the port ends at: %s.", trouble_rule(rule, match));
}

/* Sockets are there; what the tries say of those that they cover. */
static bool tries_failed(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	char target[SL_TEXT_LEN];

	for (uint32_t i = 0; !e->way.udp && i < e->local.n_tries; i++) {
		const struct trouble_try *try = &e->local.tries[i];
		const struct attempt_tally *attempts = &try->attempts;
		bool covered = false;

		for (uint32_t j = 0; j < e->local.listeners.n; j++)
			covered |= listener_covers(&e->local.listeners.of[j], &try->to);
		if (!covered || !attempts->sent || attempts->answered)
			continue;
		addr_port_format(target, &try->to, e->way.port);
		if (attempts->refused || attempts->icmp)
			return trouble_say(
				finding, CAUSE_HOST_FIREWALL_REJECTS,
				"Something listens on %s, and this host's own connection "
				"to it is rejected.",
				target);
		return trouble_say(finding, CAUSE_ACCEPT_QUEUE_FULL,
				   "Something listens on %s, and this host's own connection to it "
				   "is not answered.",
				   target);
	}
	return false;
}

static bool not_answering(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	if (!e->traffic.done || e->traffic.passed)
		return false;
	return trouble_say(finding,
			   e->traffic.code == SL_MSG_BACKEND_TIMEOUT ? CAUSE_NO_ANSWER
								     : CAUSE_APPLICATION_ERROR,
			   "%s", e->traffic.message);
}

void troubleshoot_local(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	static trouble_step *const steps[] = {
		no_listener, loopback_only, other_address, queue_full,
		filtered,    tries_failed,  not_answering,
	};
	char text[WHO_LEN], address[SL_TEXT_LEN];

	*finding = (struct trouble_finding){ .cause = CAUSE_REACHABLE };
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i](finding, e))
			return;
	trouble_say(finding, CAUSE_REACHABLE,
		    "%s listens on %s, and answers on this host. Look from another host next.",
		    who(text, &e->local.listeners.of[0]),
		    addr_port_format(address, &e->local.listeners.of[0].addr, e->way.port));
}
