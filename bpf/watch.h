/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch - what comes of attempts to connect to endpoints.
 *
 * Seen from three places: a SYN, FIN or RST on its way to an endpoint, once it is certain to go there; a
 * SYN-ACK, FIN or RST as it comes from one; an ICMP error about what was sent to one. Other packets cost a
 * test of their flags. An attempt is known by the peer that the endpoint sees: of translated flows that is
 * this host. Probes are not watched: their SYN leaves no attempt, and what answers it finds none.
 */
#ifndef SLUICE_BPF_WATCH_H
#define SLUICE_BPF_WATCH_H

#include "attempt.h"

#define WATCHED_FLAGS (TCP_SYN | TCP_FIN | TCP_RST)

/* Who has lost his slot to another attempt; usually one to the same endpoint, whose counters are at hand. */
static __always_inline void watch_displace(const struct sl_attempt *slot,
					   struct sl_attempt_stats *stats, __u32 endpoint)
{
	if (unlikely(slot->endpoint != endpoint))
		stats = attempt_stats_of(slot->endpoint);
	if (stats)
		stats->unsampled++;
}

static __always_inline void watch_retransmitted(struct sl_attempt_stats *stats, __u32 endpoint,
						__u8 state)
{
	struct sl_evidence *evidence = evidence_of(endpoint);

	stats->retransmitted++;
	if (evidence && attempt_waits(state))
		__sync_fetch_and_add(&evidence->retransmitted, 1);
}

/* A SYN goes to an endpoint. */
static __always_inline void watch_open(__u64 high, __u64 low, __u16 port, __u32 endpoint, __u32 isn)
{
	__u64 hash = sl_attempt_hash(high, low, port, endpoint);
	struct sl_attempt_stats *stats = attempt_stats_of(endpoint);
	struct sl_attempt *slot = attempt_slot(hash);
	union attempt_head before, after;
	__u64 now;

	if (!slot || !stats)
		return;
	before = attempt_load(slot);
	if (before.head.state && before.head.tag == sl_attempt_tag(hash) && slot->isn == isn &&
	    slot->endpoint == endpoint) {
		watch_retransmitted(stats, endpoint, before.head.state);
		return;
	}

	now = bpf_ktime_get_ns();
	after = (union attempt_head){ .head = { .tag = sl_attempt_tag(hash),
						.since = (__u16)(now >> SL_ATTEMPT_TICK_SHIFT),
						.state = SL_ATTEMPT_SENT } };
	stats->sent++;
	if (!attempt_swap(slot, before, after)) {
		stats->unsampled++; /* another CPU's was quicker */
		return;
	}
	if (attempt_waits(before.head.state))
		watch_displace(slot, stats, endpoint);
	slot->sent_ns = now;
	slot->endpoint = endpoint;
	slot->isn = isn;
}

/*
 * The same; port_endpoint: the peer's port, and the endpoint's id below it. A global function, like the next
 * ones, which the verifier checks once; hence the arguments, which are scalars.
 */
__noinline int watch_syn(__u64 high, __u64 low, __u64 port_endpoint, __u32 isn)
{
	watch_open(high, low, (__u16)(port_endpoint >> 32), (__u32)port_endpoint, isn);
	return 0;
}

/* Bucket of a time: its logarithm, by halving, because there is no instruction for it. */
static __always_inline __u32 watch_bucket(__u64 ns)
{
	__u32 bucket = 0;

	ns >>= SL_TIME_SHIFT;
	if (ns >> 16)
		return SL_TIME_BUCKETS - 1;
	if (ns >> 8) {
		bucket += 8;
		ns >>= 8;
	}
	if (ns >> 4) {
		bucket += 4;
		ns >>= 4;
	}
	if (ns >> 2) {
		bucket += 2;
		ns >>= 2;
	}
	if (ns >> 1) {
		bucket++;
		ns >>= 1;
	}
	return bucket + (ns ? 1 : 0);
}

/* What an endpoint answers passes this host. Stored only if it changes: other CPUs have the entry, too. */
static __always_inline void watch_see(struct sl_evidence *evidence)
{
	if (evidence && !evidence->seen)
		evidence->seen = 1;
}

static __always_inline void watch_answered(const struct attempt *a, struct sl_attempt_stats *stats)
{
	__u64 ns = bpf_ktime_get_ns() - a->slot->sent_ns;
	__u32 bucket = watch_bucket(ns);

	stats->answered++;
	stats->times_ns += ns;
	watch_see(evidence_of(a->slot->endpoint));
	barrier_var(bucket); /* or the compiler drops the check that the verifier wants to see */
	if (bucket < SL_TIME_BUCKETS)
		stats->times[bucket]++;
}

/* What the end of an attempt shows: that it was completed, if that is not known yet. */
static __always_inline __u8 watch_completes(__u8 state)
{
	return state & (SL_ATTEMPT_COMPLETED | SL_ATTEMPT_FAILED) ? 0 : SL_ATTEMPT_COMPLETED;
}

static __always_inline void watch_count_end(struct sl_attempt_stats *stats, __u64 *end,
					    __u8 completes)
{
	(*end)++;
	if (completes)
		stats->completed++;
}

/* A SYN-ACK, RST or FIN with these numbers has come from the endpoint that the attempt was made to. */
static __always_inline void watch_by_endpoint(const struct attempt *a,
					      struct sl_attempt_stats *stats, __u32 endpoint,
					      __u8 flags, __u32 ack)
{
	bool of_syn = flags & TCP_ACK && ack == a->slot->isn + 1;
	__u8 state = attempt_state(a), completes = watch_completes(state);
	struct sl_evidence *evidence;

	if (flags & TCP_SYN) {
		if (!of_syn)
			return;
		if (attempt_waits(state) && attempt_mark(a, SL_ATTEMPT_ANSWERED))
			watch_answered(a, stats);
		else if (state == (SL_ATTEMPT_SENT | SL_ATTEMPT_ANSWERED))
			attempt_mark(a, SL_ATTEMPT_REPEATED);
	} else if (attempt_waits(state)) {
		if (!of_syn || !(flags & TCP_RST) || !attempt_mark(a, SL_ATTEMPT_FAILED))
			return;
		stats->refused++;
		evidence = evidence_of(endpoint);
		watch_see(evidence);
		if (evidence)
			__sync_fetch_and_add(&evidence->refused, 1);
	} else if (!(state & SL_ATTEMPT_ANSWERED)) {
		return;
	} else if (flags & TCP_RST) {
		if (!(state & SL_ATTEMPT_RESET) && attempt_mark(a, SL_ATTEMPT_RESET | completes))
			watch_count_end(stats, &stats->reset_endpoint, completes);
	} else if (!(state & SL_ATTEMPT_FIN_ENDPOINT)) {
		if (attempt_mark(a, SL_ATTEMPT_FIN_ENDPOINT | completes))
			watch_count_end(stats, &stats->fin_endpoint, completes);
	}
}

/* A FIN or RST goes to an endpoint; seq_flags: the flags, and the sequence number below them. */
__noinline int watch_end(__u64 high, __u64 low, __u64 port_endpoint, __u64 seq_flags)
{
	__u32 endpoint = (__u32)port_endpoint, seq = (__u32)seq_flags;
	struct sl_attempt_stats *stats = attempt_stats_of(endpoint);
	__u8 flags = seq_flags >> 32, state, completes;
	struct attempt a;

	if (!stats || !attempt_find(&a, high, low, (__u16)(port_endpoint >> 32), endpoint))
		return 0;
	state = attempt_state(&a);
	completes = watch_completes(state);
	if (!(state & SL_ATTEMPT_ANSWERED) || state & SL_ATTEMPT_RESET)
		return 0;
	if (flags & TCP_RST) {
		/* RFC 9293, 3.10.7.1: what a host without the connection answers to the SYN-ACK. */
		if (!(flags & TCP_ACK) && seq == a.slot->isn + 1 && completes) {
			if (attempt_mark(&a, SL_ATTEMPT_RESET | SL_ATTEMPT_FAILED))
				stats->abandoned++;
		} else if (attempt_mark(&a, SL_ATTEMPT_RESET | completes)) {
			watch_count_end(stats, &stats->reset_client, completes);
		}
	} else if (!(state & SL_ATTEMPT_FIN_CLIENT)) {
		if (attempt_mark(&a, SL_ATTEMPT_FIN_CLIENT | completes))
			watch_count_end(stats, &stats->fin_client, completes);
	}
	return 0;
}

/* The client of an endpoint whose answers bypass this host has gone on: it was answered. */
__noinline int watch_went_on(__u64 high, __u64 low, __u64 port_endpoint)
{
	__u32 endpoint = (__u32)port_endpoint;
	struct sl_attempt_stats *stats = attempt_stats_of(endpoint);
	struct attempt a;

	if (!stats || !attempt_find(&a, high, low, (__u16)(port_endpoint >> 32), endpoint) ||
	    !attempt_waits(attempt_state(&a)) ||
	    !attempt_mark(&a, SL_ATTEMPT_ANSWERED | SL_ATTEMPT_COMPLETED))
		return 0;
	watch_answered(&a, stats);
	stats->completed++;
	return 0;
}

/* What goes to an endpoint from this peer, with flags among WATCHED_FLAGS. */
static __always_inline void watch_to_endpoint(__u64 high, __u64 low, __u16 port, __u32 endpoint,
					      __u8 flags, __u32 seq)
{
	__u64 port_endpoint = (__u64)port << 32 | endpoint;

	if ((flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN)
		watch_open(high, low, port, endpoint, seq);
	else if (flags & (TCP_FIN | TCP_RST))
		watch_end(high, low, port_endpoint, (__u64)flags << 32 | seq);
}

/* Does a packet open or end a flow? */
static __always_inline bool watch_is_request(const struct packet *p)
{
	return attempt_slots && p->proto == IPPROTO_TCP && unlikely(tcp_flags(p) & WATCHED_FLAGS);
}

/* May the packet be an endpoint's answer to an attempt, or the end of what came of one? */
static __always_inline bool watch_is_answer(const struct packet *p)
{
	__u8 flags;

	if (!attempt_slots || p->proto != IPPROTO_TCP)
		return false;
	flags = tcp_flags(p);
	return unlikely(flags & (TCP_FIN | TCP_RST) ||
			(flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK));
}

/* The addresses of an IP header. */
struct watch_addresses {
	__u64 src_high, src_low, dst_high, dst_low;
};

static __always_inline bool watch_read(struct watch_addresses *ret, struct cursor c, bool v6)
{
	if (v6) {
		const struct ipv6hdr *ip = cursor_take(&c, sizeof(*ip));

		if (!ip)
			return false;
		__builtin_memcpy(&ret->src_high, &ip->saddr, sizeof(ret->src_high) * 2);
		__builtin_memcpy(&ret->dst_high, &ip->daddr, sizeof(ret->dst_high) * 2);
	} else {
		const struct iphdr *ip = cursor_take(&c, sizeof(*ip));

		if (!ip)
			return false;
		ret->src_high = ret->dst_high = 0;
		ret->src_low = v4_mapped_low(ip->saddr);
		ret->dst_low = v4_mapped_low(ip->daddr);
	}
	return true;
}

/* The key of whom a packet comes from; it is aligned for words. */
static __always_inline void watch_source(struct sl_target_key *ret,
					 const struct watch_addresses *addrs, __be16 port,
					 __u8 proto)
{
	((__u64 *)ret->addr)[0] = addrs->src_high;
	((__u64 *)ret->addr)[1] = addrs->src_low;
	key_set_port(ret, port, proto);
}

/* A packet for which watch_is_request(), whose IP and TCP headers stand at these places, goes to an endpoint. */
static __always_inline void watch_request(struct cursor l3, struct cursor l4, bool v6,
					  __u32 endpoint)
{
	const struct tcphdr *tcp = cursor_take(&l4, sizeof(*tcp));
	struct watch_addresses addrs;

	if (tcp && watch_read(&addrs, l3, v6))
		watch_to_endpoint(addrs.src_high, addrs.src_low, bpf_ntohs(tcp->source), endpoint,
				  ((const __u8 *)tcp)[TCP_FLAGS_BYTE], bpf_ntohl(tcp->seq));
}

/* A packet for which watch_is_answer(), whose IP and TCP headers stand at these places. */
static __always_inline void watch_answer(struct cursor l3, struct cursor l4, bool v6)
{
	const struct tcphdr *tcp = cursor_take(&l4, sizeof(*tcp));
	struct sl_target_key from __attribute__((aligned(8)));
	struct sl_attempt_stats *stats;
	struct sl_target found;
	struct attempt a;
	struct watch_addresses addrs;

	if (!tcp || !watch_read(&addrs, l3, v6))
		return;
	watch_source(&from, &addrs, tcp->source, SL_TCP);
	found = target_lookup(&from);
	if (found.kind != SL_TARGET_ENDPOINT)
		return;
	stats = attempt_stats_of(found.id);
	if (stats &&
	    attempt_find(&a, addrs.dst_high, addrs.dst_low, bpf_ntohs(tcp->dest), found.id))
		watch_by_endpoint(&a, stats, found.id, ((const __u8 *)tcp)[TCP_FLAGS_BYTE],
				  bpf_ntohl(tcp->ack_seq));
}

/* Where the headers of a packet are, for the front ends' global functions. */
#define WATCH_L3_MASK 0x1fu
#define WATCH_HEADER_SHIFT 8
#define WATCH_HEADER_MASK 0x7fffu
#define WATCH_V6 0x80000000u

static __always_inline __u32 watch_where(const struct packet *p)
{
	return p->l2_len | p->header_len << WATCH_HEADER_SHIFT | (p->v6 ? WATCH_V6 : 0);
}

static __always_inline void watch_cursors(struct cursor *ret_l3, struct cursor *ret_l4, void *data,
					  void *end, __u32 where)
{
	*ret_l3 = (struct cursor){ data + (where & WATCH_L3_MASK), end };
	*ret_l4 = (struct cursor){ ret_l3->pos + (where >> WATCH_HEADER_SHIFT & WATCH_HEADER_MASK),
				   end };
}

static __always_inline void watch_request_at(void *data, void *end, __u32 where, __u32 endpoint)
{
	struct cursor l3, l4;

	watch_cursors(&l3, &l4, data, end, where);
	watch_request(l3, l4, where & WATCH_V6, endpoint);
}

static __always_inline void watch_answer_at(void *data, void *end, __u32 where)
{
	struct cursor l3, l4;

	watch_cursors(&l3, &l4, data, end, where);
	watch_answer(l3, l4, where & WATCH_V6);
}

#endif
