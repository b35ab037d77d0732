// SPDX-License-Identifier: GPL-2.0-or-later
/* troubleshoot_way - what names, routes, filters, ICMP and silence say. */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "diagnose/troubleshoot_work.h"

#define RCODE_NOERROR 0
#define RCODE_NXDOMAIN 3

/* --- names ------------------------------------------------------------------------------------- */

bool trouble_from_name(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	const struct resolve_answer *dns = e->dns;
	enum cause cause = CAUSE_NAME_SERVER_FAILED;

	if (!dns || dns->n)
		return false;
	if (dns->rcode == RCODE_NONE)
		cause = CAUSE_NAME_SERVER_SILENT;
	else if (dns->rcode == RCODE_NXDOMAIN)
		cause = CAUSE_NAME_UNKNOWN;
	else if (dns->rcode == RCODE_NOERROR)
		cause = CAUSE_NAME_WITHOUT_ADDRESS;
	return trouble_say(finding, cause, "%s; asked %s.",
			   dns->why[0] ? dns->why : rcode_name(dns->rcode),
			   dns->servers[0] ? dns->servers : "nobody");
}

/* --- routes ------------------------------------------------------------------------------------ */

bool trouble_from_route(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	char target[SL_TEXT_LEN];

	addr_format(target, &e->way.to);
	switch (e->route.kind) {
	case ROUTE_NONE:
		return trouble_say(finding, CAUSE_NO_ROUTE, "No route of this host covers %s.",
				   target);
	case ROUTE_UNREACHABLE:
		return trouble_say(finding, CAUSE_ROUTE_REFUSES,
				   "The route to %s is of type unreachable.", target);
	case ROUTE_PROHIBIT:
		return trouble_say(finding, CAUSE_ROUTE_REFUSES,
				   "The route to %s is of type prohibit.", target);
	case ROUTE_BLACKHOLE:
		return trouble_say(finding, CAUSE_ROUTE_REFUSES,
				   "The route to %s is of type blackhole.", target);
	case ROUTE_NO_SOURCE:
		return trouble_say(finding, CAUSE_NO_SOURCE_ADDRESS,
				   "What to leave by on the way to %s is not there.", target);
	case ROUTE_UNASKED:
	case ROUTE_FORWARD:
	case ROUTE_LOCAL:
		break;
	}
	return false;
}

/* --- this host's filters ----------------------------------------------------------------------- */

bool trouble_from_own_filter(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	const struct filter_match *match = trouble_certain(&e->filters);
	char rule[TROUBLE_RULE_LEN];

	if (!match)
		return false;
	return trouble_say(finding, CAUSE_OWN_FILTER, "%s ends them: %s.",
			   match->action == FILTER_DROP ? "A drop" : "A reject",
			   trouble_rule(rule, match));
}

/* --- ICMP -------------------------------------------------------------------------------------- */

enum saying { SAYS_NO_HOST, SAYS_NO_NET, SAYS_FORBIDDEN, SAYS_LOOP, SAYS_OTHER };

static enum saying saying_v4(const struct icmp_error *icmp)
{
	if (icmp->type == ICMP_TIME_EXCEEDED)
		return SAYS_LOOP;
	if (icmp->type != ICMP_DEST_UNREACH)
		return SAYS_OTHER;
	switch (icmp->code) {
	case ICMP_HOST_UNREACH:
	case ICMP_HOST_UNKNOWN:
	case ICMP_HOST_ISOLATED:
		return SAYS_NO_HOST;
	case ICMP_NET_UNREACH:
	case ICMP_NET_UNKNOWN:
	case ICMP_SR_FAILED:
		return SAYS_NO_NET;
	default:
		return SAYS_FORBIDDEN;
	}
}

static enum saying saying_v6(const struct icmp_error *icmp)
{
	if (icmp->type == ICMP6_TIME_EXCEEDED)
		return SAYS_LOOP;
	if (icmp->type != ICMP6_DST_UNREACH)
		return SAYS_OTHER;
	switch (icmp->code) {
	case ICMP6_DST_UNREACH_ADDR:
		return SAYS_NO_HOST;
	case ICMP6_DST_UNREACH_NOROUTE:
	case ICMP6_DST_UNREACH_BEYONDSCOPE:
		return SAYS_NO_NET;
	default:
		return SAYS_FORBIDDEN;
	}
}

/* This host is told by itself that nobody answers on the link, or that a rule of its own rejects. */
static bool from_own_icmp(struct trouble_finding *finding, const struct trouble_evidence *e,
			  enum saying saying, const char *what)
{
	if (saying == SAYS_NO_HOST && e->neighbour.state != NEIGHBOUR_FRESH)
		return false;
	return trouble_say(finding, CAUSE_OWN_FILTER,
			   "This host rejects its own packets: %s came from its own address.",
			   what);
}

static bool target_lives(const struct trouble_evidence *e)
{
	return e->echo.n_answered || walk_arrived(&e->other_walk);
}

static bool from_router(struct trouble_finding *finding, const struct trouble_evidence *e,
			enum saying saying, const char *from, const char *what)
{
	bool edge = trouble_is_edge(e, &e->attempts.error.from);

	switch (saying) {
	case SAYS_LOOP:
		return trouble_say(finding, CAUSE_ROUTING_LOOP, "%s came from %s.", what, from);
	case SAYS_NO_HOST:
		if (target_lives(e))
			break;
		return trouble_say(finding, CAUSE_HOST_DOWN,
				   "%s, a router before the target, finds nobody at its address: "
				   "%s.",
				   from, what);
	case SAYS_NO_NET:
		if (target_lives(e))
			break;
		return trouble_say(finding, CAUSE_PATH_UNREACHABLE, "%s came from %s.", what, from);
	case SAYS_FORBIDDEN:
	case SAYS_OTHER:
		break;
	}
	return trouble_say(finding, edge ? CAUSE_EDGE_REJECTS : CAUSE_PATH_REJECTS,
			   "%s came from %s, which is not the target.", what, from);
}

bool trouble_from_icmp(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	const struct icmp_error *icmp = &e->attempts.error;
	char what[TROUBLE_ICMP_LEN], from[SL_TEXT_LEN];
	enum saying saying;

	if (!e->attempts.icmp)
		return false;
	saying = addr_is_v4(&e->way.to) ? saying_v4(icmp) : saying_v6(icmp);
	trouble_icmp(what, icmp);
	addr_format(from, &icmp->from);
	if (!memcmp(&icmp->from, &e->way.to, sizeof(icmp->from)))
		return trouble_say(finding, CAUSE_HOST_FIREWALL_REJECTS,
				   "%s came from the target itself, %s.", what, from);
	if (trouble_is_own(e, &icmp->from))
		return from_own_icmp(finding, e, saying, what);
	return from_router(finding, e, saying, from, what);
}

/* --- silence ----------------------------------------------------------------------------------- */

static bool from_link(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	bool waits =
		e->neighbour.state == NEIGHBOUR_FAILED || e->neighbour.state == NEIGHBOUR_WAITING;
	char next[SL_TEXT_LEN], target[SL_TEXT_LEN];

	addr_format(next, &e->route.gateway);
	addr_format(target, &e->way.to);
	if (e->route.kind == ROUTE_FORWARD && !e->route.has_carrier)
		return trouble_say(finding, CAUSE_LINK_DOWN, "%s has no carrier.", e->route.device);
	if (!waits)
		return false;
	if (e->route.has_gateway)
		return trouble_say(finding, CAUSE_NEXT_HOP_DOWN,
				   "Nobody answers for %s, the gateway on %s (%s).", next,
				   e->route.device, addr_is_v4(&e->route.gateway) ? "ARP" : "ND");
	return trouble_say(finding, CAUSE_HOST_DOWN, "Nobody answers for %s on %s (%s).", target,
			   e->route.device, addr_is_v4(&e->way.to) ? "ARP" : "ND");
}

static bool from_halfopen(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	switch (e->halfopen) {
	case HALFOPEN_KEPT:
		return trouble_say(finding, CAUSE_REPLY_LOST,
				   "No SYN is answered, but the target acknowledges a second "
				   "segment of the same connection: it got the SYN.");
	case HALFOPEN_UNKNOWN_THERE:
		return trouble_say(finding, CAUSE_ACCEPT_QUEUE_FULL,
				   "No SYN is answered, but other segments to the same port are, "
				   "with RST: TCP of the target gets them, and drops new "
				   "connections.");
	case HALFOPEN_ANSWERED:
		return trouble_say(finding, CAUSE_PACKET_LOSS,
				   "No attempt of %u was answered, and one more was.",
				   e->attempts.sent);
	case HALFOPEN_UNASKED:
	case HALFOPEN_SILENT:
		break;
	}
	return false;
}

/* Where on the way packets of the traffic end, and whether others come further. */
static bool from_walk(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	uint32_t n = walk_routers(&e->walk), others = walk_routers(&e->other_walk);
	const struct addr *last = n ? &e->walk.hops[n - 1].icmp.from : NULL;
	bool edge = last && trouble_is_edge(e, last), lives = target_lives(e);
	char at[SL_TEXT_LEN], next[SL_TEXT_LEN];

	if (!last || !e->walk.done)
		return false;
	addr_format(at, last);
	if (others > n) {
		addr_format(next, &e->other_walk.hops[n].icmp.from);
		return trouble_say(finding, edge ? CAUSE_EDGE_DROPS : CAUSE_PATH_DROPS,
				   "The traffic comes as far as %s (hop %u); other packets come "
				   "to %s (hop %u)%s.",
				   at, n, next, n + 1, lives ? " and to the target" : "");
	}
	if (lives)
		return edge ? trouble_say(
				      finding, CAUSE_EDGE_DROPS,
				      "The traffic comes as far as %s (hop %u), the last device "
				      "of this side; the target answers other packets.",
				      at, n)
			    : trouble_say(
				      finding, CAUSE_HOST_FIREWALL_DROPS,
				      "The traffic comes as far as %s (hop %u), the last before "
				      "the target, which answers other packets.",
				      at, n);
	return trouble_say(finding, edge ? CAUSE_EDGE_DROPS : CAUSE_PATH_ENDS,
			   "Nothing comes further than %s (hop %u): neither the traffic nor other "
			   "packets.",
			   at, n);
}

bool trouble_from_silence(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	char target[SL_TEXT_LEN];

	if (!e->attempts.silent && !e->attempts.local && !e->attempts.icmp)
		return false;
	if (from_link(finding, e) || from_halfopen(finding, e))
		return true;
	if (!e->attempts.silent)
		return false;
	/* Datagrams need not be answered: silence means nothing. */
	if (e->way.udp)
		return trouble_say(finding, CAUSE_REACHABLE,
				   "Nothing refused the datagrams and nothing answered them: of "
				   "UDP, silence proves neither.");
	if (from_walk(finding, e))
		return true;
	addr_format(target, &e->way.to);
	if (!e->route.has_gateway || target_lives(e))
		return trouble_say(finding, CAUSE_HOST_FIREWALL_DROPS,
				   "%s is there (%s), and none of %u SYNs to port %u is answered.",
				   target,
				   e->echo.n_answered             ? "it answers echo"
				   : walk_arrived(&e->other_walk) ? "it answers other packets"
								  : "it answers on the link",
				   e->attempts.sent, e->way.port);
	return trouble_say(finding, CAUSE_PATH_ENDS,
			   "Nothing that was sent to %s was answered, by nobody on the way.",
			   target);
}
