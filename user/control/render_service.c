// SPDX-License-Identifier: GPL-2.0-or-later
/* render_service - what there is to say of services whose packets are forwarded. */
#include "control/render.h"
#include "model/weights.h"
#include "util/clock.h"

void render_forwarding(json_t **json, const struct api_context *context,
		       const struct service *service)
{
	if (!service_balances(context->model, service))
		return;
	if (service->listen.key.port)
		json_put_text(json, "listen", service->listen.text);
	json_put_text(json, "forward", forward_name(service->forward));
}

void render_service_stats(json_t **json, const struct api_context *context, uint32_t service)
{
	struct sl_service_stats stats;
	json_t *kernel;

	render_forwarding(json, context, &context->model->services[service]);
	if (dataplane_service_stats(context->dataplane, service, &stats) < 0)
		return;
	kernel = json_object();
	json_put_uint(&kernel, "packets", stats.packets);
	json_put_uint(&kernel, "bytes", stats.bytes);
	json_put_uint(&kernel, "flows", stats.flows);
	json_put_uint(&kernel, "none", stats.none);
	json_put_uint(&kernel, "failed", stats.failed);
	json_put_uint(&kernel, "moved", stats.moved);
	json_put_uint(&kernel, "replies", stats.replies);
	json_put_uint(&kernel, "reply_bytes", stats.reply_bytes);
	json_put(json, "kernel", kernel);
}

/* The slots of every endpoint of the service; NULL: it has no table, or memory has run out. */
static uint32_t *count_slots(const struct api_context *context, uint32_t service,
			     uint32_t *ret_size)
{
	const struct service *s = &context->model->services[service];
	CLEANUP(free_p) uint32_t *slots = calloc((size_t)s->n_endpoints + 1, sizeof(*slots));

	if (!slots || dataplane_slots(context->dataplane, service, slots, ret_size) < 0)
		return NULL;
	return take_ptr(slots);
}

static void put_share(json_t **json, const struct api_context *context,
		      const struct render_row *row, const uint32_t *slots, uint32_t size)
{
	const struct service *service = &context->model->services[row->service];
	json_t *table;

	json_put_uint(json, "weight",
		      weights_get(context->weights, service->pool, service->owners[row->member]));
	if (!slots)
		return;
	table = json_object();
	json_put_uint(&table, "slots", slots[row->member]);
	json_put_uint(&table, "size", size);
	json_put(json, "table", table);
}

void render_share(json_t **json, const struct api_context *context, const struct render_row *row)
{
	uint32_t size = 0;
	CLEANUP(free_p) uint32_t *slots = count_slots(context, row->service, &size);

	put_share(json, context, row, slots, size);
}

json_t *render_members(const struct api_context *context, uint32_t service)
{
	const struct service *s = &context->model->services[service];
	struct render_row row = { .service = service, .now_ms = clock_wall_ms() };
	json_t *array = json_array();
	uint32_t size = 0;
	CLEANUP(free_p) uint32_t *slots = count_slots(context, service, &size);

	for (row.member = 0; row.member < s->n_endpoints; row.member++) {
		json_t *json;

		if (!board_is_shown(context->board, s->endpoints[row.member]))
			continue;
		json = render_standing(context, &row);
		put_share(&json, context, &row, slots, size);
		json_push(&array, json);
	}
	return array;
}

json_t *render_end(const struct addr *addr, uint16_t port)
{
	json_t *json = json_object();
	char text[SL_TEXT_LEN];

	json_put_text(&json, "address", addr_format(text, addr));
	json_put_uint(&json, "port", port);
	return json;
}
