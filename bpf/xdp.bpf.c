// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xdp - the gate on the NIC's receive path.
 *
 * What cannot be read passes and is counted by reason: the gate closes on proof only. A packet is
 * lost only under a decision whose name begins with DROP.
 *
 * The program takes frames in several buffers ("frags"), so that it does not forbid large MTUs; it
 * reads headers, which are in the first.
 */
#include <linux/bpf.h>

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "sluice/abi.h"
#include "sluice/hash.h"

#include "judge.h"

/*
 * Send replies with bpf_redirect() instead of XDP_TX: on veth, XDP_TX reaches a peer only if that
 * runs an XDP program as well, and is lost without an error otherwise.
 */
const volatile bool reply_by_redirect = false;

static __always_inline int xdp_send(struct xdp_md *ctx)
{
	if (reply_by_redirect)
		return bpf_redirect(ctx->ingress_ifindex, 0);
	return XDP_TX;
}

/* The casts promise the alignment that lets the compiler copy words instead of bytes. */
static __always_inline bool xdp_put(void *to, void *end, const union reply *reply, __u32 len)
{
	if (to + len > end)
		return false;

	__builtin_memcpy((__be32 *)to, (const __be32 *)reply, len);
	return true;
}

/* Store the L2 header and the reply's headers behind it. */
static __always_inline bool xdp_store(struct xdp_md *ctx, const struct request *r,
				      const union reply *reply, __u32 len)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	void *l3 = data + (r->l2_len & L2_LEN_MASK);

	if (data + sizeof(r->l2) > end)
		return false;
	*(struct l2 *)data = r->l2;

	/* Copies need a constant length. */
	switch (len) {
	case sizeof(reply->tcp4):
		return xdp_put(l3, end, reply, sizeof(reply->tcp4));
	case sizeof(reply->tcp6):
		return xdp_put(l3, end, reply, sizeof(reply->tcp6));
	case sizeof(reply->icmp4):
		return xdp_put(l3, end, reply, sizeof(reply->icmp4));
	case sizeof(reply->icmp6):
		return xdp_put(l3, end, reply, sizeof(reply->icmp6));
	default:
		return false;
	}
}

/* Cut the frame to len bytes, then add room in front of it, or take some away. */
static __always_inline bool xdp_resize(struct xdp_md *ctx, __u32 len, int add_head)
{
	int excess = (int)bpf_xdp_get_buff_len(ctx) - (int)len;

	if (excess && bpf_xdp_adjust_tail(ctx, -excess))
		return false;
	return !add_head || !bpf_xdp_adjust_head(ctx, -add_head);
}

static __always_inline bool xdp_reply_tcp(struct xdp_md *ctx, const struct request *r)
{
	int ip_len = r->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	union reply reply;
	__u32 len;

	if (!xdp_resize(ctx, r->l2_len + r->header_len + sizeof(struct tcphdr),
			ip_len - (int)r->header_len))
		return false;

	len = reply_build_tcp(&reply, r, false);
	return xdp_store(ctx, r, &reply, len);
}

static __always_inline bool xdp_reply_udp(struct xdp_md *ctx, const struct request *r)
{
	union reply reply;
	__u32 len = reply_build_icmp(&reply, r, false);

	return xdp_resize(ctx, r->l2_len + r->header_len + QUOTED_L4_BYTES, (int)len) &&
	       xdp_store(ctx, r, &reply, len);
}

/*
 * Do as a decision other than a pass says: drop the packet, or turn it into a reply. Like
 * xdp_icmp() a global function, which the verifier checks once instead of once per caller's state.
 */
__noinline int xdp_close(struct xdp_md *ctx, __u32 id, __u32 judged, __u64 whole_shape)
{
	union shape shape = { .whole = whole_shape };
	enum sl_decision decision = judged;
	const struct sl_meta *m = meta_get();
	bool udp = decision == SL_REJECT_UDP, sent = false;
	struct request r;

	if (!m)
		return decide(SL_PASS_UNPARSED, XDP_PASS); /* cannot be: the map has its entry */

	if (decision_effect(decision) == EFFECT_REPLY) {
		if (!request_read(&r, shape, udp, (void *)(long)ctx->data,
				  (void *)(long)ctx->data_end))
			decision = SL_DROP_NO_REPLY;
		else
			decision = reply_permit(decision, &r, m);
	}
	if (m->mode == SL_MODE_ENFORCE && decision_effect(decision) == EFFECT_REPLY) {
		sent = udp ? xdp_reply_udp(ctx, &r) : xdp_reply_tcp(ctx, &r);
		if (!sent)
			decision = SL_DROP_NO_REPLY;
	}

	count_closed(id, decision);
	if (m->mode != SL_MODE_ENFORCE)
		return decide(decision, XDP_PASS);
	return decide(decision, sent ? xdp_send(ctx) : XDP_DROP);
}

__noinline int xdp_icmp(struct xdp_md *ctx, __u32 offset, bool v6)
{
	return icmp_judge(ctx, (void *)(long)ctx->data, (void *)(long)ctx->data_end, offset, v6);
}

SEC("xdp.frags")
int sl_xdp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	struct cursor c = { data, (void *)(long)ctx->data_end };
	struct sl_target_key key __attribute__((aligned(8))) = {};
	__u32 frame_len = (__u32)(c.end - data);
	struct packet p = {};
	enum sl_decision decision;
	enum parsed parsed;
	__u32 id = 0;

	parsed = parse_frame(&c, &p, &key);
	if (p.end > frame_len) {
		frame_len = (__u32)bpf_xdp_get_buff_len(ctx);
		if (p.end > frame_len)
			parsed = PARSED_BAD;
	}

	if (parsed == PARSED_ICMP_ERROR)
		decision = xdp_icmp(ctx, (__u32)(c.pos - data), p.v6);
	else
		decision = judge(parsed, &p, &key, frame_len, &id);
	if (decision_effect(decision) == EFFECT_PASS)
		return decide(decision, XDP_PASS);
	return xdp_close(ctx, id, decision, shape_of(&p));
}

char _license[] SEC("license") = "GPL";
