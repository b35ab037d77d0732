// SPDX-License-Identifier: GPL-2.0-or-later
/* pipeline_inherit - what the pipeline of the configuration before knows of the same endpoints. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/balancer.h"
#include "daemon/keeper.h"
#include "daemon/pipeline_work.h"
#include "model/key_table.h"

/* Those that are there. -ENOMEM. */
static int list(struct key_table *keys, struct sl_target_key *known,
		const struct pipeline *pipeline)
{
	uint32_t n = pipeline->parts.model->n_endpoints;
	int r = known ? key_table_open(keys, known, sizeof(*known), n) : -ENOMEM;

	for (uint32_t i = 0; r == 0 && i < n; i++) {
		known[i] = pipeline_key(pipeline, i);
		if (pipeline->seats[i].taken)
			key_table_enter(keys, i);
	}
	return r;
}

static void inherit_one(struct pipeline *pipeline, uint32_t i, const struct pipeline *before,
			uint32_t was)
{
	bool forced = pipeline->health[i].forced;

	pipeline->health[i] = before->health[was];
	pipeline->health[i].forced = forced;
	pipeline->seats[i].recovered_ms = before->seats[was].recovered_ms;
	pipeline->seats[i].told = before->seats[was].told;
	hush_inherit(pipeline->hush, i, before->hush, was);
	keeper_inherit(pipeline->keeper, i, before->keeper, was);
	board_inherit(pipeline->parts.board, i, before->parts.board, was);
	pipeline_show_standing(pipeline, i);
}

void pipeline_inherit(struct pipeline *pipeline, const struct pipeline *before)
{
	uint32_t n = before->parts.model->n_endpoints;
	CLEANUP(free_p) struct sl_target_key *known = calloc(n + 1, sizeof(*known));
	CLEANUP(free_p) bool *stays = calloc(n + 1, sizeof(*stays));
	CLEANUP(key_table_close) struct key_table keys = { .slots = NULL };

	/* Without memory they are what the kernel acts on, which is what they were. */
	if (!stays || list(&keys, known, before) < 0)
		return;
	for (uint32_t i = 0; i < pipeline->parts.model->n_endpoints; i++) {
		const struct sl_target_key wanted = pipeline_key(pipeline, i);
		uint32_t was = KEY_TABLE_NONE;

		if (pipeline->seats[i].taken)
			was = key_table_find(&keys, &wanted);
		if (was == KEY_TABLE_NONE)
			continue;
		inherit_one(pipeline, i, before, was);
		stays[was] = true;
	}
	keeper_succeed(pipeline->keeper, before->keeper);
	for (uint32_t i = 0; i < n; i++)
		if (before->seats[i].taken && !stays[i])
			keeper_forget(pipeline->keeper, &known[i]);
	if (before->n_lapses > pipeline->n_lapses)
		pipeline->n_lapses = before->n_lapses;
	pipeline_publish_all(pipeline);
	balancer_run(pipeline->balancer);
}
