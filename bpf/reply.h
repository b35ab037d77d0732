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

/* What becomes of a packet that should be answered: answer it, or why not. */
static __always_inline enum sl_decision
reply_permit(enum sl_decision decision, const struct request *r, const struct sl_meta *m)
{
	if (!request_is_unicast(r))
		return SL_DROP_NO_REPLY;
	return budget_take(m) ? decision : SL_DROP_LIMITED;
}

/*
 * Headers are built as words in registers and written whole: summing up what was just written in
 * smaller pieces would make the CPU wait.
 *
 * payload_len: bytes behind the IP header. Identification zero goes with "don't fragment".
 */
static __always_inline void reply_ipv4(struct iphdr *ip, const struct request *r, __u8 proto,
				       __u16 payload_len)
{
	__be32 first =
		bpf_htonl(IPV4_VERSION << 28 | IPV4_IHL_MIN << 24 | (sizeof(*ip) + payload_len));
	__be32 second = bpf_htonl(IPV4_DONT_FRAGMENT);
	__be32 third = bpf_htonl(REPLY_TTL << 24 | proto << 16);
	__u64 sum = (__u64)first + second + third + r->dst[3] + r->src[3];
	__be32 *words = (__be32 *)ip;

	words[0] = first;
	words[1] = second;
	words[2] = third | word_of_halves(0, ~sum_fold(sum));
	words[3] = r->dst[3];
	words[4] = r->src[3];
}

static __always_inline void reply_ipv6(struct ipv6hdr *ip, const struct request *r, __u8 proto,
				       __u16 payload_len)
{
	__be32 *words = (__be32 *)ip;

	words[0] = bpf_htonl((__u32)IPV6_VERSION << 28);
	words[1] = bpf_htonl((__u32)payload_len << 16 | proto << 8 | REPLY_TTL);
	__builtin_memcpy(&ip->saddr, r->dst, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, r->src, sizeof(ip->daddr));
}

/*
 * partial: the device will complete the checksum, and expects the sum of the pseudo header in the
 * field.
 */
static __always_inline void reply_rst(struct tcphdr *tcp, const struct request *r, bool partial)
{
	__be32 ports = word_of_halves(r->dport, r->sport);
	__be32 flags = bpf_htonl((__u32)TCP_DOFF_MIN << 28 |
				 (r->reply_acks ? TCP_RST | TCP_ACK : TCP_RST) << 16);
	__u64 pseudo = sum_pseudo(r->dst, r->src, IPPROTO_TCP, sizeof(*tcp));
	__u64 sum = pseudo + ports + r->reply_seq + r->reply_ack + flags;
	__be32 *words = (__be32 *)tcp;

	words[0] = ports;
	words[1] = r->reply_seq;
	words[2] = r->reply_ack;
	words[3] = flags;
	words[4] = word_of_halves(partial ? sum_fold(pseudo) : ~sum_fold(sum), 0);
}

static __always_inline __u16 reply_icmp_len(const struct request *r)
{
	return sizeof(struct icmp_header) + r->header_len + QUOTED_L4_BYTES;
}

static __always_inline __u32 reply_ip_header_len(const struct request *r)
{
	return r->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
}

/*
 * partial: the device will complete the checksum of the *quoted* datagram. Its field then holds
 * the complement of everything else from the UDP header on, so that these bytes add up to the
 * complement of what stands in the field now, whatever they are.
 */
static __always_inline void reply_icmp(struct icmp_header *icmp, const struct request *r,
				       bool partial)
{
	__u64 sum = (__u64)r->header_sum + (partial ? (__u16)~r->udp_check : r->l4_sum);
	__be32 *words = (__be32 *)icmp, type;

	if (r->v6) {
		type = bpf_htonl(ICMPV6_DEST_UNREACHABLE << 24 | ICMPV6_PORT_UNREACHABLE << 16);
		sum += sum_pseudo(r->dst, r->src, IPPROTO_ICMPV6, reply_icmp_len(r));
	} else {
		type = bpf_htonl(ICMP_UNREACHABLE << 24 | ICMP_PORT_UNREACHABLE << 16);
	}
	words[0] = type | word_of_halves(0, ~sum_fold(sum + type));
	words[1] = 0;
}

/* A partial checksum is the folded sum of the pseudo header, and nothing else. */
static __always_inline bool request_udp_is_partial(const struct request *r)
{
	return r->udp_check == sum_fold(sum_pseudo(r->src, r->dst, IPPROTO_UDP, r->udp_len));
}

#endif
