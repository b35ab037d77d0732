/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kept - what was last known of endpoints, as it is kept over restarts, and how much it is worth then.
 *
 * Plain data and pure functions: no clock, no I/O.
 */
#ifndef SLUICE_MODEL_KEPT_H
#define SLUICE_MODEL_KEPT_H

#include "model/health.h"
#include "model/verdict.h"
#include "util/cleanup.h"

/* An instant, by a clock that nobody sets but a reboot, and by one that goes on over reboots. */
struct kept_time {
	uint64_t boot; /* clock_boot_id(); 0: not known */
	int64_t boot_ms; /* since then; of before it, negative */
	uint64_t wall_ms;
};

/* One endpoint. */
struct kept {
	struct sl_target_key key;
	struct health health; /* without forced */
	struct verdict
		verdict; /* the newest, without certificates: to be copied without a reference */
	struct kept_time at; /* when it came */
};

#define KEPT_AGE_UNKNOWN UINT64_MAX

/*
 * How long ago that was. Within one boot by the clock that is not set. Over a reboot by the wall clock: what
 * is ahead of it by more than a small difference of clocks is of an unknown age, since one of the two was wrong.
 */
uint64_t kept_age_ms(const struct kept_time *at, const struct kept_time *now);

/*
 * Whether it proves anything where the kernel says nothing any more: it is a verdict on the endpoint, of a
 * known age, and not older than ten minutes or three of its intervals. The gate closes on proof only.
 */
bool kept_proves(const struct kept *kept, const struct kept_time *now, uint32_t interval_ms);

/* Those of many endpoints; sorted by key once kept_list_sort() was called. */
struct kept_list {
	struct kept *rows; /* owned */
	uint32_t n;
};

void kept_list_done(struct kept_list *list);
void kept_list_sort(struct kept_list *list);

/* NULL: nothing is known of it. */
const struct kept *kept_list_find(const struct kept_list *list, const struct sl_target_key *key);

#endif
