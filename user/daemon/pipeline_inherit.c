// SPDX-License-Identifier: GPL-2.0-or-later
/* pipeline_inherit - what the pipeline of the configuration before knows of the same endpoints. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/balancer.h"
#include "daemon/keeper.h"
#include "daemon/pipeline_work.h"

/* An endpoint by what it is, whatever its place in the model. */
struct known {
	struct sl_target_key key;
	uint32_t endpoint;
};

static int compare(const void *a, const void *b)
{
	return memcmp(&((const struct known *)a)->key, &((const struct known *)b)->key,
		      sizeof(struct sl_target_key));
}

static struct known known_of(const struct pipeline *pipeline, uint32_t endpoint)
{
	return (struct known){ .key = pipeline_key(pipeline, endpoint), .endpoint = endpoint };
}

/* Those that are there, sorted. NULL: out of memory. */
static struct known *list(const struct pipeline *pipeline, uint32_t *ret_n)
{
	uint32_t n_endpoints = pipeline->parts.model->n_endpoints;
	struct known *known = calloc(n_endpoints + 1, sizeof(*known));

	*ret_n = 0;
	for (uint32_t i = 0; known && i < n_endpoints; i++)
		if (pipeline->seats[i].taken)
			known[(*ret_n)++] = known_of(pipeline, i);
	if (known)
		qsort(known, *ret_n, sizeof(*known), compare);
	return known;
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
	CLEANUP(free_p) struct known *known = NULL;
	CLEANUP(free_p) bool *stays = NULL;
	uint32_t n;

	/* Without memory they are what the kernel acts on, which is what they were. */
	known = list(before, &n);
	stays = calloc(n + 1, sizeof(*stays));
	if (!known || !stays)
		return;
	for (uint32_t i = 0; i < pipeline->parts.model->n_endpoints; i++) {
		const struct known wanted = known_of(pipeline, i);
		const struct known *was = NULL;

		if (pipeline->seats[i].taken)
			was = bsearch(&wanted, known, n, sizeof(*known), compare);
		if (!was)
			continue;
		inherit_one(pipeline, i, before, was->endpoint);
		stays[was - known] = true;
	}
	keeper_succeed(pipeline->keeper, before->keeper);
	for (uint32_t i = 0; i < n; i++)
		if (!stays[i])
			keeper_forget(pipeline->keeper, &known[i].key);
	if (before->n_lapses > pipeline->n_lapses)
		pipeline->n_lapses = before->n_lapses;
	pipeline_publish_all(pipeline);
	balancer_run(pipeline->balancer);
}
