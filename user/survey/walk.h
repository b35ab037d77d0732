/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * walk - which routers packets pass on the way, and where they end.
 *
 * One packet for each number of hops, all at once: a router that a packet ends at for want of
 * hops says so. Packets of a connection attempt show how far those of the traffic come; datagrams
 * to ports that nobody has show how far others do.
 */
#ifndef SLUICE_SURVEY_WALK_H
#define SLUICE_SURVEY_WALK_H

#include "survey/way.h"

#define WALK_MAX 16

enum walk_kind { WALK_TRAFFIC, WALK_OTHER };

enum hop_kind {
	HOP_SILENT,
	HOP_ROUTER, /* the packet's hops were spent there */
	HOP_REFUSED, /* an ICMP error said that it goes no further: icmp says which */
	HOP_TARGET, /* the target answered */
};

/* Plain data. */
struct hop {
	enum hop_kind kind;
	struct icmp_error icmp; /* ROUTER and REFUSED */
	uint32_t rtt_us;
};

struct walk {
	bool done;
	uint32_t n; /* up to the target, or to the last that said anything */
	struct hop hops[WALK_MAX];
};

/* -errno: no socket could be had. */
int walk_go(struct walk *ret_walk, const struct way *way, enum walk_kind kind, uint32_t wait_ms);

/* How many hops of the walk are known routers before the first silence. */
uint32_t walk_routers(const struct walk *walk);

/* Whether the walk ended at the target. */
bool walk_arrived(const struct walk *walk);

#endif
