// SPDX-License-Identifier: GPL-2.0-or-later
/* pipeline_inherit - what the pipeline of the configuration before knows of the same endpoints. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/balancer.h"
#include "daemon/pipeline_work.h"
#include "model/key_table.h"

/* What an endpoint is, whatever its place in the model. */
static struct sl_target_key key_of(const struct pipeline *pipeline, uint32_t endpoint)
{
	struct sl_target_key key = pipeline->parts.model->endpoints[endpoint].key;

	memcpy(key.addr, pipeline->seats[endpoint].addr.bytes, sizeof(key.addr));
	return key;
}

/* Those that are there. -ENOMEM. */
static int list(struct key_table *keys, struct sl_target_key *known,
		const struct pipeline *pipeline)
{
	uint32_t n = pipeline->parts.model->n_endpoints;
	int r = known ? key_table_open(keys, known, sizeof(*known), n) : -ENOMEM;

	for (uint32_t i = 0; r == 0 && i < n; i++) {
		known[i] = key_of(pipeline, i);
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
	board_inherit(pipeline->parts.board, i, before->parts.board, was);
	pipeline_show_standing(pipeline, i);
}

void pipeline_inherit(struct pipeline *pipeline, const struct pipeline *before)
{
	uint32_t n = before->parts.model->n_endpoints;
	CLEANUP(free_p) struct sl_target_key *known = calloc(n + 1, sizeof(*known));
	CLEANUP(key_table_close) struct key_table keys = { .slots = NULL };

	/* Without memory they are what the kernel acts on, which is what they were. */
	if (list(&keys, known, before) < 0)
		return;
	for (uint32_t i = 0; i < pipeline->parts.model->n_endpoints; i++) {
		const struct sl_target_key wanted = key_of(pipeline, i);
		uint32_t was = KEY_TABLE_NONE;

		if (pipeline->seats[i].taken)
			was = key_table_find(&keys, &wanted);
		if (was != KEY_TABLE_NONE)
			inherit_one(pipeline, i, before, was);
	}
	if (before->n_lapses > pipeline->n_lapses)
		pipeline->n_lapses = before->n_lapses;
	pipeline_publish_all(pipeline);
	balancer_run(pipeline->balancer);
}
