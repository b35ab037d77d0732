// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flood - makes SYNs: a frame from the template, of a client that was not there before.
 *
 * Run with live frames: what it makes leaves by a device, for a tenth of what a socket costs. The kernel
 * gives it the same pages again and again, so that every frame is written whole.
 */
#include <linux/bpf.h>

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "cursor.h"

#define FRAME_WORDS 13 /* behind its first two bytes */

/* Filled by flood.c. */
struct {
	__u16 first;
	__u16 unused;
	__u32 words[FRAME_WORDS];
} template;
__u32 ip_sum, tcp_sum; /* of all that is the same in each; of words as they are in memory */
__u32 source_net, source_bits, ports_low, ports; /* where the clients are, in host order */
__u32 number; /* of the next one */

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed, aligned(2)));

static __always_inline __u16 fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16) ~((sum & 0xffff) + (sum >> 16));
}

static __always_inline __u32 sum_word(__u32 word)
{
	return (word & 0xffff) + (word >> 16);
}

SEC("xdp")
int make_syn(struct xdp_md *ctx)
{
	struct cursor c = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	struct frame *frame = cursor_take(&c, sizeof(*frame));
	__u32 n = number++, spread = n * 2654435761u, addr;

	if (!frame)
		return XDP_ABORTED;
	addr = bpf_htonl(source_net | spread >> (32 - source_bits));
	*(__u16 *)frame = template.first;
	__builtin_memcpy((void *)frame + sizeof(template.first), template.words,
			 sizeof(template.words));
	frame->ip.saddr = addr;
	frame->ip.check = fold(ip_sum + sum_word(addr));
	frame->tcp.source = bpf_htons(ports_low + n % ports);
	frame->tcp.seq = spread;
	frame->tcp.check = fold(tcp_sum + sum_word(addr) + sum_word(spread) + frame->tcp.source);
	return XDP_TX;
}

char _license[] SEC("license") = "GPL";
