// SPDX-License-Identifier: GPL-2.0-or-later
/* services_assign - which id and which slice of the selection map a service has. */
#include <errno.h>
#include <string.h>

#include "dataplane/services_work.h"
#include "model/maglev.h"

static uint32_t table_size(const struct service *service)
{
	uint32_t size = LIMIT_TABLE_MIN;

	if (!service->table_size)
		return maglev_size(service->n_endpoints, 0);
	while (size < service->table_size || size < service->n_endpoints)
		size *= 2;
	return size;
}

void services_needs(struct map_needs *needs, const struct model *model)
{
	const struct gateway *gateway = &model->gateway;
	uint64_t slots = 0;
	uint32_t n = 0;

	for (uint32_t i = 0; i < model->n_services; i++) {
		if (!service_forwards(model, &model->services[i]))
			continue;
		slots += table_size(&model->services[i]);
		n++;
	}
	if (!n && !gateway->max_services)
		return;
	/* Twice what is configured leaves room for changes without new maps. */
	needs->services = gateway->max_services;
	for (uint32_t room = SERVICES_AUTO_MIN; !needs->services; room *= 2)
		if (room >= 2 * n || room >= LIMIT_SERVICES)
			needs->services = room;
	for (needs->slots = SLOTS_AUTO_MIN; needs->slots < 2 * slots;)
		needs->slots *= 2;
	needs->flows = gateway->max_flows ? gateway->max_flows : FLOWS_AUTO;
	needs->half_open = gateway->max_half_open ? gateway->max_half_open : HALF_OPEN_AUTO;
}

/* --- ids and slices ---------------------------------------------------------------------------- */

static const struct held_service *find_held(const struct services *services,
					    const struct service *service)
{
	for (uint32_t i = 0; i < services->held.n; i++) {
		const struct held_service *row = &services->held.rows[i];

		if (!strcmp(row->name, service->name) &&
		    !memcmp(&row->entry.key, &service->listen.key, sizeof(row->entry.key)))
			return row;
	}
	return NULL;
}

/* Places in a map of n: which are taken. */
struct places {
	bool *taken;
	uint32_t n;
};

static bool are_free(const struct places *places, uint32_t start, uint32_t size)
{
	if (size > places->n || start > places->n - size)
		return false;
	return !memchr(places->taken + start, true, size);
}

static void take(const struct places *places, uint32_t start, uint32_t size)
{
	memset(places->taken + start, true, size);
}

/* The first gap of that size from *from on, which moves behind it; SL_ID_NONE: there is none. */
static uint32_t find_gap(const struct places *places, uint32_t *from, uint32_t size)
{
	uint32_t length = 0;

	for (uint32_t i = *from; i < places->n; i++) {
		length = places->taken[i] ? 0 : length + 1;
		if (length == size) {
			take(places, i + 1 - size, size);
			return i + 1 - size;
		}
	}
	return SL_ID_NONE;
}

struct assignment {
	struct places ids, slots;
	uint32_t next_slot; /* all before are taken, or of gaps too small for somebody */
	uint32_t next_id;
};

static void keep(struct services *services, const struct model *model,
		 const struct assignment *assignment)
{
	for (uint32_t i = 0; i < services->n; i++) {
		const struct service *service = &model->services[i];
		struct forwarding *f = &services->of[i];
		const struct held_service *held;

		f->id = SL_ID_NONE;
		if (!service_forwards(model, service))
			continue;
		f->slice.size = table_size(service);
		held = find_held(services, service);
		if (!held || !are_free(&assignment->ids, held->id, 1))
			continue;
		f->id = held->id;
		f->kept_id = true;
		take(&assignment->ids, held->id, 1);
		if (services->in_place && held->entry.slice.size == f->slice.size &&
		    are_free(&assignment->slots, held->entry.slice.start, f->slice.size)) {
			f->slice = held->entry.slice;
			f->in_force = true;
			take(&assignment->slots, f->slice.start, f->slice.size);
		}
	}
}

/* What is in force and not kept goes only after the start; flows may name it until then. */
static void reserve(const struct services *services, const struct assignment *assignment)
{
	for (uint32_t i = 0; i < services->held.n; i++) {
		const struct held_service *held = &services->held.rows[i];
		const struct sl_slice *slice = &held->entry.slice;

		if (are_free(&assignment->ids, held->id, 1))
			take(&assignment->ids, held->id, 1);
		if (services->in_place && slice->size && slice->size <= assignment->slots.n &&
		    slice->start <= assignment->slots.n - slice->size)
			take(&assignment->slots, slice->start, slice->size);
	}
}

static int assign_ids(struct services *services, const struct model *model,
		      struct assignment *assignment)
{
	for (uint32_t i = 0; i < services->n; i++) {
		struct forwarding *f = &services->of[i];

		if (!service_forwards(model, &model->services[i]) || f->id != SL_ID_NONE)
			continue;
		f->id = find_gap(&assignment->ids, &assignment->next_id, 1);
		if (f->id == SL_ID_NONE)
			return -ENOSPC;
	}
	return 0;
}

/* Those who have gone give up their ids. */
static void take_given(const struct services *services, const struct model *model,
		       struct assignment *assignment)
{
	const struct places *ids = &assignment->ids;

	memset(ids->taken, 0, ids->n * sizeof(*ids->taken));
	assignment->next_id = 0;
	for (uint32_t i = 0; i < services->n; i++)
		if (service_forwards(model, &model->services[i]) &&
		    services->of[i].id != SL_ID_NONE)
			take(ids, services->of[i].id, 1);
}

static int assign_slices(struct services *services, const struct model *model,
			 struct assignment *assignment)
{
	for (uint32_t i = 0; i < services->n; i++) {
		struct forwarding *f = &services->of[i];

		if (!service_forwards(model, &model->services[i]) || f->in_force)
			continue;
		f->slice.start =
			find_gap(&assignment->slots, &assignment->next_slot, f->slice.size);
		if (f->slice.start == SL_ID_NONE)
			return -ENOSPC;
	}
	return 0;
}

int services_assign(struct services *services, const struct model *model,
		    const struct map_sizes *sizes, bool in_place)
{
	CLEANUP(free_p) bool *ids = calloc(sizes->entries[MAP_SERVICES], sizeof(*ids));
	uint32_t n_slots = sizes->entries[MAP_SELECTION] * SLOTS_PER_ENTRY;
	CLEANUP(free_p) bool *slots = calloc(n_slots, sizeof(*slots));
	struct assignment assignment = {
		.ids = { ids, sizes->entries[MAP_SERVICES] },
		.slots = { slots, n_slots },
	};
	int r;

	free(services->of);
	services->n = model->n_services;
	services->of = calloc(services->n + 1, sizeof(*services->of));
	if (!ids || !slots || !services->of)
		return -ENOMEM;
	services->in_place = in_place;
	keep(services, model, &assignment);
	reserve(services, &assignment);
	r = assign_ids(services, model, &assignment);
	if (r == -ENOSPC && !in_place) {
		take_given(services, model, &assignment);
		r = assign_ids(services, model, &assignment);
	}
	return r < 0 ? r : assign_slices(services, model, &assignment);
}
