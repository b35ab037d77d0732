// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/ids.h"

#include <errno.h>
#include <string.h>

int holding_list_open(struct holding_list *ret, uint32_t max)
{
	*ret = (struct holding_list){ .rows = calloc((size_t)max + 1, sizeof(*ret->rows)) };
	if (!ret->rows)
		return -ENOMEM;
	return key_table_open(&ret->keys, &ret->rows[0].key, sizeof(*ret->rows), max);
}

void holding_list_done(struct holding_list *list)
{
	key_table_close(&list->keys);
	free(list->rows);
	*list = (struct holding_list){ .n = 0 };
}

void holding_list_add(struct holding_list *list, const struct holding *holding)
{
	list->rows[list->n++] = *holding;
}

const struct holding *holding_find(struct holding_list *list, const struct sl_target_key *key)
{
	uint32_t row;

	while (list->n_entered < list->n)
		key_table_enter(&list->keys, list->n_entered++);
	row = key_table_find(&list->keys, key);
	return row == KEY_TABLE_NONE ? NULL : &list->rows[row];
}

const struct holding *holding_find_next(struct holding_list *list, const struct sl_target_key *key,
					uint32_t *next)
{
	const struct holding *found = NULL;

	if (*next < list->n && !memcmp(&list->rows[*next].key, key, sizeof(*key)))
		found = &list->rows[*next];
	else
		found = holding_find(list, key);
	if (found)
		*next = (uint32_t)(found - list->rows) + 1;
	return found;
}

void holdings_done(struct holdings *held)
{
	holding_list_done(&held->names);
	holding_list_done(&held->targets);
	free(held->generations);
	*held = (struct holdings){ .n_ids = 0 };
}

void ids_done(struct ids *ids)
{
	free(ids->id);
	free(ids->was);
	free(ids->key);
	free(ids->stale);
	*ids = (struct ids){ 0 };
}

static void mark(bool *used, uint32_t entries, const struct holding_list *held)
{
	for (uint32_t i = 0; i < held->n; i++)
		if (held->rows[i].kind == SL_TARGET_ENDPOINT && held->rows[i].id < entries)
			used[held->rows[i].id] = true;
}

/* Those that endpoints have now, and no others. */
static void mark_given(bool *used, uint32_t entries, const struct ids *ids)
{
	memset(used, 0, entries * sizeof(*used));
	for (uint32_t i = 0; i < ids->n; i++)
		if (ids->id[i] != ID_NONE)
			used[ids->id[i]] = true;
}

/* FNV-1a. */
uint64_t ids_name_hash(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 0x100000001b3ull;
	return hash ? hash : 1;
}

static void keep_id(struct ids *ids, bool *used, uint32_t i, const struct holding *old,
		    uint32_t entries)
{
	ids->was[i] = old->id;
	if (old->id < entries && !used[old->id]) {
		ids->id[i] = old->id;
		used[old->id] = true;
	}
}

/* Endpoints that the maps know keep their ids, where the new maps have them. */
static void keep_ids(struct ids *ids, bool *used, const struct model *model, struct holdings *held,
		     uint32_t entries)
{
	uint32_t next = 0;

	for (uint32_t i = 0; i < ids->n; i++) {
		const struct endpoint *endpoint = &model->endpoints[i];
		const struct holding *old;

		ids->id[i] = ids->was[i] = ID_NONE;
		if (endpoint->name)
			continue;
		ids->key[i] = endpoint->key;
		old = holding_find_next(&held->names, &endpoint->key, &next);
		if (old)
			keep_id(ids, used, i, old, entries);
	}
}

static bool is_taken(const struct ids *ids, const struct sl_target_key *key)
{
	for (uint32_t i = 0; i < ids->n; i++)
		if (!memcmp(&ids->key[i], key, sizeof(*key)))
			return true;
	return false;
}

/* A vacant seat of the name that the holding was found under, or ID_NONE. */
static uint32_t find_seat(const struct ids *ids, const struct model *model, const uint64_t *hashes,
			  const struct holding *held)
{
	for (uint32_t i = 0; i < ids->n; i++) {
		const struct endpoint *endpoint = &model->endpoints[i];

		if (!endpoint->name)
			continue;
		if (hashes[endpoint->name_index] != held->name ||
		    endpoint->key.port != held->key.port || endpoint->key.proto != held->key.proto)
			i += LIMIT_NAME_ADDRESSES - 1 - endpoint->seat;
		else if (!ids->key[i].port)
			return i;
	}
	return ID_NONE;
}

/*
 * Until DNS has answered, what was found under a name stays in force, unless the configuration gives
 * that address itself now.
 */
static int seat_held(struct ids *ids, bool *used, const struct model *model,
		     const struct holdings *held, uint32_t entries)
{
	CLEANUP(free_p) uint64_t *hashes = calloc(model->n_names + 1, sizeof(*hashes));

	if (!hashes)
		return -ENOMEM;
	for (uint32_t i = 0; i < model->n_names; i++)
		hashes[i] = ids_name_hash(model->names[i]);
	for (uint32_t h = 0; h < held->names.n; h++) {
		const struct holding *old = &held->names.rows[h];
		uint32_t i = old->name ? find_seat(ids, model, hashes, old) : ID_NONE;

		if (i == ID_NONE || is_taken(ids, &old->key))
			continue;
		ids->key[i] = old->key;
		ids->stale[i] = old->digest != model->digest;
		keep_id(ids, used, i, old, entries);
	}
	return 0;
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

int ids_assign(struct ids *ret_ids, const struct model *model, struct holdings *held,
	       uint32_t entries, bool in_place)
{
	CLEANUP(ids_done) struct ids ids = { .n = model->n_endpoints };
	CLEANUP(free_p) bool *used = calloc(entries ? entries : 1, sizeof(*used));
	size_t n = ids.n ? ids.n : 1;
	int r;

	ids.id = calloc(n, sizeof(*ids.id));
	ids.was = calloc(n, sizeof(*ids.was));
	ids.key = calloc(n, sizeof(*ids.key));
	ids.stale = calloc(n, sizeof(*ids.stale));
	if (!used || !ids.id || !ids.was || !ids.key || !ids.stale)
		return -ENOMEM;
	keep_ids(&ids, used, model, held, entries);
	if (model->n_names) {
		r = seat_held(&ids, used, model, held, entries);
		if (r < 0)
			return r;
	}
	mark(used, entries, &held->names);
	mark(used, entries, &held->targets);
	r = fill_ids(&ids, used, entries);
	if (r == -ENOSPC && !in_place) {
		mark_given(used, entries, &ids);
		r = fill_ids(&ids, used, entries);
	}
	if (r < 0)
		return r;

	*ret_ids = ids;
	ids = (struct ids){ 0 };
	return 0;
}
