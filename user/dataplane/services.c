// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/services.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "dataplane/percpu.h"
#include "dataplane/services_work.h"
#include "dataplane/sweep.h"
#include "model/maglev.h"

void services_done(struct services *services)
{
	for (uint32_t i = 0; i < services->n && services->of; i++)
		forwarding_done(&services->of[i]);
	mapped_close(&services->entries);
	mapped_close(&services->selection);
	free(services->held.rows);
	free(services->of);
	free(services->slots);
	*services = (struct services){ 0 };
}

/* --- what is in force -------------------------------------------------------------------------- */

int services_read(struct held_services *ret_held, const struct mapset *set)
{
	CLEANUP(free_p) struct held_service *rows = NULL;
	uint32_t n = 0, entries;

	*ret_held = (struct held_services){ 0 };
	if (set->fd[MAP_SERVICES] < 0 || set->fd[MAP_SERVICE_NAMES] < 0)
		return 0;
	entries = map_entries(set->fd[MAP_SERVICE_NAMES]);
	rows = calloc(entries ? entries : 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	for (uint32_t id = 0; id < entries; id++) {
		struct held_service *row = &rows[n];
		struct sl_service_name name;

		if (bpf_map_lookup_elem(set->fd[MAP_SERVICE_NAMES], &id, &name) < 0 ||
		    bpf_map_lookup_elem(set->fd[MAP_SERVICES], &id, &row->entry) < 0)
			return -errno;
		if (!name.name[0])
			continue;
		memcpy(row->name, name.name, sizeof(row->name));
		row->name[sizeof(row->name) - 1] = '\0';
		row->id = id;
		n++;
	}
	ret_held->rows = take_ptr(rows);
	ret_held->n = n;
	return 0;
}

int services_targets(const struct services *services, const struct model *model,
		     struct holding **ret_targets, uint32_t *ret_n)
{
	struct holding *targets = calloc(services->n + 1, sizeof(*targets));

	if (!targets)
		return -ENOMEM;
	*ret_n = 0;
	for (uint32_t i = 0; i < services->n; i++)
		if (model->services[i].listen.key.port && !service_is_l7(&model->services[i]))
			targets[(*ret_n)++] = (struct holding){
				.key = model->services[i].listen.key,
				.kind = SL_TARGET_SERVICE,
				.id = services->of[i].id,
			};
	*ret_targets = targets;
	return 0;
}

/* --- entries ----------------------------------------------------------------------------------- */

static enum sl_action action_of(enum none_healthy none)
{
	static const enum sl_action actions[] = {
		[NONE_HEALTHY_REJECT] = SL_ACTION_REJECT,
		[NONE_HEALTHY_DROP] = SL_ACTION_DROP,
		[NONE_HEALTHY_PASS] = SL_ACTION_PASS,
		/* Where no endpoint has ever been healthy, there is no last. */
		[NONE_HEALTHY_LAST] = SL_ACTION_REJECT,
	};

	return actions[none];
}

static struct sl_service entry_for(const struct model *model, uint32_t i)
{
	static const enum sl_method methods[] = {
		[FORWARD_NAT] = SL_METHOD_NAT,
		[FORWARD_DSR] = SL_METHOD_DSR,
		[FORWARD_IPIP] = SL_METHOD_IPIP,
	};
	const struct service *service = &model->services[i];

	return (struct sl_service){
		.key = service->listen.key,
		.method = methods[service->forward],
		.none = action_of(model->settings[service->settings].on_none_healthy),
		.flags = (service->source_nat ? SL_SERVICE_SOURCE_NAT : 0) |
			 (service->source_affinity ? SL_SERVICE_AFFINITY : 0),
	};
}

/* The slice last and with one store: it is what lets packets use the rest. */
static void store_slice(struct sl_service *entry, struct sl_slice slice)
{
	uint64_t whole;

	memcpy(&whole, &slice, sizeof(whole));
	__atomic_store_n((uint64_t *)&entry->slice, whole, __ATOMIC_RELEASE);
}

static int write_name(const struct services *services, const struct model *model, uint32_t i)
{
	const struct service *service = &model->services[i];
	struct sl_service_name name = { 0 };

	memcpy(name.name, service->name, sizeof(name.name));
	memcpy(name.text, service->listen.text, sizeof(name.text));
	memcpy(name.pool, model->pools[service->pool].name, sizeof(name.pool));
	memcpy(name.settings, model->settings[service->settings].name, sizeof(name.settings));
	if (bpf_map_update_elem(services->maps->fd[MAP_SERVICE_NAMES], &services->of[i].id, &name,
				BPF_ANY) < 0)
		return -errno;
	return 0;
}

static void write_entry(const struct services *services, const struct model *model, uint32_t i)
{
	const struct forwarding *f = &services->of[i];
	struct sl_service *live = entry_of(services, f->id), entry = entry_for(model, i);

	live->key = entry.key;
	live->method = entry.method;
	live->none = entry.none;
	live->flags = entry.flags | (f->in_force ? live->flags & SL_SERVICE_ANY : 0);
	store_slice(live, f->slice);
}

static void forget(const struct services *services, uint32_t id)
{
	const struct sl_service_name none = { 0 };

	store_slice(entry_of(services, id), (struct sl_slice){ 0 });
	memset(entry_of(services, id), 0, sizeof(struct sl_service));
	bpf_map_update_elem(services->maps->fd[MAP_SERVICE_NAMES], &id, &none, BPF_ANY);
}

/* --- steps ------------------------------------------------------------------------------------- */

int services_open(struct services *services, const struct mapset *maps,
		  const struct map_sizes *sizes)
{
	uint32_t largest = 1;
	int r;

	services->maps = maps;
	for (uint32_t i = 0; i < services->n; i++)
		if (services->of[i].slice.size > largest)
			largest = services->of[i].slice.size;
	services->slots = calloc(largest, sizeof(*services->slots));
	if (!services->slots)
		return -ENOMEM;
	r = mapped_open(&services->entries, maps->fd[MAP_SERVICES], sizeof(struct sl_service),
			sizes->entries[MAP_SERVICES]);
	if (r < 0)
		return r;
	return mapped_open(&services->selection, maps->fd[MAP_SELECTION], sizeof(struct sl_slots),
			   sizes->entries[MAP_SELECTION]);
}

int services_add(struct services *services, const struct model *model, const struct ids *ids,
		 const struct mapped *words)
{
	int r;

	for (uint32_t i = 0; i < services->n; i++) {
		struct forwarding *f = &services->of[i];

		if (f->id == SL_ID_NONE || f->in_force)
			continue;
		/* One that changes its size is in force until its new slice is stored. */
		r = services_fill(services, model, ids, words, i);
		if (r < 0)
			return r;
		if (services->in_place && f->kept_id)
			continue;
		/* New maps are all zero, but for what was carried over. */
		r = services->in_place ? percpu_clear(services->maps->fd[MAP_SERVICE_STATS], f->id,
						      sizeof(struct sl_service_stats))
				       : 0;
		if (r < 0)
			return r;
		r = write_name(services, model, i);
		if (r < 0)
			return r;
		write_entry(services, model, i);
	}
	return 0;
}

void services_undo(struct services *services)
{
	for (uint32_t i = 0; services->in_place && services->entries.start && i < services->n; i++)
		if (services->of[i].id != SL_ID_NONE && !services->of[i].kept_id)
			forget(services, services->of[i].id);
}

static bool is_kept(const struct services *services, uint32_t id)
{
	for (uint32_t i = 0; i < services->n; i++)
		if (services->of[i].id == id)
			return true;
	return false;
}

void services_settle(struct services *services, const struct model *model)
{
	for (uint32_t i = 0; i < services->n; i++) {
		struct forwarding *f = &services->of[i];

		if (f->id == SL_ID_NONE || !services->in_place || !f->kept_id)
			continue;
		write_entry(services, model, i);
		/* A failure leaves an old label, no more. */
		write_name(services, model, i);
	}
	for (uint32_t i = 0; i < services->held.n; i++) {
		uint32_t id = services->held.rows[i].id;

		if (is_kept(services, id))
			continue;
		if (services->in_place)
			forget(services, id);
		sweep_service(services->maps, id);
	}
}
