// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/change.h"
#include "control/groups.h"
#include "control/render.h"
#include "model/weights.h"
#include "util/clock.h"

/* The backend's endpoints in one service, as they stand now. */
static void push_service(json_t **endpoints, const struct api_context *context,
			 uint32_t service_index, uint32_t backend)
{
	const struct service *service = &context->model->services[service_index];
	struct render_row row = { .service = service_index, .now_ms = clock_wall_ms() };

	for (row.member = 0; row.member < service->n_endpoints; row.member++) {
		json_t *json;

		if (service->owners[row.member] != backend ||
		    !board_is_shown(context->board, service->endpoints[row.member]))
			continue;
		json = render_standing(context, &row);
		json_put_text(&json, "service", service->name);
		json_push(endpoints, json);
	}
}

/* How many services the pool's weights matter to. */
static uint32_t count_forwarding(const struct api_context *context, const struct groups *groups,
				 uint32_t pool)
{
	const struct model *model = context->model;
	uint32_t n = 0;

	for (uint32_t i = groups->first[pool]; i < groups->first[pool + 1]; i++)
		n += service_forwards(model, &model->services[groups->services[i]]);
	return n;
}

json_t *render_change(const struct api_context *context, const struct groups *groups,
		      const struct change *change)
{
	const struct model *model = context->model;
	const struct pool *found = model_find_pool(model, change->pool);
	uint32_t backend = found ? pool_find_backend(found, change->address) : INDEX_NONE;
	uint32_t pool = found ? (uint32_t)(found - model->pools) : INDEX_NONE;
	json_t *json = json_object();
	json_t *endpoints = json_array();

	json_put_text(&json, "action", change_name(change->action));
	json_put_text(&json, "pool", change->pool);
	json_put_text(&json, "address", change->address);
	if (backend != INDEX_NONE) {
		json_put_uint(&json, "weight", weights_get(context->weights, pool, backend));
		json_put_uint(&json, "services_balanced", count_forwarding(context, groups, pool));
		for (uint32_t i = groups->first[pool]; i < groups->first[pool + 1]; i++)
			push_service(&endpoints, context, groups->services[i], backend);
	}
	json_put(&json, "endpoints", endpoints);
	return json;
}
