// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * decap - a backend's end of the tunnel: takes IP out of IP where it arrives. Kernels have devices
 * for that (ipip, ip6tnl), which not every machine's is built with. Needs Linux 6.3.
 */
#include <linux/bpf.h>

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Newer than Debian 12's headers. */
#define DECAP_TO_IPV4 (1ull << 7)
#define DECAP_TO_IPV6 (1ull << 8)

static __always_inline int strip(struct __sk_buff *skb, int outer_len, __u8 proto)
{
	__be16 type = proto == IPPROTO_IPIP ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);

	if (bpf_skb_adjust_room(skb, -outer_len, BPF_ADJ_ROOM_MAC,
				proto == IPPROTO_IPIP ? DECAP_TO_IPV4 : DECAP_TO_IPV6))
		return TC_ACT_SHOT;
	bpf_skb_store_bytes(skb, offsetof(struct ethhdr, h_proto), &type, sizeof(type), 0);
	return TC_ACT_OK;
}

SEC("tc")
int decap(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct ethhdr *eth = data;
	struct ipv6hdr *ip6 = (void *)(eth + 1);
	struct iphdr *ip = (void *)(eth + 1);

	if ((void *)(ip + 1) > end)
		return TC_ACT_OK;
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		return ip->protocol == IPPROTO_IPIP ? strip(skb, sizeof(*ip), IPPROTO_IPIP)
						    : TC_ACT_OK;
	if (eth->h_proto != bpf_htons(ETH_P_IPV6) || (void *)(ip6 + 1) > end)
		return TC_ACT_OK;
	return ip6->nexthdr == IPPROTO_IPIP || ip6->nexthdr == IPPROTO_IPV6
		       ? strip(skb, sizeof(*ip6), ip6->nexthdr)
		       : TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";
