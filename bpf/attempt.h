/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attempt - one attempt to connect to an endpoint, in its slot.
 *
 * An array addressed by a hash instead of a hash map: an attempt costs the same whether there are two or
 * a flood of them, and a flood takes no memory. Every change of an attempt is one compare-and-exchange
 * of its head, so that whatever comes of it is counted once, by whoever made the change: programs on
 * several CPUs and the daemon, which knows when nothing came.
 */
#ifndef SLUICE_BPF_ATTEMPT_H
#define SLUICE_BPF_ATTEMPT_H

#include "gate.h"

union attempt_head {
	__u64 whole;
	struct sl_attempt_head head;
};

/* An attempt as it was found: by whom it is, and what it was then. */
struct attempt {
	struct sl_attempt *slot;
	union attempt_head head;
};

static __always_inline union attempt_head attempt_load(const struct sl_attempt *slot)
{
	return (union attempt_head){ .whole = *(const volatile __u64 *)&slot->head };
}

static __always_inline struct sl_attempt *attempt_slot(__u64 hash)
{
	__u32 slot = sl_slot(hash, attempt_slots);

	return bpf_map_lookup_elem(&attempts, &slot);
}

/* Replace the head by another, unless somebody else has done so meanwhile. */
static __always_inline bool attempt_swap(struct sl_attempt *slot, union attempt_head before,
					 union attempt_head after)
{
	return __sync_val_compare_and_swap((__u64 *)&slot->head, before.whole, after.whole) ==
	       before.whole;
}

/* Add to what has been seen of the attempt. True: it is ours to count. */
static __always_inline bool attempt_mark(const struct attempt *a, __u8 seen)
{
	union attempt_head after = a->head;

	after.head.state |= seen;
	return attempt_swap(a->slot, a->head, after);
}

/* The attempt that a peer made, if nothing has taken its slot since. */
static __always_inline bool attempt_find(struct attempt *ret, __u64 high, __u64 low, __u16 port,
					 __u32 endpoint)
{
	__u64 hash = sl_attempt_hash(high, low, port, endpoint);

	ret->slot = attempt_slot(hash);
	if (!ret->slot)
		return false;
	ret->head = attempt_load(ret->slot);
	return ret->head.head.state && ret->head.head.tag == sl_attempt_tag(hash) &&
	       ret->slot->endpoint == endpoint;
}

static __always_inline __u8 attempt_state(const struct attempt *a)
{
	return a->head.head.state;
}

/* Has it been sent, and nothing come of it yet? */
static __always_inline bool attempt_waits(__u8 state)
{
	return state == SL_ATTEMPT_SENT;
}

static __always_inline struct sl_attempt_stats *attempt_stats_of(__u32 endpoint)
{
	return bpf_map_lookup_elem(&attempt_stats, &endpoint);
}

static __always_inline struct sl_evidence *evidence_of(__u32 endpoint)
{
	return bpf_map_lookup_elem(&evidence, &endpoint);
}

#endif
