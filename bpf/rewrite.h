/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rewrite - what changes in a packet that is forwarded, as numbers; the front ends write it.
 */
#ifndef SLUICE_BPF_REWRITE_H
#define SLUICE_BPF_REWRITE_H

#include "forward_pending.h"
#include "route.h"

#define TUNNEL_TTL 64
#define IPV6_CLASS_MASK 0xff

/* The frame that carries a packet away. */
struct carrier {
	__u16 l2_len; /* Ethernet header with the tag */
	__u16 tunnel_len; /* outer IP header, or 0 */
	bool tunnel_v4;
};

static __always_inline __u32 tunnel_len(const struct flight *f)
{
	if (f->rewrite != REWRITE_TUNNEL)
		return 0;
	return addr_is_v4(f->out.daddr) ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

static __always_inline struct carrier carrier_of(const struct flight *f,
						 const struct sl_route *route)
{
	return (struct carrier){
		.l2_len = sizeof(struct eth_header) +
			  (route->vlan_proto ? sizeof(struct vlan_tag) : 0),
		.tunnel_len = tunnel_len(f),
		.tunnel_v4 = addr_is_v4(f->out.daddr),
	};
}

/* Whether the addresses of the IP header change. */
static __always_inline bool rewrites_addresses(const struct flight *f)
{
	return f->rewrite >= REWRITE_NAT;
}

/* How the addresses change the checksum of the IPv4 header, and of TCP and UDP. */
static __always_inline __u64 change_of_tuple(const struct sl_tuple *in, const struct sl_tuple *out,
					     bool v6)
{
	const __be32 *in_src = (const __be32 *)in->saddr, *in_dst = (const __be32 *)in->daddr;
	const __be32 *out_src = (const __be32 *)out->saddr, *out_dst = (const __be32 *)out->daddr;
	__u64 sum = sum_change(in_src[3], out_src[3]) + sum_change(in_dst[3], out_dst[3]);

	if (!v6)
		return sum;
	for (int i = 0; i < ADDR_WORDS - 1; i++)
		sum += sum_change(in_src[i], out_src[i]) + sum_change(in_dst[i], out_dst[i]);
	return sum;
}

static __always_inline __u64 change_of_addresses(const struct flight *f)
{
	return change_of_tuple(&f->in, &f->out, f->v6);
}

/*
 * One hop further, for a TTL that is not spent: the two bytes with TTL and protocol of an IPv4
 * header, rewritten at once, because a read of what was just written in part would wait. Returns how
 * that changes its checksum.
 */
static __always_inline __u64 hop_ipv4(struct iphdr *ip)
{
	*(__be16 *)&ip->ttl -= bpf_htons(1 << 8);
	return sum_change(word_of_halves(bpf_htons(1 << 8), 0), 0);
}

/* Both ports as the first word of TCP and UDP. */
static __always_inline __be32 ports_word(const struct sl_tuple *tuple)
{
	return word_of_halves(bpf_htons(tuple->sport), bpf_htons(tuple->dport));
}

/* Write the TCP header of a RST that has the packet's place. */
static __always_inline void cut_tcp(struct tcphdr *tcp, const struct flight *f, bool partial)
{
	struct rst rst = { .seq = bpf_htonl(f->seq),
			   .ack = bpf_htonl(f->ack),
			   .flags = TCP_RST | (f->tcp_flags & TCP_ACK) };

	reply_rst(tcp, ports_word(&f->in), rst,
		  sum_pseudo((const __be32 *)f->in.saddr, (const __be32 *)f->in.daddr, IPPROTO_TCP,
			     sizeof(*tcp)),
		  partial);
}

/* The IP header once it is such a RST, of which nothing follows. */
static __always_inline void cut_ipv4(struct iphdr *ip, const struct flight *f)
{
	__be32 *words = (__be32 *)ip, before[2] = { words[0], words[1] };

	ip->tot_len = bpf_htons(f->header_len + sizeof(struct tcphdr));
	ip->frag_off &= bpf_htons(~IPV4_MORE_FRAGMENTS);
	ip->check = sum_update(ip->check,
			       sum_change(before[0], words[0]) + sum_change(before[1], words[1]));
}

static __always_inline void cut_ipv6(struct ipv6hdr *ip, const struct flight *f)
{
	ip->payload_len = bpf_htons(f->header_len - sizeof(*ip) + sizeof(struct tcphdr));
}

/* The frame's length then. */
static __always_inline __u32 cut_len(const struct flight *f)
{
	return f->l2_len + f->header_len + sizeof(struct tcphdr);
}

/* UDP: a checksum of zero means none, and stays; one that comes out as zero is written as ones. */
static __always_inline __u16 udp_check_update(__u16 check, __u64 change)
{
	__u16 updated;

	if (!check)
		return 0;
	updated = sum_update(check, change);
	return updated ?: 0xffff;
}

/*
 * Translate the quoted packet; ip and l4 are its headers. Returns how that changes the ICMP
 * checksum: an IPv4 header adds up to what it did, its own checksum included. The checksum of TCP
 * is usually cut off, and read by nobody.
 */
static __always_inline __u64 requote_ipv4(struct iphdr *ip, const struct flight *f)
{
	__u64 change = change_of_tuple(&f->quoted, &f->requoted, false);

	ip->saddr = ((const __be32 *)f->requoted.saddr)[3];
	ip->daddr = ((const __be32 *)f->requoted.daddr)[3];
	ip->check = sum_update(ip->check, change);
	return 0;
}

static __always_inline __u64 requote_ipv6(struct ipv6hdr *ip, const struct flight *f)
{
	__builtin_memcpy(&ip->saddr, f->requoted.saddr, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, f->requoted.daddr, sizeof(ip->daddr));
	return change_of_tuple(&f->quoted, &f->requoted, true);
}

static __always_inline __u64 requote_l4(struct quoted_l4 *l4, const struct flight *f)
{
	__be32 before = ports_word(&f->quoted), after = ports_word(&f->requoted), rest = l4->rest;
	__u64 change = sum_change(before, after);
	struct udphdr *udp = (struct udphdr *)l4;

	*(__be32 *)l4 = after;
	if (f->quoted.proto == SL_UDP)
		udp->check = udp_check_update(
			udp->check, change + change_of_tuple(&f->quoted, &f->requoted, f->v6));
	return change + sum_change(rest, l4->rest);
}

/*
 * Outer headers. Traffic class and ECN are the inner packet's (RFC 6040). They are never to be
 * fragmented: what is too big was answered.
 */
static __always_inline void tunnel_ipv4(struct iphdr *ip, const struct flight *f, __u8 class)
{
	put_ipv4(ip, class, ((const __be32 *)f->out.saddr)[3], ((const __be32 *)f->out.daddr)[3],
		 f->v6 ? IPPROTO_IPV6 : IPPROTO_IPIP, f->ip_len);
}

static __always_inline void tunnel_ipv6(struct ipv6hdr *ip, const struct flight *f, __u8 class)
{
	put_ipv6(ip, class, (const __be32 *)f->out.saddr, (const __be32 *)f->out.daddr,
		 f->v6 ? IPPROTO_IPV6 : IPPROTO_IPIP, f->ip_len);
}

/* The traffic class of a packet, from the first word of its header. */
static __always_inline __u8 class_of(__be32 first_word, bool v6)
{
	return bpf_ntohl(first_word) >> (v6 ? IPV6_CLASS_SHIFT : 16) & IPV6_CLASS_MASK;
}

/*
 * Whether the packet fits the way that it is to go; if not, *ret_mtu is what would fit. An IPv4
 * packet that might be fragmented is answered as well: it cannot be here, and its sender's stack
 * has long learnt to listen.
 */
static __always_inline bool fits(const struct flight *f, const struct sl_route *route,
				 __u16 *ret_mtu)
{
	__u32 len = f->segment_len + tunnel_len(f);

	if (likely(len <= route->mtu))
		return true;
	*ret_mtu = route->mtu - tunnel_len(f);
	return false;
}

#endif
