/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xdp_forward - writing and sending what is forwarded, on the NIC's receive path.
 */
#ifndef SLUICE_BPF_XDP_FORWARD_H
#define SLUICE_BPF_XDP_FORWARD_H

#include "recent.h"
#include "rewrite.h"
#include "xdp_send.h"

static __always_inline bool xdp_carry_ipv4(struct cursor *c, const struct flight *f)
{
	struct iphdr *ip = cursor_take(c, sizeof(*ip));
	__u64 change;

	if (!ip)
		return false;
	change = hop_ipv4(ip);
	if (rewrites_addresses(f)) {
		change += change_of_addresses(f);
		ip->saddr = ((const __be32 *)f->out.saddr)[3];
		ip->daddr = ((const __be32 *)f->out.daddr)[3];
	}
	ip->check = sum_update(ip->check, change);
	cursor_leave(c, ip, f->header_len & HEADER_LEN_MASK);
	return true;
}

static __always_inline bool xdp_carry_ipv6(struct cursor *c, const struct flight *f)
{
	struct ipv6hdr *ip = cursor_take(c, sizeof(*ip));

	if (!ip)
		return false;
	ip->hop_limit--;
	if (rewrites_addresses(f)) {
		__builtin_memcpy(&ip->saddr, f->out.saddr, sizeof(ip->saddr));
		__builtin_memcpy(&ip->daddr, f->out.daddr, sizeof(ip->daddr));
	}
	cursor_leave(c, ip, f->header_len & HEADER_LEN_MASK);
	return true;
}

/* Translate ports; the cursor stands at the header. */
static __always_inline bool xdp_carry_l4(struct cursor *c, const struct flight *f)
{
	__u64 change = change_of_addresses(f) + sum_change(ports_word(&f->in), ports_word(&f->out));

	if (flight_is_tcp(f)) {
		struct tcphdr *tcp = cursor_take(c, sizeof(*tcp));

		if (!tcp)
			return false;
		*(__be32 *)tcp = ports_word(&f->out);
		tcp->check = sum_update(tcp->check, change);
	} else {
		struct udphdr *udp = cursor_take(c, sizeof(*udp));

		if (!udp)
			return false;
		*(__be32 *)udp = ports_word(&f->out);
		udp->check = udp_check_update(udp->check, change);
	}
	return true;
}

/* Translate the packet that an ICMP error quotes; the cursor stands at the ICMP header. */
static __always_inline bool xdp_carry_icmp(struct cursor *c, const struct flight *f)
{
	struct icmp_header *icmp = cursor_take(c, sizeof(*icmp));
	struct quoted_l4 *l4;
	__u64 change;
	void *ip;

	if (!icmp)
		return false;
	ip = f->v6 ? cursor_take(c, sizeof(struct ipv6hdr)) : cursor_take(c, sizeof(struct iphdr));
	if (!ip)
		return false;
	change = f->v6 ? requote_ipv6(ip, f) + change_of_addresses(f) : requote_ipv4(ip, f);
	cursor_leave(c, ip, f->quoted_header_len);
	l4 = cursor_take(c, sizeof(*l4));
	if (!l4)
		return false;
	change += requote_l4(l4, f);
	icmp->check = sum_update(icmp->check, change);
	return true;
}

static __always_inline bool xdp_carry_ip(struct cursor *c, const struct flight *f)
{
	if (!(f->v6 ? xdp_carry_ipv6(c, f) : xdp_carry_ipv4(c, f)))
		return false;
	switch (f->rewrite) {
	case REWRITE_NAT:
		return xdp_carry_l4(c, f);
	case REWRITE_ICMP:
		return xdp_carry_icmp(c, f);
	default:
		return true;
	}
}

/*
 * The addresses of a frame: in words that lie as those of the IP header do, which is two bytes off.
 */
static __always_inline void xdp_carry_macs(struct eth_header *eth, const struct sl_route *route)
{
	const __be16 *from = (const __be16 *)route->dst_mac;
	__be16 *to = eth->dst;

	to[0] = from[0];
	*(__be32 *)&to[1] = *(const __be32 *)&from[1];
	*(__be32 *)&to[3] = *(const __be32 *)&from[3];
	to[5] = from[5];
}

/* Write the L2 header; the cursor moves behind it. type: of what it carries. */
static __always_inline bool xdp_carry_l2(struct cursor *c, const struct sl_route *route,
					 __be16 type)
{
	struct eth_header *eth = cursor_take(c, sizeof(*eth));
	struct vlan_tag *tag;

	if (!eth)
		return false;
	xdp_carry_macs(eth, route);
	if (!route->vlan_proto) {
		eth->type = type;
		return true;
	}
	eth->type = bpf_htons(route->vlan_proto);
	tag = cursor_take(c, sizeof(*tag));
	if (!tag)
		return false;
	tag->tci = bpf_htons(route->vlan);
	tag->next = type;
	return true;
}

/* Write the outer header; the cursor moves behind it, to the packet. */
static __always_inline bool xdp_carry_tunnel(struct cursor *c, const struct flight *f, bool v4)
{
	void *ip =
		v4 ? cursor_take(c, sizeof(struct iphdr)) : cursor_take(c, sizeof(struct ipv6hdr));
	struct cursor inner = *c;
	const __be32 *first;
	__u8 class;

	if (!ip)
		return false;
	first = cursor_take(&inner, sizeof(*first));
	if (!first)
		return false;
	class = class_of(*first, f->v6);
	if (v4)
		tunnel_ipv4(ip, f, class);
	else
		tunnel_ipv6(ip, f, class);
	return true;
}

/* Make the packet what f and the route say. False: it cannot be, and the frame is spoilt. */
static __always_inline bool xdp_carry(struct xdp_md *ctx, const struct flight *f,
				      const struct sl_route *route)
{
	struct carrier carrier = carrier_of(f, route);
	int add_head = (int)carrier.l2_len + carrier.tunnel_len - f->l2_len;
	bool outer_v6 = carrier.tunnel_len ? !carrier.tunnel_v4 : f->v6;
	struct cursor c;

	if (add_head && bpf_xdp_adjust_head(ctx, -add_head))
		return false;
	c = xdp_cursor(ctx);
	if (!xdp_carry_l2(&c, route, outer_v6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP)))
		return false;
	if (carrier.tunnel_len && !xdp_carry_tunnel(&c, f, carrier.tunnel_v4))
		return false;
	return xdp_carry_ip(&c, f);
}

/* Make the packet, which goes on afterwards, a RST. False: it cannot be, and the frame is spoilt. */
__noinline int xdp_cut(struct xdp_md *ctx)
{
	const struct flight *f = flight_get();
	struct fragment_header *fragment;
	struct tcphdr *tcp;
	struct cursor c;
	void *ip;

	if (!f || bpf_xdp_adjust_tail(ctx, (int)cut_len(f) - (int)f->frame_len))
		return false;
	c = xdp_cursor(ctx);
	cursor_leave(&c, c.pos, f->l2_len & L2_LEN_MASK);
	ip = f->v6 ? cursor_take(&c, sizeof(struct ipv6hdr))
		   : cursor_take(&c, sizeof(struct iphdr));
	if (!ip)
		return false;
	if (f->v6)
		cut_ipv6(ip, f);
	else
		cut_ipv4(ip, f);
	if (f->v6 && f->first_fragment) {
		cursor_leave(&c, ip, 0);
		fragment = fragment_header(f, c);
		if (!fragment)
			return false;
		fragment->offset = 0;
	}
	cursor_leave(&c, ip, f->header_len & HEADER_LEN_MASK);
	tcp = cursor_take(&c, sizeof(*tcp));
	if (!tcp)
		return false;
	cut_tcp(tcp, f, false);
	return true;
}

/* Ask the kernel for a route. A global function: what it asks with takes much stack. */
__noinline int xdp_route_ask(struct xdp_md *ctx)
{
	struct flight *f = flight_get();

	if (!f)
		return BPF_FIB_LKUP_RET_BLACKHOLE; /* cannot be */
	return (int)route_ask(ctx, f, ctx->ingress_ifindex);
}

/* Send the packet on its way, as decided; or why not. */
static __always_inline int xdp_send_on(struct xdp_md *ctx, struct flight *f,
				       enum sl_decision decision, struct pending *pending)
{
	struct sl_route *route = route_slot(f);

	if (!route)
		return decide(SL_PASS_UNPARSED, XDP_PASS); /* cannot be */
	if (unlikely(!route_use(route, f)) && xdp_route_ask(ctx) != BPF_FIB_LKUP_RET_SUCCESS) {
		forward_count_failed(f);
		return decide(SL_DROP_NO_ROUTE, f->observe ? XDP_PASS : XDP_DROP);
	}
	if (unlikely(!fits(f, route, &pending->mtu) && decision != SL_FORWARD_ICMP)) {
		pending->decision = SL_ANSWER_TOO_BIG;
		return PENDING_ANSWER;
	}
	if (f->observe)
		return decide_any(decision, XDP_PASS);
	if (unlikely(decision == SL_FORWARD_RESET) && !xdp_cut(ctx))
		return decide(SL_DROP_NO_REPLY, XDP_DROP);
	if (unlikely(f->first_fragment) && decision != SL_FORWARD_RESET)
		fragment_note(decision);
	if (unlikely(!xdp_carry(ctx, f, route))) {
		forward_count_failed(f);
		return decide(SL_DROP_NO_ROUTE, XDP_DROP);
	}
	if (unlikely(forward_is_watched(f, decision)))
		forward_watch();
	return decide_any(decision, xdp_send_by(ctx, route->ifindex));
}

/*
 * Deal with what may be a service's: kind is PENDING_FORWARD, PENDING_FRAGMENT, or PENDING_ICMP for an
 * ICMP error. What is to be answered is left pending. Returns PENDING_ICMP for an error about something else.
 */
__noinline int xdp_forward(struct xdp_md *ctx, int kind, struct pending *pending)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct flight *f = flight_get();
	int decision;

	if (!pending || !f)
		return XDP_PASS; /* for the verifier */
	decision = forward_pending(f, kind, pending, data, end, (__u32)bpf_xdp_get_buff_len(ctx));
	recent_forget(&f->in);
	if (decision == FORWARD_NOT_OURS) {
		if (kind == PENDING_ICMP)
			return PENDING_ICMP;
		return decide_any(kind == PENDING_FRAGMENT ? SL_PASS_FRAGMENT : SL_PASS_NOT_OURS,
				  XDP_PASS);
	}

	if (forward_has_failed(decision))
		forward_count_failed(f);
	switch (decision_effect(decision)) {
	case EFFECT_FORWARD:
		return xdp_send_on(ctx, f, decision, pending);
	case EFFECT_REPLY:
		return PENDING_ANSWER;
	case EFFECT_DROP:
		return decide_any(decision, f->observe ? XDP_PASS : XDP_DROP);
	default:
		return decide_any(decision, XDP_PASS);
	}
}

#endif
