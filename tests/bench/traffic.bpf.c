// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * traffic - packets without end, and where they end.
 *
 * The generator is run with live frames: what it makes leaves by a device. The kernel gives it the
 * same pages again and again, as the last program on their way left them, so that every packet is
 * written whole.
 */
#include <linux/bpf.h>

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "cursor.h"

#define FRAME_LEN 74 /* what scene.h builds */
#define FRAME_WORDS 18 /* behind its first two bytes */
#define FRAMES 1024

struct {
	__u16 first;
	__u16 unused;
	__u32 words[FRAME_WORDS];
} frames[FRAMES];
__u32 next;

/* By the end of the way, with addresses as they shall be there; on one CPU. */
__u64 arrived;
__be32 source, network, netmask;

SEC("xdp")
int generate(struct xdp_md *ctx)
{
	struct cursor c = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	void *packet = cursor_take(&c, FRAME_LEN);
	__u32 i = next++ % FRAMES;

	if (!packet)
		return XDP_ABORTED;
	*(__u16 *)packet = frames[i].first;
	__builtin_memcpy(packet + sizeof(frames[i].first), frames[i].words,
			 sizeof(frames[i].words));
	return XDP_TX;
}

SEC("xdp")
int swallow(struct xdp_md *ctx)
{
	struct cursor c = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	const struct {
		struct ethhdr eth;
		struct iphdr ip;
	} __attribute__((packed, aligned(2))) *frame = cursor_take(&c, sizeof(*frame));

	if (!frame || frame->eth.h_proto != bpf_htons(ETH_P_IP))
		return XDP_DROP;
	if ((!source || frame->ip.saddr == source) && (frame->ip.daddr & netmask) == network)
		arrived++;
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
