/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reply - the headers of a RST or of an ICMP port unreachable.
 *
 * The front ends resize the packet and put these headers in front of what remains of it: nothing
 * behind a RST, the quoted packet behind an ICMP error.
 */
#ifndef SLUICE_BPF_REPLY_H
#define SLUICE_BPF_REPLY_H

#include "budget.h"
#include "request.h"

#define REPLY_TTL 64
#define IPV4_DONT_FRAGMENT 0x4000
#define ICMP_PORT_UNREACHABLE 3
#define ICMPV6_DEST_UNREACHABLE 1
#define ICMPV6_PORT_UNREACHABLE 4
#define ICMP_TOO_BIG 4 /* the code */
#define ICMPV6_TOO_BIG 2 /* the type */

/* What the answer to a packet of that protocol asks of it. */
static __always_inline enum request_kind reply_asks(enum sl_decision decision, __u8 proto)
{
	if (decision == SL_REJECT_UDP)
		return REQUEST_QUOTED_UDP;
	if (decision == SL_ANSWER_TOO_BIG)
		return proto == IPPROTO_TCP ? REQUEST_QUOTED_TCP : REQUEST_QUOTED_UDP;
	return REQUEST_RST;
}

/* What becomes of a packet that should be answered: answer it, or why not. */
static __always_inline enum sl_decision reply_permit(enum sl_decision decision, bool unicast,
						     const struct sl_meta *m)
{
	if (!unicast)
		return SL_DROP_NO_REPLY;
	return budget_take(m) ? decision : SL_DROP_LIMITED;
}

/*
 * Headers are built as words in registers and written whole: summing up what was just written in
 * smaller pieces would make the CPU wait.
 *
 * class: traffic class and ECN. payload_len: bytes behind the IP header. Identification zero goes
 * with "don't fragment".
 */
static __always_inline void put_ipv4(struct iphdr *ip, __u8 class, __be32 saddr, __be32 daddr,
				     __u8 proto, __u16 payload_len)
{
	__be32 first = bpf_htonl(IPV4_VERSION << 28 | IPV4_IHL_MIN << 24 | class << 16 |
				 (sizeof(*ip) + payload_len));
	__be32 second = bpf_htonl(IPV4_DONT_FRAGMENT);
	__be32 third = bpf_htonl(REPLY_TTL << 24 | proto << 16);
	__u64 sum = (__u64)first + second + third + saddr + daddr;
	__be32 *words = (__be32 *)ip;

	words[0] = first;
	words[1] = second;
	words[2] = third | word_of_halves(0, ~sum_fold(sum));
	words[3] = saddr;
	words[4] = daddr;
}

static __always_inline void put_ipv6(struct ipv6hdr *ip, __u8 class, const __be32 saddr[ADDR_WORDS],
				     const __be32 daddr[ADDR_WORDS], __u8 proto, __u16 payload_len)
{
	__be32 *words = (__be32 *)ip;

	words[0] = bpf_htonl((__u32)IPV6_VERSION << 28 | (__u32) class << IPV6_CLASS_SHIFT);
	words[1] = bpf_htonl((__u32)payload_len << 16 | proto << 8 | REPLY_TTL);
	__builtin_memcpy(&ip->saddr, saddr, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, daddr, sizeof(ip->daddr));
}

/* Write the IP header of a reply: the request's addresses, exchanged. */
static __always_inline void reply_ip(void *ip, const struct request *r, __u8 proto,
				     __u16 payload_len)
{
	if (r->v6)
		put_ipv6(ip, 0, r->dst, r->src, proto, payload_len);
	else
		put_ipv4(ip, 0, r->dst[3], r->src[3], proto, payload_len);
}

/*
 * ports: of the RST, source first.
 * pseudo: the sum of the pseudo header.
 * partial: the device will complete the checksum, and expects that sum in the field.
 */
static __always_inline void reply_rst(struct tcphdr *tcp, __be32 ports, struct rst rst,
				      __u64 pseudo, bool partial)
{
	__be32 flags = bpf_htonl(TCP_DOFF_MIN << 28 | rst.flags << 16);
	__u64 sum = pseudo + ports + rst.seq + rst.ack + flags;
	__be32 *words = (__be32 *)tcp;

	words[0] = ports;
	words[1] = rst.seq;
	words[2] = rst.ack;
	words[3] = flags;
	words[4] = word_of_halves(partial ? sum_fold(pseudo) : ~sum_fold(sum), 0);
}

/* Write the TCP header of a RST that has no options. */
static __always_inline void reply_tcp(struct tcphdr *tcp, const struct request *r, bool partial)
{
	reply_rst(tcp, word_of_halves(r->dport, r->sport), r->rst,
		  sum_pseudo(r->dst, r->src, IPPROTO_TCP, sizeof(*tcp)), partial);
}

static __always_inline __u16 reply_icmp_len(const struct request *r)
{
	return sizeof(struct icmp_header) + r->header_len + r->quoted_l4;
}

static __always_inline __u32 reply_ip_header_len(const struct request *r)
{
	return r->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
}

/* Type and code, as the first word. */
static __always_inline __be32 reply_icmp_type(const struct request *r)
{
	if (r->v6)
		return r->mtu ? bpf_htonl(ICMPV6_TOO_BIG << 24)
			      : bpf_htonl(ICMPV6_DEST_UNREACHABLE << 24 | ICMPV6_PORT_UNREACHABLE
										  << 16);
	return bpf_htonl(ICMP_UNREACHABLE << 24 | (r->mtu ? ICMP_TOO_BIG : ICMP_PORT_UNREACHABLE)
							  << 16);
}

/*
 * partial: the device will complete the checksum of the *quoted* packet. Its field then holds
 * the complement of everything else from the TCP or UDP header on, so that these bytes add up to the
 * complement of what stands in the field now, whatever they are.
 */
static __always_inline void reply_icmp(struct icmp_header *icmp, const struct request *r,
				       bool partial)
{
	__u64 sum = (__u64)r->header_sum + (partial ? (__u16)~r->quoted_check : r->l4_sum);
	__be32 *words = (__be32 *)icmp, type = reply_icmp_type(r), mtu = bpf_htonl(r->mtu);

	if (r->v6)
		sum += sum_pseudo(r->dst, r->src, IPPROTO_ICMPV6, reply_icmp_len(r));
	words[0] = type | word_of_halves(0, ~sum_fold(sum + type + mtu));
	words[1] = mtu;
}

/* A partial checksum is the folded sum of the pseudo header, and nothing else. */
static __always_inline bool request_udp_is_partial(const struct request *r)
{
	return r->quoted_check == sum_fold(sum_pseudo(r->src, r->dst, IPPROTO_UDP, r->udp_len));
}

#endif
