// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/admit.h"

#define MS_PER_S 1000

void admit_init(struct admit *admit, uint32_t max)
{
	*admit = (struct admit){ .max = max, .limit = max < ADMIT_START ? max : ADMIT_START };
}

static void adjust(struct admit *admit, const struct admit_load *load)
{
	uint32_t floor = admit->max < ADMIT_MIN ? admit->max : ADMIT_MIN;

	if (load->late_ms > ADMIT_LATE_MS || load->busy_percent > ADMIT_BUSY_PERCENT) {
		/* What was not used does not count: the limit would have to come down from far away. */
		if (load->in_flight < admit->limit)
			admit->limit = load->in_flight;
		admit->limit -= admit->limit / 4;
		if (admit->limit < floor)
			admit->limit = floor;
	} else if (load->busy_percent < ADMIT_FREE_PERCENT && load->queued &&
		   load->in_flight >= admit->limit) {
		admit->limit += admit->limit / 4 + 1;
		if (admit->limit > admit->max)
			admit->limit = admit->max;
	}
}

void admit_tick(struct admit *admit, const struct admit_load *load)
{
	uint32_t i = admit->n_ticks++ % ADMIT_WINDOW;

	admit->finished[i] = (uint32_t)(load->finished - admit->finished_total);
	admit->finished_total = load->finished;
	admit->waited[i] = load->queued > 0;
	adjust(admit, load);
}

bool admit_is_overloaded(const struct admit *admit, uint32_t tick_ms, uint32_t *ret_per_s)
{
	uint64_t finished = 0;

	if (admit->n_ticks < ADMIT_WINDOW)
		return false;
	for (uint32_t i = 0; i < ADMIT_WINDOW; i++) {
		if (!admit->waited[i])
			return false;
		finished += admit->finished[i];
	}
	*ret_per_s = (uint32_t)(finished * MS_PER_S / (ADMIT_WINDOW * tick_ms));
	return true;
}
