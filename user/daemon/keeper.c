// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/keeper.h"

#include <errno.h>

#include "model/limits.h"
#include "store/events.h"
#include "store/verdicts.h"
#include "util/clock.h"

#define TICK_MS 1000
/* A row is at most so much older than the verdict, and a little more where there are very many. */
#define REFRESH_S 240
#define REFRESHED_MAX 256 /* of a tick; */
#define CHANGED_MAX 1024 /* and of what has changed, beside them */
/* What nobody has asked for until then is not configured any more: names have been resolved. */
#define RECALL_MS (300 * MS_PER_SEC)

/* Of an endpoint. */
struct mark {
	int64_t heard_ms; /* clock_boot_ms(): when the newest verdict came */
	uint32_t digest; /* of what is known */
	uint32_t kept_s : 31; /* when that was handed over, by the same clock; 0: it was not */
	uint32_t ahead : 1; /* something came since */
};

struct keeper {
	struct keeper_parts parts;
	uv_timer_t tick;
	uint64_t boot, began_ms;
	struct mark *marks; /* by endpoint */
	uint32_t next; /* endpoint to begin with: all have their turn */
	struct kept_list before;
	bool *recalled; /* parallel to those */
	struct sl_target_key *gone;
	uint32_t n_gone, gone_room;
};

/* ---------------------------------------------------------------------------------------------- */

static struct kept_time now_of(const struct keeper *keeper)
{
	return (struct kept_time){ keeper->boot, (int64_t)clock_boot_ms(), clock_wall_ms() };
}

/* Of what counts: how far it is on the way to another state, but not for how long it has been in this one. */
static uint32_t digest_of(const struct health *health, enum sl_message code)
{
	uint32_t progress = health->proven == SL_UNHEALTHY ? health->successes : health->failures;

	return (uint32_t)code << 24 | (uint32_t)health->shown << 22 |
	       (uint32_t)health->proven << 20 | (progress & 0xfffff);
}

/* Never 0. */
static uint32_t seconds(uint64_t ms)
{
	return (uint32_t)(ms / MS_PER_SEC) + 1;
}

/* Of each kind so many at most. */
struct bounds {
	uint32_t changed, refreshed;
	uint32_t since_s; /* what was kept before that is refreshed */
};

static bool is_due(const struct mark *mark, struct bounds *left)
{
	uint32_t *bound = mark->kept_s ? &left->refreshed : &left->changed;

	if (!mark->ahead || mark->kept_s > left->since_s || !*bound)
		return false;
	(*bound)--;
	return true;
}

static uint32_t nth(const struct keeper *keeper, uint32_t k)
{
	return (keeper->next + k) % keeper->parts.n;
}

static uint32_t count_due(const struct keeper *keeper, struct bounds left)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < keeper->parts.n; k++)
		n += is_due(&keeper->marks[nth(keeper, k)], &left);
	return n;
}

static bool take(struct keeper *keeper, uint32_t i, const struct kept_time *now, struct kept *row)
{
	struct mark *mark = &keeper->marks[i];

	*row = (struct kept){ .at = { 0 } };
	mark->kept_s = seconds((uint64_t)now->boot_ms) & INT32_MAX;
	mark->ahead = false;
	if (!keeper->parts.read(keeper->parts.arg, i, row))
		return false;
	row->at = *now;
	row->at.boot_ms = mark->heard_ms;
	row->at.wall_ms -= (uint64_t)(now->boot_ms - mark->heard_ms);
	return true;
}

/* Without memory it is tried again later. */
static void hand_over(struct keeper *keeper, struct bounds left)
{
	CLEANUP(verdicts_batch_free_p) struct verdicts_batch *batch = NULL;
	const struct kept_time now = now_of(keeper);
	uint32_t n = count_due(keeper, left), n_seen = 0, i = keeper->next;

	if (!n && !keeper->n_gone)
		return;
	batch = calloc(1, sizeof(*batch));
	if (!batch)
		return;
	batch->rows = calloc(n + 1, sizeof(*batch->rows));
	if (!batch->rows)
		return;
	for (uint32_t k = 0; n_seen < n; k++) {
		i = nth(keeper, k);
		if (!is_due(&keeper->marks[i], &left))
			continue;
		n_seen++;
		batch->n += take(keeper, i, &now, &batch->rows[batch->n]);
	}
	keeper->next = i;
	batch->gone = take_ptr(keeper->gone);
	batch->n_gone = keeper->n_gone;
	keeper->n_gone = keeper->gone_room = 0;
	events_keep(keeper->parts.events, take_ptr(batch));
}

/* Whoever is not configured any more is forgotten, and the memory of all is given back. */
static void end_recall(struct keeper *keeper)
{
	for (uint32_t i = 0; i < keeper->before.n; i++)
		if (!keeper->recalled[i])
			keeper_forget(keeper, &keeper->before.rows[i].key);
	kept_list_done(&keeper->before);
	free(take_ptr(keeper->recalled));
}

static void on_tick(uv_timer_t *tick)
{
	struct keeper *keeper = tick->data;
	uint64_t now_ms = clock_boot_ms();
	const struct bounds bounds = {
		.changed = CHANGED_MAX,
		.refreshed = REFRESHED_MAX,
		.since_s = seconds(now_ms) > REFRESH_S ? seconds(now_ms) - REFRESH_S : 0,
	};

	if (keeper->before.rows && now_ms - keeper->began_ms >= RECALL_MS)
		end_recall(keeper);
	if (!events_is_keeping(keeper->parts.events))
		hand_over(keeper, bounds);
}

void keeper_flush(struct keeper *keeper)
{
	const struct bounds all = { UINT32_MAX, UINT32_MAX, UINT32_MAX };

	if (keeper->parts.events)
		hand_over(keeper, all);
}

/* ---------------------------------------------------------------------------------------------- */

const struct kept *keeper_recall(struct keeper *keeper, const struct sl_target_key *key)
{
	const struct kept *kept = kept_list_find(&keeper->before, key);

	if (!kept || keeper->recalled[kept - keeper->before.rows])
		return NULL;
	keeper->recalled[kept - keeper->before.rows] = true;
	return kept;
}

void keeper_restored(struct keeper *keeper, uint32_t endpoint, const struct kept *kept,
		     uint64_t age_ms)
{
	const struct kept_time now = now_of(keeper);
	struct mark *mark = &keeper->marks[endpoint];

	*mark = (struct mark){
		.heard_ms = now.boot_ms - (int64_t)age_ms,
		.digest = digest_of(&kept->health, kept->verdict.code),
	};
	if (kept->at.boot == keeper->boot)
		mark->kept_s = seconds((uint64_t)now.boot_ms) & INT32_MAX;
	else
		mark->ahead = true;
}

void keeper_note(struct keeper *keeper, uint32_t endpoint, const struct health *health,
		 enum sl_message code)
{
	struct mark *mark = &keeper->marks[endpoint];
	uint32_t digest = digest_of(health, code);

	mark->heard_ms = (int64_t)clock_boot_ms();
	mark->ahead = true;
	if (digest == mark->digest)
		return;
	mark->digest = digest;
	mark->kept_s = 0;
}

void keeper_reset(struct keeper *keeper, uint32_t endpoint)
{
	keeper->marks[endpoint] = (struct mark){ .digest = 0 };
}

/* Without memory, or without end, a row stays until the next start. */
void keeper_forget(struct keeper *keeper, const struct sl_target_key *key)
{
	if (!keeper->parts.events)
		return;
	if (keeper->n_gone == keeper->gone_room) {
		uint32_t room = keeper->gone_room ? keeper->gone_room * 2 : 16;
		struct sl_target_key *gone = NULL;

		if (room <= 2 * LIMIT_ENDPOINTS)
			gone = realloc(keeper->gone, room * sizeof(*gone));
		if (!gone)
			return;
		keeper->gone = gone;
		keeper->gone_room = room;
	}
	keeper->gone[keeper->n_gone++] = *key;
}

void keeper_inherit(struct keeper *keeper, uint32_t endpoint, const struct keeper *before,
		    uint32_t was)
{
	keeper->marks[endpoint] = before->marks[was];
}

void keeper_succeed(struct keeper *keeper, struct keeper *before)
{
	for (uint32_t i = 0; i < before->n_gone; i++)
		keeper_forget(keeper, &before->gone[i]);
	before->n_gone = 0;
	keeper->began_ms = before->began_ms;
	kept_list_done(&keeper->before);
	keeper->before = before->before;
	free(keeper->recalled);
	keeper->recalled = take_ptr(before->recalled);
	before->before = (struct kept_list){ .n = 0 };
}

/* ---------------------------------------------------------------------------------------------- */

static void free_parts(struct keeper *keeper)
{
	kept_list_done(&keeper->before);
	free(keeper->recalled);
	free(keeper->gone);
	free(keeper->marks);
	free(keeper);
}

static void on_closed(uv_handle_t *handle)
{
	free_parts(handle->data);
}

int keeper_new(struct keeper **ret, const struct keeper_parts *parts, struct kept_list *kept)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	uint32_t n_kept = kept ? kept->n : 0;

	if (!keeper)
		return -ENOMEM;
	keeper->parts = *parts;
	keeper->boot = clock_boot_id();
	keeper->began_ms = clock_boot_ms();
	keeper->marks = calloc(parts->n + 1, sizeof(*keeper->marks));
	keeper->recalled = calloc(n_kept + 1, sizeof(*keeper->recalled));
	if (!keeper->marks || !keeper->recalled) {
		free_parts(keeper);
		return -ENOMEM;
	}
	if (kept) {
		keeper->before = *kept;
		*kept = (struct kept_list){ .n = 0 };
	}
	uv_timer_init(parts->loop, &keeper->tick);
	keeper->tick.data = keeper;
	if (parts->events)
		uv_timer_start(&keeper->tick, on_tick, TICK_MS, TICK_MS);
	*ret = keeper;
	return 0;
}

void keeper_free(struct keeper *keeper)
{
	if (keeper)
		uv_close((uv_handle_t *)&keeper->tick, on_closed);
}
