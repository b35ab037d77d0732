/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decide - what the program in force would do with a packet now.
 *
 * A copy of the program runs once, over the live maps where it only reads; entries of the packet's flow are
 * copied for it. Live counters, flows and budgets stay as they are. What depends on other packets is
 * not found out: a reply budget that is spent, a table that is full, source ports that are taken.
 */
#ifndef SLUICE_DATAPLANE_DECIDE_H
#define SLUICE_DATAPLANE_DECIDE_H

#include "dataplane/dataplane.h"
#include "util/addr.h"

enum decide_flags { DECIDE_SYN, DECIDE_ACK };

/* What comes in. Both addresses are of one family. */
struct decide_packet {
	struct addr from, to;
	uint16_t from_port, to_port;
	enum sl_proto proto;
	enum decide_flags flags; /* TCP */
	unsigned int ifindex; /* that it comes in by; 0: whatever */
};

struct decide_result {
	enum sl_decision decision;
	uint32_t service, endpoint; /* of the model; INDEX_NONE: none */
	bool known; /* the packet is of a flow that is known */
	bool moved; /* the first choice was not eligible */
};

/*
 * Takes as long as the verifier does: tenths of a second. Any thread. -EPROTO: no decision was counted, or
 * several; -errno from the kernel; err says which.
 */
int dataplane_decide(const struct dataplane *dp, const struct decide_packet *packet,
		     struct decide_result *ret_result, struct err *err);

/* "forward_nat", and what it means. */
const char *decision_name(enum sl_decision decision);
const char *decision_text(enum sl_decision decision);

#endif
