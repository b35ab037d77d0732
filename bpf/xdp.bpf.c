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

/* Cut the frame to len bytes, then add room in front of it, or take some away. */
static __always_inline bool xdp_resize(struct xdp_md *ctx, __u32 len, int add_head)
{
	int excess = (int)bpf_xdp_get_buff_len(ctx) - (int)len;

	if (excess && bpf_xdp_adjust_tail(ctx, -excess))
		return false;
	return !add_head || !bpf_xdp_adjust_head(ctx, -add_head);
}

/* Write the L2 and IP headers; the cursor stands where the next begins. */
static __always_inline bool xdp_put_headers(struct cursor *c, const struct request *r, __u8 proto,
					    __u16 payload_len)
{
	struct l2 *l2 = cursor_take(c, sizeof(*l2));

	if (!l2)
		return false;
	*l2 = r->l2;
	cursor_leave(c, l2, r->l2_len & L2_LEN_MASK);

	if (r->v6) {
		struct ipv6hdr *ip = cursor_take(c, sizeof(*ip));

		if (!ip)
			return false;
		reply_ipv6(ip, r, proto, payload_len);
	} else {
		struct iphdr *ip = cursor_take(c, sizeof(*ip));

		if (!ip)
			return false;
		reply_ipv4(ip, r, proto, payload_len);
	}
	return true;
}

static __always_inline bool xdp_reply_tcp(struct xdp_md *ctx, const struct request *r)
{
	int add_head = (int)reply_ip_header_len(r) - r->header_len;
	struct tcphdr *tcp;
	struct cursor c;

	if (!xdp_resize(ctx, r->l2_len + r->header_len + sizeof(*tcp), add_head))
		return false;

	c = (struct cursor){ (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	if (!xdp_put_headers(&c, r, IPPROTO_TCP, sizeof(*tcp)))
		return false;
	tcp = cursor_take(&c, sizeof(*tcp));
	if (!tcp)
		return false;
	reply_rst(tcp, r, false);
	return true;
}

static __always_inline bool xdp_reply_udp(struct xdp_md *ctx, const struct request *r)
{
	int add_head = (int)(reply_ip_header_len(r) + sizeof(struct icmp_header));
	struct icmp_header *icmp;
	struct cursor c;

	if (!xdp_resize(ctx, r->l2_len + r->header_len + QUOTED_L4_BYTES, add_head))
		return false;

	c = (struct cursor){ (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	if (!xdp_put_headers(&c, r, r->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, reply_icmp_len(r)))
		return false;
	icmp = cursor_take(&c, sizeof(*icmp));
	if (!icmp)
		return false;
	reply_icmp(icmp, r, false);
	return true;
}

/* Turn the packet into the reply; the decision may become to drop it, because it cannot be. */
static __always_inline enum sl_decision xdp_reply(struct xdp_md *ctx, enum sl_decision decision,
						  union shape shape, const struct sl_meta *m)
{
	bool udp = decision == SL_REJECT_UDP;
	struct request r;

	if (!request_read(&r, shape, udp, (void *)(long)ctx->data, (void *)(long)ctx->data_end))
		return SL_DROP_NO_REPLY;

	decision = reply_permit(decision, &r, m);
	if (decision_effect(decision) != EFFECT_REPLY || m->mode != SL_MODE_ENFORCE)
		return decision;
	if (!(udp ? xdp_reply_udp(ctx, &r) : xdp_reply_tcp(ctx, &r)))
		return SL_DROP_NO_REPLY;
	return decision;
}

/*
 * Answer a packet that met a closed gate. Like xdp_icmp() and xdp_general() a global function, which
 * the verifier checks once instead of once per caller's state.
 */
__noinline int xdp_answer(struct xdp_md *ctx, __u32 id, __u32 judged, __u64 whole_shape)
{
	union shape shape = { .whole = whole_shape };
	const struct sl_meta *m = meta_get();
	struct sl_endpoint_stats *stats = bpf_map_lookup_elem(&endpoint_stats, &id);
	enum sl_decision decision = judged;

	if (!m || !stats)
		return decide(SL_PASS_UNPARSED,
			      XDP_PASS); /* cannot be: the maps have these entries */

	decision = xdp_reply(ctx, decision, shape, m);
	count_closed(stats, decision);
	if (m->mode != SL_MODE_ENFORCE)
		return decide(decision, XDP_PASS);
	if (decision_effect(decision) == EFFECT_REPLY)
		return decide(decision, xdp_send(ctx));
	return decide(decision, XDP_DROP);
}

/* ICMP errors pass, whatever they are about. */
__noinline int xdp_icmp(struct xdp_md *ctx, __u32 offset, bool v6)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;

	return decide(icmp_judge(ctx, data, end, offset, v6), XDP_PASS);
}

/* Judge a TCP or UDP packet, and do as judged. */
static __always_inline int xdp_flow(struct xdp_md *ctx, const struct packet *p,
				    const struct sl_target_key *key, __u32 frame_len)
{
	enum sl_decision decision;
	struct target target;

	if (!target_find(&target, key))
		return decide(SL_PASS_NOT_OURS, XDP_PASS);

	target_count(&target, p, frame_len);
	decision = judge_word(target.word, p);
	switch (decision_effect(decision)) {
	case EFFECT_PASS:
		return decide(decision, XDP_PASS);
	case EFFECT_DROP:
		count_closed(target.stats, decision);
		return decide(decision, is_enforced() ? XDP_DROP : XDP_PASS);
	default:
		return xdp_answer(ctx, target.id, decision, shape_of(p));
	}
}

/* Any frame at all. */
__noinline int xdp_general(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	struct cursor c = { data, (void *)(long)ctx->data_end };
	struct sl_target_key key __attribute__((aligned(8)));
	__u32 frame_len = (__u32)bpf_xdp_get_buff_len(ctx);
	struct packet p = {};
	enum parsed parsed;

	parsed = parse_frame(&c, &p, &key);
	if (p.end > frame_len)
		parsed = PARSED_BAD;
	if (parsed == PARSED_ICMP_ERROR)
		return xdp_icmp(ctx, (__u32)(c.pos - data), p.v6);
	if (parsed == PARSED_FLOW)
		return xdp_flow(ctx, &p, &key, frame_len);
	return decide(decision_of_other(parsed), XDP_PASS);
}

static __always_inline int xdp_plain(struct xdp_md *ctx, struct cursor c, bool v6)
{
	__u32 frame_len = (__u32)(c.end - (void *)(long)ctx->data);
	struct sl_target_key key __attribute__((aligned(8)));
	struct packet p = {};

	if (!parse_plain(&c, &p, &key, v6) || p.end > frame_len)
		return xdp_general(ctx);
	return xdp_flow(ctx, &p, &key, frame_len);
}

SEC("xdp.frags")
int sl_xdp(struct xdp_md *ctx)
{
	struct cursor c = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	const struct eth_header *eth = cursor_take(&c, sizeof(*eth));

	if (eth && eth->type == bpf_htons(ETH_P_IP))
		return xdp_plain(ctx, c, false);
	if (eth && eth->type == bpf_htons(ETH_P_IPV6))
		return xdp_plain(ctx, c, true);
	return xdp_general(ctx);
}

char _license[] SEC("license") = "GPL";
