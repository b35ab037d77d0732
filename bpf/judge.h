/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge - from what a packet is to what shall become of it, in every program.
 */
#ifndef SLUICE_BPF_JUDGE_H
#define SLUICE_BPF_JUDGE_H

#include "decide.h"
#include "gate.h"
#include "icmp.h"
#include "plain.h"
#include "reply.h"

/* The decision about what is no flow that could be an endpoint's. */
static __always_inline enum sl_decision decision_of_other(enum parsed parsed)
{
	switch (parsed) {
	case PARSED_OTHER:
		return SL_PASS_NOT_OURS;
	case PARSED_NOT_IP:
		return SL_PASS_NOT_IP;
	case PARSED_FRAGMENT:
		return SL_PASS_FRAGMENT;
	default:
		return SL_PASS_UNPARSED;
	}
}

/* What a decision asks the front end to do. */
enum effect { EFFECT_PASS, EFFECT_DROP, EFFECT_REPLY };

static __always_inline enum effect decision_effect(enum sl_decision decision)
{
	switch (decision) {
	case SL_REJECT_TCP:
	case SL_REJECT_UDP:
	case SL_RESET:
		return EFFECT_REPLY;
	case SL_DROP_CLOSED:
	case SL_DROP_LIMITED:
	case SL_DROP_NO_REPLY:
		return EFFECT_DROP;
	default:
		return EFFECT_PASS;
	}
}

/* Count for the endpoint what became of a packet that met a closed gate. */
static __always_inline void count_closed(struct sl_endpoint_stats *stats, enum sl_decision decision)
{
	switch (decision) {
	case SL_REJECT_TCP:
	case SL_REJECT_UDP:
		stats->rejected++;
		break;
	case SL_RESET:
		stats->reset++;
		break;
	case SL_DROP_LIMITED:
		stats->limited++;
		break;
	default:
		stats->dropped++;
		break;
	}
}

/*
 * A packet that could be parsed, but not dealt with on the spot. Both ways to parse return to their
 * caller with it, because the stack frames of nested calls add up.
 */
struct pending {
	__u32 id; /* of the endpoint, for one to be answered */
	__u32 decision;
	union {
		struct shape shape; /* of one to be answered */
		struct {
			__u32 offset; /* of the packet that an ICMP error quotes */
			bool v6;
		} icmp;
	};
};

/* No verdict, but what is pending, and not yet counted. No verdict of any front end is as low. */
#define PENDING_ANSWER (-2)
#define PENDING_ICMP (-3)
#define PENDING_GENERAL (-4) /* not plain: to be parsed the general way */

#endif
