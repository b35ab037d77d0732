// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/tables.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "dataplane/leaving.h"
#include "dataplane/percpu.h"
#include "dataplane/source.h"
#include "dataplane/tail.h"
#include "sluice/hash.h"
#include "util/clock.h"
#include "util/err.h"

/* Entries per batched system call: enough to make the call's cost vanish, small enough to own. */
#define CHUNK 512

struct tables_chunk {
	uint32_t n;
	__u32 ids[CHUNK];
	struct sl_endpoint_name names[CHUNK];
	struct sl_target_key keys[CHUNK];
	struct sl_target targets[CHUNK];
};

int tables_open(struct tables *tables, const struct mapset *maps, const struct map_sizes *sizes)
{
	int r;

	tables->maps = maps;
	tables->sizes = *sizes;
	tables->chunk = calloc(1, sizeof(*tables->chunk));
	tables->generation = calloc(sizes->endpoints, sizeof(*tables->generation));
	if (!tables->chunk || !tables->generation)
		return -ENOMEM;
	r = mapped_open(&tables->words, maps->fd[MAP_WORDS], sizeof(struct sl_word),
			sizes->entries[MAP_WORDS]);
	if (r < 0)
		return r;
	r = mapped_open(&tables->index, maps->fd[MAP_INDEX], sizeof(struct sl_target),
			sizes->entries[MAP_INDEX]);
	if (r < 0)
		return r;
	r = mapped_open(&tables->meta, maps->fd[MAP_META], sizeof(struct sl_meta),
			sizes->entries[MAP_META]);
	if (r < 0)
		return r;
	r = attempts_open(&tables->attempts, maps, sizes);
	if (r < 0)
		return r;
	return services_open(&tables->services, maps, sizes);
}

void tables_done(struct tables *tables)
{
	mapped_close(&tables->words);
	mapped_close(&tables->index);
	mapped_close(&tables->meta);
	attempts_done(&tables->attempts);
	ids_done(&tables->ids);
	holdings_done(&tables->held);
	services_done(&tables->services);
	holding_list_done(&tables->wanted);
	free(tables->in_force);
	free(tables->stays);
	free(tables->leaving);
	free(tables->returned);
	free(tables->generation);
	free(tables->chunk);
	tables->in_force = NULL;
	tables->stays = NULL;
	tables->leaving = NULL;
	tables->returned = NULL;
	tables->generation = NULL;
	tables->chunk = NULL;
}

/*
 * A daemon that was killed while it started may have left a name without a target. Asked by id: targets are read in
 * the order of a hash table, in which nearly every key would be looked for in memory that nobody has touched.
 */
static int find_in_force(struct tables *tables)
{
	const struct holding_list *targets = &tables->held.targets;
	CLEANUP(free_p)
	uint32_t *owner = calloc(tables->sizes.endpoints, sizeof(*owner)); /* + 1; 0: nobody */
	const struct ids *ids = &tables->ids;

	tables->in_force = calloc(ids->n + 1, sizeof(*tables->in_force));
	tables->stays = calloc(targets->n + 1, sizeof(*tables->stays));
	if (!owner || !tables->in_force || !tables->stays)
		return -ENOMEM;
	for (uint32_t i = 0; tables->in_place && i < ids->n; i++)
		if (ids->was[i] == ids->id[i])
			owner[ids->id[i]] = i + 1;
	for (uint32_t t = 0; t < targets->n; t++) {
		const struct holding *target = &targets->rows[t];
		uint32_t i;

		if (target->kind != SL_TARGET_ENDPOINT || target->id >= tables->sizes.endpoints)
			continue;
		i = owner[target->id];
		if (!i || memcmp(&ids->key[i - 1], &target->key, sizeof(target->key)) != 0)
			continue;
		tables->in_force[i - 1] = true;
		tables->stays[t] = true;
	}
	return 0;
}

static int want(struct tables *tables, const struct model *model)
{
	CLEANUP(free_p) struct holding *services = NULL;
	struct holding_list *wanted = &tables->wanted;
	uint32_t n;
	int r;

	r = services_targets(&tables->services, model, &services, &n);
	if (r < 0)
		return r;
	r = holding_list_open(wanted, model->n_endpoints + n);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < model->n_endpoints; i++)
		if (tables->ids.key[i].port)
			holding_list_add(wanted, &(struct holding){
							 .key = tables->ids.key[i],
							 .kind = SL_TARGET_ENDPOINT,
							 .id = tables->ids.id[i],
						 });
	for (uint32_t i = 0; i < n; i++)
		holding_list_add(wanted, &services[i]);
	return 0;
}

/* --- the index ------------------------------------------------------------------------------- */

/* The first of those that share a slot has it; the others are found by way of the hash map. */
static void index_add(uint64_t *slots, const struct sl_target_key *key, struct sl_target target,
		      uint32_t bits)
{
	uint64_t *slot = &slots[sl_index_slot(key, bits)], whole;

	memcpy(&whole, &target, sizeof(whole));
	if (!__atomic_load_n(slot, __ATOMIC_RELAXED))
		__atomic_store_n(slot, whole, __ATOMIC_RELEASE);
}

/*
 * Leave only the slots of these endpoints. Each of them is taken now, by itself or by one that is
 * leaving, so that none is missed meanwhile. Without memory the old slots stay: they cost lookups,
 * never a decision.
 */
static void index_rebuild(struct tables *tables, const struct holding_list *held)
{
	uint32_t n_slots = tables->sizes.entries[MAP_INDEX];
	CLEANUP(free_p) uint64_t *fresh = calloc(n_slots, sizeof(*fresh));
	uint64_t *live = tables->index.start;

	if (!fresh)
		return;
	for (uint32_t i = 0; i < held->n; i++) {
		const struct holding *row = &held->rows[i];

		index_add(fresh, &row->key, (struct sl_target){ row->kind, row->id },
			  tables->sizes.index_bits);
	}
	for (uint32_t i = 0; i < n_slots; i++)
		__atomic_store_n(&live[i], fresh[i], __ATOMIC_RELAXED);
}

/* --- batched writes -------------------------------------------------------------------------- */

static int full_error(const struct tables *tables, enum map_id id, int code, struct err *err)
{
	if (code == -E2BIG)
		return err_set(err, code,
			       "map '%s' is full: it has %u entries, for %u endpoints; raise "
			       "gateway.max_endpoints",
			       map_name(id), tables->sizes.entries[id], tables->sizes.endpoints);
	return err_set(err, code, "write map '%s': %s", map_name(id), strerror(-code));
}

static int write_batch(const struct tables *tables, enum map_id id, const void *keys,
		       const void *values, struct err *err)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = BPF_ANY);
	__u32 n = tables->chunk->n;

	if (n && bpf_map_update_batch(tables->maps->fd[id], keys, values, &n, &opts) < 0)
		return full_error(tables, id, -errno, err);
	return 0;
}

/* Into a field that is all zero. */
static void put_text(char *field, size_t size, const char *text)
{
	memcpy(field, text, strnlen(text, size - 1));
}

static void name_endpoint(struct sl_endpoint_name *ret_name, const struct tables *tables,
			  const struct model *model, uint32_t i, const struct sl_target_key *key)
{
	const struct endpoint *endpoint = &model->endpoints[i];
	const struct service *service = &model->services[endpoint->service];
	struct addr addr;

	memset(ret_name, 0, sizeof(*ret_name));
	ret_name->key = *key;
	ret_name->generation = tables->generation[tables->ids.id[i]];
	ret_name->service = SL_ID_NONE;
	if (model->settings[endpoint->settings].on_unhealthy == SL_ACTION_REDIRECT)
		ret_name->service = tables->services.of[endpoint->service].id;
	memcpy(addr.bytes, key->addr, sizeof(addr.bytes));
	if (tables->sizes.services)
		source_find(ret_name->source, &addr);
	if (endpoint->text[0])
		put_text(ret_name->text, sizeof(ret_name->text), endpoint->text);
	else
		addr_port_format(ret_name->text, &addr, key->port);
	put_text(ret_name->pool, sizeof(ret_name->pool), model->pools[service->pool].name);
	put_text(ret_name->settings, sizeof(ret_name->settings),
		 model->settings[endpoint->settings].name);
	if (endpoint->name) {
		tail_put(ret_name->settings, ids_name_hash(endpoint->name));
		tail_put(ret_name->pool, model->digest);
	}
}

static int flush(struct tables *tables, bool names_only, struct err *err)
{
	struct tables_chunk *chunk = tables->chunk;
	int r;

	r = write_batch(tables, MAP_NAMES, chunk->ids, chunk->names, err);
	if (r < 0)
		return r;
	if (!names_only) {
		for (uint32_t i = 0; i < chunk->n; i++)
			index_add(tables->index.start, &chunk->keys[i], chunk->targets[i],
				  tables->sizes.index_bits);
		r = write_batch(tables, MAP_TARGETS, chunk->keys, chunk->targets, err);
		if (r < 0)
			return r;
	}
	chunk->n = 0;
	return 0;
}

/* Which endpoints are written, of those that are no vacant seats. */
enum which { WHICH_NEW, WHICH_IN_FORCE, WHICH_ALL };

/* Write names, and unless names_only targets. */
static int write_endpoints(struct tables *tables, const struct model *model, enum which which,
			   bool names_only, struct err *err)
{
	struct tables_chunk *chunk = tables->chunk;
	int r;

	chunk->n = 0;
	for (uint32_t i = 0; i < model->n_endpoints; i++) {
		if (!tables->ids.key[i].port ||
		    (which != WHICH_ALL && tables->in_force[i] != (which == WHICH_IN_FORCE)))
			continue;
		chunk->ids[chunk->n] = tables->ids.id[i];
		chunk->keys[chunk->n] = tables->ids.key[i];
		chunk->targets[chunk->n] =
			(struct sl_target){ .kind = SL_TARGET_ENDPOINT, .id = tables->ids.id[i] };
		name_endpoint(&chunk->names[chunk->n], tables, model, i, &tables->ids.key[i]);
		if (++chunk->n == CHUNK) {
			r = flush(tables, names_only, err);
			if (r < 0)
				return r;
		}
	}
	return flush(tables, names_only, err);
}

/* --- steps ----------------------------------------------------------------------------------- */

static int clear_counters(struct tables *tables, uint32_t id, struct err *err)
{
	int r;

	r = percpu_clear(tables->maps->fd[MAP_STATS], id, sizeof(struct sl_endpoint_stats));
	if (r < 0)
		return full_error(tables, MAP_STATS, r, err);
	r = attempts_clear(&tables->attempts, id);
	return r < 0 ? full_error(tables, MAP_ATTEMPT_STATS, r, err) : 0;
}

/* Clear the ids that are about to be given out: their last owner's word and counters go. */
static int clear_ids(struct tables *tables, const struct model *model, struct err *err)
{
	int r;

	for (uint32_t i = 0; i < model->n_endpoints; i++) {
		uint32_t id = tables->ids.id[i], was = tables->ids.was[i];
		struct sl_word word = { 0 };

		if (tables->in_force[i])
			continue;
		if (was != ID_NONE)
			word = mapped_word(&tables->words, was);
		r = was == id ? leaving_note_return(tables, id) : 0;
		if (r < 0)
			return err_set(err, r, "%s", strerror(-r));
		mapped_store_word(&tables->words, id, leaving_stayed(word));
		r = clear_counters(tables, id, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Last of all: what they lead to is there. */
static int write_service_targets(struct tables *tables, struct err *err)
{
	for (uint32_t i = 0; i < tables->wanted.n; i++) {
		const struct holding *wanted = &tables->wanted.rows[i];
		const struct sl_target target = { wanted->kind, wanted->id };

		if (wanted->kind != SL_TARGET_SERVICE)
			continue;
		index_add(tables->index.start, &wanted->key, target, tables->sizes.index_bits);
		if (bpf_map_update_elem(tables->maps->fd[MAP_TARGETS], &wanted->key, &target,
					BPF_ANY) < 0)
			return full_error(tables, MAP_TARGETS, -errno, err);
	}
	return 0;
}

/* Flows outlive the maps beside them: an id in new ones goes on counting its owners, too. */
static void take_generations(struct tables *tables)
{
	uint32_t n = tables->held.n_ids < tables->sizes.endpoints ? tables->held.n_ids
								  : tables->sizes.endpoints;

	if (n)
		memcpy(tables->generation, tables->held.generations,
		       n * sizeof(*tables->generation));
	/* Maps may have been larger before these: nobody has got ahead of the clock since. */
	for (uint32_t id = n; tables->keeps_flows && id < tables->sizes.endpoints; id++)
		tables->generation[id] = (uint32_t)(clock_mono_ns() / NS_PER_SEC);
	for (uint32_t i = 0; i < tables->ids.n; i++)
		if (tables->ids.was[i] != tables->ids.id[i])
			tables->generation[tables->ids.id[i]]++;
}

int tables_add(struct tables *tables, const struct model *model, struct err *err)
{
	int r;

	r = want(tables, model);
	if (r == 0)
		r = find_in_force(tables);
	if (r < 0)
		return err_set(err, r, "list the endpoints: %s", strerror(-r));
	take_generations(tables);
	/* New maps are all zero. */
	if (tables->in_place) {
		r = clear_ids(tables, model, err);
		if (r < 0)
			return r;
	}
	r = write_endpoints(tables, model, WHICH_NEW, false, err);
	if (r < 0)
		return r;
	r = services_add(&tables->services, model, &tables->ids, &tables->words);
	if (r < 0)
		return err_set(err, r, "write the services' tables: %s", strerror(-r));
	return write_service_targets(tables, err);
}

void tables_forget(const struct tables *tables, uint32_t id)
{
	struct sl_endpoint_name free_name = { 0 };

	if (id >= tables->sizes.endpoints)
		return;
	free_name.generation = ++tables->generation[id]; /* its flows are nobody's now */
	bpf_map_update_elem(tables->maps->fd[MAP_NAMES], &id, &free_name, BPF_ANY);
	/* Selection tables may still name it: new flows are not to go to nobody. */
	mapped_store_word(&tables->words, id, (struct sl_word){ .admin = SL_DISABLED });
}

/* An address may have become a service's that was an endpoint's, or the other way round. */
static void restore_target(const struct tables *tables, const struct sl_target_key *key,
			   const struct holding *was)
{
	int fd = tables->maps->fd[MAP_TARGETS];

	if (was)
		bpf_map_update_elem(fd, key, &(struct sl_target){ was->kind, was->id }, BPF_ANY);
	else
		bpf_map_delete_elem(fd, key);
}

void tables_undo(struct tables *tables)
{
	struct holdings *held = &tables->held;

	/* New maps vanish by themselves. */
	if (!tables->in_place || !tables->wanted.rows)
		return;
	for (uint32_t i = 0; i < tables->wanted.n; i++) {
		const struct holding *added = &tables->wanted.rows[i];
		const struct holding *name = holding_find(&held->names, &added->key);
		const struct holding *was = holding_find(&held->targets, &added->key);

		restore_target(tables, &added->key, was);
		if (added->kind == SL_TARGET_ENDPOINT && (!name || name->id != added->id))
			tables_forget(tables, added->id);
	}
	services_undo(&tables->services);
	leaving_undo(tables);
	index_rebuild(tables, &held->targets);
}

void tables_count_on(struct tables *tables, const struct tables *undone)
{
	if (undone->in_place && undone->generation)
		memcpy(tables->generation, undone->generation,
		       tables->sizes.endpoints * sizeof(*tables->generation));
}

void tables_settle(struct tables *tables, const struct model *model, uint64_t now_s)
{
	const struct holding_list *targets = &tables->held.targets;

	services_refresh(&tables->services, model, &tables->ids, &tables->words);
	leaving_settle(tables, model, now_s);
	services_settle(&tables->services, model);
	if (!tables->in_place)
		return;
	for (uint32_t t = 0; t < targets->n; t++) {
		const struct sl_target_key *key = &targets->rows[t].key;

		if (!tables->stays[t] && !holding_find(&tables->wanted, key))
			bpf_map_delete_elem(tables->maps->fd[MAP_TARGETS], key);
	}
	index_rebuild(tables, &tables->wanted);
	/* Pool and settings may have other names now. A failure leaves an old label, no more. */
	write_endpoints(tables, model, WHICH_IN_FORCE, true, NULL);
}

/* --- changes while the daemon runs ------------------------------------------------------------ */

/* Another endpoint that shares the slot has it from now on, or nobody: it must hide none. */
static void index_hand_on(struct tables *tables, uint32_t endpoint)
{
	const struct ids *ids = &tables->ids;
	uint32_t bits = tables->sizes.index_bits;
	uint32_t at = sl_index_slot(&ids->key[endpoint], bits);
	uint64_t *slot = (uint64_t *)tables->index.start + at, whole = 0;
	struct sl_target target;

	memcpy(&target, slot, sizeof(target));
	if (target.kind != SL_TARGET_ENDPOINT || target.id != ids->id[endpoint])
		return;
	for (uint32_t i = 0; i < ids->n && !whole; i++) {
		if (i == endpoint || !ids->key[i].port || sl_index_slot(&ids->key[i], bits) != at)
			continue;
		target.id = ids->id[i];
		memcpy(&whole, &target, sizeof(whole));
	}
	for (uint32_t i = 0; i < tables->wanted.n && !whole; i++) {
		const struct holding *service = &tables->wanted.rows[i];

		if (service->kind != SL_TARGET_SERVICE || sl_index_slot(&service->key, bits) != at)
			continue;
		target = (struct sl_target){ service->kind, service->id };
		memcpy(&whole, &target, sizeof(whole));
	}
	__atomic_store_n(slot, whole, __ATOMIC_RELEASE);
}

static void unset(struct tables *tables, uint32_t endpoint)
{
	struct sl_target_key *key = &tables->ids.key[endpoint];

	if (!key->port)
		return;
	bpf_map_delete_elem(tables->maps->fd[MAP_TARGETS], key);
	index_hand_on(tables, endpoint);
	tables_forget(tables, tables->ids.id[endpoint]);
	*key = (struct sl_target_key){ 0 };
}

static int make_visible(struct tables *tables, const struct model *model, uint32_t endpoint,
			const struct sl_target_key *key, struct err *err)
{
	const int *fd = tables->maps->fd;
	uint32_t id = tables->ids.id[endpoint];
	const struct sl_target target = { .kind = SL_TARGET_ENDPOINT, .id = id };
	struct sl_endpoint_name name;
	int r;

	tables->generation[id]++;
	mapped_store_word(&tables->words, id, (struct sl_word){ 0 });
	r = clear_counters(tables, id, err);
	if (r < 0)
		return r;
	name_endpoint(&name, tables, model, endpoint, key);
	if (bpf_map_update_elem(fd[MAP_NAMES], &id, &name, BPF_ANY) < 0)
		return full_error(tables, MAP_NAMES, -errno, err);
	tables->ids.key[endpoint] = *key;
	index_add(tables->index.start, key, target, tables->sizes.index_bits);
	if (bpf_map_update_elem(fd[MAP_TARGETS], key, &target, BPF_ANY) < 0) {
		r = full_error(tables, MAP_TARGETS, -errno, err);
		unset(tables, endpoint);
		return r;
	}
	return 0;
}

static bool is_service(struct tables *tables, const struct sl_target_key *key)
{
	const struct holding *wanted = holding_find(&tables->wanted, key);

	return wanted && wanted->kind == SL_TARGET_SERVICE;
}

int tables_set(struct tables *tables, const struct model *model, uint32_t endpoint,
	       const struct sl_target_key *key, struct err *err)
{
	const struct ids *ids = &tables->ids;

	for (uint32_t i = 0; key && i < ids->n; i++)
		if (i != endpoint && !memcmp(&ids->key[i], key, sizeof(*key)))
			return err_set(err, -EEXIST, "another endpoint has this address and port");
	if (key && is_service(tables, key))
		return err_set(err, -EEXIST, "a service listens on this address and port");
	unset(tables, endpoint);
	return key ? make_visible(tables, model, endpoint, key, err) : 0;
}

int tables_balance(struct tables *tables, const struct model *model, uint32_t service,
		   const uint16_t shares[], bool any)
{
	return services_balance(&tables->services, model, &tables->ids, service, shares, any);
}

void tables_find_sources(struct tables *tables, const struct model *model)
{
	/* A failure leaves the old address, which may still be right. */
	if (tables->sizes.services)
		write_endpoints(tables, model, WHICH_ALL, true, NULL);
}

int tables_destinations(const struct tables *tables, const struct model *model,
			struct addr **ret_addrs, uint32_t *ret_n)
{
	struct addr *addrs = calloc(model->n_endpoints + 1, sizeof(*addrs));

	if (!addrs)
		return -ENOMEM;
	*ret_n = 0;
	for (uint32_t i = 0; i < model->n_endpoints; i++) {
		const struct service *service = &model->services[model->endpoints[i].service];

		if (tables->ids.key[i].port && service_forwards(model, service))
			memcpy(addrs[(*ret_n)++].bytes, tables->ids.key[i].addr, SL_ADDR_LEN);
	}
	*ret_addrs = addrs;
	return 0;
}
