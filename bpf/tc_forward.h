/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tc_forward - writing and sending what is forwarded, on devices where XDP cannot be.
 *
 * Written with helpers, which know of checksums that are left to a device and of those that a
 * device has computed. VLAN tags are kept beside the frame here, as the kernel likes them.
 */
#ifndef SLUICE_BPF_TC_FORWARD_H
#define SLUICE_BPF_TC_FORWARD_H

#include "rewrite.h"

#define L3_OFFSET ((__u32)sizeof(struct eth_header)) /* once there is no tag in the frame */

/*
 * Take away the tags of a frame that is a VLAN's, wherever they are; in_band: one is in the frame.
 * A global function, or the verifier would follow what comes after it once for every tag.
 */
__noinline int tc_pop_tags(struct __sk_buff *ctx, bool in_band)
{
	for (int i = 0; i < VLAN_TAGS_MAX + 1; i++) {
		if (!ctx->vlan_present && !in_band)
			return true;
		if (bpf_skb_vlan_pop(ctx))
			return false;
		in_band = false; /* the next one is beside the frame now */
	}
	return true;
}

/* A sum as the helpers take the difference that a checksum is to be changed by. */
static __always_inline __u32 sum_to_csum(__u64 sum)
{
	sum = (__u32)sum + (sum >> 32);
	return (__u32)sum + (__u32)(sum >> 32);
}

static __always_inline bool tc_carry_ipv4(struct __sk_buff *ctx, const struct flight *f)
{
	struct iphdr ip;
	__u64 change;

	if (bpf_skb_load_bytes(ctx, L3_OFFSET, &ip, sizeof(ip)))
		return false;
	change = hop_ipv4(&ip);
	if (rewrites_addresses(f)) {
		change += change_of_addresses(f);
		ip.saddr = ((const __be32 *)f->out.saddr)[3];
		ip.daddr = ((const __be32 *)f->out.daddr)[3];
	}
	ip.check = sum_update(ip.check, change);
	/* Its checksum included, the header adds up to what it did: to a device's sum it is as before. */
	return !bpf_skb_store_bytes(ctx, L3_OFFSET, &ip, sizeof(ip), 0);
}

static __always_inline bool tc_carry_ipv6(struct __sk_buff *ctx, const struct flight *f)
{
	struct ipv6hdr ip;

	if (bpf_skb_load_bytes(ctx, L3_OFFSET, &ip, sizeof(ip)))
		return false;
	ip.hop_limit--;
	if (rewrites_addresses(f)) {
		__builtin_memcpy(&ip.saddr, f->out.saddr, sizeof(ip.saddr));
		__builtin_memcpy(&ip.daddr, f->out.daddr, sizeof(ip.daddr));
	}
	return !bpf_skb_store_bytes(ctx, L3_OFFSET, &ip, sizeof(ip), BPF_F_RECOMPUTE_CSUM);
}

/* Addresses are part of a checksum that is left to a device, ports are not. */
static __always_inline bool tc_carry_l4(struct __sk_buff *ctx, const struct flight *f)
{
	__u32 l4 = L3_OFFSET + (f->header_len & HEADER_LEN_MASK);
	__be32 before = ports_word(&f->in), after = ports_word(&f->out);
	__u64 flags = flight_is_tcp(f) ? 0 : BPF_F_MARK_MANGLED_0;
	__u32 check = l4 + (flight_is_tcp(f) ? offsetof(struct tcphdr, check)
					     : offsetof(struct udphdr, check));

	return !bpf_l4_csum_replace(ctx, check, 0, sum_to_csum(change_of_addresses(f)),
				    flags | BPF_F_PSEUDO_HDR) &&
	       !bpf_l4_csum_replace(ctx, check, 0, sum_to_csum(sum_change(before, after)), flags) &&
	       !bpf_skb_store_bytes(ctx, l4, &after, sizeof(after), 0);
}

/* Translate the packet that an ICMP error quotes. */
static __always_inline bool tc_carry_icmp(struct __sk_buff *ctx, const struct flight *f)
{
	__u32 icmp = L3_OFFSET + (f->header_len & HEADER_LEN_MASK);
	__u32 ip = icmp + sizeof(struct icmp_header), l4 = ip + f->quoted_header_len;
	__u32 check = icmp + offsetof(struct icmp_header, check);
	union {
		struct iphdr ipv4;
		struct ipv6hdr ipv6;
		struct quoted_l4 l4;
	} h;
	__u64 change;

	if (bpf_skb_load_bytes(ctx, ip, &h, f->v6 ? sizeof(h.ipv6) : sizeof(h.ipv4)))
		return false;
	change = f->v6 ? requote_ipv6(&h.ipv6, f) : requote_ipv4(&h.ipv4, f);
	if (bpf_skb_store_bytes(ctx, ip, &h, f->v6 ? sizeof(h.ipv6) : sizeof(h.ipv4), 0) ||
	    bpf_skb_load_bytes(ctx, l4, &h.l4, sizeof(h.l4)))
		return false;
	change += requote_l4(&h.l4, f);
	if (bpf_skb_store_bytes(ctx, l4, &h.l4, sizeof(h.l4), 0) ||
	    bpf_l4_csum_replace(ctx, check, 0, sum_to_csum(change), 0))
		return false;
	/* ICMPv6 sums up its addresses, too. */
	return !f->v6 || !bpf_l4_csum_replace(ctx, check, 0, sum_to_csum(change_of_addresses(f)),
					      BPF_F_PSEUDO_HDR);
}

/* A global function, as what follows it does not depend on what it does. */
__noinline int tc_carry_ip(struct __sk_buff *ctx)
{
	const struct flight *f = flight_get();

	if (!f || !(f->v6 ? tc_carry_ipv6(ctx, f) : tc_carry_ipv4(ctx, f)))
		return false;
	switch (f->rewrite) {
	case REWRITE_NAT:
		return tc_carry_l4(ctx, f);
	case REWRITE_ICMP:
		return tc_carry_icmp(ctx, f);
	default:
		return true;
	}
}

/* Put the outer header between the L2 header and the packet. */
static __always_inline bool tc_carry_tunnel(struct __sk_buff *ctx, const struct flight *f, bool v4)
{
	/* Its segments fit: their size stays. */
	__u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO |
		      (v4 ? BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 : BPF_F_ADJ_ROOM_ENCAP_L3_IPV6);
	__u32 len = v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	union {
		struct iphdr ipv4;
		struct ipv6hdr ipv6;
	} outer;
	__be32 first;
	__u8 class;

	if (bpf_skb_load_bytes(ctx, L3_OFFSET, &first, sizeof(first)) ||
	    bpf_skb_adjust_room(ctx, len, BPF_ADJ_ROOM_MAC, flags))
		return false;
	class = class_of(first, f->v6);
	if (v4)
		tunnel_ipv4(&outer.ipv4, f, class);
	else
		tunnel_ipv6(&outer.ipv6, f, class);
	return !(v4 ? bpf_skb_store_bytes(ctx, L3_OFFSET, &outer, sizeof(outer.ipv4), 0)
		    : bpf_skb_store_bytes(ctx, L3_OFFSET, &outer, sizeof(outer.ipv6), 0));
}

static __always_inline bool tc_carry_l2(struct __sk_buff *ctx, const struct sl_route *route,
					__be16 type)
{
	struct eth_header eth = { .type = type };

	__builtin_memcpy(eth.dst, route->dst_mac, sizeof(eth.dst));
	__builtin_memcpy(eth.src, route->src_mac, sizeof(eth.src));
	if (bpf_skb_store_bytes(ctx, 0, &eth, sizeof(eth), 0))
		return false;
	return !route->vlan_proto ||
	       !bpf_skb_vlan_push(ctx, bpf_htons(route->vlan_proto), route->vlan);
}

/*
 * Make the packet what the flight and its route say. False: it cannot be, and the packet is spoilt.
 * A global function: it writes from the stack.
 */
__noinline int tc_carry(struct __sk_buff *ctx)
{
	const struct flight *f = flight_get();
	const struct sl_route *route;
	bool tunnel, v4, outer_v6;

	if (!f)
		return false; /* cannot be */
	route = f->asks_neighbour ? &f->way : route_slot(f);
	if (!route)
		return false; /* cannot be */
	tunnel = f->rewrite == REWRITE_TUNNEL;
	v4 = addr_is_v4(f->out.daddr);
	outer_v6 = tunnel ? !v4 : f->v6;
	if (!tc_pop_tags(ctx, f->l2_len > sizeof(struct eth_header)) || !tc_carry_ip(ctx))
		return false;
	if (tunnel && !tc_carry_tunnel(ctx, f, v4))
		return false;
	return tc_carry_l2(ctx, route, outer_v6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP));
}

/*
 * Whether the L4 checksum whose field is at offset is left to the device. The kernel does not say,
 * but this helper adjusts a checksum only if it is not.
 */
static __always_inline bool tc_checksum_is_partial(struct __sk_buff *ctx, __u32 offset)
{
	__be16 before = 0, after = 0;

	bpf_skb_load_bytes(ctx, offset, &before, sizeof(before));
	bpf_l4_csum_replace(ctx, offset, 0, 1, sizeof(before));
	bpf_skb_load_bytes(ctx, offset, &after, sizeof(after));
	bpf_skb_store_bytes(ctx, offset, &before, sizeof(before), 0);
	return before == after;
}

/* Make the packet, which goes on afterwards, a RST. False: it cannot be, and the packet is spoilt. */
__noinline int tc_cut(struct __sk_buff *ctx)
{
	const struct flight *f = flight_get();
	union {
		struct iphdr ipv4;
		struct ipv6hdr ipv6;
		struct tcphdr tcp;
	} h = {};
	__be16 no_offset = 0;
	__u32 l2_len, l4;
	bool partial;

	if (!f)
		return false; /* cannot be */
	l2_len = f->l2_len & L2_LEN_MASK;
	l4 = l2_len + (f->header_len & HEADER_LEN_MASK);
	partial = tc_checksum_is_partial(ctx, l4 + offsetof(struct tcphdr, check));
	if (bpf_skb_change_tail(ctx, cut_len(f), 0))
		return false;
	if (f->v6) {
		if (bpf_skb_load_bytes(ctx, l2_len, &h.ipv6, sizeof(h.ipv6)))
			return false;
		cut_ipv6(&h.ipv6, f);
		if (bpf_skb_store_bytes(ctx, l2_len, &h.ipv6, sizeof(h.ipv6), BPF_F_RECOMPUTE_CSUM))
			return false;
		if (f->first_fragment &&
		    bpf_skb_store_bytes(ctx, l4 - FRAGMENT_OFFSET_BACK, &no_offset,
					sizeof(no_offset), BPF_F_RECOMPUTE_CSUM))
			return false;
	} else {
		if (bpf_skb_load_bytes(ctx, l2_len, &h.ipv4, sizeof(h.ipv4)))
			return false;
		cut_ipv4(&h.ipv4, f);
		if (bpf_skb_store_bytes(ctx, l2_len, &h.ipv4, sizeof(h.ipv4), 0))
			return false;
	}
	cut_tcp(&h.tcp, f, partial);
	return !bpf_skb_store_bytes(ctx, l4, &h.tcp, sizeof(h.tcp), BPF_F_RECOMPUTE_CSUM);
}

/* Ask the kernel for a route. A global function: what it asks with takes much stack. */
__noinline int tc_route_ask(struct __sk_buff *ctx)
{
	struct flight *f = flight_get();

	if (!f)
		return BPF_FIB_LKUP_RET_BLACKHOLE; /* cannot be */
	return (int)route_ask(ctx, f, ctx->ifindex);
}

/* The kernel asks for the address of the next hop, and keeps the packet as long as that takes. */
static __always_inline int tc_send_to_neighbour(const struct next_hop *next_hop)
{
	struct bpf_redir_neigh neigh = { .nh_family = next_hop->family };

	__builtin_memcpy(neigh.ipv6_nh, next_hop->addr, sizeof(neigh.ipv6_nh));
	return (int)bpf_redirect_neigh(next_hop->ifindex, &neigh, sizeof(neigh), 0);
}

/* The largest packet that a device will cut this one into. */
static __always_inline void tc_set_segment_len(struct flight *f, const struct __sk_buff *ctx)
{
	if (ctx->gso_size)
		f->segment_len = f->header_len + f->l4_len + ctx->gso_size;
}

/* Send the packet on its way, as decided; or why not. */
static __always_inline int tc_send_on(struct __sk_buff *ctx, struct flight *f,
				      enum sl_decision decision, struct pending *pending)
{
	struct sl_route *route = route_slot(f);
	int asked = BPF_FIB_LKUP_RET_SUCCESS;

	if (!route)
		return decide(SL_PASS_UNPARSED, TC_ACT_UNSPEC); /* cannot be */
	if (unlikely(!route_use(route, f)))
		asked = tc_route_ask(ctx);
	f->asks_neighbour = asked == BPF_FIB_LKUP_RET_NO_NEIGH;
	if (unlikely(f->asks_neighbour)) {
		route = &f->way;
	} else if (unlikely(asked != BPF_FIB_LKUP_RET_SUCCESS)) {
		forward_count_failed(f);
		return decide(SL_DROP_NO_ROUTE, f->observe ? TC_ACT_UNSPEC : TC_ACT_SHOT);
	}
	if (likely(decision != SL_FORWARD_RESET))
		tc_set_segment_len(f, ctx);
	if (unlikely(!fits(f, route, &pending->mtu) && decision != SL_FORWARD_ICMP)) {
		pending->decision = SL_ANSWER_TOO_BIG;
		return PENDING_ANSWER;
	}
	if (f->observe)
		return decide_any(decision, TC_ACT_UNSPEC);
	if (unlikely(decision == SL_FORWARD_RESET) && !tc_cut(ctx))
		return decide(SL_DROP_NO_REPLY, TC_ACT_SHOT);
	if (unlikely(f->first_fragment) && decision != SL_FORWARD_RESET)
		fragment_note(decision);
	if (unlikely(!tc_carry(ctx))) {
		forward_count_failed(f);
		return decide(SL_DROP_NO_ROUTE, TC_ACT_SHOT);
	}
	if (unlikely(forward_is_watched(f, decision)))
		forward_watch();
	if (unlikely(f->asks_neighbour))
		return decide_any(decision, tc_send_to_neighbour(&f->next_hop));
	return decide_any(decision, (int)bpf_redirect(route->ifindex, 0));
}

/*
 * Deal with what may be a service's: kind is PENDING_FORWARD, PENDING_FRAGMENT, or PENDING_ICMP for an
 * ICMP error. What is to be answered is left pending. Returns PENDING_ICMP for an error about something else.
 */
__noinline int tc_forward(struct __sk_buff *ctx, int kind, struct pending *pending)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct flight *f = flight_get();
	int decision;

	if (!pending || !f)
		return TC_ACT_UNSPEC; /* for the verifier */
	decision = forward_pending(f, kind, pending, data, end, ctx->len);
	if (decision == FORWARD_NOT_OURS) {
		if (kind == PENDING_ICMP)
			return PENDING_ICMP;
		return decide_any(kind == PENDING_FRAGMENT ? SL_PASS_FRAGMENT : SL_PASS_NOT_OURS,
				  TC_ACT_UNSPEC);
	}

	if (forward_has_failed(decision))
		forward_count_failed(f);
	switch (decision_effect(decision)) {
	case EFFECT_FORWARD:
		return tc_send_on(ctx, f, decision, pending);
	case EFFECT_REPLY:
		return PENDING_ANSWER;
	case EFFECT_DROP:
		return decide_any(decision, f->observe ? TC_ACT_UNSPEC : TC_ACT_SHOT);
	default:
		return decide_any(decision, TC_ACT_UNSPEC);
	}
}

#endif
