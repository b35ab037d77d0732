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
#include "sample.h"
#include "tc_forward.h"

/* Enough for the headers of any packet with options that people use. */
#define PULL_BYTES 256

/* Which way the packets go that a program sees. */
enum side { SIDE_INGRESS, SIDE_EGRESS };

/* What is built of a reply on the stack: the L2 header, and one other header at a time. */
struct headers {
	struct l2 l2;
	union {
		struct iphdr ipv4;
		struct ipv6hdr ipv6;
		struct tcphdr tcp;
		struct icmp_header icmp;
	};
};

/* Store the L2 and IP headers. */
static __always_inline bool tc_store_ip(struct __sk_buff *ctx, struct headers *h,
					const struct request *r, __u8 proto, __u16 payload_len)
{
	reply_ip(&h->ipv4, r, proto, payload_len);
	return !bpf_skb_store_bytes(ctx, 0, &h->l2, sizeof(h->l2), 0) &&
	       !bpf_skb_store_bytes(ctx, r->l2_len, &h->ipv4, reply_ip_header_len(r), 0);
}

/*
 * The TCP header stays where it is, because a device that completes its checksum knows it by its
 * place: what the RST's IP header is shorter by is taken away in front.
 */
static __always_inline bool tc_reply_tcp(struct __sk_buff *ctx, struct headers *h,
					 const struct request *r)
{
	__u32 l4 = r->l2_len + r->header_len, ip_len = reply_ip_header_len(r);
	int add_head = (int)ip_len - r->header_len;
	bool partial = tc_checksum_is_partial(ctx, l4 + offsetof(struct tcphdr, check));

	if (bpf_skb_change_tail(ctx, l4 + sizeof(h->tcp), 0))
		return false;
	if (add_head && bpf_skb_adjust_room(ctx, add_head, BPF_ADJ_ROOM_MAC, 0))
		return false;
	if (!tc_store_ip(ctx, h, r, IPPROTO_TCP, sizeof(h->tcp)))
		return false;

	reply_tcp(&h->tcp, r, partial);
	return !bpf_skb_store_bytes(ctx, r->l2_len + ip_len, &h->tcp, sizeof(h->tcp), 0);
}

static __always_inline bool tc_reply_icmp(struct __sk_buff *ctx, struct headers *h,
					  const struct request *r)
{
	__u32 l4 = r->l2_len + r->header_len, ip_len = reply_ip_header_len(r);
	__u32 check =
		r->quoted_tcp ? offsetof(struct tcphdr, check) : offsetof(struct udphdr, check);
	bool partial = tc_checksum_is_partial(ctx, l4 + check);
	__u8 proto = r->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;

	/* A checksum left to the device that is not this one: an inner packet's. */
	if (partial && !r->quoted_tcp && !request_udp_is_partial(r))
		return false;
	if (bpf_skb_change_tail(ctx, l4 + r->quoted_l4, 0) ||
	    bpf_skb_change_head(ctx, ip_len + sizeof(h->icmp), 0))
		return false;
	if (!tc_store_ip(ctx, h, r, proto, reply_icmp_len(r)))
		return false;

	reply_icmp(&h->icmp, r, partial);
	return !bpf_skb_store_bytes(ctx, r->l2_len + ip_len, &h->icmp, sizeof(h->icmp), 0);
}

/* Send a reply back: out of the device that the packet came from, or up to the local sender. */
static __always_inline int tc_send(struct __sk_buff *ctx, enum side side)
{
	if (side == SIDE_INGRESS)
		return (int)bpf_redirect(ctx->ifindex, 0);

	ctx->mark = SL_REPLY_MARK;
	return (int)bpf_redirect(ctx->ifindex, BPF_F_INGRESS);
}

/* Turn the packet into the reply; the decision may become to drop it, because it cannot be. */
static __always_inline enum sl_decision tc_reply(struct __sk_buff *ctx, enum sl_decision decision,
						 const struct pending *pending,
						 const struct sl_meta *m)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	enum request_kind kind = reply_asks(decision, pending->proto);
	struct headers h = {};
	struct request r;

	if (!request_read(&r, pending->shape, kind, data, end) || !l2_read(&h.l2, data, end))
		return SL_DROP_NO_REPLY;
	r.mtu = pending->mtu;

	decision = reply_permit(decision, r.unicast, m);
	if (decision_effect(decision) != EFFECT_REPLY || m->mode != SL_MODE_ENFORCE)
		return decision;
	if (!(kind == REQUEST_RST ? tc_reply_tcp(ctx, &h, &r) : tc_reply_icmp(ctx, &h, &r)))
		return SL_DROP_NO_REPLY;
	return decision;
}

/*
 * Answer a packet that met a closed gate. Like the next ones a global function, which the verifier
 * checks once instead of once per caller's state.
 */
__noinline int tc_answer(struct __sk_buff *ctx, const struct pending *pending, __u32 side)
{
	const struct sl_meta *m = meta_get();
	struct sl_endpoint_stats *stats;
	__u32 id;
	enum sl_decision decision;

	if (!pending)
		return TC_ACT_UNSPEC; /* for the verifier */
	id = pending->id; /* a key must be on our own stack, for kernels like 6.1 */
	stats = bpf_map_lookup_elem(&endpoint_stats, &id);
	if (!m)
		return decide(SL_PASS_UNPARSED, TC_ACT_UNSPEC); /* cannot be: the map has it */

	decision = tc_reply(ctx, pending->decision, pending, m);
	if (stats) /* a packet to a service may have met no endpoint */
		count_closed(stats, decision);
	if (m->mode != SL_MODE_ENFORCE)
		return decide_any(decision, TC_ACT_UNSPEC);
	if (decision_effect(decision) == EFFECT_REPLY)
		return decide_any(decision, tc_send(ctx, side));
	return decide_any(decision, TC_ACT_SHOT);
}

/* ICMP errors pass, whatever they are about. */
__noinline int tc_icmp(struct __sk_buff *ctx, const struct pending *pending)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;

	if (!pending)
		return TC_ACT_UNSPEC; /* for the verifier */
	return decide(icmp_judge(ctx, data, end, pending->icmp.offset, pending->icmp.v6),
		      TC_ACT_UNSPEC);
}

/* What opens or ends a flow, on its way to an endpoint. */
__noinline int tc_watch_request(struct __sk_buff *ctx, __u32 where, __u32 endpoint)
{
	watch_request_at((void *)(long)ctx->data, (void *)(long)ctx->data_end, where, endpoint);
	return 0;
}

/* What comes from an endpoint, and may be the answer to an attempt to connect. */
__noinline int tc_watch_answer(struct __sk_buff *ctx, __u32 where)
{
	watch_answer_at((void *)(long)ctx->data, (void *)(long)ctx->data_end, where);
	return 0;
}

/* One of the packets to nobody of ours: is it from an endpoint? */
__noinline int tc_sample(struct __sk_buff *ctx, __u32 where, __u32 proto, __u32 len)
{
	sample_at(ctx, (void *)(long)ctx->data, (void *)(long)ctx->data_end, where, (__u8)proto,
		  len);
	return 0;
}

static __always_inline int tc_not_ours(struct __sk_buff *ctx, const struct packet *p)
{
	if (sample_not_ours())
		tc_sample(ctx, watch_where(p), p->proto, ctx->len);
	return TC_ACT_UNSPEC;
}

/*
 * Judge a TCP or UDP packet, and do as judged; replies are left pending. What this host itself sends
 * to a service is not balanced, and not redirected.
 */
static __always_inline int tc_flow(struct __sk_buff *ctx, const struct packet *p,
				   const struct sl_target_key *key, enum side side,
				   struct pending *pending)
{
	const struct sl_meta *m = NULL;
	enum sl_decision decision;
	struct sl_target found;
	struct target target;

	if (side == SIDE_INGRESS && watch_is_answer(p))
		tc_watch_answer(ctx, watch_where(p));
	found = target_lookup(key);
	target.id = found.id;

	if (found.kind != SL_TARGET_ENDPOINT) {
		if (side != SIDE_INGRESS)
			return decide(SL_PASS_NOT_OURS, TC_ACT_UNSPEC);
		if (likely(!is_for_services(found, key)))
			return tc_not_ours(ctx, p);
		leave_to_service(pending, found.id, p, ctx->len);
		return PENDING_FORWARD;
	}
	if (unlikely(!target_load(&target)))
		return decide(SL_PASS_NOT_OURS,
			      TC_ACT_UNSPEC); /* cannot be: the maps have all ids */

	target_count(&target, p, ctx->len);
	if (side == SIDE_INGRESS && leave_if_redirected(pending, &target, p, ctx->len))
		return PENDING_FORWARD;
	decision = judge_word(target.word, p, &m);
	if (watch_is_request(p) && goes_on(decision, m))
		tc_watch_request(ctx, watch_where(p), target.id);
	if (!m)
		return decide(decision, TC_ACT_UNSPEC);
	switch (decision_effect(decision)) {
	case EFFECT_PASS:
		return decide(decision, TC_ACT_UNSPEC);
	case EFFECT_DROP:
		count_closed(target.stats, decision);
		return decide(decision, m->mode == SL_MODE_ENFORCE ? TC_ACT_SHOT : TC_ACT_UNSPEC);
	default:
		*pending =
			(struct pending){}; /* whole: kernels before 6.3 read no unwritten stack */
		pending->id = target.id;
		pending->decision = decision;
		pending->shape = shape_of(p);
		return PENDING_ANSWER;
	}
}

/* Any frame at all. */
__noinline int tc_general(struct __sk_buff *ctx, __u32 side, struct pending *pending)
{
	struct sl_target_key key __attribute__((aligned(8))) = {};
	struct packet p = { .gso_len = ctx->gso_size ? ctx->len : 0 };
	__u32 linear = ctx->data_end - ctx->data;
	enum parsed parsed;
	struct cursor c;

	if (!pending)
		return TC_ACT_UNSPEC; /* for the verifier */

	/* The headers may lie in the part of an skb that cannot be read directly. */
	if (linear < PULL_BYTES && linear < ctx->len)
		bpf_skb_pull_data(ctx, ctx->len < PULL_BYTES ? ctx->len : PULL_BYTES);

	c = (struct cursor){ (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	parsed = parse_frame(&c, &p, &key);
	keep_in_memory(&key);
	if (p.end > ctx->len)
		parsed = PARSED_BAD;
	if (parsed == PARSED_ICMP_ERROR) {
		pending->icmp.offset = (__u16)(c.pos - (void *)(long)ctx->data);
		pending->icmp.l2_len = p.l2_len;
		pending->icmp.v6 = p.v6;
		return PENDING_ICMP;
	}
	if (parsed == PARSED_FLOW)
		return tc_flow(ctx, &p, &key, side, pending);
	if (side == SIDE_INGRESS && leave_if_fragment(pending, parsed, &p, ctx->len))
		return PENDING_FRAGMENT;
	return decide(decision_of_other(parsed), TC_ACT_UNSPEC);
}

/* Judge a plain frame of one family, or return PENDING_GENERAL. */
static __always_inline int tc_plain(struct __sk_buff *ctx, struct cursor c, bool v6, enum side side,
				    struct pending *pending)
{
	struct sl_target_key key __attribute__((aligned(8)));
	struct packet p = {};

	if (!parse_plain(c, &p, &key, v6))
		return PENDING_GENERAL;
	if (is_plain(&p, &key, IPPROTO_TCP, ctx->len) || is_plain(&p, &key, IPPROTO_UDP, ctx->len))
		return tc_flow(ctx, &p, &key, side, pending);
	return PENDING_GENERAL;
}

static __always_inline int tc_judge(struct __sk_buff *ctx, enum side side, struct pending *pending)
{
	struct cursor c = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	int verdict;

	verdict = tc_plain(ctx, c, false, side, pending);
	if (verdict == PENDING_GENERAL)
		verdict = tc_plain(ctx, c, true, side, pending);
	if (verdict != PENDING_GENERAL)
		return verdict;

	*pending = (struct pending){};
	return tc_general(ctx, side, pending);
}

/* Do what no verdict could be given for at once. */
static __always_inline int tc_pending(struct __sk_buff *ctx, int verdict, enum side side,
				      struct pending *pending)
{
	if (has_services && side == SIDE_INGRESS && verdict != PENDING_ANSWER)
		verdict = tc_forward(ctx, verdict, pending);
	switch (verdict) {
	case PENDING_ANSWER:
		return tc_answer(ctx, pending, side);
	case PENDING_ICMP:
		return tc_icmp(ctx, pending);
	default:
		return verdict;
	}
}

static __always_inline int tc_run(struct __sk_buff *ctx, enum side side)
{
	struct pending pending;
	int verdict = tc_judge(ctx, side, &pending);

	if (likely(verdict >= TC_ACT_UNSPEC))
		return verdict;
	return tc_pending(ctx, verdict, side, &pending);
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
