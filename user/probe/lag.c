// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/lag.h"

/* Timers have a granularity, and the scheduler its slices: neither is lateness. */
#define NOISE_MS 5

static uint64_t overdue_ms(const struct lag *lag, uint64_t now_ms)
{
	return now_ms > lag->expected_ms + NOISE_MS ? now_ms - lag->expected_ms : 0;
}

static uint64_t stall_ms(uint64_t late_ms)
{
	return late_ms >= LAG_STALL_MS ? late_ms : 0;
}

void lag_init(struct lag *lag, uint32_t tick_ms, uint64_t now_ms)
{
	*lag = (struct lag){ .tick_ms = tick_ms, .expected_ms = now_ms + tick_ms };
}

void lag_tick(struct lag *lag, uint64_t now_ms)
{
	uint64_t late_ms = overdue_ms(lag, now_ms);

	lag->total_ms += late_ms;
	lag->stalled_ms += stall_ms(late_ms);
	lag->recent_ms[lag->n_ticks++ % LAG_WINDOW] =
		late_ms < UINT32_MAX ? (uint32_t)late_ms : UINT32_MAX;
	lag->expected_ms = now_ms + lag->tick_ms;
}

struct lag_reading lag_read(const struct lag *lag, uint64_t now_ms)
{
	uint64_t late_ms = overdue_ms(lag, now_ms);

	return (struct lag_reading){
		.late_ms = lag->total_ms + late_ms,
		.stalled_ms = lag->stalled_ms + stall_ms(late_ms),
	};
}

struct lag_reading lag_between(struct lag_reading before, struct lag_reading after)
{
	return (struct lag_reading){
		.late_ms = after.late_ms - before.late_ms,
		.stalled_ms = after.stalled_ms - before.stalled_ms,
	};
}

bool lag_is_stall(struct lag_reading between)
{
	return between.stalled_ms >= LAG_STALL_MS;
}

uint32_t lag_last_ms(const struct lag *lag)
{
	return lag->n_ticks ? lag->recent_ms[(lag->n_ticks - 1) % LAG_WINDOW] : 0;
}

uint32_t lag_worst_ms(const struct lag *lag)
{
	uint32_t worst = 0;

	for (uint32_t i = 0; i < LAG_WINDOW; i++)
		if (lag->recent_ms[i] > worst)
			worst = lag->recent_ms[i];
	return worst;
}
