/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parse - from the first byte of a frame to the flow it belongs to.
 *
 * Reads Ethernet with up to two VLAN tags, IPv4 with options, IPv6 with a bounded chain of
 * extension headers, TCP, UDP and the ICMP errors that quote a packet. Every length that a header
 * claims is checked against the headers around it; the front end compares packet.end with the
 * frame, because only it knows how long the frame is. Padding after packet.end is never looked at.
 */
#ifndef SLUICE_BPF_PARSE_H
#define SLUICE_BPF_PARSE_H

#include "cursor.h"

#define VLAN_TAGS_MAX 2
#define EXTENSIONS_MAX 8

#define IPV4_VERSION 4
#define IPV6_VERSION 6
#define IPV4_IHL_MIN 5
#define IPV4_PLAIN (IPV4_VERSION << 4 | IPV4_IHL_MIN) /* the first byte */
#define IPV4_WORD 4 /* bytes per unit of ihl */
#define IPV4_OFFSET_MASK 0x1fff
#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV6_OFFSET_MASK 0xfff8
#define EXTENSION_UNIT \
	8u /* bytes per unit of an extension header's length, which omits the first */
#define AH_UNIT 4 /* the same for AH, which omits two */

/* What walk_extensions() returns: the protocol behind the chain, flags, the chain's length. */
#define WALK_NEXT_MASK 0xffu
#define WALK_DONE 0x100u
#define WALK_BAD 0x200u
#define WALK_FIRST 0x400u /* the first of several fragments */
#define WALK_LATER 0x800u /* a later fragment */
#define WALK_LEN_SHIFT 16
#define WALK_LEN_MASK \
	0x3fffu /* EXTENSIONS_MAX headers of 255 + 1 units fit, just not all of them */

#define TCP_DOFF_MIN 5
#define TCP_WORD 4
#define TCP_DOFF_BYTE 12
#define TCP_FLAGS_BYTE 13
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* <linux/icmp.h> drags the C library in. */
#define ICMP_UNREACHABLE 3
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETER_PROBLEM 12
#define ICMPV6_ERROR_FIRST 1 /* destination unreachable, too big, time exceeded, */
#define ICMPV6_ERROR_LAST 4 /* parameter problem */

/* An IPv4 address as the third and fourth word of its v4-mapped form. */
#define V4_MAPPED_WORD bpf_htonl(0x0000ffff)

/* As <linux/if_ether.h> has it, but not packed: its fields are read whole. */
struct eth_header {
	__be16 dst[ETH_ALEN / 2];
	__be16 src[ETH_ALEN / 2];
	__be16 type;
};
_Static_assert(sizeof(struct eth_header) == ETH_HLEN, "parse: Ethernet header");

struct vlan_tag {
	__be16 tci;
	__be16 next; /* EtherType of what follows */
};

/* Extension headers begin like this; they are at least EXTENSION_UNIT long. */
struct extension_head {
	__u8 next;
	__u8 len;
	__be16 offset; /* fragment header only */
};

/* What RFC 792 promises of a quoted packet's payload: the ports, for TCP and UDP alike. */
struct quoted_l4 {
	__be16 source;
	__be16 dest;
	__be32 rest;
};

/* ICMP and ICMPv6 begin alike. */
struct icmp_header {
	__u8 type;
	__u8 code;
	__be16 check;
	__be32 rest;
};
_Static_assert(sizeof(struct icmp_header) == 8, "parse: ICMP header");

enum parsed {
	PARSED_NOT_IP,
	PARSED_BAD, /* truncated, malformed or nested too deep */
	PARSED_FRAGMENT, /* a later fragment: no ports */
	PARSED_OTHER, /* IP, but nothing that could be addressed to an endpoint */
	PARSED_FLOW, /* TCP or UDP: the key is filled */
	PARSED_ICMP_ERROR, /* the cursor stands at the quoted packet */
};

/*
 * Filled as far as parsing came. The pointers are valid for PARSED_FLOW only, and are kept only
 * where they are used: a program that holds them is verified once for every way to come by them.
 */
struct packet {
	void *l3;
	void *l4;
	__u32 l2_len; /* Ethernet header with its tags */
	__u32 header_len; /* IP header with its options or extension headers */
	__u32 ip_len; /* header and payload */
	__u32 gso_len; /* of the frame, if its IP header may be too small to state it (GSO), else 0 */
	__u32 end; /* where the IP length says that the packet ends, from the frame's start; 0: not IP */
	__u8 proto;
	bool v6;
	bool first_fragment;
};

/*
 * A key is written in whole words, because it is read in words at once: a read that gathers several
 * young writes makes the CPU wait for them.
 */
static __always_inline void key_set_v4(struct sl_target_key *key, __be32 addr)
{
	union {
		__be32 words[2];
		__u64 whole;
	} low = { .words = { V4_MAPPED_WORD, addr } };

	((__u64 *)key->addr)[0] = 0;
	((__u64 *)key->addr)[1] = low.whole;
}

/* No such address exists on the wire; believed, it would pass for an IPv4 endpoint. */
static __always_inline bool key_is_mapped(const struct sl_target_key *key)
{
	return !((const __u64 *)key->addr)[0] && ((const __be32 *)key->addr)[2] == V4_MAPPED_WORD;
}

static __always_inline void key_set_port(struct sl_target_key *key, __be16 port,
					 enum sl_proto proto)
{
	union {
		struct {
			__u16 port;
			enum sl_proto proto;
			__u8 zero;
		};
		__u32 whole;
	} tail = { .port = bpf_ntohs(port), .proto = proto };

	*(__u32 *)&key->port = tail.whole;
}

static __always_inline bool is_vlan(__be16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

static __always_inline __u32 tcp_header_len(const struct tcphdr *tcp)
{
	return (((const __u8 *)tcp)[TCP_DOFF_BYTE] >> 4) * TCP_WORD;
}

static __always_inline enum parsed check_tcp(struct packet *p, struct tcphdr *tcp,
					     struct sl_target_key *key)
{
	__u32 header_len;

	header_len = tcp_header_len(tcp);
	if (header_len < sizeof(*tcp) || p->header_len + header_len > p->ip_len)
		return PARSED_BAD;

	p->l4 = tcp;
	key_set_port(key, tcp->dest, SL_TCP);
	return PARSED_FLOW;
}

static __always_inline enum parsed check_udp(struct packet *p, struct udphdr *udp,
					     struct sl_target_key *key)
{
	__u32 len;

	/* The length is the whole datagram's, of which a first fragment holds only the beginning. */
	len = bpf_ntohs(udp->len);
	if (len < sizeof(*udp) || p->header_len + sizeof(*udp) > p->ip_len ||
	    (p->header_len + len > p->ip_len && !p->first_fragment))
		return PARSED_BAD;

	p->l4 = udp;
	key_set_port(key, udp->dest, SL_UDP);
	return PARSED_FLOW;
}

static __always_inline enum parsed parse_tcp(struct cursor *c, struct packet *p,
					     struct sl_target_key *key)
{
	struct tcphdr *tcp = cursor_take(c, sizeof(*tcp));

	return tcp ? check_tcp(p, tcp, key) : PARSED_BAD;
}

static __always_inline enum parsed parse_udp(struct cursor *c, struct packet *p,
					     struct sl_target_key *key)
{
	struct udphdr *udp = cursor_take(c, sizeof(*udp));

	return udp ? check_udp(p, udp, key) : PARSED_BAD;
}

static __always_inline enum parsed parse_icmp(struct cursor *c, struct packet *p)
{
	struct icmp_header *icmp = cursor_take(c, sizeof(*icmp));
	bool error;

	if (!icmp || p->header_len + sizeof(*icmp) > p->ip_len)
		return PARSED_BAD;

	if (p->v6)
		error = icmp->type >= ICMPV6_ERROR_FIRST && icmp->type <= ICMPV6_ERROR_LAST;
	else
		error = icmp->type == ICMP_UNREACHABLE || icmp->type == ICMP_TIME_EXCEEDED ||
			icmp->type == ICMP_PARAMETER_PROBLEM;
	return error ? PARSED_ICMP_ERROR : PARSED_OTHER;
}

static __always_inline enum parsed parse_l4(struct cursor *c, struct packet *p,
					    struct sl_target_key *key)
{
	if (p->proto == IPPROTO_TCP)
		return parse_tcp(c, p, key);
	if (p->proto == IPPROTO_UDP)
		return parse_udp(c, p, key);
	if (p->proto == (p->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return parse_icmp(c, p);
	return PARSED_OTHER;
}

/* Take an IPv4 header with its options. PARSED_FLOW: the cursor stands at what it carries. */
static __always_inline enum parsed parse_ipv4(struct cursor *c, struct packet *p,
					      struct sl_target_key *key)
{
	struct iphdr *ip = cursor_take(c, sizeof(*ip));

	if (!ip || ip->version != IPV4_VERSION || ip->ihl < IPV4_IHL_MIN)
		return PARSED_BAD;

	p->l3 = ip;
	p->v6 = false;
	p->proto = ip->protocol;
	p->header_len = ip->ihl * IPV4_WORD;
	p->ip_len = bpf_ntohs(ip->tot_len);
	p->first_fragment = ip->frag_off & bpf_htons(IPV4_MORE_FRAGMENTS);
	key_set_v4(key, ip->daddr);

	cursor_leave(c, ip, p->header_len);
	return ip->frag_off & bpf_htons(IPV4_OFFSET_MASK) ? PARSED_FRAGMENT : PARSED_FLOW;
}

/* Bytes that an extension header occupies, or 0 if next is none of those that lead to a port. */
static __always_inline __u32 extension_len(__u8 next, __u8 len)
{
	switch (next) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
		return (len + 1) * EXTENSION_UNIT;
	case IPPROTO_FRAGMENT:
		return EXTENSION_UNIT;
	case IPPROTO_AH:
		return (len + 2) * AH_UNIT;
	default:
		return 0;
	}
}

/*
 * One step of walk_extensions(): state before, the header's first word, state after. A global
 * function of numbers: the verifier checks it once and knows nothing of what it returns, so that
 * the loop around it has one path instead of one for every possible chain.
 */
__noinline __u32 extension_step(__u32 state, __u32 word)
{
	struct extension_head head;
	__u32 flags = state & (WALK_FIRST | WALK_LATER), next = state & WALK_NEXT_MASK, len;

	__builtin_memcpy(&head, &word, sizeof(head));
	if (next == IPPROTO_FRAGMENT && head.offset)
		flags |= head.offset & bpf_htons(IPV6_OFFSET_MASK) ? WALK_LATER : WALK_FIRST;
	len = extension_len(next, head.len);
	if (len < EXTENSION_UNIT) /* an AH too short to exist */
		return WALK_BAD;
	if (flags & WALK_LATER || !extension_len(head.next, 0))
		flags |= WALK_DONE;
	return ((state >> WALK_LEN_SHIFT) + len) << WALK_LEN_SHIFT | flags | head.next;
}

/* Walk the chain of extension headers at pos, which begins with one of type next. */
static __always_inline __u32 walk_extensions(void *pos, void *end, __u32 next)
{
	__u32 state = next;

	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		struct cursor c = { pos + (state >> WALK_LEN_SHIFT & WALK_LEN_MASK), end };
		__be32 *word = cursor_take(&c, EXTENSION_UNIT);

		if (!word)
			return WALK_BAD;
		state = extension_step(state, *word);
		if (state & (WALK_DONE | WALK_BAD))
			return state;
	}

	return WALK_BAD;
}

static __always_inline enum parsed parse_extensions(struct cursor *c, struct packet *p)
{
	__u32 walked, len;

	if (!extension_len(p->proto, 0))
		return PARSED_FLOW;

	walked = walk_extensions(c->pos, c->end, p->proto);
	if (walked & WALK_BAD)
		return PARSED_BAD;

	len = walked >> WALK_LEN_SHIFT & WALK_LEN_MASK;
	p->proto = walked & WALK_NEXT_MASK;
	p->first_fragment = walked & WALK_FIRST;
	p->header_len += len;
	cursor_leave(c, c->pos, len);
	return walked & WALK_LATER ? PARSED_FRAGMENT : PARSED_FLOW;
}

/* Take an IPv6 header with its extensions. PARSED_FLOW: the cursor stands at what it carries. */
static __always_inline enum parsed parse_ipv6(struct cursor *c, struct packet *p,
					      struct sl_target_key *key)
{
	struct ipv6hdr *ip = cursor_take(c, sizeof(*ip));
	__u16 payload;

	if (!ip || ip->version != IPV6_VERSION)
		return PARSED_BAD;

	payload = bpf_ntohs(ip->payload_len);
	p->l3 = ip;
	p->v6 = true;
	p->proto = ip->nexthdr;
	p->header_len = sizeof(*ip);
	p->ip_len = payload || !p->gso_len ? sizeof(*ip) + payload : 0;
	p->first_fragment = false;
	__builtin_memcpy(key->addr, &ip->daddr, sizeof(key->addr));

	if (key_is_mapped(key))
		return PARSED_OTHER;
	return parse_extensions(c, p);
}

static __always_inline enum parsed parse_ip(struct cursor *c, struct packet *p,
					    struct sl_target_key *key, bool v6)
{
	enum parsed parsed = v6 ? parse_ipv6(c, p, key) : parse_ipv4(c, p, key);

	if (parsed == PARSED_BAD)
		return PARSED_BAD;
	if (!p->ip_len && p->gso_len)
		p->ip_len = p->gso_len - p->l2_len;
	if (p->ip_len < p->header_len)
		return PARSED_BAD;

	p->end = p->l2_len + p->ip_len;
	return parsed == PARSED_FLOW ? parse_l4(c, p, key) : parsed;
}

/*
 * Parse a frame. *p is zero but for gso_len. *key is aligned to 8 bytes; it is filled for
 * PARSED_FLOW.
 */
static __always_inline enum parsed parse_frame(struct cursor *c, struct packet *p,
					       struct sl_target_key *key)
{
	struct eth_header *eth = cursor_take(c, sizeof(*eth));
	__be16 type;

	if (!eth)
		return PARSED_BAD;
	type = eth->type;
	p->l2_len = sizeof(*eth);

	for (int i = 0; i < VLAN_TAGS_MAX; i++) {
		struct vlan_tag *tag;

		if (!is_vlan(type))
			break;
		tag = cursor_take(c, sizeof(*tag));
		if (!tag)
			return PARSED_BAD;
		type = tag->next;
		p->l2_len += sizeof(*tag);
	}

	if (type == bpf_htons(ETH_P_IP))
		return parse_ip(c, p, key, false);
	if (type == bpf_htons(ETH_P_IPV6))
		return parse_ip(c, p, key, true);
	return is_vlan(type) ? PARSED_BAD : PARSED_NOT_IP;
}

/*
 * Parse the beginning of a packet that an ICMP error quotes: only as much as names the flow, since
 * the rest is usually cut off. PARSED_FLOW: key and l3 are filled, and l4 has two ports.
 */
static __always_inline enum parsed parse_quoted(struct cursor *c, struct packet *p,
						struct sl_target_key *key, bool v6)
{
	enum parsed parsed = v6 ? parse_ipv6(c, p, key) : parse_ipv4(c, p, key);
	struct quoted_l4 *l4;

	if (parsed != PARSED_FLOW)
		return parsed;
	if (p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP)
		return PARSED_OTHER;
	l4 = cursor_take(c, sizeof(*l4));
	if (!l4)
		return PARSED_BAD;

	p->l4 = l4;
	key_set_port(key, l4->dest, p->proto == IPPROTO_TCP ? SL_TCP : SL_UDP);
	return PARSED_FLOW;
}

/*
 * A plain frame: TCP or UDP in IP without tags, options, extension headers or fragments, and with
 * room for a TCP header, which even the shortest frame on a wire has.
 */
struct plain_ipv4 {
	struct eth_header eth;
	struct iphdr ip;
	struct tcphdr l4;
} __attribute__((packed, aligned(2)));

struct plain_ipv6 {
	struct eth_header eth;
	struct ipv6hdr ip;
	struct tcphdr l4;
} __attribute__((packed, aligned(2)));

static __always_inline bool parse_plain_ipv4(struct cursor c, struct packet *p,
					     struct sl_target_key *key)
{
	struct plain_ipv4 *frame = cursor_take(&c, sizeof(*frame));
	const struct iphdr *ip;

	if (!frame || frame->eth.type != bpf_htons(ETH_P_IP))
		return false;
	ip = (const void *)&frame->ip;
	if (*(const __u8 *)ip != IPV4_PLAIN ||
	    ip->frag_off & bpf_htons(IPV4_OFFSET_MASK | IPV4_MORE_FRAGMENTS))
		return false;

	p->l4 = &frame->l4;
	p->proto = ip->protocol;
	p->header_len = sizeof(*ip);
	p->ip_len = bpf_ntohs(ip->tot_len);
	key_set_v4(key, ip->daddr);
	return true;
}

/* A payload length of zero is not plain: no flow has it, unless it stands for another. */
static __always_inline bool parse_plain_ipv6(struct cursor c, struct packet *p,
					     struct sl_target_key *key)
{
	struct plain_ipv6 *frame = cursor_take(&c, sizeof(*frame));
	const struct ipv6hdr *ip;

	if (!frame || frame->eth.type != bpf_htons(ETH_P_IPV6))
		return false;
	ip = (const void *)&frame->ip;
	if (ip->version != IPV6_VERSION)
		return false;

	p->l4 = &frame->l4;
	p->proto = ip->nexthdr;
	p->header_len = sizeof(*ip);
	p->ip_len = sizeof(*ip) + bpf_ntohs(ip->payload_len);
	__builtin_memcpy(key->addr, &ip->daddr, sizeof(key->addr));
	return !key_is_mapped(key);
}

/*
 * The short way, for nearly every packet: parse a plain frame of one family and protocol. False:
 * parse_frame() knows what it is. What this accepts, parse_frame() accepts with the same result;
 * but here no outcome save one leads on, so that the compiler need not keep what would tell the
 * others apart, and knows both constants in what follows.
 */
static __always_inline bool parse_plain(struct cursor c, struct packet *p,
					struct sl_target_key *key, bool v6)
{
	p->v6 = v6;
	p->l2_len = sizeof(struct eth_header);
	if (!(v6 ? parse_plain_ipv6(c, p, key) : parse_plain_ipv4(c, p, key)))
		return false;

	p->end = p->l2_len + p->ip_len;
	return true;
}

static __always_inline bool is_plain(struct packet *p, struct sl_target_key *key, __u8 proto,
				     __u32 frame_len)
{
	if (p->proto != proto || p->end > frame_len)
		return false;
	return (proto == IPPROTO_TCP ? check_tcp(p, p->l4, key) : check_udp(p, p->l4, key)) ==
	       PARSED_FLOW;
}

#endif
