/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * request - what a reply needs to know of the packet that it answers.
 *
 * Taken before the packet is resized, which ends the life of every pointer into it.
 */
#ifndef SLUICE_BPF_REQUEST_H
#define SLUICE_BPF_REQUEST_H

#include "checksum.h"
#include "parse.h"

/* An Ethernet header with two tags; of one with fewer, the rest is overwritten. */
struct l2 {
	__be16 dst[ETH_ALEN / 2];
	__be16 src[ETH_ALEN / 2];
	__be16 rest[5];
};
_Static_assert(sizeof(struct l2) == ETH_HLEN + VLAN_TAGS_MAX * sizeof(struct vlan_tag),
	       "request: L2 header");

/* For the verifier: nothing that parse_frame() accepts is longer. */
#define L2_LEN_MASK 0x1f
#define HEADER_LEN_MASK 0x7fff
#define L2_GROUP_BIT bpf_htons(0x0100) /* of the first byte: multicast or broadcast */

#define ADDR_WORDS 4

/*
 * An ICMP error quotes the IP header and the eight bytes that RFC 792 asks for: enough for every
 * stack to find the socket, never more than the request and 28 (or 48) bytes, and cheap to sum. Of
 * TCP it quotes the header, because a device may still have to fill in the checksum there.
 */
#define QUOTED_L4_BYTES ((__u32)sizeof(struct udphdr))
/* Longer chains of extension headers are not quoted, and so not answered. */
#define QUOTED_HEADER_MAX 128

/* Where the parts of a packet are. */
struct shape {
	__u16 header_len; /* IP header with its options or extension headers */
	__u8 l2_len;
	bool v6;
};

/* What a RST says. */
struct rst {
	__be32 seq;
	__be32 ack;
	__u8 flags;
};

struct request {
	__be32 src[ADDR_WORDS]; /* v4-mapped */
	__be32 dst[ADDR_WORDS];
	__be16 sport;
	__be16 dport;
	struct rst rst; /* TCP */
	__be16 quoted_check; /* of a quoted one: the checksum of TCP or UDP */
	__u16 udp_len;
	__u16 header_sum; /* of a quoted one: of the IP header */
	__u16 l4_sum; /* of a quoted one: of the quoted bytes behind that */
	__u16 mtu; /* of the way that was too small for it; 0: its port is unreachable */
	__u8 quoted_l4; /* bytes behind the IP header that are quoted */
	bool quoted_tcp;
	bool unicast; /* may be answered: RFC 1122, 3.2.2 */
	__u16 header_len;
	__u16 ip_len; /* header and payload, as the header says */
	__u8 l2_len;
	bool v6;
};

static __always_inline struct shape shape_of(const struct packet *p)
{
	return (struct shape){ .header_len = p->header_len, .l2_len = p->l2_len, .v6 = p->v6 };
}

/* Take the L2 header, turned round: addresses swapped, tags kept. */
static __always_inline bool l2_read(struct l2 *ret, void *start, void *end)
{
	struct cursor c = { start, end };
	/* Every packet we answer is longer than this; an untagged one lends us the next bytes. */
	const struct l2 *l2 = cursor_take(&c, sizeof(*l2));

	if (!l2)
		return false;

	*ret = *l2;
	for (int i = 0; i < ETH_ALEN / 2; i++) {
		ret->dst[i] = l2->src[i];
		ret->src[i] = l2->dst[i];
	}
	return true;
}

static __always_inline bool v4_is_unicast(__u32 addr)
{
	__u32 net = addr >> 24;

	return net - 1 < 127 - 1 || net - 128 < 224 - 128 || (net >= 240 && addr != 0xffffffff);
}

static __always_inline bool addr_is_unicast(const __be32 addr[ADDR_WORDS], bool v6)
{
	if (!v6)
		return v4_is_unicast(bpf_ntohl(addr[3]));
	if ((bpf_ntohl(addr[0]) >> 24) == 0xff)
		return false;
	/* ::, ::1 and the v4-mapped addresses, which exist on no wire, begin with eight zeros */
	return addr[0] || addr[1] || (addr[2] && addr[2] != V4_MAPPED_WORD);
}

static __always_inline bool macs_are_unicast(const struct eth_header *eth)
{
	return !((eth->dst[0] | eth->src[0]) & L2_GROUP_BIT);
}

static __always_inline bool request_read_addresses(struct request *r, struct cursor c)
{
	if (r->v6) {
		const struct ipv6hdr *ip = cursor_take(&c, sizeof(*ip));

		if (!ip)
			return false;
		r->ip_len = sizeof(*ip) + bpf_ntohs(ip->payload_len);
		__builtin_memcpy(r->src, &ip->saddr, sizeof(r->src));
		__builtin_memcpy(r->dst, &ip->daddr, sizeof(r->dst));
	} else {
		const struct iphdr *ip = cursor_take(&c, sizeof(*ip));

		if (!ip)
			return false;
		r->ip_len = bpf_ntohs(ip->tot_len);
		r->src[0] = r->src[1] = r->dst[0] = r->dst[1] = 0;
		r->src[2] = r->dst[2] = V4_MAPPED_WORD;
		r->src[3] = ip->saddr;
		r->dst[3] = ip->daddr;
	}
	return true;
}

/* The destination is an endpoint's and so unicast, as far as IP goes: no other is configured. */
static __always_inline bool request_read_unicast(struct request *r, struct cursor c)
{
	const struct eth_header *eth = cursor_take(&c, sizeof(*eth));

	if (!eth)
		return false;
	r->unicast = macs_are_unicast(eth) && addr_is_unicast(r->src, r->v6);
	return true;
}

/* RFC 9293, 3.5.2: what a closed port answers to this header with that many bytes of data. */
static __always_inline struct rst rst_to(const struct tcphdr *tcp, __u32 data_len)
{
	const __be32 *words = (const __be32 *)tcp;
	__u32 flags = ((const __u8 *)tcp)[TCP_FLAGS_BYTE], sequence_len;

	if (flags & TCP_ACK)
		return (struct rst){ .seq = words[2], .flags = TCP_RST };

	sequence_len = data_len + !!(flags & TCP_SYN) + !!(flags & TCP_FIN);
	return (struct rst){ .ack = bpf_htonl(bpf_ntohl(words[1]) + sequence_len),
			     .flags = TCP_RST | TCP_ACK };
}

static __always_inline bool request_read_tcp(struct request *r, struct cursor c)
{
	const struct tcphdr *tcp = cursor_take(&c, sizeof(*tcp));

	if (!tcp)
		return false;

	r->sport = tcp->source;
	r->dport = tcp->dest;
	r->rst = rst_to(tcp, r->ip_len - r->header_len - tcp_header_len(tcp));
	return true;
}

static __always_inline bool request_read_quoted_tcp(struct request *r, struct cursor c)
{
	const struct tcphdr *tcp = cursor_take(&c, sizeof(*tcp));
	const __be32 *words = (const __be32 *)tcp;

	if (!tcp)
		return false;
	r->quoted_check = tcp->check;
	r->quoted_l4 = sizeof(*tcp);
	r->l4_sum = sum_fold((__u64)words[0] + words[1] + words[2] + words[3] + words[4]);
	return true;
}

static __always_inline bool request_read_quoted_udp(struct request *r, struct cursor c)
{
	const struct udphdr *udp = cursor_take(&c, sizeof(*udp));
	const __be32 *words = (const __be32 *)udp;

	if (!udp)
		return false;
	r->quoted_check = udp->check;
	r->udp_len = bpf_ntohs(udp->len);
	r->quoted_l4 = QUOTED_L4_BYTES;
	r->l4_sum = sum_fold((__u64)words[0] + words[1]);
	return true;
}

/* The sum of the IP header, which stands at the cursor. */
static __always_inline bool request_read_quoted_ip(struct request *r, struct cursor c)
{
	__u64 sum = 0;

	if (r->header_len > QUOTED_HEADER_MAX)
		return false;
	for (__u32 i = 0; i < QUOTED_HEADER_MAX / sizeof(__be32); i++) {
		const __be32 *word;

		if (i >= r->header_len / sizeof(*word))
			break;
		word = cursor_take(&c, sizeof(*word));
		if (!word)
			return false;
		sum += *word;
	}
	r->header_sum = sum_fold(sum);
	return true;
}

/* What is asked of a packet: the RST that it is to be answered with, or to be quoted. */
enum request_kind { REQUEST_RST, REQUEST_QUOTED_UDP, REQUEST_QUOTED_TCP };

/* Fill *r from the frame between start and end, or return false if it cannot be answered. */
static __always_inline bool request_read(struct request *r, struct shape shape,
					 enum request_kind kind, void *start, void *end)
{
	struct cursor l2 = { start, end };
	struct cursor l3 = { start + (shape.l2_len & L2_LEN_MASK), end };
	struct cursor l4 = { l3.pos + (shape.header_len & HEADER_LEN_MASK), end };

	*r = (struct request){ .v6 = shape.v6,
			       .l2_len = shape.l2_len,
			       .header_len = shape.header_len };
	if (!request_read_addresses(r, l3) || !request_read_unicast(r, l2))
		return false;
	if (kind == REQUEST_RST)
		return request_read_tcp(r, l4);
	r->quoted_tcp = kind == REQUEST_QUOTED_TCP;
	return request_read_quoted_ip(r, l3) &&
	       (r->quoted_tcp ? request_read_quoted_tcp(r, l4) : request_read_quoted_udp(r, l4));
}

#endif
