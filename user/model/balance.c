// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/balance.h"

#include <string.h>

#include "model/maglev.h"

/* Steps in which a share grows: each moves flows, and costs a table. */
#define SLOW_START_STEPS 16

typedef bool member_fn(const struct balance_member *member, uint64_t arg);

static bool is_open(const struct balance_member *member, uint64_t arg)
{
	(void)arg;
	return member->health->proven == SL_HEALTHY || member->health->forced;
}

static bool is_unknown(const struct balance_member *member, uint64_t arg)
{
	(void)arg;
	return member->health->proven == SL_UNKNOWN;
}

static bool lapsed_at(const struct balance_member *member, uint64_t arg)
{
	return member->health->lapsed == arg;
}

static uint32_t choose(const struct balance_member members[], uint32_t n_members, member_fn *fn,
		       uint64_t arg, uint16_t ret_shares[])
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < n_members; i++) {
		bool chosen = members[i].serves && fn(&members[i], arg);

		ret_shares[i] = chosen ? MAGLEV_SHARE_FULL : 0;
		n += chosen;
	}
	return n;
}

/* Cut the shares of those that have recovered lately. The first step is taken at once. */
static uint64_t slow_start(const struct balance_member members[], uint32_t n_members,
			   uint64_t period_ms, uint64_t now_ms, uint16_t ret_shares[])
{
	uint64_t step_ms = period_ms / SLOW_START_STEPS, next_ms = 0;

	if (!step_ms)
		return 0;
	for (uint32_t i = 0; i < n_members; i++) {
		uint64_t since = now_ms - members[i].recovered_ms, step = since / step_ms;

		if (!ret_shares[i] || !members[i].recovered_ms || step + 1 >= SLOW_START_STEPS)
			continue;
		ret_shares[i] = (uint16_t)(MAGLEV_SHARE_FULL * (step + 1) / SLOW_START_STEPS);
		since = members[i].recovered_ms + (step + 1) * step_ms;
		if (!next_ms || since < next_ms)
			next_ms = since;
	}
	return next_ms;
}

static uint64_t last_lapse(const struct balance_member members[], uint32_t n_members)
{
	uint64_t last = 0;

	for (uint32_t i = 0; i < n_members; i++)
		if (members[i].serves && members[i].health->lapsed > last)
			last = members[i].health->lapsed;
	return last;
}

struct balance balance_shares(const struct balance_member members[], uint32_t n_members,
			      const struct settings *settings, uint64_t now_ms,
			      uint16_t ret_shares[])
{
	struct balance balance = { 0 };
	uint64_t last;

	balance.n = choose(members, n_members, is_open, 0, ret_shares);
	if (balance.n) {
		balance.next_ms =
			slow_start(members, n_members, settings->slow_start_ms, now_ms, ret_shares);
		return balance;
	}
	balance.n = choose(members, n_members, is_unknown, 0, ret_shares);
	if (balance.n || settings->on_none_healthy != NONE_HEALTHY_LAST)
		return balance;
	last = last_lapse(members, n_members);
	if (last) {
		balance.any = true;
		balance.n = choose(members, n_members, lapsed_at, last, ret_shares);
	}
	return balance;
}
