/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xdp_swift - the short way on the NIC's receive path.
 */
#ifndef SLUICE_BPF_XDP_SWIFT_H
#define SLUICE_BPF_XDP_SWIFT_H

#include "swift.h"
#include "xdp_forward.h"

static __always_inline int xdp_swift_send(struct xdp_md *ctx, const struct swift *s,
					  enum sl_decision decision)
{
	s->route->uses++;
	return decide(decision, xdp_send_by(ctx, s->route->ifindex));
}

static __always_inline void xdp_swift_ip(const struct swift_frame *frame, const struct flight *f)
{
	__u64 change;

	if (f->v6) {
		frame->ipv6->hop_limit--;
		if (rewrites_addresses(f)) {
			__builtin_memcpy(&frame->ipv6->saddr, f->out.saddr, SL_ADDR_LEN);
			__builtin_memcpy(&frame->ipv6->daddr, f->out.daddr, SL_ADDR_LEN);
		}
		return;
	}
	change = hop_ipv4(frame->ipv4);
	if (rewrites_addresses(f)) {
		change += change_of_addresses(f);
		frame->ipv4->saddr = ((const __be32 *)f->out.saddr)[3];
		frame->ipv4->daddr = ((const __be32 *)f->out.daddr)[3];
	}
	frame->ipv4->check = sum_update(frame->ipv4->check, change);
}

static __always_inline void xdp_swift_l4(const struct swift_frame *frame, const struct flight *f)
{
	__be32 before = ports_word(&f->in), after = ports_word(&f->out);
	__u64 change = change_of_addresses(f) + sum_change(before, after);

	*(__be32 *)frame->tcp = after;
	if (flight_is_tcp(f))
		frame->tcp->check = sum_update(frame->tcp->check, change);
	else
		frame->udp->check = udp_check_update(frame->udp->check, change);
}

/* Make the packet what f and the route say, where it is. */
static __always_inline void xdp_swift_write(const struct swift_frame *frame, const struct flight *f,
					    const struct sl_route *route)
{
	xdp_carry_macs(frame->eth, route);
	xdp_swift_ip(frame, f);
	if (rewrites_addresses(f))
		xdp_swift_l4(frame, f);
}

/* Put the packet into a tunnel, outside of which is IPv4 or not; or return false. */
static __always_inline bool xdp_swift_tunnel(struct xdp_md *ctx, const struct flight *f,
					     const struct sl_route *route)
{
	bool v4 = addr_is_v4(f->out.daddr);
	struct swift_frame inner = {};
	struct eth_header *eth;
	struct cursor c;
	void *outer;
	__u8 class;

	if (bpf_xdp_adjust_head(ctx, -(int)(v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr))))
		return false;
	c = xdp_cursor(ctx);
	eth = cursor_take(&c, sizeof(*eth));
	if (!eth)
		return false;
	outer = v4 ? cursor_take(&c, sizeof(struct iphdr))
		   : cursor_take(&c, sizeof(struct ipv6hdr));
	if (!outer)
		return false;
	inner.ipv4 = f->v6 ? cursor_take(&c, sizeof(struct ipv6hdr))
			   : cursor_take(&c, sizeof(struct iphdr));
	if (!inner.ipv4)
		return false;

	xdp_carry_macs(eth, route);
	eth->type = v4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	class = class_of(*(const __be32 *)inner.ipv4, f->v6);
	if (v4)
		tunnel_ipv4(outer, f, class);
	else
		tunnel_ipv6(outer, f, class);
	xdp_swift_ip(&inner, f);
	return true;
}

static __always_inline int xdp_swift_reply(struct xdp_md *ctx, const struct swift_frame *frame,
					   struct swift *s, struct flight *f)
{
	if (!swift_reply(s, f))
		return PENDING_FORWARD;
	xdp_swift_write(frame, f, s->route);
	swift_count_reply(s, f);
	return xdp_swift_send(ctx, s, SL_FORWARD_REPLY);
}

static __always_inline int xdp_swift_go(struct xdp_md *ctx, const struct swift_frame *frame,
					struct swift *s, struct flight *f,
					enum sl_decision decision)
{
	if (!swift_find_route(s, f))
		return PENDING_FORWARD;
	if (decision != SL_FORWARD_IPIP)
		xdp_swift_write(frame, f, s->route);
	else if (!xdp_swift_tunnel(ctx, f, s->route))
		return PENDING_FORWARD;
	swift_count_request(s, f);
	return xdp_swift_send(ctx, s, decision);
}

static __always_inline int xdp_swift_by(struct xdp_md *ctx, const struct swift_frame *frame,
					struct swift *s, struct flight *f, enum sl_method method,
					enum sl_decision decision)
{
	swift_to_endpoint(s, f, method);
	return xdp_swift_go(ctx, frame, s, f, decision);
}

static __always_inline int xdp_swift_syn(struct xdp_md *ctx, const struct swift_frame *frame,
					 struct swift *s, struct flight *f)
{
	if (!swift_syn(s, f))
		return PENDING_FORWARD;
	f->seq = bpf_ntohl(frame->tcp->seq);
	if (s->service->method == SL_METHOD_DSR) {
		addr_copy(f->out.daddr, s->name->key.addr);
		return xdp_swift_go(ctx, frame, s, f, SL_FORWARD_DSR);
	}
	if (forward_in_tunnel(f, s->name) != SL_FORWARD_IPIP)
		return PENDING_FORWARD;
	return xdp_swift_go(ctx, frame, s, f, SL_FORWARD_IPIP);
}

/* One straight way for each method: what they have in common would be slower. */
static __always_inline int xdp_swift_request(struct xdp_md *ctx, const struct swift_frame *frame,
					     struct swift *s, struct flight *f)
{
	__u32 id = f->service;

	s->service_stats = bpf_map_lookup_elem(&service_stats, &id);
	if (!s->service_stats)
		return PENDING_FORWARD;
	if (flight_is_syn(f))
		return xdp_swift_syn(ctx, frame, s, f);
	if (!swift_known(s, f))
		return PENDING_FORWARD;
	switch (s->recent->method) {
	case SL_METHOD_NAT:
		return xdp_swift_by(ctx, frame, s, f, SL_METHOD_NAT, SL_FORWARD_NAT);
	case SL_METHOD_DSR:
		return xdp_swift_by(ctx, frame, s, f, SL_METHOD_DSR, SL_FORWARD_DSR);
	default:
		return xdp_swift_by(ctx, frame, s, f, SL_METHOD_IPIP, SL_FORWARD_IPIP);
	}
}

static __always_inline int xdp_swift_family(struct xdp_md *ctx, __u32 id, __u8 proto, bool v6)
{
	struct cursor c = xdp_cursor(ctx);
	struct swift s = { .m = meta_get() };
	struct swift_frame frame;
	struct flight f = {};

	if (!s.m || s.m->mode != SL_MODE_ENFORCE || !swift_take(&frame, c, v6))
		return PENDING_FORWARD;
	f.service = id;
	f.frame_len = (__u32)(c.end - c.pos);
	swift_read(&f, &frame, proto, v6);
	if (f.ttl <= TTL_SPENT || !swift_flags(&f))
		return PENDING_FORWARD;
	return id == SL_ID_NONE ? xdp_swift_reply(ctx, &frame, &s, &f)
				: xdp_swift_request(ctx, &frame, &s, &f);
}

/*
 * Forward a plain frame to the service with that id, or one that may be a reply (SL_ID_NONE), the
 * short way; or return PENDING_FORWARD. Global functions, one for each family: the verifier checks
 * each once.
 */
__noinline int xdp_swift_v4(struct xdp_md *ctx, __u32 id, __u32 proto)
{
	return xdp_swift_family(ctx, id, proto, false);
}

__noinline int xdp_swift_v6(struct xdp_md *ctx, __u32 id, __u32 proto)
{
	return xdp_swift_family(ctx, id, proto, true);
}

static __always_inline int xdp_swift(struct xdp_md *ctx, __u32 id, const struct packet *p)
{
	return p->v6 ? xdp_swift_v6(ctx, id, p->proto) : xdp_swift_v4(ctx, id, p->proto);
}

#endif
