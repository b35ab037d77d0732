// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * base - what the gate is compared with, and the harness around what rewrites packets.
 *
 * Costs are compared within one run: an empty program, one that parses Ethernet, IPv4 and TCP and
 * finds the destination in the same hash map, and wrappers that prepare the packet before each run
 * and tail-call what is measured. The difference between two subjects of one wrapper is the cost.
 */
#include <linux/bpf.h>

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "sluice/abi.h"
#include "sluice/hash.h"

#include "cursor.h"
#include "maps.h"

#define TEMPLATE_BYTES 74 /* Ethernet, IPv4 and a SYN with its usual options */
#define TEMPLATE_WORDS 18 /* behind its first two bytes */
#define IPV4_VERSION 4
#define IPV4_IHL_MIN 5
#define IHL_UNIT 4
#define TCP_DOFF_MIN 5
#define RANDOM_STRIDE 0x9e3779b1u /* odd: a permutation of the endpoints */
#define RANDOM_NET 0x0a000000u

/* What the wrappers call; filled by the benchmark. */
enum slot { SLOT_PASS, SLOT_HASH, SLOT_GATE, SLOT_REDIRECT, SLOT_TX, SLOTS };

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, __u32);
} subjects SEC(".maps");

/*
 * The packet as it was. Words, as seen from the IP header on: a load that is no part of one earlier
 * store would wait for it, which no load from a packet that a NIC wrote does.
 */
struct {
	__u16 first;
	__u16 unused;
	__u32 words[TEMPLATE_WORDS];
} template;
__u32 random_mask;
__u32 random_next;

SEC("xdp.frags")
int bench_pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

/* Parsed as any XDP program does that does not crash: versions, header lengths, bounds. */
SEC("xdp.frags")
int bench_hash(struct xdp_md *ctx)
{
	struct cursor c = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	struct sl_target_key key __attribute__((aligned(8))) = {};
	struct ethhdr *eth;
	struct tcphdr *tcp;
	struct iphdr *ip;

	eth = cursor_take(&c, sizeof(*eth));
	if (!eth || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_ABORTED;
	ip = cursor_take(&c, sizeof(*ip));
	if (!ip || ip->version != IPV4_VERSION || ip->ihl < IPV4_IHL_MIN ||
	    ip->protocol != IPPROTO_TCP)
		return XDP_ABORTED;
	cursor_leave(&c, ip, ip->ihl * IHL_UNIT);
	tcp = cursor_take(&c, sizeof(*tcp));
	if (!tcp || tcp->doff < TCP_DOFF_MIN)
		return XDP_ABORTED;

	((__u32 *)key.addr)[2] = bpf_htonl(0xffff);
	((__u32 *)key.addr)[3] = ip->daddr;
	key.port = bpf_ntohs(tcp->dest);
	key.proto = SL_TCP;
	return bpf_map_lookup_elem(&targets, &key) ? XDP_PASS : XDP_ABORTED;
}

/* The clock that is read for a SYN, and for its answer. */
SEC("xdp.frags")
int bench_clock(struct xdp_md *ctx)
{
	(void)ctx;
	return bpf_ktime_get_ns() ? XDP_PASS : XDP_ABORTED;
}

/* The least that a program can do which replies. */
SEC("xdp.frags")
int bench_tx(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_TX;
}

/* Make the packet what it was before the last run rewrote it. */
static __always_inline bool restore(struct xdp_md *ctx)
{
	struct cursor c = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	void *packet = cursor_take(&c, TEMPLATE_BYTES);

	if (!packet)
		return false;
	*(__u16 *)packet = template.first;
	__builtin_memcpy((__u32 *)(packet + sizeof(template.first)), template.words,
			 sizeof(template.words));
	return true;
}

static __always_inline int restore_and_call(struct xdp_md *ctx, enum slot slot)
{
	if (restore(ctx))
		bpf_tail_call(ctx, &subjects, slot);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int restore_tx(struct xdp_md *ctx)
{
	return restore_and_call(ctx, SLOT_TX);
}

SEC("xdp.frags")
int restore_gate(struct xdp_md *ctx)
{
	return restore_and_call(ctx, SLOT_GATE);
}

SEC("xdp.frags")
int restore_redir(struct xdp_md *ctx)
{
	return restore_and_call(ctx, SLOT_REDIRECT);
}

/* The same for what has made the packet longer; the call is made for what has not, too. */
static __always_inline int shrink_and_call(struct xdp_md *ctx, enum slot slot)
{
	__u32 len = ctx->data_end - ctx->data;

	if (bpf_xdp_adjust_head(ctx, (int)len - TEMPLATE_BYTES))
		return XDP_ABORTED;
	return restore_and_call(ctx, slot);
}

SEC("xdp.frags")
int shrink_tx(struct xdp_md *ctx)
{
	return shrink_and_call(ctx, SLOT_TX);
}

SEC("xdp.frags")
int shrink_gate(struct xdp_md *ctx)
{
	return shrink_and_call(ctx, SLOT_GATE);
}

struct headers {
	struct iphdr *ip; /* NULL: the packet is too short */
	struct tcphdr *tcp;
};

static __always_inline struct headers headers_of(struct xdp_md *ctx)
{
	struct cursor c = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	struct ethhdr *eth = cursor_take(&c, sizeof(*eth));
	struct iphdr *ip = cursor_take(&c, sizeof(*ip));
	struct tcphdr *tcp = cursor_take(&c, sizeof(*tcp));

	return (struct headers){ eth && tcp ? ip : NULL, tcp };
}

/* Another address every time, in no order that a cache could like. */
static __always_inline __be32 next_address(void)
{
	return bpf_htonl(RANDOM_NET | (random_next++ * RANDOM_STRIDE & random_mask));
}

/* Let the packet come from another client every time, with another sequence number. */
static __always_inline int clients_and_call(struct xdp_md *ctx, enum slot slot)
{
	struct headers headers = headers_of(ctx);

	if (!headers.ip || !restore(ctx))
		return XDP_ABORTED;
	headers.tcp->seq = bpf_htonl(random_next);
	headers.ip->saddr = next_address();
	bpf_tail_call(ctx, &subjects, slot);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int clients_tx(struct xdp_md *ctx)
{
	return clients_and_call(ctx, SLOT_TX);
}

SEC("xdp.frags")
int clients_gate(struct xdp_md *ctx)
{
	return clients_and_call(ctx, SLOT_GATE);
}

/* Let the endpoint answer another client every time; the same as above in the same order. */
static __always_inline int answers_and_call(struct xdp_md *ctx, enum slot slot)
{
	struct headers headers = headers_of(ctx);

	if (!headers.ip || !restore(ctx))
		return XDP_ABORTED;
	headers.tcp->ack_seq = bpf_htonl(random_next + 1);
	headers.ip->daddr = next_address();
	bpf_tail_call(ctx, &subjects, slot);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int answers_gate(struct xdp_md *ctx)
{
	return answers_and_call(ctx, SLOT_GATE);
}

/* Address the packet to another endpoint every time. */
static __always_inline int randomize_and_call(struct xdp_md *ctx, enum slot slot)
{
	struct headers headers = headers_of(ctx);

	if (!headers.ip)
		return XDP_ABORTED;
	headers.ip->daddr = next_address();
	bpf_tail_call(ctx, &subjects, slot);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int random_pass(struct xdp_md *ctx)
{
	return randomize_and_call(ctx, SLOT_PASS);
}

SEC("xdp.frags")
int random_hash(struct xdp_md *ctx)
{
	return randomize_and_call(ctx, SLOT_HASH);
}

SEC("xdp.frags")
int random_gate(struct xdp_md *ctx)
{
	return randomize_and_call(ctx, SLOT_GATE);
}

char _license[] SEC("license") = "GPL";
