// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * carry - reading a set of maps, and taking its contents along into another one. The other half of
 * tables.h.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "dataplane/leaving.h"
#include "dataplane/mapread.h"
#include "dataplane/percpu.h"
#include "dataplane/sweep.h"
#include "dataplane/tables.h"
#include "dataplane/tail.h"

/* Entries at once: few enough to stay in a cache, more than a bucket of targets ever has. */
#define CHUNK 1024

static void add_name(struct holdings *held, uint32_t id, const struct sl_endpoint_name *name)
{
	holding_list_add(&held->names, &(struct holding){ .key = name->key,
							  .kind = SL_TARGET_ENDPOINT,
							  .id = id,
							  .name = tail_get(name->settings),
							  .digest = tail_get(name->pool) });
}

static int read_names(struct holdings *held, int fd)
{
	CLEANUP(free_p) struct sl_endpoint_name *names = calloc(CHUNK, sizeof(*names));
	CLEANUP(free_p) __u32 *ids = calloc(CHUNK, sizeof(*ids));
	struct map_reader reader = { .fd = fd, .at_once = CHUNK };
	__u32 n;
	int r;

	held->n_ids = map_entries(fd);
	held->generations = calloc((size_t)held->n_ids + 1, sizeof(*held->generations));
	if (!ids || !names || !held->generations)
		return -ENOMEM;
	r = holding_list_open(&held->names, held->n_ids);
	if (r < 0)
		return r;
	do {
		r = map_reader_next(&reader, ids, names, &n);
		for (__u32 i = 0; i < n; i++) {
			held->generations[ids[i]] = names[i].generation;
			if (names[i].key.port)
				add_name(held, ids[i], &names[i]);
		}
	} while (r > 0);
	return r;
}

static int read_targets(struct holdings *held, int fd)
{
	CLEANUP(free_p) struct sl_target_key *keys = calloc(CHUNK, sizeof(*keys));
	CLEANUP(free_p) struct sl_target *targets = calloc(CHUNK, sizeof(*targets));
	struct map_reader reader = { .fd = fd, .at_once = CHUNK };
	__u32 n, room = map_entries(fd);
	int r;

	if (!keys || !targets)
		return -ENOMEM;
	r = holding_list_open(&held->targets, room);
	if (r < 0)
		return r;
	do {
		r = map_reader_next(&reader, keys, targets, &n);
		for (__u32 i = 0; i < n && held->targets.n < room; i++)
			holding_list_add(&held->targets, &(struct holding){ .key = keys[i],
									    .kind = targets[i].kind,
									    .id = targets[i].id });
	} while (r > 0);
	return r;
}

int holdings_read(struct holdings *ret_held, const struct mapset *set)
{
	CLEANUP(holdings_done) struct holdings held = { .n_ids = 0 };
	int r;

	r = read_names(&held, set->fd[MAP_NAMES]);
	if (r < 0)
		return r;
	if (set->fd[MAP_TARGETS] >= 0) {
		r = read_targets(&held, set->fd[MAP_TARGETS]);
		if (r < 0)
			return r;
	}

	*ret_held = held;
	held = (struct holdings){ .n_ids = 0 };
	return 0;
}

/* --- without reading ---------------------------------------------------------------------------- */

static void recall_endpoints(struct holdings *held, const struct ids *ids,
			     const struct model *model)
{
	for (uint32_t i = 0; i < ids->n; i++) {
		const char *name = model->endpoints[i].name;
		struct holding holding = { .key = ids->key[i],
					   .kind = SL_TARGET_ENDPOINT,
					   .id = ids->id[i] };

		if (!holding.key.port)
			continue;
		holding_list_add(&held->targets, &holding);
		if (name) {
			holding.name = ids_name_hash(name);
			holding.digest = model->digest;
		}
		holding_list_add(&held->names, &holding);
	}
}

static int recall_leaving(struct holdings *held, const struct tables *before)
{
	for (uint32_t i = 0; i < before->n_leaving; i++) {
		struct sl_endpoint_name name;

		if (bpf_map_lookup_elem(before->maps->fd[MAP_NAMES], &before->leaving[i].id,
					&name) < 0)
			return -errno;
		if (name.key.port)
			add_name(held, before->leaving[i].id, &name);
	}
	return 0;
}

int holdings_recall(struct holdings *ret_held, const struct tables *before,
		    const struct model *model)
{
	CLEANUP(holdings_done) struct holdings held = { .n_ids = before->sizes.endpoints };
	const struct holding_list *wanted = &before->wanted;
	int r;

	held.generations = calloc(held.n_ids + 1, sizeof(*held.generations));
	if (!held.generations)
		return -ENOMEM;
	memcpy(held.generations, before->generation, held.n_ids * sizeof(*held.generations));
	r = holding_list_open(&held.names, before->ids.n + before->n_leaving);
	if (r == 0)
		r = holding_list_open(&held.targets, before->ids.n + wanted->n);
	if (r < 0)
		return r;
	recall_endpoints(&held, &before->ids, model);
	for (uint32_t i = 0; i < wanted->n; i++)
		if (wanted->rows[i].kind == SL_TARGET_SERVICE)
			holding_list_add(&held.targets, &wanted->rows[i]);
	r = recall_leaving(&held, before);
	if (r < 0)
		return r;

	*ret_held = held;
	held = (struct holdings){ .n_ids = 0 };
	return 0;
}

/* --- taking along ------------------------------------------------------------------------------- */

static int carry_words(struct tables *tables, int old_fd)
{
	struct mapped old = { 0 };
	int r;

	if (old_fd < 0)
		return 0;
	r = mapped_open(&old, old_fd, sizeof(struct sl_word), map_entries(old_fd));
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < tables->ids.n; i++)
		if (tables->ids.was[i] != ID_NONE)
			mapped_store_word(&tables->words, tables->ids.id[i],
					  leaving_stayed(mapped_word(&old, tables->ids.was[i])));
	mapped_close(&old);
	return 0;
}

/*
 * Packets that the old programs count between this copy and the change of programs are lost to the
 * counters: some milliseconds' worth, once per change of size.
 */
static int carry_attempts(struct tables *tables, const struct mapset *old)
{
	struct mapped evidence = { 0 };
	uint32_t n = map_entries(old->fd[MAP_EVIDENCE]);
	int r;

	if (old->fd[MAP_ATTEMPT_STATS] < 0 || old->fd[MAP_EVIDENCE] < 0)
		return 0;
	r = mapped_open(&evidence, old->fd[MAP_EVIDENCE], sizeof(struct sl_evidence), n);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < tables->ids.n && r == 0; i++) {
		uint32_t was = tables->ids.was[i];

		if (was == ID_NONE || was >= n)
			continue;
		attempts_carry(&tables->attempts, tables->ids.id[i], &evidence, was);
		r = percpu_copy(tables->maps->fd[MAP_ATTEMPT_STATS], tables->ids.id[i],
				old->fd[MAP_ATTEMPT_STATS], was, sizeof(struct sl_attempt_stats));
		/* An id beyond the old counters, as below. */
		r = r == -ENOENT ? 0 : r;
	}
	mapped_close(&evidence);
	return r;
}

static int carry_counters(struct tables *tables, const struct mapset *old)
{
	const struct mapset *maps = tables->maps;
	int r;

	for (uint32_t i = 0; i < tables->ids.n && old->fd[MAP_STATS] >= 0; i++) {
		if (tables->ids.was[i] == ID_NONE)
			continue;
		r = percpu_copy(maps->fd[MAP_STATS], tables->ids.id[i], old->fd[MAP_STATS],
				tables->ids.was[i], sizeof(struct sl_endpoint_stats));
		/* An id beyond the old counters: somebody made the set from pieces. */
		if (r < 0 && r != -ENOENT)
			return r;
	}
	if (old->fd[MAP_DECISIONS] < 0)
		return 0;
	return percpu_copy(maps->fd[MAP_DECISIONS], 0, old->fd[MAP_DECISIONS], 0,
			   sizeof(struct sl_decision_counts));
}

/* Of services that have the id they had. */
static int carry_services(const struct tables *tables, const struct mapset *old)
{
	for (uint32_t i = 0; i < tables->services.n && old->fd[MAP_SERVICE_STATS] >= 0; i++) {
		const struct forwarding *f = &tables->services.of[i];
		int r;

		if (!f->kept_id)
			continue;
		r = percpu_copy(tables->maps->fd[MAP_SERVICE_STATS], f->id,
				old->fd[MAP_SERVICE_STATS], f->id, sizeof(struct sl_service_stats));
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

/* Those that the programs have entered meanwhile know better. */
static bool copy_flow(void *arg, const struct sl_tuple *tuple, const struct sl_flow *flow)
{
	bpf_map_update_elem(*(const int *)arg, tuple, flow, BPF_NOEXIST);
	return true;
}

/* What the kernel refuses is left: flows are not worth a start that fails. */
void tables_carry_flows(const struct tables *tables, const struct mapset *old)
{
	static const enum map_id ids[] = { MAP_HALF_OPEN, MAP_FLOWS };

	for (size_t i = 0; tables->keeps_flows && i < sizeof(ids) / sizeof(ids[0]); i++) {
		int to = tables->maps->fd[ids[i]];

		/* Else it is the same map. */
		if (old->fd[ids[i]] >= 0 &&
		    map_entries(old->fd[ids[i]]) != tables->sizes.entries[ids[i]])
			sweep(old, ids[i], copy_flow, &to);
	}
}

int tables_carry(struct tables *tables, const struct mapset *old)
{
	int r;

	r = carry_words(tables, old->fd[MAP_WORDS]);
	if (r < 0)
		return r;
	r = carry_attempts(tables, old);
	if (r < 0)
		return r;
	r = carry_services(tables, old);
	if (r < 0)
		return r;
	tables_carry_flows(tables, old);
	return carry_counters(tables, old);
}
