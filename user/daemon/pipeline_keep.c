// SPDX-License-Identifier: GPL-2.0-or-later
/* pipeline_keep - what is kept of endpoints over restarts, and what begins with that. */
#include <string.h>

#include "daemon/keeper.h"
#include "daemon/pipeline_work.h"
#include "util/clock.h"

struct sl_target_key pipeline_key(const struct pipeline *pipeline, uint32_t endpoint)
{
	struct sl_target_key key = pipeline->parts.model->endpoints[endpoint].key;

	memcpy(key.addr, pipeline->seats[endpoint].addr.bytes, sizeof(key.addr));
	return key;
}

bool pipeline_read_kept(void *arg, uint32_t endpoint, struct kept *ret_kept)
{
	const struct pipeline *pipeline = arg;
	CLEANUP(board_entry_done)
	struct board_entry entry = board_read(pipeline->parts.board, endpoint);

	if (!pipeline->seats[endpoint].taken || !entry.recent[0].at_ms)
		return false;
	ret_kept->key = pipeline_key(pipeline, endpoint);
	ret_kept->health = pipeline->health[endpoint];
	ret_kept->health.forced = false;
	ret_kept->verdict = entry.recent[0].verdict;
	ret_kept->verdict.tls.certs = NULL;
	return true;
}

/* So long ago, for people; not before the beginning of all clocks. */
static uint64_t before(uint64_t at_ms, uint64_t ago_ms)
{
	return at_ms > ago_ms ? at_ms - ago_ms : 1;
}

/* By this clock as it goes now, whatever it said then. */
static void take_over(struct pipeline *pipeline, uint32_t endpoint, const struct kept *kept,
		      const struct kept_time *now)
{
	struct health *health = &pipeline->health[endpoint];
	uint64_t age_ms = kept_age_ms(&kept->at, now);
	uint64_t at_ms = before(now->wall_ms, age_ms);
	uint64_t since_ms = kept->health.since_ms;

	*health = kept->health;
	health->since_ms =
		before(at_ms, kept->at.wall_ms > since_ms ? kept->at.wall_ms - since_ms : 0);
	if (health->lapsed > pipeline->n_lapses)
		pipeline->n_lapses = health->lapsed;
	pipeline->seats[endpoint].told = health->shown;
	board_restore(pipeline->parts.board, endpoint, &kept->verdict, at_ms);
	board_set_health(pipeline->parts.board, endpoint, health, true);
	keeper_restored(pipeline->keeper, endpoint, kept, age_ms);
}

bool pipeline_restore(struct pipeline *pipeline, uint32_t endpoint, const enum sl_health *proven)
{
	const struct sl_target_key key = pipeline_key(pipeline, endpoint);
	const struct kept *kept = keeper_recall(pipeline->keeper, &key);
	struct kept_time now;

	if (!kept)
		return false;
	now = (struct kept_time){ clock_boot_id(), (int64_t)clock_boot_ms(), clock_wall_ms() };
	if (kept_age_ms(&kept->at, &now) == KEPT_AGE_UNKNOWN)
		return false;
	if (proven ? kept->health.proven != *proven
		   : !kept_proves(kept, &now, pipeline->parts.plans[endpoint].interval_ms))
		return false;
	take_over(pipeline, endpoint, kept, &now);
	return true;
}

bool pipeline_is_settled(const struct pipeline *pipeline, uint32_t endpoint)
{
	const struct health *health = &pipeline->health[endpoint];

	if (!pipeline->seats[endpoint].taken || health->shown != health->proven)
		return false;
	return (health->proven == SL_HEALTHY && !health->failures) ||
	       (health->proven == SL_UNHEALTHY && !health->successes);
}

void pipeline_keep_all(struct pipeline *pipeline)
{
	keeper_flush(pipeline->keeper);
}
