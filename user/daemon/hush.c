// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/hush.h"

#include <errno.h>

#include "model/damper.h"
#include "util/clock.h"

#define TICK_MS 500

struct hush {
	uint32_t n;
	struct damper *dampers[HUSH_SORTS]; /* by endpoint */
	hush_fn *fn;
	void *arg;
	uv_timer_t tick; /* runs while something is held */
};

/* Returns whether something is held after it. */
static bool tell_due(struct hush *hush, uint64_t now_ms)
{
	uint32_t held, window_ms;
	bool any = false;

	for (uint32_t i = 0; i < hush->n; i++) {
		for (int sort = 0; sort < HUSH_SORTS; sort++) {
			struct damper *damper = &hush->dampers[sort][i];

			if (damper_due(damper, now_ms, &held, &window_ms))
				hush->fn(hush->arg, i, (enum hush_sort)sort, held, window_ms);
			any |= damper->held != 0;
		}
	}
	return any;
}

static void on_tick(uv_timer_t *tick)
{
	if (!tell_due(tick->data, clock_mono_ms()))
		uv_timer_stop(tick);
}

static void wake(struct hush *hush)
{
	if (!uv_is_active((uv_handle_t *)&hush->tick))
		uv_timer_start(&hush->tick, on_tick, TICK_MS, TICK_MS);
}

static void free_parts(struct hush *hush)
{
	for (int sort = 0; sort < HUSH_SORTS; sort++)
		free(hush->dampers[sort]);
	free(hush);
}

static void on_closed(uv_handle_t *handle)
{
	free_parts(handle->data);
}

int hush_new(struct hush **ret, uv_loop_t *loop, uint32_t n, hush_fn *fn, void *arg)
{
	struct hush *hush = calloc(1, sizeof(*hush));
	int r = 0; /* there may be no sorts */

	if (!hush)
		return -ENOMEM;
	hush->n = n;
	hush->fn = fn;
	hush->arg = arg;
	for (int sort = 0; sort < HUSH_SORTS; sort++) {
		hush->dampers[sort] = calloc(n + 1, sizeof(struct damper));
		if (!hush->dampers[sort])
			r = -ENOMEM;
	}
	if (r == 0)
		r = uv_timer_init(loop, &hush->tick);
	if (r < 0) {
		free_parts(hush);
		return r;
	}
	hush->tick.data = hush;
	*ret = hush;
	return 0;
}

bool hush_admit(struct hush *hush, uint32_t endpoint, enum hush_sort sort)
{
	if (damper_admit(&hush->dampers[sort][endpoint], clock_mono_ms()))
		return true;
	wake(hush);
	return false;
}

void hush_inherit(struct hush *hush, uint32_t endpoint, const struct hush *before, uint32_t was)
{
	for (int sort = 0; sort < HUSH_SORTS; sort++) {
		hush->dampers[sort][endpoint] = before->dampers[sort][was];
		if (hush->dampers[sort][endpoint].held)
			wake(hush);
	}
}

void hush_flush(struct hush *hush)
{
	tell_due(hush, UINT64_MAX - DAMPER_WINDOW_MAX_MS);
	uv_timer_stop(&hush->tick);
}

void hush_free(struct hush *hush)
{
	if (hush)
		uv_close((uv_handle_t *)&hush->tick, on_closed);
}
