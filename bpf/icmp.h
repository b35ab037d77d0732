/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * icmp - ICMP errors about packets that were sent to an endpoint.
 *
 * The quoted packet names the flow; its destination is the endpoint. An error about one of the
 * daemon's own probes is the prober's to judge and is not counted for the endpoint.
 */
#ifndef SLUICE_BPF_ICMP_H
#define SLUICE_BPF_ICMP_H

#include "probe.h"
#include "watch_icmp.h"

/* The quoted packet went out, so that its source is the local end. */
static __always_inline __u32 quoted_tuple(struct bpf_sock_tuple *tuple, const struct packet *p)
{
	const struct quoted_l4 *l4 = p->l4;

	if (p->v6) {
		const struct ipv6hdr *ip = p->l3;

		__builtin_memcpy(tuple->ipv6.saddr, &ip->daddr, sizeof(ip->daddr));
		__builtin_memcpy(tuple->ipv6.daddr, &ip->saddr, sizeof(ip->saddr));
		tuple->ipv6.sport = l4->dest;
		tuple->ipv6.dport = l4->source;
		return sizeof(tuple->ipv6);
	} else {
		const struct iphdr *ip = p->l3;

		tuple->ipv4.saddr = ip->daddr;
		tuple->ipv4.daddr = ip->saddr;
		tuple->ipv4.sport = l4->dest;
		tuple->ipv4.dport = l4->source;
		return sizeof(tuple->ipv4);
	}
}

static __always_inline bool is_about_probe(void *ctx, const struct packet *p)
{
	struct bpf_sock_tuple tuple = {};
	__u32 len = quoted_tuple(&tuple, p);

	return probe_has_socket(ctx, &tuple, len, p->proto);
}

/* Judge an ICMP error whose quoted packet begins offset bytes behind start. */
static __always_inline enum sl_decision icmp_judge(void *ctx, void *start, void *end, __u32 offset,
						   bool v6)
{
	struct sl_target_key key __attribute__((aligned(8))) = {};
	struct cursor c;
	const struct icmp_header *icmp;
	struct packet p = {};
	struct target target;

	icmp = watch_icmp_header(&c, start, end, offset);
	if (!icmp)
		return SL_PASS_UNPARSED;
	switch (parse_quoted(&c, &p, &key, v6)) {
	case PARSED_FLOW:
		break;
	case PARSED_FRAGMENT:
		return SL_PASS_FRAGMENT;
	case PARSED_BAD:
		return SL_PASS_UNPARSED;
	default:
		return SL_PASS_NOT_OURS;
	}

	if (!target_find(&target, &key))
		return SL_PASS_NOT_OURS;
	if (is_about_probe(ctx, &p))
		return SL_PASS_PROBE;

	target.stats->icmp_errors++;
	watch_quoted(&p, icmp, target.id);
	return SL_PASS_ICMP_ERROR;
}

#endif
