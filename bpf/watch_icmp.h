/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_icmp - ICMP errors about packets to endpoints: what they say, and which attempt they end.
 */
#ifndef SLUICE_BPF_WATCH_ICMP_H
#define SLUICE_BPF_WATCH_ICMP_H

#include "watch.h"

/* For the verifier: parse_frame() accepts no longer chain of headers. */
#define QUOTE_OFFSET_MASK 0x7fff

/* What an error says: of the codes, those that mean the same. */
enum watch_icmp {
	WATCH_ICMP_NET,
	WATCH_ICMP_HOST,
	WATCH_ICMP_PORT,
	WATCH_ICMP_PROHIBITED,
	WATCH_ICMP_TOO_BIG,
	WATCH_ICMP_OTHER
};

/* RFC 792, RFC 1812 (5.2.7.1). */
static __always_inline enum watch_icmp watch_icmp_v4(const struct icmp_header *icmp)
{
	if (icmp->type != ICMP_UNREACHABLE)
		return WATCH_ICMP_OTHER;
	switch (icmp->code) {
	case 0:
	case 6:
	case 11:
		return WATCH_ICMP_NET;
	case 1:
	case 7:
	case 12:
		return WATCH_ICMP_HOST;
	case 3:
		return WATCH_ICMP_PORT;
	case 4:
		return WATCH_ICMP_TOO_BIG;
	case 9:
	case 10:
	case 13:
		return WATCH_ICMP_PROHIBITED;
	default:
		return WATCH_ICMP_OTHER;
	}
}

/* RFC 4443, 3.1 and 3.2. */
static __always_inline enum watch_icmp watch_icmp_v6(const struct icmp_header *icmp)
{
	if (icmp->type == ICMPV6_TOO_BIG)
		return WATCH_ICMP_TOO_BIG;
	if (icmp->type != ICMPV6_UNREACHABLE)
		return WATCH_ICMP_OTHER;
	switch (icmp->code) {
	case 0:
		return WATCH_ICMP_NET;
	case 1:
	case 5:
	case 6:
		return WATCH_ICMP_PROHIBITED;
	case 3:
		return WATCH_ICMP_HOST;
	case 4:
		return WATCH_ICMP_PORT;
	default:
		return WATCH_ICMP_OTHER;
	}
}

static __always_inline void watch_count_icmp(struct sl_attempt_stats *stats, enum watch_icmp what)
{
	switch (what) {
	case WATCH_ICMP_NET:
		stats->icmp_net++;
		break;
	case WATCH_ICMP_HOST:
		stats->icmp_host++;
		break;
	case WATCH_ICMP_PORT:
		stats->icmp_port++;
		break;
	case WATCH_ICMP_PROHIBITED:
		stats->icmp_prohibited++;
		break;
	case WATCH_ICMP_TOO_BIG:
		stats->icmp_too_big++;
		break;
	default:
		stats->icmp_other++;
		break;
	}
}

/*
 * An error has come about a packet from this peer to an endpoint; what_seq: enum watch_icmp, and below it
 * the sequence number that it quotes. Whoever makes errors up does not know that of an attempt.
 */
__noinline int watch_icmp(__u64 high, __u64 low, __u64 port_endpoint, __u64 what_seq)
{
	__u32 endpoint = (__u32)port_endpoint, seq = (__u32)what_seq;
	struct sl_attempt_stats *stats = attempt_stats_of(endpoint);
	enum watch_icmp what = what_seq >> 32;
	struct sl_evidence *evidence;
	struct attempt a;

	if (!stats)
		return 0;
	watch_count_icmp(stats, what);
	if (what == WATCH_ICMP_TOO_BIG ||
	    !attempt_find(&a, high, low, (__u16)(port_endpoint >> 32), endpoint) ||
	    !attempt_waits(attempt_state(&a)) || a.slot->isn != seq ||
	    !attempt_mark(&a, SL_ATTEMPT_FAILED))
		return 0;
	stats->unreachable++;
	evidence = evidence_of(endpoint);
	if (evidence)
		__sync_fetch_and_add(&evidence->unreachable, 1);
	return 0;
}

/*
 * The header of an error that quotes a packet offset bytes behind start: the cursor stands at what is
 * quoted afterwards. NULL: the packet ends before.
 */
static __always_inline const struct icmp_header *watch_icmp_header(struct cursor *ret, void *start,
								   void *end, __u32 offset)
{
	offset = (offset - sizeof(struct icmp_header)) & QUOTE_OFFSET_MASK;
	*ret = (struct cursor){ start + offset, end };
	return cursor_take(ret, sizeof(struct icmp_header));
}

/* An error about a quoted packet, whose IP header is p->l3. */
static __always_inline void watch_quoted(const struct packet *p, const struct icmp_header *icmp,
					 __u32 endpoint)
{
	const struct quoted_l4 *l4 = p->l4;
	enum watch_icmp what;
	__u64 high = 0, low;

	if (!attempt_slots)
		return;
	what = p->v6 ? watch_icmp_v6(icmp) : watch_icmp_v4(icmp);
	if (p->v6) {
		const struct ipv6hdr *ip = p->l3;

		__builtin_memcpy(&high, &ip->saddr, sizeof(high));
		__builtin_memcpy(&low, (const void *)&ip->saddr + sizeof(high), sizeof(low));
	} else {
		low = v4_mapped_low(((const struct iphdr *)p->l3)->saddr);
	}
	watch_icmp(high, low, (__u64)bpf_ntohs(l4->source) << 32 | endpoint,
		   (__u64)what << 32 | bpf_ntohl(l4->rest));
}

#endif
