// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/services.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "dataplane/percpu.h"
#include "dataplane/sweep.h"
#include "model/maglev.h"
#include "model/weights.h"
#include "sluice/hash.h"

#define SLOTS_PER_ENTRY ((uint32_t)(sizeof(struct sl_slots) / sizeof(__u32)))

static uint32_t table_size(const struct service *service)
{
	return maglev_size(service->n_endpoints, 0);
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

static void forwarding_done(struct forwarding *forwarding)
{
	maglev_free(forwarding->maglev);
	free(forwarding->members);
}

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

/* --- ids and slices ---------------------------------------------------------------------------- */

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

/* What is in force and not kept goes only after the start. */
static void reserve(const struct services *services, const struct assignment *assignment)
{
	for (uint32_t i = 0; services->in_place && i < services->held.n; i++) {
		const struct held_service *held = &services->held.rows[i];
		const struct sl_slice *slice = &held->entry.slice;

		if (are_free(&assignment->ids, held->id, 1))
			take(&assignment->ids, held->id, 1);
		if (slice->size && slice->size <= assignment->slots.n &&
		    slice->start <= assignment->slots.n - slice->size)
			take(&assignment->slots, slice->start, slice->size);
	}
}

static int assign_rest(struct services *services, const struct model *model,
		       struct assignment *assignment)
{
	for (uint32_t i = 0; i < services->n; i++) {
		struct forwarding *f = &services->of[i];

		if (!service_forwards(model, &model->services[i]))
			continue;
		if (f->id == SL_ID_NONE)
			f->id = find_gap(&assignment->ids, &assignment->next_id, 1);
		if (!f->in_force)
			f->slice.start =
				find_gap(&assignment->slots, &assignment->next_slot, f->slice.size);
		if (f->id == SL_ID_NONE || f->slice.start == SL_ID_NONE)
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

	free(services->of);
	services->n = model->n_services;
	services->of = calloc(services->n + 1, sizeof(*services->of));
	if (!ids || !slots || !services->of)
		return -ENOMEM;
	services->in_place = in_place;
	keep(services, model, &assignment);
	reserve(services, &assignment);
	return assign_rest(services, model, &assignment);
}

int services_targets(const struct services *services, const struct model *model,
		     struct holding **ret_targets, uint32_t *ret_n)
{
	struct holding *targets = calloc(services->n + 1, sizeof(*targets));

	if (!targets)
		return -ENOMEM;
	*ret_n = 0;
	for (uint32_t i = 0; i < services->n; i++)
		if (model->services[i].listen.key.port)
			targets[(*ret_n)++] = (struct holding){
				.key = model->services[i].listen.key,
				.kind = SL_TARGET_SERVICE,
				.id = services->of[i].id,
			};
	*ret_targets = targets;
	return 0;
}

/* --- entries ----------------------------------------------------------------------------------- */

static struct sl_service *entry_of(const struct services *services, uint32_t id)
{
	return (struct sl_service *)services->entries.start + id;
}

static uint32_t *slots_of(const struct services *services, const struct forwarding *f)
{
	return (uint32_t *)services->selection.start + f->slice.start;
}

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

/* --- tables ------------------------------------------------------------------------------------ */

static bool is_member(const struct service *service, const struct sl_target_key *key)
{
	struct addr addr;

	memcpy(addr.bytes, key->addr, sizeof(addr.bytes));
	return key->port && service_takes(service, &addr);
}

/* What Maglev knows an endpoint by: its address, whoever the gateway. */
static struct maglev_member member_of(const struct services *services, const struct model *model,
				      uint32_t service, const struct ids *ids, uint32_t i)
{
	const struct service *s = &model->services[service];
	uint32_t owner = s->owners[i];

	return (struct maglev_member){
		.key = sl_key_mix(&ids->key[s->endpoints[i]]),
		.weight = services->weights ? weights_get(services->weights, s->pool, owner)
					    : model->pools[s->pool].backends[owner].weight,
	};
}

static int make_maglev(struct services *services, const struct model *model, uint32_t index,
		       const struct ids *ids)
{
	const struct service *service = &model->services[index];
	struct forwarding *f = &services->of[index];
	CLEANUP(free_p)
	struct maglev_member *list = calloc(service->n_endpoints + 1, sizeof(*list));
	CLEANUP(free_p) uint32_t *members = calloc(service->n_endpoints + 1, sizeof(*members));
	struct maglev *maglev;
	uint64_t hash = 1;
	uint32_t n = 0;
	int r;

	if (!list || !members)
		return -ENOMEM;
	for (uint32_t i = 0; i < service->n_endpoints; i++) {
		if (!is_member(service, &ids->key[service->endpoints[i]]))
			continue;
		members[n] = i;
		list[n] = member_of(services, model, index, ids, i);
		hash = (hash ^ list[n].key ^ list[n].weight) * SL_MIX_A;
		n++;
	}
	if (f->maglev && hash == f->members_hash)
		return 0;
	r = maglev_new(&maglev, list, n, f->slice.size);
	if (r < 0)
		return r;
	forwarding_done(f);
	f->maglev = maglev;
	f->members = take_ptr(members);
	f->n_members = n;
	f->members_hash = hash;
	return 0;
}

/* Only slots that change are stored, so that nobody's cache is disturbed for nothing. */
static void publish(const struct services *services, const struct forwarding *f,
		    const struct service *service, const struct ids *ids)
{
	uint32_t *live = slots_of(services, f);

	for (uint32_t i = 0; i < f->slice.size; i++) {
		uint32_t member = services->slots[i], id = SL_ID_NONE;

		if (member != MAGLEV_NONE)
			id = ids->id[service->endpoints[f->members[member]]];
		if (__atomic_load_n(&live[i], __ATOMIC_RELAXED) != id)
			__atomic_store_n(&live[i], id, __ATOMIC_RELAXED);
	}
}

/* When words are not to be asked, they are not before anybody is chosen without them. */
static void store_any(struct sl_service *entry, bool any)
{
	__u8 flags = entry->flags;

	flags = any ? flags | SL_SERVICE_ANY : flags & ~SL_SERVICE_ANY;
	__atomic_store_n(&entry->flags, flags, __ATOMIC_RELEASE);
}

int services_balance(struct services *services, const struct model *model, const struct ids *ids,
		     uint32_t service, const uint16_t shares[], bool any)
{
	const struct service *s = &model->services[service];
	struct forwarding *f = &services->of[service];
	CLEANUP(free_p) uint16_t *parts = NULL;
	int r;

	if (f->id == SL_ID_NONE)
		return 0;
	r = make_maglev(services, model, service, ids);
	if (r < 0)
		return r;
	parts = calloc(f->n_members + 1, sizeof(*parts));
	if (!parts)
		return -ENOMEM;
	for (uint32_t i = 0; i < f->n_members; i++)
		parts[i] = shares[f->members[i]];
	maglev_fill(f->maglev, parts, services->slots);
	if (any)
		store_any(entry_of(services, f->id), true);
	publish(services, f, s, ids);
	if (!any)
		store_any(entry_of(services, f->id), false);
	return 0;
}

int services_count(const struct services *services, uint32_t service, uint32_t counts[],
		   uint32_t n_ids, uint32_t *ret_size)
{
	const struct forwarding *f = &services->of[service];
	const uint32_t *live;

	if (f->id == SL_ID_NONE)
		return -ENOENT;
	live = slots_of(services, f);
	for (uint32_t i = 0; i < f->slice.size; i++) {
		uint32_t id = __atomic_load_n(&live[i], __ATOMIC_RELAXED);

		if (id < n_ids)
			counts[id]++;
	}
	*ret_size = f->slice.size;
	return 0;
}

/* Nothing is known of the endpoints yet, or their words say it. */
static int fill(struct services *services, const struct model *model, const struct ids *ids,
		uint32_t i)
{
	uint32_t n = model->services[i].n_endpoints;
	CLEANUP(free_p) uint16_t *shares = calloc(n + 1, sizeof(*shares));

	if (!shares)
		return -ENOMEM;
	for (uint32_t s = 0; s < n; s++)
		shares[s] = MAGLEV_SHARE_FULL;
	return services_balance(services, model, ids, i, shares, false);
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

int services_add(struct services *services, const struct model *model, const struct ids *ids)
{
	int r;

	for (uint32_t i = 0; i < services->n; i++) {
		struct forwarding *f = &services->of[i];

		if (f->id == SL_ID_NONE || f->in_force)
			continue;
		/* One that changes its size is in force until its new slice is stored. */
		r = fill(services, model, ids, i);
		if (r < 0)
			return r;
		if (services->in_place && f->kept_id)
			continue;
		r = percpu_clear(services->maps->fd[MAP_SERVICE_STATS], f->id,
				 sizeof(struct sl_service_stats));
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
	for (uint32_t i = 0; services->in_place && i < services->held.n; i++) {
		uint32_t id = services->held.rows[i].id;

		if (is_kept(services, id))
			continue;
		forget(services, id);
		sweep_service(services->maps, id);
	}
}
