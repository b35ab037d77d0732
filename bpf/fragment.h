/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fragment - keeping the fragments of a forwarded datagram together.
 *
 * Only the first has the ports that decide. Where it went is kept for a while, by what all of them
 * have in common. A later fragment that comes before the first one, or of a datagram that is none of a
 * service, passes.
 */
#ifndef SLUICE_BPF_FRAGMENT_H
#define SLUICE_BPF_FRAGMENT_H

#include "flight.h"

/* The last extension header of a fragment; of a first one, unless more of them come behind it. */
struct fragment_header {
	__u8 next;
	__u8 reserved;
	__be16 offset; /* with the flag that more fragments come */
	__be32 id;
};

#define IPV6_MORE_FRAGMENTS 0x0001

/* Where its offset is, counted back from what follows it. */
#define FRAGMENT_OFFSET_BACK \
	(sizeof(struct fragment_header) - offsetof(struct fragment_header, offset))

static __always_inline struct fragment_header *fragment_header(const struct flight *f,
							       struct cursor l3)
{
	__u32 offset = (f->header_len - sizeof(struct fragment_header)) & HEADER_LEN_MASK;

	barrier_var(offset); /* or the compiler goes back from the end, which cannot be proved */
	l3.pos += offset;
	return cursor_take(&l3, sizeof(struct fragment_header));
}

static __always_inline void fragment_set_datagram(struct flight *f, __u32 id)
{
	f->datagram.id = id;
	f->datagram.proto = f->in.proto;
	addr_copy(f->datagram.saddr, f->in.saddr);
	addr_copy(f->datagram.daddr, f->in.daddr);
}

/* Fill f->datagram from a later fragment between start and end, whose addresses are read. */
static __always_inline bool fragment_read(struct flight *f, void *start, void *end)
{
	struct cursor l3 = { start + (f->l2_len & L2_LEN_MASK), end };
	const struct fragment_header *ipv6;
	const struct iphdr *ipv4;

	if (f->v6) {
		ipv6 = fragment_header(f, l3);
		if (ipv6)
			fragment_set_datagram(f, bpf_ntohl(ipv6->id));
		return ipv6;
	}
	ipv4 = cursor_take(&l3, sizeof(*ipv4));
	if (ipv4)
		fragment_set_datagram(f, bpf_ntohs(ipv4->id));
	return ipv4;
}

/* Whether the packet, which has ports, is a first fragment; if so, fill f->datagram. */
static __always_inline bool fragment_read_first(struct flight *f, void *start, void *end)
{
	struct cursor l3 = { start + (f->l2_len & L2_LEN_MASK), end };
	const struct fragment_header *ipv6;
	const struct iphdr *ipv4;

	if (f->v6) {
		if (likely(f->header_len == sizeof(struct ipv6hdr)))
			return false;
		ipv6 = fragment_header(f, l3);
		if (!ipv6 || ipv6->next != f->in.proto || ipv6->reserved ||
		    ipv6->offset != bpf_htons(IPV6_MORE_FRAGMENTS))
			return false;
		fragment_set_datagram(f, bpf_ntohl(ipv6->id));
		return true;
	}
	ipv4 = cursor_take(&l3, sizeof(*ipv4));
	if (!ipv4 || likely(!(ipv4->frag_off & bpf_htons(IPV4_MORE_FRAGMENTS))))
		return false;
	fragment_set_datagram(f, bpf_ntohs(ipv4->id));
	return true;
}

/*
 * Keep in mind where the first fragment, which f tells of, goes. It reads the clock, which is nothing
 * beside the entry. A global function, which the verifier checks once.
 */
__noinline int fragment_note(__u32 decision)
{
	struct flight *f = flight_get();

	if (!f)
		return 0; /* cannot be */
	f->fragment.endpoint = f->endpoint;
	f->fragment.service = f->service;
	f->fragment.seen_s = now_read();
	f->fragment.decision = decision;
	f->fragment.rewrite = f->rewrite == REWRITE_NAT ? REWRITE_ADDRESSES : f->rewrite;
	addr_copy(f->fragment.saddr, f->out.saddr);
	addr_copy(f->fragment.daddr, f->out.daddr);
	bpf_map_update_elem(&fragments, &f->datagram, &f->fragment, BPF_ANY);
	/* See flow_enter(). */
	bpf_map_lookup_elem(&fragments, &f->datagram);
	return 0;
}

/* What became of the first fragment of f->datagram; NULL: nobody knows, or knows any longer. */
static __always_inline const struct sl_fragment *fragment_find(const struct flight *f)
{
	const struct sl_fragment *first = bpf_map_lookup_elem(&fragments, &f->datagram);

	return first && now_read() - first->seen_s <= SL_FRAGMENTED_S ? first : NULL;
}

#endif
