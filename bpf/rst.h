/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rst - the RST for nearly every packet, written over it.
 *
 * The frame of a plain packet (see plain.h) that carries no data keeps its length: what were TCP
 * options lies behind the RST, as padding does behind every short packet, and goes back to whom it came
 * from. To shorten the frame costs a fifth more, and gains the wire at most what lies beyond the 60
 * bytes that the shortest frame has.
 */
#ifndef SLUICE_BPF_RST_H
#define SLUICE_BPF_RST_H

#include "plain.h"
#include "reply.h"

static __always_inline bool rst_is_in_place(const struct packet *p)
{
	return p->proto == IPPROTO_TCP && p->ip_len == p->header_len + tcp_header_len(p->l4);
}

/* The first four bytes of an address and the last two. */
static __always_inline void rst_swap_macs(struct eth_header *eth)
{
	__be32 *dst = (__be32 *)eth->dst, *src = (__be32 *)eth->src, first = *dst;
	__be16 last = eth->dst[2];

	*dst = *src;
	eth->dst[2] = eth->src[2];
	*src = first;
	eth->src[2] = last;
}

static __always_inline void rst_write(struct tcphdr *tcp, struct rst rst, __u64 pseudo)
{
	__be32 ports = *(__be32 *)tcp;

	reply_rst(tcp, ports << 16 | ports >> 16, rst, pseudo, false);
}

static __always_inline void rst_write_ipv4(struct plain_ipv4 *frame)
{
	struct tcphdr *tcp = (void *)&frame->l4;
	struct iphdr *ip = (void *)&frame->ip;
	__be32 saddr = ip->saddr, daddr = ip->daddr;

	rst_swap_macs(&frame->eth);
	put_ipv4(ip, 0, daddr, saddr, IPPROTO_TCP, sizeof(*tcp));
	rst_write(tcp, rst_to(tcp, 0),
		  (__u64)saddr + daddr + bpf_htons(sizeof(*tcp)) + bpf_htons(IPPROTO_TCP));
}

static __always_inline void rst_write_ipv6(struct plain_ipv6 *frame)
{
	struct tcphdr *tcp = (void *)&frame->l4;
	struct ipv6hdr *ip = (void *)&frame->ip;
	__be32 saddr[ADDR_WORDS], daddr[ADDR_WORDS];

	__builtin_memcpy(saddr, &ip->saddr, sizeof(saddr));
	__builtin_memcpy(daddr, &ip->daddr, sizeof(daddr));
	rst_swap_macs(&frame->eth);
	put_ipv6(ip, 0, daddr, saddr, IPPROTO_TCP, sizeof(*tcp));
	rst_write(tcp, rst_to(tcp, 0), sum_pseudo(saddr, daddr, IPPROTO_TCP, sizeof(*tcp)));
}

/* The frame whose TCP header was found to be there, with all that is before it. */
static __always_inline void *rst_frame(const struct packet *p)
{
	return p->l4 - (p->v6 ? offsetof(struct plain_ipv6, l4) : offsetof(struct plain_ipv4, l4));
}

/* Whether the packet's sender may be answered. */
static __always_inline bool rst_is_unicast(const struct packet *p)
{
	const struct eth_header *eth = rst_frame(p);
	const struct ipv6hdr *ipv6 = (const void *)(eth + 1);
	const struct iphdr *ipv4 = (const void *)(eth + 1);

	if (!macs_are_unicast(eth))
		return false;
	return p->v6 ? addr_is_unicast((const __be32 *)&ipv6->saddr, true)
		     : v4_is_unicast(bpf_ntohl(ipv4->saddr));
}

/* Turn the packet, for which rst_is_in_place(), into the RST. */
static __always_inline void rst_write_in_place(const struct packet *p)
{
	if (p->v6)
		rst_write_ipv6(rst_frame(p));
	else
		rst_write_ipv4(rst_frame(p));
}

#endif
