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
#include "extension.h"
#include "key.h"
#include "wire.h"

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

#endif
