// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/ids.h"

#include <errno.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	return memcmp(&((const struct holding *)a)->key, &((const struct holding *)b)->key,
		      sizeof(struct sl_target_key));
}

void holdings_done(struct holdings *held)
{
	free(held->names);
	free(held->targets);
	*held = (struct holdings){ 0 };
}

void holdings_sort(struct holdings *held)
{
	if (held->n_names)
		qsort(held->names, held->n_names, sizeof(*held->names), compare);
	if (held->n_targets)
		qsort(held->targets, held->n_targets, sizeof(*held->targets), compare);
}

const struct holding *holding_find(const struct holding *sorted, uint32_t n,
				   const struct sl_target_key *key)
{
	const struct holding wanted = { .key = *key };

	return n ? bsearch(&wanted, sorted, n, sizeof(*sorted), compare) : NULL;
}

void ids_done(struct ids *ids)
{
	free(ids->id);
	free(ids->was);
	*ids = (struct ids){ 0 };
}

static void mark(bool *used, uint32_t entries, const struct holding *held, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (held[i].id < entries)
			used[held[i].id] = true;
}

/* Endpoints that the maps know keep their ids, where the new maps have them. */
static void keep_ids(struct ids *ids, bool *used, const struct model *model,
		     const struct holdings *held, uint32_t entries)
{
	for (uint32_t i = 0; i < ids->n; i++) {
		const struct holding *old =
			holding_find(held->names, held->n_names, &model->endpoints[i].key);

		ids->id[i] = ids->was[i] = ID_NONE;
		if (!old)
			continue;
		ids->was[i] = old->id;
		if (old->id < entries && !used[old->id]) {
			ids->id[i] = old->id;
			used[old->id] = true;
		}
	}
}

static int fill_ids(struct ids *ids, bool *used, uint32_t entries)
{
	uint32_t next = 0;

	for (uint32_t i = 0; i < ids->n; i++) {
		if (ids->id[i] != ID_NONE)
			continue;
		while (next < entries && used[next])
			next++;
		if (next == entries)
			return -ENOSPC;
		ids->id[i] = next++;
	}
	return 0;
}

int ids_assign(struct ids *ret_ids, const struct model *model, const struct holdings *held,
	       uint32_t entries, bool in_place)
{
	CLEANUP(ids_done) struct ids ids = { .n = model->n_endpoints };
	CLEANUP(free_p) bool *used = calloc(entries ? entries : 1, sizeof(*used));
	size_t n = ids.n ? ids.n : 1;
	int r;

	ids.id = calloc(n, sizeof(*ids.id));
	ids.was = calloc(n, sizeof(*ids.was));
	if (!used || !ids.id || !ids.was)
		return -ENOMEM;
	keep_ids(&ids, used, model, held, entries);
	if (in_place) {
		mark(used, entries, held->names, held->n_names);
		mark(used, entries, held->targets, held->n_targets);
	}
	r = fill_ids(&ids, used, entries);
	if (r < 0)
		return r;

	*ret_ids = ids;
	ids = (struct ids){ 0 };
	return 0;
}
