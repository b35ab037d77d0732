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
#include "rst.h"
#include "sample.h"
#include "xdp_swift.h"

/* Cut the frame, now now_len bytes, to len; then add room in front of it, or take some away. */
static __always_inline bool xdp_resize(struct xdp_md *ctx, __u32 now_len, __u32 len, int add_head)
{
	if (now_len != len && bpf_xdp_adjust_tail(ctx, (int)len - (int)now_len))
		return false;
	return !add_head || !bpf_xdp_adjust_head(ctx, -add_head);
}

/* Write the IP header; the cursor moves behind it. */
static __always_inline bool xdp_put_ip(struct cursor *c, const struct request *r, __u8 proto,
				       __u16 payload_len)
{
	void *ip = r->v6 ? cursor_take(c, sizeof(struct ipv6hdr))
			 : cursor_take(c, sizeof(struct iphdr));

	if (!ip)
		return false;
	reply_ip(ip, r, proto, payload_len);
	return true;
}

/* Write the L2 header; the cursor stands behind it. */
static __always_inline bool xdp_put_l2(struct xdp_md *ctx, struct cursor *c,
				       const struct request *r, const struct l2 *l2)
{
	void *data = (void *)(long)ctx->data;
	struct l2 *to;

	*c = (struct cursor){ data, (void *)(long)ctx->data_end };
	to = cursor_take(c, sizeof(*to));
	if (!to)
		return false;
	*to = *l2;
	cursor_leave(c, data, r->l2_len & L2_LEN_MASK);
	return true;
}

static __always_inline bool xdp_put_rst(struct cursor *c, const struct request *r)
{
	struct tcphdr *tcp;

	if (!xdp_put_ip(c, r, IPPROTO_TCP, sizeof(*tcp)))
		return false;
	tcp = cursor_take(c, sizeof(*tcp));
	if (!tcp)
		return false;
	reply_tcp(tcp, r, false);
	return true;
}

/* Turn a frame of frame_len bytes, of which the program sees data to end, into a RST. */
static __always_inline bool xdp_reply_tcp(struct xdp_md *ctx, const struct request *r, void *data,
					  void *end, __u32 frame_len)
{
	__u32 len = r->l2_len + r->header_len + sizeof(struct tcphdr);
	int add_head = (int)reply_ip_header_len(r) - r->header_len;
	struct cursor c;
	struct l2 l2;

	return l2_read(&l2, data, end) && xdp_resize(ctx, frame_len, len, add_head) &&
	       xdp_put_l2(ctx, &c, r, &l2) && xdp_put_rst(&c, r);
}

static __always_inline bool xdp_put_icmp(struct cursor *c, const struct request *r)
{
	__u8 proto = r->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	struct icmp_header *icmp;

	if (!xdp_put_ip(c, r, proto, reply_icmp_len(r)))
		return false;
	icmp = cursor_take(c, sizeof(*icmp));
	if (!icmp)
		return false;
	reply_icmp(icmp, r, false);
	return true;
}

static __always_inline bool xdp_reply_icmp(struct xdp_md *ctx, const struct request *r, void *data,
					   void *end, __u32 frame_len)
{
	__u32 len = r->l2_len + r->header_len + r->quoted_l4;
	int add_head = (int)(reply_ip_header_len(r) + sizeof(struct icmp_header));
	struct cursor c;
	struct l2 l2;

	return l2_read(&l2, data, end) && xdp_resize(ctx, frame_len, len, add_head) &&
	       xdp_put_l2(ctx, &c, r, &l2) && xdp_put_icmp(&c, r);
}

/* Turn the packet into the reply; the decision may become to drop it, because it cannot be. */
static __always_inline enum sl_decision xdp_reply(struct xdp_md *ctx, enum sl_decision decision,
						  const struct pending *pending,
						  const struct sl_meta *m, __u32 frame_len)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	enum request_kind kind = reply_asks(decision, pending->proto);
	bool icmp = kind != REQUEST_RST;
	struct request r;

	if (!request_read(&r, pending->shape, kind, data, end))
		return SL_DROP_NO_REPLY;
	r.mtu = pending->mtu;

	decision = reply_permit(decision, r.unicast, m);
	if (decision_effect(decision) != EFFECT_REPLY || m->mode != SL_MODE_ENFORCE)
		return decision;
	if (!(icmp ? xdp_reply_icmp(ctx, &r, data, end, frame_len)
		   : xdp_reply_tcp(ctx, &r, data, end, frame_len)))
		return SL_DROP_NO_REPLY;
	return decision;
}

/* Answer a plain TCP packet that met a closed gate, for which rst_is_in_place(), by decision. */
static __always_inline int xdp_rst(struct xdp_md *ctx, const struct packet *p,
				   struct sl_endpoint_stats *stats, const struct sl_meta *m,
				   enum sl_decision decision)
{
	enum sl_decision permitted = reply_permit(decision, rst_is_unicast(p), m);

	if (likely(permitted == decision)) {
		rst_write_in_place(p);
		if (decision == SL_RESET) {
			stats->reset++;
			return decide(SL_RESET, xdp_send(ctx));
		}
		stats->rejected++;
		return decide(SL_REJECT_TCP, xdp_send(ctx));
	}
	count_closed(stats, permitted);
	return decide(permitted, XDP_DROP);
}

/*
 * Answer any packet that met a closed gate. Like the next ones a global function, which the
 * verifier checks once instead of once per caller's state.
 */
__noinline int xdp_answer(struct xdp_md *ctx, const struct pending *pending)
{
	const struct sl_meta *m = meta_get();
	struct sl_endpoint_stats *stats;
	enum sl_decision decision;
	__u32 id;

	if (!pending)
		return XDP_PASS; /* for the verifier */
	id = pending->id; /* a key must be on our own stack, for kernels like 6.1 */
	stats = bpf_map_lookup_elem(&endpoint_stats, &id);
	if (!m)
		return decide(SL_PASS_UNPARSED, XDP_PASS); /* cannot be: the map has it */

	decision = xdp_reply(ctx, pending->decision, pending, m, (__u32)bpf_xdp_get_buff_len(ctx));
	if (stats) /* a packet to a service may have met no endpoint */
		count_closed(stats, decision);
	if (m->mode != SL_MODE_ENFORCE)
		return decide_any(decision, XDP_PASS);
	return decide_any(decision,
			  decision_effect(decision) == EFFECT_REPLY ? xdp_send(ctx) : XDP_DROP);
}

/* ICMP errors pass, whatever they are about. */
__noinline int xdp_icmp(struct xdp_md *ctx, const struct pending *pending)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;

	if (!pending)
		return XDP_PASS; /* for the verifier */
	return decide(icmp_judge(ctx, data, end, pending->icmp.offset, pending->icmp.v6), XDP_PASS);
}

/* What opens or ends a flow, on its way to an endpoint. */
__noinline int xdp_watch_request(struct xdp_md *ctx, __u32 where, __u32 endpoint)
{
	watch_request_at((void *)(long)ctx->data, (void *)(long)ctx->data_end, where, endpoint);
	return 0;
}

/* What comes from an endpoint, and may be the answer to an attempt to connect. */
__noinline int xdp_watch_answer(struct xdp_md *ctx, __u32 where)
{
	watch_answer_at((void *)(long)ctx->data, (void *)(long)ctx->data_end, where);
	return 0;
}

/* One of the packets to nobody of ours: is it from an endpoint? */
__noinline int xdp_sample(struct xdp_md *ctx, __u32 where, __u32 proto, __u32 len)
{
	sample_at(ctx, (void *)(long)ctx->data, (void *)(long)ctx->data_end, where, (__u8)proto,
		  len);
	return 0;
}

static __always_inline int xdp_not_ours(struct xdp_md *ctx, const struct packet *p, __u32 frame_len)
{
	if (sample_not_ours())
		xdp_sample(ctx, watch_where(p), p->proto, frame_len);
	return XDP_PASS;
}

/* Forward a plain packet, which probably is to the service with that id. */
static __always_inline int xdp_service(struct xdp_md *ctx, __u32 id, const struct packet *p,
				       const struct sl_target_key *key, __u32 frame_len,
				       struct pending *pending)
{
	int verdict = xdp_swift(ctx, id, p);

	if (likely(verdict >= 0))
		return verdict;
	if (!key_is_service(key, id))
		return PENDING_GENERAL;
	leave_to_service(pending, id, p, frame_len);
	return PENDING_FORWARD;
}

/* A packet that is not addressed to an endpoint, but perhaps to a service, or one's reply. */
static __always_inline int xdp_no_endpoint(struct xdp_md *ctx, const struct packet *p,
					   const struct sl_target_key *key, struct sl_target found,
					   __u32 frame_len, bool plain, struct pending *pending)
{
	int verdict;

	if (likely(!is_for_services(found, key)))
		return xdp_not_ours(ctx, p, frame_len);
	if (found.kind == SL_TARGET_NONE && plain) {
		verdict = xdp_swift(ctx, SL_ID_NONE, p);
		if (likely(verdict >= 0))
			return verdict;
	}
	leave_to_service(pending, found.id, p, frame_len);
	return PENDING_FORWARD;
}

/*
 * Judge a TCP or UDP packet, and do as judged. The RST for a plain packet is usually made at once;
 * other replies are left pending.
 */
static __always_inline int xdp_flow(struct xdp_md *ctx, const struct packet *p,
				    const struct sl_target_key *key, __u32 frame_len, bool plain,
				    struct pending *pending)
{
	const struct sl_meta *m = NULL;
	enum sl_decision decision;
	struct sl_target found;
	struct target target;

	if (watch_is_answer(p))
		xdp_watch_answer(ctx, watch_where(p));
	found = target_guess(key);
	if (likely(found.kind == SL_TARGET_NONE) && likely(!is_for_services(found, key)))
		return xdp_not_ours(ctx, p, frame_len);
	if (unlikely(found.kind == SL_TARGET_SERVICE) && has_services && plain)
		return xdp_service(ctx, found.id, p, key, frame_len, pending);
	found = target_confirm(found, key);
	if (unlikely(found.kind != SL_TARGET_ENDPOINT))
		return xdp_no_endpoint(ctx, p, key, found, frame_len, plain, pending);
	target.id = found.id;
	if (unlikely(!target_load(&target)))
		return decide(SL_PASS_NOT_OURS, XDP_PASS); /* cannot be: the maps have all ids */

	target_count(&target, p, frame_len);
	if (leave_if_redirected(pending, &target, p, frame_len))
		return PENDING_FORWARD;
	decision = judge_word(target.word, p, &m);
	if (watch_is_request(p) && goes_on(decision, m))
		xdp_watch_request(ctx, watch_where(p), target.id);
	if (likely(!m))
		return decide(decision, XDP_PASS);
	switch (decision_effect(decision)) {
	case EFFECT_PASS:
		return decide(decision, XDP_PASS);
	case EFFECT_DROP:
		count_closed(target.stats, decision);
		return decide(decision, m->mode == SL_MODE_ENFORCE ? XDP_DROP : XDP_PASS);
	default:
		if (plain && rst_is_in_place(p) && likely(m->mode == SL_MODE_ENFORCE))
			return xdp_rst(ctx, p, target.stats, m, decision);
		*pending =
			(struct pending){}; /* whole: kernels before 6.3 read no unwritten stack */
		pending->id = target.id;
		pending->decision = decision;
		pending->shape = shape_of(p);
		return PENDING_ANSWER;
	}
}

/* Any frame at all. */
__noinline int xdp_general(struct xdp_md *ctx, struct pending *pending)
{
	void *data = (void *)(long)ctx->data;
	struct cursor c = { data, (void *)(long)ctx->data_end };
	struct sl_target_key key __attribute__((aligned(8))) = {};
	__u32 frame_len = (__u32)bpf_xdp_get_buff_len(ctx);
	struct packet p = {};
	enum parsed parsed;

	if (!pending)
		return XDP_PASS; /* for the verifier */

	parsed = parse_frame(&c, &p, &key);
	keep_in_memory(&key);
	if (p.end > frame_len)
		parsed = PARSED_BAD;
	if (parsed == PARSED_ICMP_ERROR) {
		pending->icmp.offset = (__u16)(c.pos - (void *)(long)ctx->data);
		pending->icmp.l2_len = p.l2_len;
		pending->icmp.v6 = p.v6;
		return PENDING_ICMP;
	}
	if (parsed == PARSED_FLOW)
		return xdp_flow(ctx, &p, &key, frame_len, false, pending);
	if (leave_if_fragment(pending, parsed, &p, frame_len))
		return PENDING_FRAGMENT;
	return decide(decision_of_other(parsed), XDP_PASS);
}

/* Judge a plain frame of one family, or return PENDING_GENERAL. */
static __always_inline int xdp_plain(struct xdp_md *ctx, struct cursor c, bool v6,
				     struct pending *pending)
{
	struct sl_target_key key __attribute__((aligned(8)));
	__u32 frame_len = (__u32)(c.end - c.pos);
	struct packet p = {};

	barrier_var(frame_len); /* or the compiler does 32-bit sums with the pointers instead */
	if (unlikely(!parse_plain(c, &p, &key, v6)))
		return PENDING_GENERAL;
	if (likely(is_plain(&p, &key, IPPROTO_TCP, frame_len)))
		return xdp_flow(ctx, &p, &key, frame_len, true, pending);
	if (is_plain(&p, &key, IPPROTO_UDP, frame_len))
		return xdp_flow(ctx, &p, &key, frame_len, true, pending);
	return PENDING_GENERAL;
}

static __always_inline int xdp_judge(struct xdp_md *ctx, struct pending *pending)
{
	int verdict;

	verdict = xdp_plain(ctx, xdp_cursor(ctx), false, pending);
	if (verdict == PENDING_GENERAL)
		verdict = xdp_plain(ctx, xdp_cursor(ctx), true, pending);
	if (verdict != PENDING_GENERAL)
		return verdict;

	*pending = (struct pending){};
	return xdp_general(ctx, pending);
}

/* Do what no verdict could be given for at once. */
static __always_inline int xdp_pending(struct xdp_md *ctx, int verdict, struct pending *pending)
{
	if (has_services && verdict != PENDING_ANSWER)
		verdict = xdp_forward(ctx, verdict, pending);
	switch (verdict) {
	case PENDING_ANSWER:
		return xdp_answer(ctx, pending);
	case PENDING_ICMP:
		return xdp_icmp(ctx, pending);
	default:
		return verdict;
	}
}

SEC("xdp.frags")
int sl_xdp(struct xdp_md *ctx)
{
	struct pending pending;
	int verdict = xdp_judge(ctx, &pending);

	if (likely(verdict >= 0))
		return verdict;
	return xdp_pending(ctx, verdict, &pending);
}

char _license[] SEC("license") = "GPL";
