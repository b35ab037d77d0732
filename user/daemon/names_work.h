/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names_work - what is known of the names, and who sits in their seats.
 *
 * names.c hears the answers and decides what they mean; names_seats.c lets addresses in and out.
 */
#ifndef SLUICE_DAEMON_NAMES_WORK_H
#define SLUICE_DAEMON_NAMES_WORK_H

#include "daemon/names.h"
#include "probe/resolve.h"

struct chair {
	bool draining;
	uint64_t until_ms; /* monotonic: when draining is over */
	uint64_t left_ms; /* monotonic: when it was vacated; the longest vacant is taken first */
};

/* The seats of one name under one settings. */
struct group {
	uint32_t first; /* endpoint of its first seat */
	bool shown; /* the first seat stands for the name */
	bool elsewhere; /* it has addresses that are endpoints of these settings already */
	bool stale; /* its addresses date from another configuration */
	bool flushed; /* and were given up for it */
	struct chair chairs[LIMIT_NAME_ADDRESSES];
};

/* What is known of one name. */
struct known {
	struct board_name shown;
	struct addr addrs[LIMIT_NAME_ADDRESSES]; /* of the last good answer */
	uint32_t n;
	bool said; /* what is odd about the answer is in the log already */
};

struct names {
	struct names_parts parts;
	struct resolver *resolver;
	uv_timer_t drain;
	struct group *groups;
	uint32_t n_groups;
	struct known *known; /* parallel to model->names */
};

/* The first seat, as the model has it. */
const struct endpoint *names_endpoint(const struct names *names, const struct group *group);

bool names_is_taken(const struct names *names, const struct group *group, uint32_t seat);
struct addr names_addr(const struct names *names, const struct group *group, uint32_t seat);
uint32_t names_count_taken(const struct names *names, const struct group *group);
bool names_has_addr(const struct addr *addrs, uint32_t n, const struct addr *addr);

/* The seat where this address sits, or LIMIT_NAME_ADDRESSES. */
uint32_t names_find_addr(const struct names *names, const struct group *group,
			 const struct addr *addr);

/* Probe whoever sits at this endpoint now, or nobody. */
void names_probe(struct names *names, uint32_t endpoint);

/* With nobody in its seats, the first stands for the name, so that people see it at all. */
void names_show(struct names *names, struct group *group);

/* Let an address in, unless somebody else has it; what cannot be let in is said and shown. */
void names_seat(struct names *names, struct group *group, const struct addr *addr);

void names_vacate(struct names *names, struct group *group, uint32_t seat);

/* No new flows; the seat is vacated when the time for it is over. */
void names_begin_drain(struct names *names, struct group *group, uint32_t seat);

/* What was draining when the daemon came goes on doing so. */
void names_mark_draining(const struct names *names, struct group *group, uint32_t seat);

/* Wake up when the next seat is to be vacated. */
void names_arm_drain(struct names *names);

#endif
