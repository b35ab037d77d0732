// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/leaving.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "util/clock.h"

static uint32_t drain_ms_of(const struct model *model, const struct sl_endpoint_name *name)
{
	for (uint32_t i = 0; i < model->n_settings; i++)
		if (!strcmp(model->settings[i].name, name->settings))
			return settings_drain_ms(&model->settings[i]);
	return DRAIN_DEFAULT_MS;
}

/* What the endpoint's word is to be until it is gone; one that is leaving already goes on as it was. */
static struct sl_word leaving_word(struct sl_word word, const struct model *model,
				   const struct sl_endpoint_name *name, uint64_t now_s)
{
	if (word.admin == SL_DRAINING && word.flags & SL_WORD_LEAVING)
		return word;
	/* A second more: part of the one that counts as now is over. */
	if (word.admin != SL_DRAINING || !word.deadline_s)
		word.deadline_s = (__u32)(now_s + 1 +
					  (drain_ms_of(model, name) + MS_PER_SEC - 1) / MS_PER_SEC);
	word.admin = SL_DRAINING;
	word.flags = SL_WORD_LEAVING;
	return word;
}

/* Asked of one after the other, in the order that they are held in. next: 0 at first. */
static bool stays(struct tables *tables, const struct holding *was, uint32_t *next)
{
	const struct holding *now = holding_find_next(&tables->wanted, &was->key, next);

	return now && now->kind == SL_TARGET_ENDPOINT && now->id == was->id;
}

static bool drains(const struct tables *tables)
{
	return tables->keeps_flows && tables->keeps_words && tables->sizes.services;
}

static int carry(struct tables *tables, const struct mapset *found, uint32_t id)
{
	struct sl_endpoint_name name;
	struct sl_word word;

	if (bpf_map_lookup_elem(found->fd[MAP_NAMES], &id, &name) < 0 ||
	    bpf_map_lookup_elem(found->fd[MAP_WORDS], &id, &word) < 0 ||
	    bpf_map_update_elem(tables->maps->fd[MAP_NAMES], &id, &name, BPF_ANY) < 0)
		return -errno;
	mapped_store_word(&tables->words, id, word);
	return 0;
}

/* By id: whether it is an endpoint's now. Without memory: NULL. */
static bool *list_taken(const struct tables *tables)
{
	bool *taken = calloc((size_t)tables->sizes.endpoints + 1, sizeof(*taken));

	for (uint32_t i = 0; taken && i < tables->wanted.n; i++)
		if (tables->wanted.rows[i].kind == SL_TARGET_ENDPOINT)
			taken[tables->wanted.rows[i].id] = true;
	return taken;
}

/* In new maps nobody has written yet how often the ids that are free have been given out. */
static int count_free(const struct tables *tables, const bool *taken)
{
	struct sl_endpoint_name name = { 0 };

	for (uint32_t id = 0; tables->keeps_flows && id < tables->sizes.endpoints; id++) {
		name.generation = tables->generation[id];
		if (name.generation && !taken[id] &&
		    bpf_map_update_elem(tables->maps->fd[MAP_NAMES], &id, &name, BPF_ANY) < 0)
			return -errno;
	}
	return 0;
}

int leaving_carry(struct tables *tables, const struct mapset *found)
{
	const struct holding_list *names = &tables->held.names;
	CLEANUP(free_p) bool *taken = list_taken(tables);
	uint32_t next = 0;
	int r;

	if (!taken)
		return -ENOMEM;
	r = count_free(tables, taken);
	for (uint32_t i = 0; r == 0 && drains(tables) && i < names->n; i++) {
		uint32_t id = names->rows[i].id;

		/* Where there is no room their flows end. */
		if (!stays(tables, &names->rows[i], &next) && id < tables->sizes.endpoints &&
		    !taken[id])
			r = carry(tables, found, id);
	}
	return r;
}

/* Its flows go on for a while, with nobody new. False: there is no room to remember it, or its time is over. */
static bool let_leave(struct tables *tables, const struct model *model, uint32_t id, uint64_t now_s)
{
	struct sl_endpoint_name name;
	struct sl_word word;

	if (bpf_map_lookup_elem(tables->maps->fd[MAP_NAMES], &id, &name) < 0)
		return false;
	word = leaving_word(mapped_word(&tables->words, id), model, &name, now_s);
	if (word.deadline_s <= now_s)
		return false;
	mapped_store_word(&tables->words, id, word);
	tables->leaving[tables->n_leaving++] = (struct leaving){ id, word.deadline_s };
	return true;
}

/* Those that went: at once where no flows are kept that could name them, or others have their ids. */
void leaving_settle(struct tables *tables, const struct model *model, uint64_t now_s)
{
	const struct holding_list *names = &tables->held.names;
	CLEANUP(free_p) bool *taken = list_taken(tables);
	bool lets = drains(tables) && taken;
	uint32_t next = 0;

	tables->leaving = calloc(names->n + 1, sizeof(*tables->leaving));
	for (uint32_t i = 0; i < names->n; i++) {
		uint32_t id = names->rows[i].id;

		if (stays(tables, &names->rows[i], &next))
			continue;
		if (id >= tables->sizes.endpoints || (taken && taken[id]))
			continue;
		if (lets && tables->leaving && let_leave(tables, model, id, now_s))
			continue;
		/* Without memory nobody knows whose id it is in new maps. */
		if (taken || tables->in_place)
			tables_forget(tables, id);
	}
}

void leaving_expire(struct tables *tables, uint64_t now_s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < tables->n_leaving; i++) {
		/* A second more, for packets that read another clock. */
		if (tables->leaving[i].deadline_s + 1 < now_s)
			tables_forget(tables, tables->leaving[i].id);
		else
			tables->leaving[n++] = tables->leaving[i];
	}
	tables->n_leaving = n;
}

struct sl_word leaving_stayed(struct sl_word word)
{
	if (!(word.flags & SL_WORD_LEAVING))
		return word;
	word.flags = 0;
	word.admin = SL_ENABLED;
	word.deadline_s = 0;
	/* Nobody has asked it since it went; but what spoke against it then still does. */
	if (word.health == SL_HEALTHY)
		word.health = SL_UNKNOWN;
	return word;
}

int leaving_note_return(struct tables *tables, uint32_t id)
{
	struct sl_word word = mapped_word(&tables->words, id);

	if (!(word.flags & SL_WORD_LEAVING))
		return 0;
	if (!tables->returned)
		tables->returned = calloc(tables->held.names.n + 1, sizeof(*tables->returned));
	if (!tables->returned)
		return -ENOMEM;
	tables->returned[tables->n_returned++] = (struct leaving){ id, word.deadline_s };
	return 0;
}

void leaving_undo(struct tables *tables)
{
	for (uint32_t i = 0; i < tables->n_returned; i++) {
		const struct leaving *returned = &tables->returned[i];
		struct sl_word word = mapped_word(&tables->words, returned->id);

		word.admin = SL_DRAINING;
		word.flags = SL_WORD_LEAVING;
		word.deadline_s = returned->deadline_s;
		mapped_store_word(&tables->words, returned->id, word);
	}
}
