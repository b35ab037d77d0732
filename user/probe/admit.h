/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * admit - how many probes a worker lets be in flight, and what it can hold.
 *
 * More than what keeps the worker busy only makes every one of them slower, until timeouts of our
 * own making look like the endpoints' failures; and each costs memory. So the limit grows while
 * probes wait for a place and the loop has time left (silent endpoints hold their places and cost
 * nothing else), and shrinks when it has none. Pure; times are given by the caller.
 */
#ifndef SLUICE_PROBE_ADMIT_H
#define SLUICE_PROBE_ADMIT_H

#include <stdbool.h>
#include <stdint.h>

#define ADMIT_START 64
#define ADMIT_MIN 16 /* a late loop still gets somewhere */
#define ADMIT_LATE_MS 40 /* a loop that is later than this has too much to do, */
#define ADMIT_BUSY_PERCENT 95 /* and so has one that hardly ever waits; */
#define ADMIT_FREE_PERCENT 80 /* less busy than this, it can take more */
#define ADMIT_WINDOW 50 /* ticks over which the rate is measured: five seconds */

struct admit {
	uint32_t limit, max;
	uint32_t finished[ADMIT_WINDOW]; /* of the last ticks, a ring */
	bool waited[ADMIT_WINDOW]; /* in that tick, somebody waited for a place */
	uint32_t n_ticks;
	uint64_t finished_total; /* at the last tick */
};

/* What a worker is like at a tick. */
struct admit_load {
	uint32_t late_ms; /* this tick's lateness */
	uint32_t busy_percent; /* of the tick, the loop did not wait */
	uint32_t in_flight, queued;
	uint64_t finished; /* since the start */
};

void admit_init(struct admit *admit, uint32_t max);

void admit_tick(struct admit *admit, const struct admit_load *load);

/*
 * Whether, over the whole window, more was asked for than could be done. If so, *ret_per_s is how many
 * probes a second were done.
 */
bool admit_is_overloaded(const struct admit *admit, uint32_t tick_ms, uint32_t *ret_per_s);

#endif
