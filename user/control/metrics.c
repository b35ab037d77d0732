// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/metrics.h"

#include <errno.h>
#include <string.h>

#include "control/metrics_rows.h"

#define PLACE_TRIES 4
#define ENDPOINT_LABEL_LEN (LIMIT_HOST_BYTES + sizeof(":65535"))

static const struct family_list *const lists[] = {
	&metrics_process, &metrics_gateway,  &metrics_services, &metrics_endpoints,
	&metrics_kernel,  &metrics_attempts, &metrics_l7,
};

#define N_LISTS (sizeof(lists) / sizeof(lists[0]))

/* Who sits in an endpoint's place. */
struct place {
	enum board_seat seat;
	struct addr addr;
};

struct metrics {
	const struct api_context *context;
	unsigned int parts;
	struct place *places; /* parallel to model->endpoints; NULL: none is a seat */
	struct exposition out; /* made, but not yet read */
	size_t taken;
	size_t list, family; /* the position */
	uint32_t row;
	bool headed; /* what is said in front of the family's samples has been */
	bool ended;
};

enum metrics_part metrics_part(const char *name)
{
#define PART_NAME(NAME, name) [PART_##NAME] = name,
	static const char *const names[] = { METRICS_PARTS(PART_NAME) };
#undef PART_NAME
	enum metrics_part part = 0;

	while (part < METRICS_PART_COUNT && strcmp(names[part], name) != 0)
		part++;
	return part;
}

const char *metrics_health(enum sl_health health)
{
	static const char *const names[] = {
		[SL_HEALTHY] = "healthy",
		[SL_UNHEALTHY] = "unhealthy",
		[SL_UNKNOWN] = "unknown",
	};

	return names[health];
}

const struct metric *metrics_describe(size_t i)
{
	for (size_t l = 0; l < N_LISTS; i -= lists[l++]->n)
		if (i < lists[l]->n)
			return &lists[l]->families[i].metric;
	return NULL;
}

/* --- places ----------------------------------------------------------------------------------- */

/* An address that moves from one seat to another meanwhile would be in both. */
static void note_places(struct metrics *metrics)
{
	const struct board *board = metrics->context->board;
	uint64_t before;

	for (int i = 0; i < PLACE_TRIES; i++) {
		before = board_seatings(board);
		for (uint32_t e = 0; e < metrics->context->model->n_endpoints; e++)
			metrics->places[e].seat = board_where(board, e, &metrics->places[e].addr);
		if (board_seatings(board) == before)
			return;
	}
}

struct metrics *metrics_new(const struct api_context *context, enum exposition_form form,
			    unsigned int parts)
{
	CLEANUP(metrics_free_p) struct metrics *metrics = calloc(1, sizeof(*metrics));

	if (!metrics)
		return NULL;
	metrics->context = context;
	metrics->parts = parts;
	metrics->out.form = form;
	if (context->model->n_names) {
		metrics->places = calloc(context->model->n_endpoints, sizeof(*metrics->places));
		if (!metrics->places)
			return NULL;
		note_places(metrics);
	}
	return take_ptr(metrics);
}

void metrics_free(struct metrics *metrics)
{
	if (!metrics)
		return;
	exposition_done(&metrics->out);
	free(metrics->places);
	free(metrics);
}

static bool is_same(const struct place *place, enum board_seat seat, const struct addr *addr)
{
	return place->seat == seat && !memcmp(&place->addr, addr, sizeof(*addr));
}

/* --- rows ------------------------------------------------------------------------------------- */

static void label_endpoint(struct metrics *metrics, uint32_t index)
{
	const struct model *model = metrics->context->model;
	const struct endpoint *endpoint = &model->endpoints[index];
	const struct place *place = metrics->places ? &metrics->places[index] : NULL;
	const char *text = endpoint->text;
	char buf[ENDPOINT_LABEL_LEN];

	if (place && place->seat == BOARD_FOUND) {
		text = addr_port_format(buf, &place->addr, endpoint->key.port);
	} else if (endpoint->name) {
		snprintf(buf, sizeof(buf), "%s:%u", endpoint->name,
			 (unsigned int)endpoint->key.port);
		text = buf;
	}
	exposition_label(&metrics->out, "pool",
			 model->pools[model->services[endpoint->service].pool].name);
	exposition_label(&metrics->out, "settings", model->settings[endpoint->settings].name);
	exposition_label(&metrics->out, "endpoint", text);
}

static void render_endpoint(struct metrics *metrics, const struct family *family)
{
	struct metrics_row row = { metrics->context, &metrics->out, metrics->row, NULL };
	const struct place *place = metrics->places ? &metrics->places[row.index] : NULL;
	struct board_sheet sheet;
	struct addr addr;

	if (place && place->seat == BOARD_VACANT)
		return;
	label_endpoint(metrics, row.index);
	if (family->sheet) {
		sheet = board_sheet(row.context->board, row.index);
		row.sheet = &sheet;
		if (!place || is_same(place, sheet.seat, &sheet.addr))
			family->render(&row, family);
		board_sheet_done(&sheet);
	} else if (!place ||
		   is_same(place, board_where(row.context->board, row.index, &addr), &addr)) {
		family->render(&row, family);
	}
}

static void render_service(struct metrics *metrics, const struct family *family)
{
	const struct metrics_row row = { metrics->context, &metrics->out, metrics->row, NULL };
	const struct model *model = metrics->context->model;
	const struct service *service = &model->services[row.index];

	exposition_label(&metrics->out, "pool", model->pools[service->pool].name);
	exposition_label(&metrics->out, "service", service->name);
	exposition_label(&metrics->out, "settings", model->settings[service->settings].name);
	family->render(&row, family);
}

static void render_row(struct metrics *metrics, const struct family *family)
{
	const struct metrics_row row = { metrics->context, &metrics->out, 0, NULL };
	struct exposition *out = &metrics->out;
	size_t head;

	exposition_row(out);
	if (!metrics->headed)
		exposition_head(out, &family->metric);
	head = out->len;
	switch (family->over) {
	case OVER_GATEWAY:
		family->render(&row, family);
		break;
	case OVER_SERVICES:
		render_service(metrics, family);
		break;
	case OVER_ENDPOINTS:
		render_endpoint(metrics, family);
		break;
	}
	/* Without samples the family is not mentioned. */
	if (out->len == head)
		exposition_clear(out);
	else
		metrics->headed = true;
}

/* --- the walk --------------------------------------------------------------------------------- */

static uint32_t rows_of(const struct metrics *metrics, const struct family *family)
{
	const struct model *model = metrics->context->model;

	if (!(metrics->parts & 1u << family->part))
		return 0;
	switch (family->over) {
	case OVER_GATEWAY:
		return 1;
	case OVER_SERVICES:
		return model->n_services;
	case OVER_ENDPOINTS:
		return model->n_endpoints;
	}
	return 0;
}

/* The next row, or the next family, or the end. */
static void step(struct metrics *metrics)
{
	const struct family_list *list;
	const struct family *family;

	if (metrics->list == N_LISTS) {
		exposition_end(&metrics->out);
		metrics->ended = true;
		return;
	}
	list = lists[metrics->list];
	family = &list->families[metrics->family];
	if (metrics->row < rows_of(metrics, family)) {
		render_row(metrics, family);
		metrics->row++;
		return;
	}
	metrics->row = 0;
	metrics->headed = false;
	if (++metrics->family == list->n) {
		metrics->family = 0;
		metrics->list++;
	}
}

ssize_t metrics_read(struct metrics *metrics, char *buf, size_t size)
{
	struct exposition *out = &metrics->out;
	size_t done = 0;

	while (done < size) {
		size_t n;

		if (metrics->taken == out->len && metrics->ended)
			break;
		if (metrics->taken == out->len) {
			exposition_clear(out);
			metrics->taken = 0;
			step(metrics);
		}
		if (out->lost)
			return -ENOMEM;
		/* A step may have nothing to say. */
		if (metrics->taken == out->len)
			continue;
		n = out->len - metrics->taken;
		if (n > size - done)
			n = size - done;
		memcpy(buf + done, out->text + metrics->taken, n);
		metrics->taken += n;
		done += n;
	}
	return (ssize_t)done;
}
