// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tc - the gate where XDP cannot be (virtual devices), and for what this host itself sends.
 *
 * What cannot be read passes and is counted by reason: the gate closes on proof only. A packet is
 * lost only under a decision whose name begins with DROP.
 *
 * Packets are read directly, but written with helpers only: a program with a single direct write
 * makes the kernel copy the headers of every packet whose skb is cloned, which is all of TCP's.
 */
#include <linux/bpf.h>

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "sluice/abi.h"
#include "sluice/hash.h"

#include "judge.h"

/* Enough for the headers of any packet with options that people use. */
#define PULL_BYTES 256

/* Which way the packets go that a program sees. */
enum side { SIDE_INGRESS, SIDE_EGRESS };

/*
 * Whether the L4 checksum whose field is at offset is left to the device. The kernel does not say,
 * but this helper adjusts a checksum only if it is not.
 */
static __always_inline bool tc_checksum_is_partial(struct __sk_buff *ctx, __u32 offset)
{
	__be16 before = 0, after = 0;

	bpf_skb_load_bytes(ctx, offset, &before, sizeof(before));
	bpf_l4_csum_replace(ctx, offset, 0, 1, sizeof(before));
	bpf_skb_load_bytes(ctx, offset, &after, sizeof(after));
	bpf_skb_store_bytes(ctx, offset, &before, sizeof(before), 0);
	return before == after;
}

/* Store the L2 header and the reply's headers behind it. */
static __always_inline bool tc_store(struct __sk_buff *ctx, const struct request *r,
				     const union reply *reply, __u32 len)
{
	return !bpf_skb_store_bytes(ctx, 0, &r->l2, sizeof(r->l2), 0) &&
	       !bpf_skb_store_bytes(ctx, r->l2_len, reply, len, 0);
}

/*
 * The TCP header stays where it is, because a device that completes its checksum knows it by its
 * place: what the RST's IP header is shorter by is taken away in front.
 */
static __always_inline bool tc_reply_tcp(struct __sk_buff *ctx, const struct request *r)
{
	__u32 l4 = r->l2_len + r->header_len;
	int add_head =
		(int)(r->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr)) - (int)r->header_len;
	bool partial = tc_checksum_is_partial(ctx, l4 + offsetof(struct tcphdr, check));
	union reply reply;
	__u32 len;

	if (bpf_skb_change_tail(ctx, l4 + sizeof(struct tcphdr), 0))
		return false;
	if (add_head && bpf_skb_adjust_room(ctx, add_head, BPF_ADJ_ROOM_MAC, 0))
		return false;

	len = reply_build_tcp(&reply, r, partial);
	return tc_store(ctx, r, &reply, len);
}

static __always_inline bool tc_reply_udp(struct __sk_buff *ctx, const struct request *r)
{
	__u32 l4 = r->l2_len + r->header_len;
	bool partial = tc_checksum_is_partial(ctx, l4 + offsetof(struct udphdr, check));
	union reply reply;
	__u32 len;

	/* A checksum left to the device that is not this one: an inner packet's. */
	if (partial && !request_udp_is_partial(r))
		return false;

	len = reply_build_icmp(&reply, r, partial);
	return !bpf_skb_change_tail(ctx, l4 + QUOTED_L4_BYTES, 0) &&
	       !bpf_skb_change_head(ctx, len, 0) && tc_store(ctx, r, &reply, len);
}

/* Send a reply back: out of the device that the packet came from, or up to the local sender. */
static __always_inline int tc_send(struct __sk_buff *ctx, enum side side)
{
	if (side == SIDE_INGRESS)
		return (int)bpf_redirect(ctx->ifindex, 0);

	ctx->mark = SL_REPLY_MARK;
	return (int)bpf_redirect(ctx->ifindex, BPF_F_INGRESS);
}

/*
 * Do as a decision other than a pass says: drop the packet, or turn it into a reply. Like
 * tc_icmp() a global function, which the verifier checks once instead of once per caller's state.
 */
__noinline int tc_close(struct __sk_buff *ctx, __u32 id, __u32 judged, __u64 whole_shape,
			__u32 side)
{
	union shape shape = { .whole = whole_shape };
	enum sl_decision decision = judged;
	const struct sl_meta *m = meta_get();
	bool udp = decision == SL_REJECT_UDP, sent = false;
	struct request r;

	if (!m)
		return decide(SL_PASS_UNPARSED,
			      TC_ACT_UNSPEC); /* cannot be: the map has its entry */

	if (decision_effect(decision) == EFFECT_REPLY) {
		if (!request_read(&r, shape, udp, (void *)(long)ctx->data,
				  (void *)(long)ctx->data_end))
			decision = SL_DROP_NO_REPLY;
		else
			decision = reply_permit(decision, &r, m);
	}
	if (m->mode == SL_MODE_ENFORCE && decision_effect(decision) == EFFECT_REPLY) {
		sent = udp ? tc_reply_udp(ctx, &r) : tc_reply_tcp(ctx, &r);
		if (!sent)
			decision = SL_DROP_NO_REPLY;
	}

	count_closed(id, decision);
	if (m->mode != SL_MODE_ENFORCE)
		return decide(decision, TC_ACT_UNSPEC);
	return decide(decision, sent ? tc_send(ctx, side) : TC_ACT_SHOT);
}

__noinline int tc_icmp(struct __sk_buff *ctx, __u32 offset, bool v6)
{
	return icmp_judge(ctx, (void *)(long)ctx->data, (void *)(long)ctx->data_end, offset, v6);
}

static __always_inline enum parsed tc_parse(struct __sk_buff *ctx, struct cursor *c,
					    struct packet *p, struct sl_target_key *key)
{
	*c = (struct cursor){ (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	*p = (struct packet){ .gso_len = ctx->gso_size ? ctx->len : 0 };

	return parse_frame(c, p, key);
}

/* TC_ACT_UNSPEC lets other programs and the stack go on with the packet. */
static __always_inline int tc_run(struct __sk_buff *ctx, enum side side)
{
	struct sl_target_key key __attribute__((aligned(8))) = {};
	enum sl_decision decision;
	enum parsed parsed;
	struct packet p;
	struct cursor c;
	__u32 id = 0;

	parsed = tc_parse(ctx, &c, &p, &key);
	if (parsed == PARSED_BAD && ctx->data_end - ctx->data < ctx->len) {
		/* The headers may lie in the part that cannot be read directly. */
		bpf_skb_pull_data(ctx, ctx->len < PULL_BYTES ? ctx->len : PULL_BYTES);
		parsed = tc_parse(ctx, &c, &p, &key);
	}
	if (p.end > ctx->len)
		parsed = PARSED_BAD;

	if (parsed == PARSED_ICMP_ERROR)
		decision = tc_icmp(ctx, (__u32)(c.pos - (void *)(long)ctx->data), p.v6);
	else
		decision = judge(parsed, &p, &key, ctx->len, &id);
	if (decision_effect(decision) == EFFECT_PASS)
		return decide(decision, TC_ACT_UNSPEC);
	return tc_close(ctx, id, decision, shape_of(&p), side);
}

SEC("tc")
int sl_tc_ingress(struct __sk_buff *ctx)
{
	/* Our own answer to what this host sent; the packet it answers was counted on egress. */
	if (ctx->mark == SL_REPLY_MARK) {
		ctx->mark = 0;
		return TC_ACT_UNSPEC;
	}
	return tc_run(ctx, SIDE_INGRESS);
}

SEC("tc")
int sl_tc_egress(struct __sk_buff *ctx)
{
	/* Forwarded, or a reply of ours: judged and counted where it came in. */
	if (ctx->ingress_ifindex)
		return TC_ACT_UNSPEC;
	if (ctx->mark == SL_PROBE_MARK)
		return decide(SL_PASS_PROBE, TC_ACT_UNSPEC);
	return tc_run(ctx, SIDE_EGRESS);
}

char _license[] SEC("license") = "GPL";
