// SPDX-License-Identifier: GPL-2.0-or-later
/* hunt_way - names, routes, neighbours, attempts, hops: how far packets come. */
#include <errno.h>
#include <string.h>

#include "cli/hunt.h"
#include "util/clock.h"

#define NAME_MS 4000
/* Three SYNs of the kernel's, and the three seconds after which ARP and ND give up. */
#define ATTEMPT_MS 3300
#define NEIGHBOUR_MS 3300
#define ECHO_MS 800
#define WALK_MS 1200
#define HALFOPEN_MS 900
#define ECHOES 3
/* Padding for people who look at a capture: as ping sends it. */
#define ECHO_BYTES 84

/* --- the name ---------------------------------------------------------------------------------- */

static int ask_name(struct hunt *hunt)
{
	struct probing *probing = &hunt->probing;
	char name[sizeof(probing->order.target.host)];
	size_t len = (size_t)snprintf(name, sizeof(name), "%s", probing->order.target.host);
	int r;

	if (len && name[len - 1] == '.')
		name[len - 1] = '\0';
	r = uv_loop_init(&probing->loop);
	if (r < 0)
		return r;
	r = resolve_once(&probing->loop, name, hunt_time(hunt, NAME_MS), &hunt->answer);
	uv_run(&probing->loop, UV_RUN_DEFAULT);
	uv_loop_close(&probing->loop);
	return r;
}

static bool is_family(const struct hunt *hunt, const struct addr *addr)
{
	return !hunt->evidence.way.has_from ||
	       addr_is_v4(addr) == addr_is_v4(&hunt->evidence.way.from);
}

/* Of the name's addresses, one that the source address can reach comes first. */
static void choose(struct hunt *hunt)
{
	struct resolve_answer *answer = &hunt->answer;
	uint32_t i = 0;

	probing_choose(answer);
	while (i < answer->n && !is_family(hunt, &answer->addrs[i]))
		i++;
	hunt->evidence.way.to = answer->addrs[i < answer->n ? i : 0];
	hunt->probing.plan.addr = hunt->evidence.way.to;
}

void hunt_name(struct hunt *hunt)
{
	struct target *target = &hunt->probing.order.target;
	const struct resolve_answer *answer = &hunt->answer;
	char text[SL_TEXT_LEN];
	int r;

	if (!target->is_name)
		return;
	hunt_begin(hunt, "name");
	r = ask_name(hunt);
	if (r < 0) {
		hunt_end(hunt, "name", HUNT_UNCLEAR, "nobody was asked for %s: %s", target->host,
			 strerror(-r));
		snprintf(hunt->answer.why, sizeof(hunt->answer.why), "nobody was asked: %s",
			 strerror(-r));
		hunt->answer.rcode = RCODE_NONE;
	}
	hunt->evidence.dns = &hunt->answer;
	if (r < 0)
		return;
	if (!answer->n) {
		hunt_end(hunt, "name", HUNT_BAD, "%s: %s (%s), asked %s", target->host,
			 answer->why[0] ? answer->why : "no address", rcode_name(answer->rcode),
			 answer->servers[0] ? answer->servers : "nobody");
		return;
	}
	choose(hunt);
	/* From here on it is an address. */
	target->is_name = false;
	hunt_end(hunt, "name", HUNT_GOOD, "%s is %s (%u address%s, TTL %u s, %s)", target->host,
		 addr_format(text, &hunt->evidence.way.to), answer->n, answer->n == 1 ? "" : "es",
		 answer->ttl_s, answer->servers[0] ? answer->servers : "hosts file");
}

/* --- the route --------------------------------------------------------------------------------- */

static const char *no_way(enum route_kind kind)
{
	switch (kind) {
	case ROUTE_UNREACHABLE:
		return "of type unreachable";
	case ROUTE_PROHIBIT:
		return "of type prohibit";
	case ROUTE_BLACKHOLE:
		return "of type blackhole";
	case ROUTE_NO_SOURCE:
		return "none by what --from names";
	default:
		return "none";
	}
}

void hunt_route(struct hunt *hunt)
{
	struct route *route = &hunt->evidence.route;
	char next[SL_TEXT_LEN], source[SL_TEXT_LEN] = "?";
	int r;

	hunt_begin(hunt, "route");
	r = route_find(route, &hunt->evidence.way);
	if (r < 0) {
		hunt_end(hunt, "route", HUNT_UNCLEAR, "the kernel does not say: %s", strerror(-r));
		return;
	}
	if (route->has_source)
		addr_format(source, &route->source);
	if (route->kind == ROUTE_LOCAL)
		hunt_end(hunt, "route", HUNT_GOOD, "an address of this host");
	else if (route->kind != ROUTE_FORWARD)
		hunt_end(hunt, "route", HUNT_BAD, "%s", no_way(route->kind));
	else
		hunt_end(hunt, "route", route->has_carrier ? HUNT_GOOD : HUNT_BAD,
			 "%s%s, out by %s%s, from %s, MTU %u",
			 route->has_gateway ? "through " : "on the link",
			 route->has_gateway ? addr_format(next, &route->gateway) : "",
			 route->device, route->has_carrier ? "" : " (no carrier)", source,
			 route->mtu);
}

/* --- attempts ---------------------------------------------------------------------------------- */

static void say_attempts(struct hunt *hunt, const char *name, const struct attempt_tally *a)
{
	char icmp[TROUBLE_ICMP_LEN] = "", from[SL_TEXT_LEN] = "", text[HUNT_TEXT_LEN / 2] = "";
	enum hunt_state state = a->answered == a->sent ? HUNT_GOOD : HUNT_BAD;

	if (a->icmp)
		snprintf(text, sizeof(text), "; %s from %s", trouble_icmp(icmp, &a->error),
			 addr_format(from, &a->error.from));
	else if (a->local)
		snprintf(text, sizeof(text), "; %s", strerror(a->os_errno));
	else if (a->answered)
		snprintf(text, sizeof(text), "; %u/%u/%u us min/avg/max", a->min_us,
			 (uint32_t)(a->sum_us / a->answered), a->max_us);
	if (state == HUNT_BAD && hunt->evidence.way.udp && a->silent == a->sent)
		state = HUNT_UNCLEAR;
	hunt_end(hunt, name, state,
		 "%u sent: %u answered, %u refused%s, %u ended by ICMP, %u unanswered, %u not "
		 "sent%s",
		 a->sent, a->answered, a->refused, hunt->evidence.way.udp ? "" : " (RST)", a->icmp,
		 a->silent, a->local, text);
}

static void attempt(struct hunt *hunt)
{
	struct trouble_evidence *e = &hunt->evidence;
	const char *name = e->way.udp ? "datagrams" : "connect";
	int r;

	hunt_begin(hunt, name);
	r = attempts_make(&e->attempts, &e->way, hunt->count, hunt_time(hunt, ATTEMPT_MS));
	if (r < 0)
		hunt_end(hunt, name, HUNT_UNCLEAR, "not tried: %s", strerror(-r));
	else
		say_attempts(hunt, name, &e->attempts);
}

/* What becomes of packets that our own gate lets through, as it does the daemon's probes. */
static void attempt_behind(struct hunt *hunt)
{
	struct trouble_evidence *e = &hunt->evidence;
	struct way way = e->way;
	int r;

	if (!e->gate.refuses)
		return;
	way.mark = SL_PROBE_MARK;
	hunt_begin(hunt, "past the gate");
	r = attempts_make(&e->behind, &way, hunt->count, hunt_time(hunt, ATTEMPT_MS));
	if (r < 0) {
		hunt_end(hunt, "past the gate", HUNT_SKIPPED, "not tried: %s", strerror(-r));
		hunt_note(hunt,
			  "What is behind the closed gate was not looked at: that is for root.");
	} else {
		say_attempts(hunt, "past the gate", &e->behind);
	}
}

/* --- the link ---------------------------------------------------------------------------------- */

static void look_at_neighbour(struct hunt *hunt)
{
	static const char *const words[] = {
		[NEIGHBOUR_UNASKED] = "this link needs no addresses",
		[NEIGHBOUR_NONE] = "nothing is known",
		[NEIGHBOUR_WAITING] = "no answer yet",
		[NEIGHBOUR_FAILED] = "no answer",
		[NEIGHBOUR_OLD] = "answered some time ago",
		[NEIGHBOUR_FRESH] = "answers",
	};
	struct trouble_evidence *e = &hunt->evidence;
	const struct addr *next = route_next(&e->route, &e->way);
	char text[SL_TEXT_LEN], mac[32] = "";
	const uint8_t *m = e->neighbour.mac;
	enum hunt_state state = HUNT_GOOD;
	int r;

	hunt_begin(hunt, "neighbour");
	/* Who answers is there: there is nothing to wait for. */
	r = e->attempts.answered + e->attempts.refused
		    ? neighbour_read(&e->neighbour, next, e->route.ifindex)
		    : neighbour_settle(&e->neighbour, next, e->route.ifindex,
				       clock_mono_ns() + hunt_time(hunt, NEIGHBOUR_MS) * NS_PER_MS);
	if (r < 0) {
		hunt_end(hunt, "neighbour", HUNT_UNCLEAR, "the kernel does not say: %s",
			 strerror(-r));
		return;
	}
	if (e->neighbour.state == NEIGHBOUR_FAILED || e->neighbour.state == NEIGHBOUR_WAITING)
		state = HUNT_BAD;
	else if (e->neighbour.state == NEIGHBOUR_NONE)
		state = HUNT_UNCLEAR;
	if (e->neighbour.has_mac)
		snprintf(mac, sizeof(mac), " as %02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2],
			 m[3], m[4], m[5]);
	hunt_end(hunt, "neighbour", state, "%s (%s)%s: %s", addr_format(text, next),
		 e->route.has_gateway ? "the gateway" : "the target", mac,
		 words[e->neighbour.state]);
}

static void send_echo(struct hunt *hunt)
{
	struct trouble_evidence *e = &hunt->evidence;
	uint32_t min_us = UINT32_MAX;
	int r;

	hunt_begin(hunt, "echo");
	e->echo.n = ECHOES;
	for (uint32_t i = 0; i < ECHOES; i++)
		e->echo.shots[i].packet_bytes = ECHO_BYTES;
	r = echo_send(&e->echo, &e->way, hunt_time(hunt, ECHO_MS));
	for (uint32_t i = 0; i < ECHOES; i++)
		if (e->echo.shots[i].answered && e->echo.shots[i].rtt_us < min_us)
			min_us = e->echo.shots[i].rtt_us;
	if (r < 0)
		hunt_end(hunt, "echo", HUNT_UNCLEAR, "not sent: %s", strerror(-r));
	else if (!e->echo.permitted)
		hunt_end(hunt, "echo", HUNT_SKIPPED, "not permitted");
	else if (e->echo.n_answered)
		hunt_end(hunt, "echo", HUNT_GOOD, "%u of %u answered, %u us", e->echo.n_answered,
			 e->echo.n, min_us);
	else
		hunt_end(hunt, "echo", HUNT_UNCLEAR, "0 of %u answered, which alone proves nothing",
			 e->echo.n);
	if (!e->echo.permitted)
		hunt_note(hunt, "Echo was not tried: it takes root, or net.ipv4.ping_group_range.");
}

/* --- where packets end ------------------------------------------------------------------------- */

static void say_walk(struct hunt *hunt, const char *name, const struct walk *walk)
{
	char text[HUNT_TEXT_LEN] = "", from[SL_TEXT_LEN];
	size_t len = 0;

	for (uint32_t i = 0; i < walk->n && len < sizeof(text); i++) {
		const struct hop *hop = &walk->hops[i];
		const char *who = hop->kind == HOP_TARGET   ? "target"
				  : hop->kind == HOP_SILENT ? "?"
							    : addr_format(from, &hop->icmp.from);

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s%s", i ? " - " : "",
					who, hop->kind == HOP_REFUSED ? " (refuses)" : "");
	}
	hunt_end(hunt, name, walk_arrived(walk) ? HUNT_GOOD : HUNT_UNCLEAR, "%s%s",
		 walk->n ? text : "nobody says anything",
		 walk_arrived(walk) || !walk->n ? "" : " - nothing further");
}

static void walk(struct hunt *hunt, const char *name, enum walk_kind kind, const struct way *way,
		 struct walk *ret_walk)
{
	int r;

	hunt_begin(hunt, name);
	r = walk_go(ret_walk, way, kind, hunt_time(hunt, WALK_MS));
	if (r < 0)
		hunt_end(hunt, name, HUNT_UNCLEAR, "not walked: %s", strerror(-r));
	else
		say_walk(hunt, name, ret_walk);
}

static void ask_halfopen(struct hunt *hunt)
{
	static const char *const words[] = {
		[HALFOPEN_UNASKED] = "not permitted",
		[HALFOPEN_SILENT] = "further segments are not answered either",
		[HALFOPEN_KEPT] = "the target has kept our SYN: its answer is lost",
		[HALFOPEN_UNKNOWN_THERE] = "the target's TCP answers with RST, and kept no SYN",
		[HALFOPEN_ANSWERED] = "this SYN was answered",
	};
	struct trouble_evidence *e = &hunt->evidence;
	int r;

	hunt_begin(hunt, "second segment");
	r = halfopen_ask(&e->halfopen, &e->way, hunt_time(hunt, HALFOPEN_MS));
	if (r < 0)
		hunt_end(hunt, "second segment", HUNT_UNCLEAR, "not sent: %s", strerror(-r));
	else
		hunt_end(hunt, "second segment",
			 e->halfopen == HALFOPEN_UNASKED ? HUNT_SKIPPED : HUNT_UNCLEAR, "%s",
			 words[e->halfopen]);
	if (r == 0 && e->halfopen == HALFOPEN_UNASKED)
		hunt_note(hunt,
			  "Whether the target gets the SYNs was not asked: that takes root, and "
			  "tells a full queue and lost answers from a filter.");
}

void hunt_way(struct hunt *hunt)
{
	struct trouble_evidence *e = &hunt->evidence;
	struct way way = e->way;

	if (e->route.kind != ROUTE_FORWARD && e->route.kind != ROUTE_LOCAL)
		return;
	attempt(hunt);
	attempt_behind(hunt);
	if (e->route.kind == ROUTE_LOCAL)
		return;
	look_at_neighbour(hunt);
	send_echo(hunt);
	if (e->attempts.silent && !e->way.udp)
		ask_halfopen(hunt);
	if (!e->route.has_gateway && e->attempts.answered == e->attempts.sent)
		return;
	if (e->gate.refuses && e->behind.sent)
		way.mark = SL_PROBE_MARK;
	if (!e->way.udp)
		walk(hunt, "hops", WALK_TRAFFIC, &way, &e->walk);
	if (e->way.udp || !walk_arrived(&e->walk))
		walk(hunt, "hops of others", WALK_OTHER, &way, &e->other_walk);
}
