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

/* payload_len: bytes behind the IP header. Identification zero goes with "don't fragment". */
static __always_inline void reply_ipv4(struct iphdr *ip, const struct request *r, __u8 proto,
				       __u16 payload_len)
{
	*ip = (struct iphdr){
		.version = IPV4_VERSION,
		.ihl = IPV4_IHL_MIN,
		.tot_len = bpf_htons(sizeof(*ip) + payload_len),
		.frag_off = bpf_htons(IPV4_DONT_FRAGMENT),
		.ttl = REPLY_TTL,
		.protocol = proto,
		.saddr = r->dst[3],
		.daddr = r->src[3],
	};
	ip->check = ~sum_fold(sum_words(0, (__be32 *)ip, sizeof(*ip) / sizeof(__be32)));
}

static __always_inline void reply_ipv6(struct ipv6hdr *ip, const struct request *r, __u8 proto,
				       __u16 payload_len)
{
	*ip = (struct ipv6hdr){
		.version = IPV6_VERSION,
		.payload_len = bpf_htons(payload_len),
		.nexthdr = proto,
		.hop_limit = REPLY_TTL,
	};
	__builtin_memcpy(&ip->saddr, r->dst, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, r->src, sizeof(ip->daddr));
}

/*
 * partial: the device will complete the checksum, and expects the sum of the pseudo header in the
 * field.
 */
static __always_inline void reply_rst(struct tcphdr *tcp, const struct request *r, bool partial)
{
	__u64 sum = sum_pseudo(r->dst, r->src, IPPROTO_TCP, sizeof(*tcp));

	*tcp = (struct tcphdr){
		.source = r->dport,
		.dest = r->sport,
		.seq = r->reply_seq,
		.ack_seq = r->reply_ack,
		.doff = TCP_DOFF_MIN,
		.rst = 1,
		.ack = r->reply_acks,
	};
	if (partial)
		tcp->check = sum_fold(sum);
	else
		tcp->check =
			~sum_fold(sum_words(sum, (__be32 *)tcp, sizeof(*tcp) / sizeof(__be32)));
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

	if (r->v6) {
		sum += sum_pseudo(r->dst, r->src, IPPROTO_ICMPV6, reply_icmp_len(r));
		*icmp = (struct icmp_header){ .type = ICMPV6_DEST_UNREACHABLE,
					      .code = ICMPV6_PORT_UNREACHABLE };
	} else {
		*icmp = (struct icmp_header){ .type = ICMP_UNREACHABLE,
					      .code = ICMP_PORT_UNREACHABLE };
	}
	icmp->check = ~sum_fold(sum + *(__be32 *)icmp);
}

/* A partial checksum is the folded sum of the pseudo header, and nothing else. */
static __always_inline bool request_udp_is_partial(const struct request *r)
{
	return r->udp_check == sum_fold(sum_pseudo(r->src, r->dst, IPPROTO_UDP, r->udp_len));
}

#endif
