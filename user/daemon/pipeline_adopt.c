// SPDX-License-Identifier: GPL-2.0-or-later
/* pipeline_adopt - what the kernel acts on already, when a daemon starts. */
#include <string.h>

#include "daemon/pipeline_work.h"
#include "util/clock.h"

/* Later than never, and before all that happens from now on. */
#define FORCED_LAPSED 1

/* Whoever the data plane says sits there; the first seat of a name stands for it otherwise. */
static void take_seat(struct pipeline *pipeline, uint32_t i)
{
	const struct endpoint *endpoint = &pipeline->parts.model->endpoints[i];
	struct seat *seat = &pipeline->seats[i];
	struct sl_target_key key;

	if (!endpoint->name) {
		seat->taken = true;
		memcpy(seat->addr.bytes, endpoint->key.addr, sizeof(seat->addr.bytes));
		return;
	}
	seat->taken = dataplane_key(pipeline->parts.dataplane, i, &key, NULL);
	if (seat->taken)
		memcpy(seat->addr.bytes, key.addr, sizeof(seat->addr.bytes));
	board_seat(pipeline->parts.board, i,
		   seat->taken           ? BOARD_FOUND
		   : endpoint->seat == 0 ? BOARD_NAME
					 : BOARD_VACANT,
		   &seat->addr);
}

/* What the kernel holds may be anybody's writing: only what proves something is taken over. */
static bool is_proof(const struct sl_word *word)
{
	return word->health == SL_HEALTHY || word->health == SL_UNHEALTHY;
}

/* An order for one of a name's seats is one for all of them. */
static void spread_order(struct pipeline *pipeline, uint32_t i)
{
	uint32_t first = i - pipeline->parts.model->endpoints[i].seat;

	for (uint32_t s = first; s < first + LIMIT_NAME_ADDRESSES; s++) {
		pipeline->seats[s].ordered = pipeline->seats[i].ordered;
		pipeline_show_standing(pipeline, s);
	}
}

/* A drain goes on, until when it was to. Addresses leave by themselves only as a name's. */
static void adopt_admin(struct pipeline *pipeline, uint32_t i, const struct sl_word *word)
{
	bool is_name = pipeline->parts.model->endpoints[i].name != NULL;
	struct standing standing = { word->admin, (uint64_t)word->deadline_s * MS_PER_SEC };
	struct seat *seat = &pipeline->seats[i];

	if (!seat->taken || (word->admin != SL_DRAINING && word->admin != SL_DISABLED))
		return;
	if (is_name && !(word->flags & SL_WORD_ORDERED))
		seat->leaving = standing;
	else
		seat->ordered = standing;
	pipeline_show_standing(pipeline, i);
	if (is_name && seat->ordered.admin != SL_ENABLED)
		spread_order(pipeline, i);
}

/*
 * min_servers, like all settings, may have changed while no daemon ran, and so may the members: who
 * is forced is judged anew. Those that were so far stay the first choice.
 */
void pipeline_adopt(struct pipeline *pipeline)
{
	const struct dataplane *dataplane = pipeline->parts.dataplane;
	const struct model *model = pipeline->parts.model;
	uint64_t now_ms = clock_wall_ms();

	pipeline->n_lapses = FORCED_LAPSED;
	for (uint32_t i = 0; i < model->n_endpoints; i++) {
		struct sl_word word = dataplane_word(dataplane, i);
		struct health *health = &pipeline->health[i];
		bool in_force = dataplane_was_adopted(dataplane, i);
		enum sl_health proven = SL_UNKNOWN;

		take_seat(pipeline, i);
		if (in_force)
			adopt_admin(pipeline, i, &word);
		if (pipeline->seats[i].taken && in_force && is_proof(&word))
			proven = word.health;
		health_init(health, proven, now_ms);
		pipeline->seats[i].told = health->shown;
		if (proven != SL_UNKNOWN && word.flags & SL_WORD_FORCED)
			health->lapsed = FORCED_LAPSED;
		board_set_health(pipeline->parts.board, i, health, proven != SL_UNKNOWN);
		if (pipeline->seats[i].taken)
			pipeline_restore(pipeline, i, in_force ? &proven : NULL);
	}
}
