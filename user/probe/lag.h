/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lag - how late an event loop is, from a tick that should come regularly.
 *
 * A loop that is late handles timeouts before it has read the answers that came in time, so what
 * it says about others must be doubted. A loop that was not there for seconds has not had too much
 * to do: it stood still, because the process was stopped, the machine paused or suspended, or
 * because it got no CPU time or memory. Times are given by the caller, of a clock that does not
 * stop with the host. Not thread-safe.
 */
#ifndef SLUICE_PROBE_LAG_H
#define SLUICE_PROBE_LAG_H

#include <stdbool.h>
#include <stdint.h>

#define LAG_TICK_MS 100 /* of a worker's loop */
#define LAG_WINDOW 10 /* ticks: one second of a worker's */
#define LAG_STALL_MS 2000 /* a tick that is later than this was kept by a stall */

struct lag {
	uint32_t tick_ms;
	uint64_t expected_ms; /* when the next tick should come */
	uint64_t total_ms; /* lateness of all ticks up to the last, */
	uint64_t stalled_ms; /* and of those kept by a stall */
	uint32_t recent_ms[LAG_WINDOW];
	uint32_t n_ticks;
};

/* Since lag_init(). The difference of two is what happened between them. */
struct lag_reading {
	uint64_t late_ms; /* the loop was not there */
	uint64_t stalled_ms; /* thereof for so long at a time that it stood still */
};

void lag_init(struct lag *lag, uint32_t tick_ms, uint64_t now_ms);

/* The tick came. */
void lag_tick(struct lag *lag, uint64_t now_ms);

/* What has been up to now, the overdue tick included. */
struct lag_reading lag_read(const struct lag *lag, uint64_t now_ms);

struct lag_reading lag_between(struct lag_reading before, struct lag_reading after);

/* Whether what happened between two readings was a stall; less than a whole one was just its end. */
bool lag_is_stall(struct lag_reading between);

/* Of the last tick. */
uint32_t lag_last_ms(const struct lag *lag);

/* The worst tick of the last LAG_WINDOW. */
uint32_t lag_worst_ms(const struct lag *lag);

#endif
