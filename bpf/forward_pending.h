/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * forward_pending - from what a front end has left pending to what becomes of it.
 *
 * A packet to or perhaps from a service, a later fragment of one, or an ICMP error about one.
 */
#ifndef SLUICE_BPF_FORWARD_PENDING_H
#define SLUICE_BPF_FORWARD_PENDING_H

#include "forward_icmp.h"
#include "fragment.h"

static __always_inline void forward_count_failed(const struct flight *f)
{
	__u32 id = f->service;
	struct sl_service_stats *stats = bpf_map_lookup_elem(&service_stats, &id);

	if (stats)
		stats->failed++;
}

/* A packet that opens or ends a flow is sent on to f->endpoint. */
__noinline int forward_watch(void)
{
	const struct flight *f = flight_get();
	const struct sl_tuple *peer;
	__u64 high, low;

	if (!f)
		return 0; /* cannot be */
	peer = f->rewrite == REWRITE_NAT ? &f->out : &f->in;
	high = ((const __u64 *)peer->saddr)[0];
	low = ((const __u64 *)peer->saddr)[1];
	watch_to_endpoint(high, low, peer->sport, f->endpoint, f->tcp_flags, f->seq);
	return 0;
}

static __always_inline bool forward_is_watched(const struct flight *f, enum sl_decision decision)
{
	return attempt_slots && f->tcp_flags & WATCHED_FLAGS && decision != SL_FORWARD_REPLY &&
	       decision != SL_FORWARD_RESET;
}

static __always_inline bool forward_has_failed(enum sl_decision decision)
{
	return decision == SL_DROP_NO_ROUTE || decision == SL_DROP_NO_PORT ||
	       decision == SL_DROP_NO_STATE;
}

/* Decide about a packet that was read, and leave it pending in case it is to be answered. */
static __always_inline int forward(struct flight *f, struct pending *pending)
{
	int decision;

	switch (pending->addressed) {
	case TO_NOBODY:
		decision = forward_reply();
		break;
	case TO_REDIRECTED:
		decision = forward_redirected();
		break;
	default:
		decision = FORWARD_TO_SERVICE;
		break;
	}
	if (decision == FORWARD_TO_SERVICE)
		decision = forward_to_service();
	if (decision == SL_FORWARD_NAT && pending->addressed == TO_REDIRECTED)
		decision = SL_FORWARD_REDIRECT;
	pending->id = f->endpoint;
	pending->decision = decision;
	return decision;
}

/* Fill *f from the later fragment between start and end, which was parsed before. */
static __always_inline bool flight_read_fragment(struct flight *f, const struct pending *pending,
						 void *start, void *end)
{
	struct cursor l3 = { start + (pending->shape.l2_len & L2_LEN_MASK), end };

	flight_begin(f, pending);
	f->l4_len = 0;
	f->tcp_flags = 0;
	tuple_set_ports(&f->in, 0, 0, pending->proto);
	if (!flight_read_ip(f, l3) || !fragment_read(f, start, end))
		return false;
	f->segment_len = f->ip_len;
	return true;
}

/* Decide about a later fragment: it goes where the first one went; or FORWARD_NOT_OURS. */
__noinline int forward_fragment(void)
{
	struct flight *f = flight_get();
	const struct sl_meta *m = meta_get();
	const struct sl_fragment *first;
	struct sl_service_stats *stats;

	if (!f || !m)
		return FORWARD_NOT_OURS; /* cannot be */
	first = fragment_find(f);
	if (!first)
		return FORWARD_NOT_OURS;
	f->observe = m->mode != SL_MODE_ENFORCE;
	f->service = first->service;
	f->endpoint = first->endpoint;
	f->rewrite = first->rewrite;
	addr_copy(f->out.saddr, first->saddr);
	addr_copy(f->out.daddr, first->daddr);
	stats = bpf_map_lookup_elem(&service_stats, &f->service);
	if (!stats)
		return FORWARD_NOT_OURS; /* cannot be */
	if (first->decision == SL_FORWARD_REPLY) {
		stats->replies++;
		stats->reply_bytes += f->frame_len;
	} else {
		stats->packets++;
		stats->bytes += f->frame_len;
		forward_count_endpoint(f);
	}
	return f->ttl <= TTL_SPENT ? SL_DROP_TTL : first->decision;
}

/*
 * Read a packet of this kind, PENDING_FORWARD, PENDING_FRAGMENT or PENDING_ICMP, between data and end,
 * and decide about it; or return FORWARD_NOT_OURS.
 */
static __always_inline int forward_pending(struct flight *f, int kind, struct pending *pending,
					   void *data, void *end, __u32 frame_len)
{
	switch (kind) {
	case PENDING_ICMP:
		return flight_read_icmp(f, pending, data, end, frame_len) ? forward_icmp()
									  : FORWARD_NOT_OURS;
	case PENDING_FRAGMENT:
		return flight_read_fragment(f, pending, data, end) ? forward_fragment()
								   : FORWARD_NOT_OURS;
	default:
		if (!flight_read(f, pending, data, end))
			return SL_PASS_UNPARSED;
		f->first_fragment = fragment_read_first(f, data, end);
		return forward(f, pending);
	}
}

#endif
