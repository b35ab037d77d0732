// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/damper.h"

static void begin(struct damper *damper, uint64_t now_ms, uint32_t window_ms)
{
	*damper = (struct damper){ .end_ms = now_ms + window_ms, .window_ms = window_ms };
}

static uint32_t longer(uint32_t window_ms)
{
	return window_ms > DAMPER_WINDOW_MAX_MS / 2 ? DAMPER_WINDOW_MAX_MS : 2 * window_ms;
}

bool damper_admit(struct damper *damper, uint64_t now_ms)
{
	/* What is held ends with damper_due(), lest it be forgotten. */
	if (now_ms >= damper->end_ms && !damper->held)
		begin(damper, now_ms, DAMPER_WINDOW_MIN_MS);
	if (damper->told == DAMPER_TOLD) {
		damper->held++;
		return false;
	}
	damper->told++;
	return true;
}

bool damper_due(struct damper *damper, uint64_t now_ms, uint32_t *ret_held, uint32_t *ret_window_ms)
{
	if (!damper->held || now_ms < damper->end_ms)
		return false;
	*ret_held = damper->held;
	*ret_window_ms = damper->window_ms;
	begin(damper, now_ms, longer(damper->window_ms));
	return true;
}
