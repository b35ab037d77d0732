/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * extension - the chain of IPv6 extension headers between the IP header and TCP or UDP.
 */
#ifndef SLUICE_BPF_EXTENSION_H
#define SLUICE_BPF_EXTENSION_H

#include "cursor.h"

#define EXTENSIONS_MAX 8
/* Bytes per unit of an extension header's length, which omits the first. */
#define EXTENSION_UNIT 8u
#define AH_UNIT 4 /* the same for AH, which omits two */
#define IPV6_OFFSET_MASK 0xfff8 /* of a fragment header */

/* What walk_extensions() returns: the protocol behind the chain, flags, the chain's length. */
#define WALK_NEXT_MASK 0xffu
#define WALK_DONE 0x100u
#define WALK_BAD 0x200u
#define WALK_FIRST 0x400u /* the first of several fragments */
#define WALK_LATER 0x800u /* a later fragment */
#define WALK_LEN_SHIFT 16
#define WALK_LEN_MASK 0x3fffu /* a longer chain is none that we follow */

/* Extension headers begin like this; they are at least EXTENSION_UNIT long. */
struct extension_head {
	__u8 next;
	__u8 len;
	__be16 offset; /* fragment header only */
};

/* Bytes that an extension header occupies, or 0 if next is none of those that lead to a port. */
static __always_inline __u32 extension_len(__u8 next, __u8 len)
{
	switch (next) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
		return (len + 1) * EXTENSION_UNIT;
	case IPPROTO_FRAGMENT:
		return EXTENSION_UNIT;
	case IPPROTO_AH:
		return (len + 2) * AH_UNIT;
	default:
		return 0;
	}
}

/*
 * One step of walk_extensions(): state before, the header's first word, state after. A global
 * function of numbers: the verifier checks it once and knows nothing of what it returns, so that
 * the loop around it has one path instead of one for every possible chain.
 */
__noinline __u32 extension_step(__u32 state, __u32 word)
{
	struct extension_head head;
	__u32 flags = state & (WALK_FIRST | WALK_LATER), next = state & WALK_NEXT_MASK, len;

	__builtin_memcpy(&head, &word, sizeof(head));
	if (next == IPPROTO_FRAGMENT && head.offset)
		flags |= head.offset & bpf_htons(IPV6_OFFSET_MASK) ? WALK_LATER : WALK_FIRST;
	len = extension_len(next, head.len);
	if (len < EXTENSION_UNIT) /* an AH too short to exist */
		return WALK_BAD;
	len += state >> WALK_LEN_SHIFT;
	if (len > WALK_LEN_MASK)
		return WALK_BAD;
	if (flags & WALK_LATER || !extension_len(head.next, 0))
		flags |= WALK_DONE;
	return len << WALK_LEN_SHIFT | flags | head.next;
}

/* Walk the chain of extension headers at pos, which begins with one of type next. */
static __always_inline __u32 walk_extensions(void *pos, void *end, __u32 next)
{
	__u32 state = next;

	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		struct cursor c = { pos + (state >> WALK_LEN_SHIFT & WALK_LEN_MASK), end };
		__be32 *word = cursor_take(&c, EXTENSION_UNIT);

		if (!word)
			return WALK_BAD;
		state = extension_step(state, *word);
		if (state & (WALK_DONE | WALK_BAD))
			return state;
	}

	return WALK_BAD;
}

#endif
