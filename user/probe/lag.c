// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/lag.h"

/* Timers have a granularity, and the scheduler its slices: neither is lateness. */
#define NOISE_MS 5

static uint64_t overdue_ms(const struct lag *lag, uint64_t now_ms)
{
	return now_ms > lag->expected_ms + NOISE_MS ? now_ms - lag->expected_ms : 0;
}

void lag_init(struct lag *lag, uint64_t now_ms)
{
	*lag = (struct lag){ .expected_ms = now_ms + LAG_TICK_MS };
}

void lag_tick(struct lag *lag, uint64_t now_ms)
{
	uint64_t late_ms = overdue_ms(lag, now_ms);

	lag->total_ms += late_ms;
	lag->recent_ms[lag->n_ticks++ % LAG_WINDOW] =
		late_ms < UINT32_MAX ? (uint32_t)late_ms : UINT32_MAX;
	lag->expected_ms = now_ms + LAG_TICK_MS;
}

uint64_t lag_total_ms(const struct lag *lag, uint64_t now_ms)
{
	return lag->total_ms + overdue_ms(lag, now_ms);
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
