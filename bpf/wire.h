/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire - what packets look like, as far as the kernel's headers do not say it usefully.
 */
#ifndef SLUICE_BPF_WIRE_H
#define SLUICE_BPF_WIRE_H

#define VLAN_TAGS_MAX 2

#define IPV4_VERSION 4
#define IPV6_VERSION 6
#define IPV6_CLASS_SHIFT 20 /* traffic class in the first word */
#define IPV4_IHL_MIN 5
#define IPV4_WORD 4 /* bytes per unit of ihl */
#define IPV4_OFFSET_MASK 0x1fff
#define IPV4_MORE_FRAGMENTS 0x2000

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
#define ICMPV6_UNREACHABLE 1
#define ICMPV6_TOO_BIG 2
#define ICMPV6_ERROR_FIRST 1 /* destination unreachable, too big, time exceeded, */
#define ICMPV6_ERROR_LAST 4 /* parameter problem */

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

static __always_inline bool is_vlan(__be16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

static __always_inline __u32 tcp_header_len(const struct tcphdr *tcp)
{
	return (((const __u8 *)tcp)[TCP_DOFF_BYTE] >> 4) * TCP_WORD;
}

#endif
