/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reply - the headers of a RST or of an ICMP port unreachable, built beside the packet.
 *
 * The front ends resize the packet and store what is built here: behind it an ICMP error has the
 * quoted packet, which stays where it is.
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

struct reply_tcp4 {
	struct iphdr ip;
	struct tcphdr tcp;
};

struct reply_tcp6 {
	struct ipv6hdr ip;
	struct tcphdr tcp;
};

struct reply_icmp4 {
	struct iphdr ip;
	struct icmp_header icmp;
};

struct reply_icmp6 {
	struct ipv6hdr ip;
	struct icmp_header icmp;
};

union reply {
	struct reply_tcp4 tcp4;
	struct reply_tcp6 tcp6;
	struct reply_icmp4 icmp4;
	struct reply_icmp6 icmp6;
	__u64 words[8];
};
_Static_assert(sizeof(union reply) == 64, "reply: whole words");

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

/*
 * partial: the device will complete the checksum of the *quoted* datagram. Its field then holds
 * the complement of everything else from the UDP header on, so that these bytes add up to the
 * complement of what stands in the field now, whatever they are.
 */
static __always_inline void reply_icmp(struct icmp_header *icmp, const struct request *r,
				       bool partial)
{
	__u64 sum = r->header_sum + (partial ? (__u16)~r->udp_check : r->l4_sum);

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

/* Build the RST; returns the bytes of its headers, a constant on either branch. */
static __always_inline __u32 reply_build_tcp(union reply *reply, const struct request *r,
					     bool partial)
{
	if (r->v6) {
		reply_ipv6(&reply->tcp6.ip, r, IPPROTO_TCP, sizeof(struct tcphdr));
		reply_rst(&reply->tcp6.tcp, r, partial);
		return sizeof(reply->tcp6);
	}
	reply_ipv4(&reply->tcp4.ip, r, IPPROTO_TCP, sizeof(struct tcphdr));
	reply_rst(&reply->tcp4.tcp, r, partial);
	return sizeof(reply->tcp4);
}

/* Build the ICMP error up to the packet that it quotes; returns the bytes of its headers. */
static __always_inline __u32 reply_build_icmp(union reply *reply, const struct request *r,
					      bool partial)
{
	if (r->v6) {
		reply_ipv6(&reply->icmp6.ip, r, IPPROTO_ICMPV6, reply_icmp_len(r));
		reply_icmp(&reply->icmp6.icmp, r, partial);
		return sizeof(reply->icmp6);
	}
	reply_ipv4(&reply->icmp4.ip, r, IPPROTO_ICMP, reply_icmp_len(r));
	reply_icmp(&reply->icmp4.icmp, r, partial);
	return sizeof(reply->icmp4);
}

/* A partial checksum is the folded sum of the pseudo header, and nothing else. */
static __always_inline bool request_udp_is_partial(const struct request *r)
{
	return r->udp_check == sum_fold(sum_pseudo(r->src, r->dst, IPPROTO_UDP, r->udp_len));
}

#endif
