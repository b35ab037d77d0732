/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sample - what endpoints send to whom no service stands between.
 *
 * Such a packet is addressed to nobody of ours, and asking for each of these whether an endpoint sent it would cost all of
 * them. One in SL_REPLY_SAMPLE is asked, and counts for so many; the counter that each is counted by says whose turn it
 * is. What answers a probe is none.
 */
#ifndef SLUICE_BPF_SAMPLE_H
#define SLUICE_BPF_SAMPLE_H

#include "probe.h"
#include "watch.h"

/* Count a packet to nobody of ours, as decide() does. True: it is its turn to be looked at. */
static __always_inline bool sample_not_ours(void)
{
	__u64 count = decide_count(SL_PASS_NOT_OURS);

	return attempt_slots && unlikely(!(count % SL_REPLY_SAMPLE));
}

static __always_inline bool sample_is_probes(void *ctx, const struct watch_addresses *addrs,
					     const __be16 *ports, bool v6, __u8 proto)
{
	struct bpf_sock_tuple tuple = {};

	if (v6) {
		__builtin_memcpy(tuple.ipv6.saddr, &addrs->src_high, sizeof(tuple.ipv6.saddr));
		__builtin_memcpy(tuple.ipv6.daddr, &addrs->dst_high, sizeof(tuple.ipv6.daddr));
		tuple.ipv6.sport = ports[0];
		tuple.ipv6.dport = ports[1];
		return probe_has_socket(ctx, &tuple, sizeof(tuple.ipv6), proto);
	}
	tuple.ipv4.saddr = addrs->src_low >> 32;
	tuple.ipv4.daddr = addrs->dst_low >> 32;
	tuple.ipv4.sport = ports[0];
	tuple.ipv4.dport = ports[1];
	return probe_has_socket(ctx, &tuple, sizeof(tuple.ipv4), proto);
}

/* A packet of len bytes whose headers are at these places; see watch_where(). */
static __always_inline void sample_at(void *ctx, void *data, void *end, __u32 where, __u8 proto,
				      __u32 len)
{
	struct sl_target_key from __attribute__((aligned(8)));
	struct watch_addresses addrs;
	struct target target;
	struct cursor l3, l4;
	const __be16 *ports;

	watch_cursors(&l3, &l4, data, end, where);
	ports = cursor_take(&l4, 2 * sizeof(*ports));
	if (!ports || !watch_read(&addrs, l3, where & WATCH_V6))
		return;
	watch_source(&from, &addrs, ports[0], proto == IPPROTO_TCP ? SL_TCP : SL_UDP);
	if (!target_find(&target, &from) ||
	    sample_is_probes(ctx, &addrs, ports, where & WATCH_V6, proto))
		return;
	target.stats->replies += SL_REPLY_SAMPLE;
	target.stats->reply_bytes += (__u64)len * SL_REPLY_SAMPLE;
}

#endif
