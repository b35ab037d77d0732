/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rst - the RST for nearly every packet, written over it.
 *
 * A plain packet (see plain.h) that carries no data keeps its length: where its TCP options were,
 * the RST has the end of the option list and padding, both zero (RFC 9293, 3.1). To shorten the
 * frame instead costs a fifth more, and gains the wire at most what lies beyond the 60 bytes that
 * the shortest frame has.
 */
#ifndef SLUICE_BPF_RST_H
#define SLUICE_BPF_RST_H

#include "plain.h"
#include "reply.h"

static __always_inline bool rst_is_in_place(const struct packet *p)
{
	return p->proto == IPPROTO_TCP && p->ip_len == p->header_len + tcp_header_len(p->l4);
}

/* Two words at a time: as many as most options have, and one word, perhaps. */
static __always_inline bool rst_clear_options(struct cursor c, __u32 len)
{
	__be32 *words;

	for (__u32 i = 0; i < TCP_OPTIONS_MAX / (2 * TCP_WORD); i++) {
		if (len < 2 * TCP_WORD)
			break;
		words = cursor_take(&c, 2 * TCP_WORD);
		if (!words)
			return false;
		*(__u64 *)words = 0;
		len -= 2 * TCP_WORD;
	}
	if (!len)
		return true;
	words = cursor_take(&c, TCP_WORD);
	if (!words)
		return false;
	*words = 0;
	return true;
}

static __always_inline void rst_swap_macs(struct eth_header *eth)
{
	for (int i = 0; i < ETH_ALEN / 2; i++) {
		__be16 half = eth->dst[i];

		eth->dst[i] = eth->src[i];
		eth->src[i] = half;
	}
}

static __always_inline void rst_write(struct tcphdr *tcp, struct rst rst, __u16 len, __u64 pseudo)
{
	__be32 ports = *(__be32 *)tcp;

	reply_rst(tcp, ports << 16 | ports >> 16, rst, len, pseudo, false);
}

static __always_inline bool rst_write_ipv4(struct cursor c, __u16 len)
{
	struct plain_ipv4 *frame = cursor_take(&c, sizeof(*frame));
	struct tcphdr *tcp;
	struct iphdr *ip;
	__be32 saddr, daddr;

	if (!frame || !rst_clear_options(c, len - sizeof(*tcp)))
		return false;

	ip = (void *)&frame->ip;
	tcp = (void *)&frame->l4;
	saddr = ip->saddr;
	daddr = ip->daddr;
	rst_swap_macs(&frame->eth);
	put_ipv4(ip, 0, daddr, saddr, IPPROTO_TCP, len);
	rst_write(tcp, rst_to(tcp, 0), len,
		  (__u64)saddr + daddr + bpf_htons(len) + bpf_htons(IPPROTO_TCP));
	return true;
}

static __always_inline bool rst_write_ipv6(struct cursor c, __u16 len)
{
	struct plain_ipv6 *frame = cursor_take(&c, sizeof(*frame));
	__be32 saddr[ADDR_WORDS], daddr[ADDR_WORDS];
	struct ipv6hdr *ip;
	struct tcphdr *tcp;

	if (!frame || !rst_clear_options(c, len - sizeof(*tcp)))
		return false;

	ip = (void *)&frame->ip;
	tcp = (void *)&frame->l4;
	__builtin_memcpy(saddr, &ip->saddr, sizeof(saddr));
	__builtin_memcpy(daddr, &ip->daddr, sizeof(daddr));
	rst_swap_macs(&frame->eth);
	put_ipv6(ip, 0, daddr, saddr, IPPROTO_TCP, len);
	rst_write(tcp, rst_to(tcp, 0), len, sum_pseudo(saddr, daddr, IPPROTO_TCP, len));
	return true;
}

static __always_inline bool rst_is_unicast(struct cursor c, bool v6)
{
	if (v6) {
		const struct plain_ipv6 *frame = cursor_take(&c, sizeof(*frame));
		const struct ipv6hdr *ip = (const void *)&frame->ip;

		return frame && macs_are_unicast(&frame->eth) &&
		       addr_is_unicast((const __be32 *)&ip->saddr, true);
	} else {
		const struct plain_ipv4 *frame = cursor_take(&c, sizeof(*frame));
		const struct iphdr *ip = (const void *)&frame->ip;

		return frame && macs_are_unicast(&frame->eth) &&
		       v4_is_unicast(bpf_ntohl(ip->saddr));
	}
}

/*
 * Turn the frame that the cursor stands at into the RST; rst_is_in_place(). The decision may become
 * to drop it. Nothing is written unless in enforce mode.
 */
static __always_inline enum sl_decision rst_in_place(struct cursor c, const struct packet *p,
						     enum sl_decision decision,
						     const struct sl_meta *m)
{
	__u16 len = p->ip_len - p->header_len;

	decision = reply_permit(decision, rst_is_unicast(c, p->v6), m);
	if (!is_reply(decision) || m->mode != SL_MODE_ENFORCE)
		return decision;
	return (p->v6 ? rst_write_ipv6(c, len) : rst_write_ipv4(c, len)) ? decision
									 : SL_DROP_NO_REPLY;
}

#endif
