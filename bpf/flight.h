/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flight - what is known of the packet to or from a service that is being dealt with.
 *
 * It lives in a per-CPU map rather than on the stack, of which there is too little, and because a
 * map's value may be the key of another map on every kernel. Programs do not nest on a CPU.
 */
#ifndef SLUICE_BPF_FLIGHT_H
#define SLUICE_BPF_FLIGHT_H

#include "judge.h"

/* What is changed of a packet, beside its L2 header and its TTL. */
enum rewrite {
	REWRITE_NONE,
	REWRITE_TUNNEL,
	REWRITE_NAT,
	REWRITE_ICMP, /* addresses, and the packet that an ICMP error quotes */
	REWRITE_ADDRESSES, /* of a later fragment, which has no ports */
};

/* Where a packet goes whose next hop has no known address, for the kernel to find it out. */
struct next_hop {
	__u32 ifindex;
	__u32 family;
	__be32 addr[ADDR_WORDS]; /* IPv4: the first word */
};

struct flight {
	struct sl_tuple in; /* as the packet came */
	struct sl_tuple
		out; /* as it leaves; daddr is what it is routed by, whatever is rewritten */
	/* Keys of other entries: of the flow's other direction; of the flow that holds a port. */
	struct sl_tuple key, partner;
	struct sl_tuple quoted, requoted; /* by an ICMP error: as it is, and as it shall be */
	struct sl_flow flow; /* an entry to be written */
	struct sl_fragment_key datagram; /* of a fragment */
	struct sl_fragment fragment; /* an entry to be written */
	struct sl_route way; /* without addresses; for a next hop whose address is not known */
	struct next_hop next_hop; /* that one */
	__u32 frame_len;
	__u32 service, endpoint; /* ids; SL_ID_NONE as long as there is none */
	__u32 original; /* of one that is redirected: the endpoint that it is addressed to, else 0 */
	__u32 seq, ack; /* TCP; of an ICMP error: what is quoted */
	__u32 segment_len; /* IP length of the largest packet that this one will be cut into */
	__u16 header_len; /* as in struct packet */
	__u16 ip_len;
	__u8 l2_len, ttl;
	__u8 tcp_flags; /* 0 unless TCP */
	__u8 quoted_header_len; /* of the packet that is quoted: IP header */
	__u8 l4_len; /* TCP header with its options, or UDP header */
	__u8 rewrite; /* enum rewrite */
	bool v6;
	bool observe; /* no entry may be written */
	bool half_open; /* the flow was found there */
	__u8 press; /* enum press: for a port, where no free one was found */
	bool asks_neighbour; /* its way leads to f->next_hop */
	bool first_fragment; /* of the datagram f->datagram */
	__u8 icmp_says; /* of an ICMP error: enum watch_icmp */
	__u8 zero[3];
};

/*
 * flight - the packet that a CPU is dealing with
 *   entry    0 -> struct flight, per CPU
 *   writer   every program, for packets to and from services
 *   reader   every program
 *   absent   cannot be
 *   full     cannot be
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct flight);
} flight SEC(".maps");

static __always_inline struct flight *flight_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&flight, &zero);
}

static __always_inline bool addr_is_v4(const __u8 addr[SL_ADDR_LEN])
{
	return !((const __u64 *)addr)[0] && ((const __be32 *)addr)[2] == V4_MAPPED_WORD;
}

static __always_inline bool addr_is_zero(const __u8 addr[SL_ADDR_LEN])
{
	return !((const __u64 *)addr)[0] && !((const __u64 *)addr)[1];
}

static __always_inline bool addr_equals(const __u8 a[SL_ADDR_LEN], const __u8 b[SL_ADDR_LEN])
{
	return ((const __u64 *)a)[0] == ((const __u64 *)b)[0] &&
	       ((const __u64 *)a)[1] == ((const __u64 *)b)[1];
}

/* Copied as two words: the map's hash function reads what was just written. */
static __always_inline void addr_copy(__u8 to[SL_ADDR_LEN], const __u8 from[SL_ADDR_LEN])
{
	((__u64 *)to)[0] = ((const __u64 *)from)[0];
	((__u64 *)to)[1] = ((const __u64 *)from)[1];
}

static __always_inline void addr_set_v4(__u8 to[SL_ADDR_LEN], __be32 addr)
{
	((__u64 *)to)[0] = 0;
	((__u64 *)to)[1] = v4_mapped_low(addr);
}

/* The last eight bytes of a tuple, written at once. */
static __always_inline void tuple_set_ports(struct sl_tuple *tuple, __u16 sport, __u16 dport,
					    __u8 proto)
{
	union {
		struct {
			__u16 sport, dport;
			__u8 proto, zero[3];
		};
		__u64 whole;
	} tail = { .sport = sport, .dport = dport, .proto = proto };

	*(__u64 *)&tuple->sport = tail.whole;
}

static __always_inline bool flight_read_ip(struct flight *f, struct cursor c)
{
	if (f->v6) {
		const struct ipv6hdr *ip = cursor_take(&c, sizeof(*ip));

		if (!ip)
			return false;
		f->ip_len = sizeof(*ip) + bpf_ntohs(ip->payload_len);
		f->ttl = ip->hop_limit;
		__builtin_memcpy(f->in.saddr, &ip->saddr, sizeof(f->in.saddr));
		__builtin_memcpy(f->in.daddr, &ip->daddr, sizeof(f->in.daddr));
	} else {
		const struct iphdr *ip = cursor_take(&c, sizeof(*ip));

		if (!ip)
			return false;
		f->ip_len = bpf_ntohs(ip->tot_len);
		f->ttl = ip->ttl;
		addr_set_v4(f->in.saddr, ip->saddr);
		addr_set_v4(f->in.daddr, ip->daddr);
	}
	return true;
}

static __always_inline bool flight_read_l4(struct flight *f, struct cursor c, __u8 proto)
{
	if (proto == IPPROTO_TCP) {
		const struct tcphdr *tcp = cursor_take(&c, sizeof(*tcp));

		if (!tcp)
			return false;
		tuple_set_ports(&f->in, bpf_ntohs(tcp->source), bpf_ntohs(tcp->dest), SL_TCP);
		f->seq = bpf_ntohl(tcp->seq);
		f->ack = bpf_ntohl(tcp->ack_seq);
		f->tcp_flags = ((const __u8 *)tcp)[TCP_FLAGS_BYTE];
		f->l4_len = tcp_header_len(tcp);
	} else {
		const struct udphdr *udp = cursor_take(&c, sizeof(*udp));

		if (!udp)
			return false;
		tuple_set_ports(&f->in, bpf_ntohs(udp->source), bpf_ntohs(udp->dest), SL_UDP);
		f->tcp_flags = 0;
		f->l4_len = sizeof(*udp);
	}
	return true;
}

/* Fill in what is known of the frame. */
static __always_inline void flight_begin(struct flight *f, const struct pending *pending)
{
	f->frame_len = pending->frame_len;
	f->service = pending->id;
	f->original = 0;
	f->endpoint = SL_ID_NONE;
	f->header_len = pending->shape.header_len;
	f->l2_len = pending->shape.l2_len;
	f->v6 = pending->shape.v6;
	f->half_open = false;
	f->first_fragment = false;
	f->rewrite = REWRITE_NONE;
}

/* Fill *f from the frame between start and end, which was parsed before. */
static __always_inline bool flight_read(struct flight *f, const struct pending *pending,
					void *start, void *end)
{
	struct cursor l3 = { start + (pending->shape.l2_len & L2_LEN_MASK), end };
	struct cursor l4 = { l3.pos + (pending->shape.header_len & HEADER_LEN_MASK), end };

	flight_begin(f, pending);
	if (!flight_read_ip(f, l3) || !flight_read_l4(f, l4, pending->proto))
		return false;
	f->segment_len = f->ip_len;
	return true;
}

/* The addresses of the IP header, and the ports behind it, of the packet that is quoted. */
static __always_inline bool flight_read_quoted(struct flight *f, struct cursor c, bool v6)
{
	struct sl_target_key key __attribute__((aligned(8))) = {};
	struct packet p = {};
	const struct quoted_l4 *l4;

	if (parse_quoted(&c, &p, &key, v6) != PARSED_FLOW || p.header_len > QUOTED_HEADER_MAX)
		return false;
	if (v6)
		__builtin_memcpy(f->quoted.saddr, &((const struct ipv6hdr *)p.l3)->saddr,
				 sizeof(f->quoted.saddr));
	else
		addr_set_v4(f->quoted.saddr, ((const struct iphdr *)p.l3)->saddr);
	addr_copy(f->quoted.daddr, key.addr);
	l4 = p.l4;
	tuple_set_ports(&f->quoted, bpf_ntohs(l4->source), key.port, key.proto);
	f->seq = bpf_ntohl(l4->rest);
	f->quoted_header_len = p.header_len;
	return true;
}

/* Fill *f from the ICMP error between start and end, which was parsed before. */
static __always_inline bool flight_read_icmp(struct flight *f, const struct pending *pending,
					     void *start, void *end, __u32 frame_len)
{
	__u32 offset = pending->icmp.offset;
	struct cursor l3 = { start + (pending->icmp.l2_len & L2_LEN_MASK), end };
	const struct icmp_header *icmp;
	struct cursor quoted;

	f->frame_len = frame_len;
	f->service = f->endpoint = SL_ID_NONE;
	f->original = 0;
	f->l2_len = pending->icmp.l2_len;
	f->header_len = offset - f->l2_len - sizeof(struct icmp_header);
	f->l4_len = 0;
	f->v6 = pending->icmp.v6;
	f->half_open = false;
	f->first_fragment = false;
	f->rewrite = REWRITE_NONE;
	f->tcp_flags = 0;
	tuple_set_ports(&f->in, 0, 0, f->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	icmp = watch_icmp_header(&quoted, start, end, offset);
	if (!icmp || !flight_read_ip(f, l3) || !flight_read_quoted(f, quoted, f->v6))
		return false;
	f->icmp_says = f->v6 ? watch_icmp_v6(icmp) : watch_icmp_v4(icmp);
	f->segment_len = f->ip_len;
	return true;
}

static __always_inline bool flight_is_tcp(const struct flight *f)
{
	return f->in.proto == SL_TCP;
}

/* A SYN that opens a flow. */
static __always_inline bool flight_is_syn(const struct flight *f)
{
	return (f->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

#endif
