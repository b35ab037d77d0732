// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/health.h"

#include <string.h>

void health_init(struct health *health, enum sl_health proven, uint64_t now_ms)
{
	*health = (struct health){
		.shown = proven,
		.proven = proven,
		.since_ms = now_ms,
	};
}

static enum sl_health judge(const struct health *health, const struct health_policy *policy)
{
	switch (health->proven) {
	case SL_HEALTHY:
		return health->failures >= policy->unhealthy_threshold ? SL_UNHEALTHY : SL_HEALTHY;
	case SL_UNHEALTHY:
		return health->successes >= policy->healthy_threshold ? SL_HEALTHY : SL_UNHEALTHY;
	case SL_UNKNOWN:
		break;
	}
	return health->successes ? SL_HEALTHY : SL_UNHEALTHY;
}

static bool set_states(struct health *health, enum sl_health proven, enum sl_health shown,
		       uint64_t now_ms)
{
	bool changed = health->proven != proven || health->shown != shown;

	if (health->shown != shown)
		health->since_ms = now_ms;
	health->proven = proven;
	health->shown = shown;

	return changed;
}

bool health_step(struct health *health, const struct health_policy *policy, enum sl_message verdict,
		 uint64_t now_ms)
{
	enum sl_health proven;

	if (message_ours(verdict))
		return set_states(health, health->proven, SL_UNKNOWN, now_ms);

	if (message_passed(verdict)) {
		health->successes++;
		health->failures = 0;
	} else {
		health->failures++;
		health->successes = 0;
	}
	proven = judge(health, policy);

	return set_states(health, proven, proven, now_ms);
}

/* Whether a was healthy more recently than b; NULL: no candidate yet. */
static bool is_fresher(const struct health *a, const struct health *b)
{
	return !b || a->lapsed > b->lapsed;
}

/* The closed member that was healthy most recently and is not chosen yet; ties go by position. */
static uint32_t freshest(const struct health *const members[], uint32_t n_members,
			 const bool chosen[])
{
	uint32_t best = n_members;

	for (uint32_t i = 0; i < n_members; i++)
		if (members[i]->proven == SL_UNHEALTHY && !chosen[i] &&
		    is_fresher(members[i], best < n_members ? members[best] : NULL))
			best = i;
	return best;
}

void health_force(const struct health *const members[], uint32_t n_members, uint32_t min,
		  bool ret_forced[])
{
	uint32_t open = 0;

	for (uint32_t i = 0; i < n_members; i++) {
		ret_forced[i] = false;
		open += members[i]->proven != SL_UNHEALTHY;
	}
	for (; open < min && open < n_members; open++)
		ret_forced[freshest(members, n_members, ret_forced)] = true;
}

const char *health_name(enum sl_health health)
{
	static const char *const names[] = {
		[SL_UNKNOWN] = "Unknown",
		[SL_HEALTHY] = "Healthy",
		[SL_UNHEALTHY] = "Unhealthy",
	};

	return names[health];
}

bool health_parse(enum sl_health *ret_health, const char *name)
{
	for (enum sl_health health = SL_UNKNOWN; health <= SL_UNHEALTHY; health++)
		if (!strcmp(health_name(health), name)) {
			*ret_health = health;
			return true;
		}
	return false;
}

struct sl_word health_word(const struct health *health, enum sl_action on_unhealthy,
			   bool reset_established)
{
	return (struct sl_word){
		.health = health->proven,
		.action = on_unhealthy,
		.flags = (__u8)((health->forced ? SL_WORD_FORCED : 0) |
				(reset_established ? SL_WORD_RESET : 0)),
	};
}
