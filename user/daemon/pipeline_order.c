// SPDX-License-Identifier: GPL-2.0-or-later
/* pipeline_order - what is ordered: by the operator, or by what DNS says of an address. */
#include "daemon/balancer.h"
#include "daemon/pipeline_work.h"
#include "model/weights.h"

static uint64_t earlier(uint64_t a_ms, uint64_t b_ms)
{
	if (!a_ms || !b_ms)
		return a_ms ? a_ms : b_ms;
	return a_ms < b_ms ? a_ms : b_ms;
}

struct standing seat_standing(const struct seat *seat)
{
	if (seat->ordered.admin == SL_DRAINING && seat->leaving.admin == SL_DRAINING)
		return (struct standing){
			SL_DRAINING,
			earlier(seat->ordered.deadline_ms, seat->leaving.deadline_ms),
		};
	return seat->ordered.admin == SL_ENABLED ? seat->leaving : seat->ordered;
}

void pipeline_show_standing(struct pipeline *pipeline, uint32_t endpoint)
{
	const struct seat *seat = &pipeline->seats[endpoint];
	struct standing standing = seat_standing(seat);

	board_set_admin(pipeline->parts.board, endpoint, standing.admin,
			seat->ordered.admin != SL_ENABLED, standing.deadline_ms);
}

static void set(struct pipeline *pipeline, uint32_t endpoint, struct standing *which,
		struct standing standing)
{
	*which = standing;
	pipeline_show_standing(pipeline, endpoint);
	pipeline_members_changed(pipeline, endpoint);
}

void pipeline_set_admin(struct pipeline *pipeline, uint32_t endpoint, enum sl_admin admin,
			uint64_t deadline_ms)
{
	set(pipeline, endpoint, &pipeline->seats[endpoint].leaving,
	    (struct standing){ admin, deadline_ms });
}

enum sl_admin pipeline_admin(const struct pipeline *pipeline, uint32_t endpoint)
{
	return pipeline->seats[endpoint].leaving.admin;
}

void pipeline_order(struct pipeline *pipeline, uint32_t endpoint, enum sl_admin admin,
		    uint64_t deadline_ms)
{
	set(pipeline, endpoint, &pipeline->seats[endpoint].ordered,
	    (struct standing){ admin, deadline_ms });
}

enum sl_admin pipeline_ordered(const struct pipeline *pipeline, uint32_t endpoint,
			       uint64_t *ret_deadline_ms)
{
	if (ret_deadline_ms)
		*ret_deadline_ms = pipeline->seats[endpoint].ordered.deadline_ms;
	return pipeline->seats[endpoint].ordered.admin;
}

void pipeline_set_weight(struct pipeline *pipeline, uint32_t pool, uint32_t backend,
			 uint32_t weight)
{
	weights_set(pipeline->weights, pool, backend, weight);
	balancer_note_pool(pipeline->balancer, pool);
	balancer_run(pipeline->balancer);
}

const struct weights *pipeline_weights(const struct pipeline *pipeline)
{
	return pipeline->weights;
}

bool pipeline_is_blocked(const struct pipeline *pipeline)
{
	return pipeline->blocked[0] != '\0';
}
