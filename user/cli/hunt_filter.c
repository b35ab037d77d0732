// SPDX-License-Identifier: GPL-2.0-or-later
/* hunt_filter - this host's own packet filter: what it sends, what comes back, what it forwards. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/hunt.h"

/* Whether this host forwards packets at all. */
static bool forwards(bool v4)
{
	CLEANUP(fclose_p)
	FILE *file = fopen(v4 ? "/proc/sys/net/ipv4/ip_forward"
			      : "/proc/sys/net/ipv6/conf/all/forwarding",
			   "re");

	return file && fgetc(file) == '1';
}

static struct filter_packet packet_out(const struct trouble_evidence *e)
{
	struct filter_packet packet = {
		.from = e->route.source,
		.to = e->way.to,
		.to_port = e->way.port,
		.udp = e->way.udp,
	};

	snprintf(packet.out, sizeof(packet.out), "%s", e->route.device);
	return packet;
}

static struct filter_packet packet_back(const struct trouble_evidence *e)
{
	struct filter_packet packet = {
		.from = e->way.to,
		.to = e->route.source,
		.from_port = e->way.port,
		.udp = e->way.udp,
		.is_answer = true,
	};

	snprintf(packet.in, sizeof(packet.in), "%s", e->route.device);
	return packet;
}

static void say(struct hunt *hunt, const char *name, const struct filter_report *report)
{
	char rule[TROUBLE_RULE_LEN];

	if (!report->n) {
		hunt_end(hunt, name, HUNT_GOOD, "no rule of this host's nftables ends them");
		return;
	}
	for (uint32_t i = 0; i < report->n; i++)
		hunt_end(hunt, name, report->of[i].certain ? HUNT_BAD : HUNT_UNCLEAR, "%s%s",
			 report->of[i].certain ? "" : "may end them: ",
			 trouble_rule(rule, &report->of[i]));
}

void hunt_filters(struct hunt *hunt)
{
	static const char *const out[] = { "output", "postrouting", NULL };
	static const char *const back[] = { "prerouting", "input", NULL };
	static const char *const through[] = { "prerouting", "forward", "postrouting", NULL };
	struct trouble_evidence *e = &hunt->evidence;
	struct filter_packet packet;

	if (e->route.kind != ROUTE_FORWARD)
		return;
	hunt_begin(hunt, "own filter");
	if (!hunt->rules) {
		hunt_end(hunt, "own filter", HUNT_SKIPPED, "nftables is not for this user to read");
		e->filters.state = FILTER_NOT_PERMITTED;
		return;
	}
	packet = packet_out(e);
	filter_follow(hunt->rules, &packet, out, &e->filters);
	packet = packet_back(e);
	filter_follow(hunt->rules, &packet, back, &e->filters);
	say(hunt, "own filter", &e->filters);
	if (!forwards(addr_is_v4(&e->way.to)))
		return;
	packet = packet_out(e);
	packet.in_unknown = packet.from_unknown = true;
	filter_follow(hunt->rules, &packet, through, &e->forward);
	if (e->forward.n)
		say(hunt, "forward filter", &e->forward);
}
