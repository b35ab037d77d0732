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
#include "watch.h"

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
enum effect { EFFECT_PASS, EFFECT_DROP, EFFECT_REPLY, EFFECT_FORWARD };

static __always_inline enum effect decision_effect(enum sl_decision decision)
{
	switch (decision) {
	case SL_REJECT_TCP:
	case SL_REJECT_UDP:
	case SL_RESET:
	case SL_REJECT_NO_FLOW:
	case SL_ANSWER_TOO_BIG:
		return EFFECT_REPLY;
	case SL_DROP_CLOSED:
	case SL_DROP_LIMITED:
	case SL_DROP_NO_REPLY:
	case SL_DROP_SERVICE:
	case SL_DROP_NO_ROUTE:
	case SL_DROP_NO_PORT:
	case SL_DROP_NO_STATE:
	case SL_DROP_TTL:
		return EFFECT_DROP;
	case SL_FORWARD_NAT:
	case SL_FORWARD_DSR:
	case SL_FORWARD_IPIP:
	case SL_FORWARD_REDIRECT:
	case SL_FORWARD_REPLY:
	case SL_FORWARD_RESET:
	case SL_FORWARD_ICMP:
		return EFFECT_FORWARD;
	default:
		return EFFECT_PASS;
	}
}

/* Does the packet go on, whatever was decided? m as judge_word() left it. */
static __always_inline bool goes_on(enum sl_decision decision, const struct sl_meta *m)
{
	return likely(!m) || decision_effect(decision) == EFFECT_PASS || m->mode != SL_MODE_ENFORCE;
}

/* Count for the endpoint what became of a packet that met a closed gate. */
static __always_inline void count_closed(struct sl_endpoint_stats *stats, enum sl_decision decision)
{
	switch (decision) {
	case SL_ANSWER_TOO_BIG:
		break;
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
	__u32 id; /* of the endpoint, for one to be answered; of the service, to be forwarded */
	__u32 decision;
	union {
		struct {
			struct shape shape; /* of one to be answered or forwarded */
			__u8 proto; /* of one to be forwarded */
			__u8 addressed; /* enum addressed: of one to be forwarded */
			__u16 mtu; /* to answer with, for SL_ANSWER_TOO_BIG */
			__u32 frame_len; /* of one to be forwarded */
		};
		struct {
			__u16 offset; /* of the packet that an ICMP error quotes */
			__u8 l2_len;
			bool v6;
		} icmp;
	};
};

/* No verdict, but what is pending, and not yet counted. No verdict of any front end is as low. */
#define PENDING_ANSWER (-2)
#define PENDING_ICMP (-3)
#define PENDING_GENERAL (-4) /* not plain: to be parsed the general way */
#define PENDING_FORWARD (-5) /* to a service, or perhaps from one of its endpoints */
#define PENDING_FRAGMENT (-6) /* a later one: perhaps of a datagram that was forwarded */

/* To whom a packet is addressed that services may have to do with. */
enum addressed {
	TO_SERVICE,
	TO_NOBODY, /* of ours; perhaps from an endpoint to the client of a service */
	TO_REDIRECTED, /* to an endpoint whose new flows another receives while its gate is closed */
};

/* May what is addressed to nothing of ours be an endpoint's reply to the client of a service? */
static __always_inline bool may_be_reply(const struct sl_target_key *key)
{
	const struct sl_meta *m;

	if (has_plain_nat)
		return true;
	if (!has_source_nat)
		return false;
	m = meta_get();
	return m && key->port >= m->port_low && key->port <= m->port_high;
}

static __always_inline void leave_to_services(struct pending *pending, __u32 id,
					      const struct packet *p, __u32 frame_len,
					      enum addressed addressed)
{
	*pending = (struct pending){}; /* whole: kernels before 6.3 read no unwritten stack */
	pending->id = id;
	pending->shape = shape_of(p);
	pending->proto = p->proto;
	pending->frame_len = frame_len;
	pending->addressed = addressed;
}

/* May a packet that is no endpoint's be one of a service? */
static __always_inline bool is_for_services(struct sl_target found, const struct sl_target_key *key)
{
	if (!has_services)
		return false;
	if (likely(found.kind == SL_TARGET_NONE))
		return unlikely(may_be_reply(key));
	return true;
}

/* Leave it to the code for services; id is SL_ID_NONE if it is addressed to none. */
static __always_inline void leave_to_service(struct pending *pending, __u32 id,
					     const struct packet *p, __u32 frame_len)
{
	leave_to_services(pending, id, p, frame_len, id == SL_ID_NONE ? TO_NOBODY : TO_SERVICE);
}

/* Leave a later fragment to the code for services, or return false. */
static __always_inline bool leave_if_fragment(struct pending *pending, enum parsed parsed,
					      const struct packet *p, __u32 frame_len)
{
	if (parsed != PARSED_FRAGMENT || !has_services)
		return false;
	leave_to_services(pending, SL_ID_NONE, p, frame_len, TO_NOBODY);
	return true;
}

/* Leave a packet to an endpoint to the code for services, or return false. */
static __always_inline bool leave_if_redirected(struct pending *pending,
						const struct target *target, const struct packet *p,
						__u32 frame_len)
{
	if (likely(target->word.action != SL_ACTION_REDIRECT) || !has_services)
		return false;
	leave_to_services(pending, target->id, p, frame_len, TO_REDIRECTED);
	return true;
}

#endif
