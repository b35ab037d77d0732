/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * budget - how many replies this CPU may still send.
 *
 * Bounds what a flood of refused packets can make us send. A window's replies are spent without
 * looking at the clock; only when none is left is it read. A new entry is all zero: the first
 * reply fills it.
 */
#ifndef SLUICE_BPF_BUDGET_H
#define SLUICE_BPF_BUDGET_H

#include "maps.h"

static __always_inline bool budget_refill(struct sl_reply_budget *b, const struct sl_meta *m)
{
	__u64 now = bpf_ktime_get_coarse_ns();

	if (b->window_start_ns && now - b->window_start_ns < m->reply_window_ns)
		return false;

	b->window_start_ns = now;
	b->left = m->reply_budget;
	return b->left > 0;
}

/* b: of this CPU, from the map of one kind of budget. */
static __always_inline bool budget_spend(struct sl_reply_budget *b, const struct sl_meta *m)
{
	if (!b || (!b->left && !budget_refill(b, m)))
		return false;

	b->left--;
	return true;
}

static __always_inline bool budget_take(const struct sl_meta *m)
{
	__u32 zero = 0;

	return budget_spend(bpf_map_lookup_elem(&reply_budget, &zero), m);
}

#endif
