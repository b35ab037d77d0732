/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plain - the short way for nearly every packet.
 *
 * A plain frame is TCP or UDP in IP without tags, options, extension headers or fragments, and has
 * room for a TCP header, which even the shortest frame on a wire has. What is accepted here,
 * parse_frame() accepts with the same result; but here no outcome save one leads on, so that the
 * compiler need not keep what would tell the others apart.
 */
#ifndef SLUICE_BPF_PLAIN_H
#define SLUICE_BPF_PLAIN_H

#include "parse.h"

#define IPV4_PLAIN (IPV4_VERSION << 4 | IPV4_IHL_MIN) /* the first byte */

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
 * Read the IP header of a plain frame of one family. False: parse_frame() knows what it is. True:
 * is_plain() says whether it is one of a given protocol; both take constants, which the compiler
 * then knows in what follows.
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
