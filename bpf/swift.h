/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * swift - the short way of nearly every packet of a service.
 *
 * Packets of open flows in either direction, and SYNs that leave no entry behind, of endpoints that
 * are well and routes that are known: for them forward.h decides the same, but what it keeps in
 * memory for all that may happen is kept in registers here. Nothing is changed, and nothing counted,
 * before it is certain that the packet goes this way to its end.
 */
#ifndef SLUICE_BPF_SWIFT_H
#define SLUICE_BPF_SWIFT_H

#include "recent.h"
#include "rewrite.h"

/* What is found on the way, to be counted at its end. */
struct swift {
	const struct sl_meta *m;
	struct sl_service_stats *service_stats;
	struct sl_endpoint_stats *stats;
	const struct recent *recent; /* NULL: a SYN's */
	const struct sl_service *service; /* a SYN's */
	const struct sl_endpoint_name *name; /* a SYN's */
	__u64 hash; /* of a SYN's flow */
	struct sl_route *route;
};

/* The headers of a plain frame, as long as it has not been resized. */
struct swift_frame {
	struct eth_header *eth;
	union {
		struct iphdr *ipv4;
		struct ipv6hdr *ipv6;
	};
	union {
		struct tcphdr *tcp;
		struct udphdr *udp;
	};
};

/* The headers of what was found to be a plain frame before. */
static __always_inline bool swift_take(struct swift_frame *ret, struct cursor c, bool v6)
{
	struct plain_ipv4 *ipv4;
	struct plain_ipv6 *ipv6;

	if (v6) {
		ipv6 = cursor_take(&c, sizeof(*ipv6));
		if (!ipv6)
			return false;
		*ret = (struct swift_frame){ .eth = &ipv6->eth,
					     .ipv6 = (void *)&ipv6->ip,
					     .tcp = (void *)&ipv6->l4 };
	} else {
		ipv4 = cursor_take(&c, sizeof(*ipv4));
		if (!ipv4)
			return false;
		*ret = (struct swift_frame){ .eth = &ipv4->eth,
					     .ipv4 = (void *)&ipv4->ip,
					     .tcp = (void *)&ipv4->l4 };
	}
	return true;
}

static __always_inline void swift_read_ip(struct flight *f, const struct swift_frame *frame)
{
	if (f->v6) {
		f->header_len = sizeof(*frame->ipv6);
		f->ip_len = sizeof(*frame->ipv6) + bpf_ntohs(frame->ipv6->payload_len);
		f->ttl = frame->ipv6->hop_limit;
		__builtin_memcpy(f->in.saddr, &frame->ipv6->saddr, sizeof(f->in.saddr));
		__builtin_memcpy(f->in.daddr, &frame->ipv6->daddr, sizeof(f->in.daddr));
	} else {
		f->header_len = sizeof(*frame->ipv4);
		f->ip_len = bpf_ntohs(frame->ipv4->tot_len);
		f->ttl = frame->ipv4->ttl;
		addr_set_v4(f->in.saddr, frame->ipv4->saddr);
		addr_set_v4(f->in.daddr, frame->ipv4->daddr);
	}
}

/* Fill *f, which is zero, from a plain frame. */
static __always_inline void swift_read(struct flight *f, const struct swift_frame *frame,
				       __u8 proto, bool v6)
{
	f->v6 = v6;
	f->l2_len = sizeof(*frame->eth);
	swift_read_ip(f, frame);
	f->segment_len = f->ip_len;
	tuple_set_ports(&f->in, bpf_ntohs(frame->tcp->source), bpf_ntohs(frame->tcp->dest), proto);
	if (proto == SL_TCP)
		f->tcp_flags = ((const __u8 *)frame->tcp)[TCP_FLAGS_BYTE];
}

/* Whether packets may go to the endpoint, and those of its flows from it. */
static __always_inline bool swift_find_endpoint(struct swift *s, __u32 id)
{
	struct sl_word word = endpoint_word(id);

	if (word.admin != SL_ENABLED || word.health == SL_UNHEALTHY)
		return false;
	s->stats = bpf_map_lookup_elem(&endpoint_stats, &id);
	return s->stats;
}

static __always_inline bool swift_find_route(struct swift *s, const struct flight *f)
{
	s->route = route_slot(f);
	return s->route && addr_equals(s->route->addr, f->out.daddr) &&
	       s->route->epoch == *(const volatile __u32 *)&s->m->route_epoch &&
	       s->route->uses < SL_ROUTE_USES && !s->route->vlan_proto &&
	       f->segment_len + tunnel_len(f) <= s->route->mtu;
}

/* The first choice for a new flow; SL_ID_NONE: there is none. */
static __always_inline __u32 swift_select(struct swift *s, const struct flight *f)
{
	struct sl_slice slice = slice_load(s->service);
	__u64 hash;

	s->hash = sl_flow_hash(&f->in);
	hash = s->service->flags & SL_SERVICE_AFFINITY ? sl_client_hash(&f->in) : s->hash;

	return slice.size ? slot_endpoint(slice.start + sl_slot(hash, slice.size)) : SL_ID_NONE;
}

/* The entry of an open flow proves it; of others it is only probable, see target_guess(). */
static __always_inline bool swift_is_to_service(const struct swift *s, const struct flight *f)
{
	return addr_equals(s->service->key.addr, f->in.daddr) &&
	       s->service->key.port == f->in.dport && s->service->key.proto == f->in.proto;
}

/* A packet of an open flow to a service. */
static __always_inline bool swift_known(struct swift *s, struct flight *f)
{
	s->recent = recent_flow(&f->in, s->m);
	if (!s->recent || s->recent->flow.kind != SL_FLOW_TO_ENDPOINT ||
	    s->recent->flow.service != f->service)
		return false;
	f->endpoint = s->recent->flow.endpoint;
	return swift_find_endpoint(s, f->endpoint);
}

/* A SYN to a service that does not translate. */
static __always_inline bool swift_syn(struct swift *s, struct flight *f)
{
	__u32 id = f->service;

	s->service = bpf_map_lookup_elem(&services, &id);
	if (!s->service || s->service->method == SL_METHOD_NAT || !swift_is_to_service(s, f) ||
	    recent_is_known(&f->in))
		return false;
	id = f->endpoint = swift_select(s, f);
	s->name = bpf_map_lookup_elem(&endpoint_names, &id);
	return s->name && swift_find_endpoint(s, id);
}

/* How the packet of an open flow looks on its way to the endpoint; method is a constant. */
static __always_inline void swift_to_endpoint(const struct swift *s, struct flight *f,
					      enum sl_method method)
{
	const struct recent *recent = s->recent;

	addr_copy(f->out.daddr, recent->other.addr);
	if (method == SL_METHOD_NAT) {
		addr_copy(f->out.saddr, recent->flow.addr);
		f->out.sport = recent->flow.port;
		f->out.dport = recent->other.port;
		f->rewrite = REWRITE_NAT;
	} else if (method == SL_METHOD_IPIP) {
		addr_copy(f->out.saddr, recent->source);
		f->rewrite = REWRITE_TUNNEL;
	}
}

static __always_inline void swift_watch(const struct flight *f)
{
	const __u64 *peer = (const __u64 *)f->in.saddr;

	if (attempt_slots)
		watch_syn(peer[0], peer[1], (__u64)f->in.sport << 32 | f->endpoint, f->seq);
}

static __always_inline void swift_count_request(const struct swift *s, const struct flight *f)
{
	s->service_stats->packets++;
	s->service_stats->bytes += f->frame_len;
	s->stats->packets++;
	s->stats->bytes += f->frame_len;
	if (!s->recent) {
		s->service_stats->flows++;
		s->stats->syn++;
		handshake_note(s->hash, f->service, f->endpoint, s->name->generation);
		swift_watch(f);
	}
}

/* Whether a packet to nobody of ours is from an endpoint, and goes the short way. */
static __always_inline bool swift_reply(struct swift *s, struct flight *f)
{
	const struct recent *recent = recent_flow(&f->in, s->m);
	__u32 id;

	if (!recent || recent->flow.kind != SL_FLOW_TO_CLIENT ||
	    !swift_find_endpoint(s, recent->flow.endpoint))
		return false;
	id = recent->flow.service;
	s->service_stats = bpf_map_lookup_elem(&service_stats, &id);
	if (!s->service_stats)
		return false;
	addr_copy(f->out.saddr, recent->other.addr);
	addr_copy(f->out.daddr, recent->flow.addr);
	f->out.sport = recent->other.port;
	f->out.dport = recent->flow.port;
	f->rewrite = REWRITE_NAT;
	return swift_find_route(s, f);
}

static __always_inline void swift_count_reply(const struct swift *s, const struct flight *f)
{
	s->service_stats->replies++;
	s->service_stats->reply_bytes += f->frame_len;
	s->stats->replies++;
	s->stats->reply_bytes += f->frame_len;
}

/* What else than a plain SYN opens or ends a flow is judged the long way. */
static __always_inline bool swift_flags(const struct flight *f)
{
	return !(f->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)) ||
	       (f->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) == TCP_SYN;
}

#endif
