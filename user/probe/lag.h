/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lag - how late an event loop is, from a tick that should come every LAG_TICK_MS.
 *
 * A loop that is late handles timeouts before it has read the answers that came in time, so what
 * it says about others must be doubted. Times are given by the caller. Not thread-safe.
 */
#ifndef SLUICE_PROBE_LAG_H
#define SLUICE_PROBE_LAG_H

#include <stdint.h>

#define LAG_TICK_MS 100
#define LAG_WINDOW 10 /* ticks: one second */

struct lag {
	uint64_t expected_ms; /* when the next tick should come */
	uint64_t total_ms; /* lateness of all ticks up to the last */
	uint32_t recent_ms[LAG_WINDOW];
	uint32_t n_ticks;
};

void lag_init(struct lag *lag, uint64_t now_ms);

/* The tick came. */
void lag_tick(struct lag *lag, uint64_t now_ms);

/*
 * Lateness since lag_init(), the overdue tick included. The difference of two readings is how much
 * of the time between them the loop was not there.
 */
uint64_t lag_total_ms(const struct lag *lag, uint64_t now_ms);

/* Of the last tick. */
uint32_t lag_last_ms(const struct lag *lag);

/* The worst tick of the last LAG_WINDOW. */
uint32_t lag_worst_ms(const struct lag *lag);

#endif
