// SPDX-License-Identifier: GPL-2.0-or-later
/* hunt_local - a port of this host, looked at from within. */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>

#include "cli/hunt.h"
#include "util/clock.h"

#define TRY_MS 1000
#define NAME_MS 1500
#define TRIES 2

static void ifaddrs_p(struct ifaddrs **list)
{
	if (*list)
		freeifaddrs(*list);
}

/* --- listeners --------------------------------------------------------------------------------- */

static void say_listener(struct hunt *hunt, const struct listener *listener)
{
	const struct trouble_evidence *e = &hunt->evidence;
	char address[SL_TEXT_LEN], who[64] = "", queue[64] = "";
	bool full = !e->way.udp && listener->queued > listener->backlog;

	if (listener->pid)
		snprintf(who, sizeof(who), ", %s (pid %d)", listener->comm, listener->pid);
	if (!e->way.udp)
		snprintf(queue, sizeof(queue), ", %u of %u in its accept queue", listener->queued,
			 listener->backlog);
	hunt_end(hunt, "listener", full ? HUNT_BAD : HUNT_GOOD, "%s%s%s%s",
		 addr_port_format(address, &listener->addr, e->way.port),
		 listener->v6 && !listener->v6_only ? " (and IPv4)" : "", queue, who);
}

static void look_at_listeners(struct hunt *hunt)
{
	struct trouble_evidence *e = &hunt->evidence;
	struct listeners *listeners = &e->local.listeners;
	bool unnamed = false;
	int r;

	hunt_begin(hunt, "listener");
	r = listeners_find(listeners, e->way.udp, e->way.port);
	if (r < 0) {
		hunt_end(hunt, "listener", HUNT_UNCLEAR, "the kernel does not say: %s",
			 strerror(-r));
		return;
	}
	e->local.looked = true;
	listeners_name(listeners);
	if (!listeners->n)
		hunt_end(hunt, "listener", HUNT_BAD, "no socket waits on %s port %u",
			 e->way.udp ? "UDP" : "TCP", e->way.port);
	for (uint32_t i = 0; i < listeners->n; i++) {
		say_listener(hunt, &listeners->of[i]);
		unnamed |= !listeners->of[i].pid;
	}
	if (unnamed)
		hunt_note(hunt, "Whose socket it is was not found out: that takes root.");
}

/* --- tries ------------------------------------------------------------------------------------- */

static bool is_known(const struct trouble_local *local, const struct addr *addr)
{
	for (uint32_t i = 0; i < local->n_tries; i++)
		if (!memcmp(&local->tries[i].to, addr, sizeof(*addr)))
			return true;
	return false;
}

static void add_address(struct trouble_local *local, const struct addr *addr)
{
	if (is_known(local, addr))
		return;
	if (local->n_tries == TROUBLE_TRIES_MAX)
		local->n_left_out++;
	else
		local->tries[local->n_tries++].to = *addr;
}

static bool is_link_local(const struct addr *addr)
{
	return addr->bytes[0] == 0xfe && (addr->bytes[1] & 0xc0) == 0x80;
}

/* Loopback, then what others use. An address of the link alone needs an interface with it. */
static void list_addresses(struct trouble_local *local)
{
	static const char *const loopback[] = { "127.0.0.1", "::1" };
	CLEANUP(ifaddrs_p) struct ifaddrs *list = NULL;
	struct sockaddr_storage ss;
	struct addr addr;

	for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++)
		if (addr_parse(&addr, loopback[i]) == 0)
			add_address(local, &addr);
	if (getifaddrs(&list) < 0)
		return;
	for (struct ifaddrs *i = list; i; i = i->ifa_next) {
		if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) || i->ifa_flags & IFF_LOOPBACK)
			continue;
		memset(&ss, 0, sizeof(ss));
		memcpy(&ss, i->ifa_addr,
		       i->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
							 : sizeof(struct sockaddr_in6));
		if (addr_from_sockaddr(&addr, &ss) == 0 && !is_link_local(&addr))
			add_address(local, &addr);
	}
}

static void try_addresses(struct hunt *hunt)
{
	struct trouble_local *local = &hunt->evidence.local;
	char text[SL_TEXT_LEN];

	for (uint32_t i = 0; i < local->n_tries; i++) {
		struct trouble_try *try = &local->tries[i];
		struct way way = hunt->evidence.way;
		int r;

		hunt_begin(hunt, "connect");
		way.to = try->to;
		r = attempts_make(&try->attempts, &way, TRIES, hunt_time(hunt, TRY_MS));
		if (r < 0)
			hunt_end(hunt, "connect", HUNT_UNCLEAR, "%s: not tried: %s",
				 addr_format(text, &try->to), strerror(-r));
		else
			hunt_end(hunt, "connect", try->attempts.answered ? HUNT_GOOD : HUNT_UNCLEAR,
				 "%s: %s", addr_format(text, &try->to),
				 try->attempts.answered  ? "connected"
				 : try->attempts.refused ? "refused"
				 : try->attempts.icmp    ? "ended by ICMP"
				 : try->attempts.local   ? strerror(try->attempts.os_errno)
							 : "no answer");
	}
}

/* --- this host's name -------------------------------------------------------------------------- */

static void look_up_name(struct hunt *hunt)
{
	struct trouble_local *local = &hunt->evidence.local;
	struct resolve_answer answer = { .n = 0 };
	uv_loop_t loop;
	int r;

	if (gethostname(local->name, sizeof(local->name)) < 0 || uv_loop_init(&loop) < 0)
		return;
	local->name[sizeof(local->name) - 1] = '\0';
	hunt_begin(hunt, "host name");
	r = resolve_once(&loop, local->name, hunt_time(hunt, NAME_MS), &answer);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	local->has_name = r == 0 && answer.n;
	for (uint32_t i = 0; local->has_name && i < answer.n; i++)
		local->name_is_ours |=
			is_known(local, &answer.addrs[i]) || answer.addrs[i].bytes[12] == 127;
	hunt_end(hunt, "host name", local->name_is_ours ? HUNT_GOOD : HUNT_UNCLEAR, "%s %s",
		 local->name,
		 local->name_is_ours ? "stands for an address of this host"
		 : local->has_name   ? "stands for no address of this host that was tried"
				     : "does not resolve");
}

/* --- the filter -------------------------------------------------------------------------------- */

/* Something from outside: from an address that is nobody's in particular. */
static void look_at_filter(struct hunt *hunt)
{
	static const char *const in[] = { "prerouting", "input", NULL };
	struct trouble_evidence *e = &hunt->evidence;
	char rule[TROUBLE_RULE_LEN];

	hunt_begin(hunt, "filter");
	if (!hunt->rules) {
		e->local.filters.state = FILTER_NOT_PERMITTED;
		hunt_end(hunt, "filter", HUNT_SKIPPED, "nftables is not for this user to read");
		return;
	}
	for (uint32_t i = 0; i < e->local.n_tries; i++) {
		const struct addr *to = &e->local.tries[i].to;
		struct filter_packet packet = { .to = *to,
						.to_port = e->way.port,
						.udp = e->way.udp,
						.in_unknown = true,
						.from_unknown = true };

		if (!listener_is_loopback(&(struct listener){ .addr = *to }) && !e->local.filters.n)
			filter_follow(hunt->rules, &packet, in, &e->local.filters);
	}
	if (!e->local.filters.n)
		hunt_end(hunt, "filter", HUNT_GOOD, "no rule of nftables ends what comes in");
	for (uint32_t i = 0; i < e->local.filters.n; i++)
		hunt_end(hunt, "filter", e->local.filters.of[i].certain ? HUNT_BAD : HUNT_UNCLEAR,
			 "%s%s", e->local.filters.of[i].certain ? "" : "may end it: ",
			 trouble_rule(rule, &e->local.filters.of[i]));
}

void hunt_local(struct hunt *hunt)
{
	struct trouble_local *local = &hunt->evidence.local;
	uint64_t before = 0, after = 0;
	bool counted = listeners_overflows(&before) == 0;

	look_at_listeners(hunt);
	if (!local->looked)
		return;
	list_addresses(local);
	if (local->listeners.n)
		try_addresses(hunt);
	if (counted && listeners_overflows(&after) == 0) {
		local->has_overflows = true;
		local->overflows = after - before;
	}
	look_up_name(hunt);
	look_at_filter(hunt);
}
