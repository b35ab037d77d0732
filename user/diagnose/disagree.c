// SPDX-License-Identifier: GPL-2.0-or-later
#include "diagnose/disagree.h"

#include <inttypes.h>
#include <stdio.h>

#include "util/duration.h"

/* One probe that failed may be bad luck. */
#define FAILURES_MIN 2

const char *disagree_count(char buf[DISAGREE_COUNT_LEN], const struct traffic *traffic)
{
	uint64_t failed = traffic_failed(traffic);

	snprintf(buf, DISAGREE_COUNT_LEN,
		 "of %" PRIu64 " attempts to connect %" PRIu64 " failed (refused %" PRIu32
		 ", unreachable %" PRIu32 ", unanswered %" PRIu32 ")",
		 failed + traffic->answered, failed, traffic->refused, traffic->unreachable,
		 traffic->unanswered);
	return buf;
}

enum cause disagree_clients_cause(const struct traffic *traffic)
{
	return traffic->unanswered > (uint64_t)traffic->refused + traffic->unreachable
		       ? CAUSE_CLIENTS_UNANSWERED
		       : CAUSE_CLIENTS_REFUSED;
}

static bool is_elsewhere(const struct disagree_facts *facts)
{
	return facts->plan->port != facts->endpoint->key.port || facts->plan->protocol == PROTO_UDP;
}

static bool probes_pass(const struct board_entry *entry)
{
	return entry->n_verdicts && entry->health.proven == SL_HEALTHY &&
	       message_passed(entry->recent[0].verdict.code);
}

static bool probes_fail(const struct board_entry *entry)
{
	enum sl_message code = entry->recent[0].verdict.code;

	return entry->n_verdicts && !message_passed(code) && !message_ours(code) &&
	       (entry->health.proven == SL_UNHEALTHY || entry->health.failures >= FAILURES_MIN);
}

static void say_ports(char *buf, size_t size, const struct disagree_facts *facts)
{
	if (is_elsewhere(facts))
		snprintf(buf, size,
			 "The probe asks port %u/%s and clients use %u/tcp: it does not test what "
			 "they use.",
			 facts->plan->port, facts->plan->protocol == PROTO_UDP ? "udp" : "tcp",
			 facts->endpoint->key.port);
	else
		snprintf(buf, size,
			 "Both use port %u; what differs is the address that they come from.",
			 facts->plan->port);
}

static void find_clients_failing(struct disagreement *ret, const struct disagree_facts *facts)
{
	char count[DISAGREE_COUNT_LEN], ports[128], window[DURATION_LEN];

	ret->cause = is_elsewhere(facts) ? CAUSE_GREEN_BUT_BROKEN
					 : disagree_clients_cause(&facts->lately);
	say_ports(ports, sizeof(ports), facts);
	snprintf(ret->text, sizeof(ret->text),
		 "The probe passes, and clients fail: within %s, %s. %s",
		 duration_human(window, facts->window_ms), disagree_count(count, &facts->lately),
		 ports);
}

static void find_probe_failing(struct disagreement *ret, const struct disagree_facts *facts)
{
	char count[DISAGREE_COUNT_LEN], ports[128], window[DURATION_LEN];

	ret->cause = CAUSE_PROBE_WRONG;
	say_ports(ports, sizeof(ports), facts);
	snprintf(ret->text, sizeof(ret->text),
		 "Clients connect, and the probe fails: since it began to, %s ago, %s. %s",
		 duration_human(window, facts->window_ms), disagree_count(count, &facts->lately),
		 ports);
}

/* Of what is asked on an open connection, that clients can open theirs says nothing. */
static bool is_contradicted(const struct disagree_facts *facts)
{
	return is_elsewhere(facts) || facts->entry->recent[0].verdict.stage <= STAGE_CONNECT;
}

bool disagree(struct disagreement *ret, const struct disagree_facts *facts)
{
	*ret = (struct disagreement){ .cause = CAUSE_REACHABLE };
	if (!facts->window_ms || facts->endpoint->key.proto != SL_TCP)
		return false;
	if (probes_pass(facts->entry) && traffic_fails(&facts->lately))
		find_clients_failing(ret, facts);
	else if (probes_fail(facts->entry) && traffic_works(&facts->lately) &&
		 is_contradicted(facts))
		find_probe_failing(ret, facts);
	return ret->cause != CAUSE_REACHABLE;
}
