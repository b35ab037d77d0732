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
static bool stays(const struct tables *tables, const struct holding *was, uint32_t *next)
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

int leaving_carry(struct tables *tables, const struct mapset *found)
{
	const struct holding_list *names = &tables->held.names;
	uint32_t next = 0;
	int r;

	for (uint32_t i = 0; drains(tables) && i < names->n; i++) {
		/* Where there is no room their flows end. */
		if (stays(tables, &names->rows[i], &next) ||
		    names->rows[i].id >= tables->sizes.endpoints)
			continue;
		r = carry(tables, found, names->rows[i].id);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Its flows go on for a while, with nobody new. False: there is no room to remember it, or its time is over. */
static bool let_leave(struct tables *tables, const struct model *model, uint32_t id, uint64_t now_s)
{
	struct sl_endpoint_name name;
	struct sl_word word;

	if (id >= tables->sizes.endpoints ||
	    bpf_map_lookup_elem(tables->maps->fd[MAP_NAMES], &id, &name) < 0)
		return false;
	word = leaving_word(mapped_word(&tables->words, id), model, &name, now_s);
	if (word.deadline_s <= now_s)
		return false;
	mapped_store_word(&tables->words, id, word);
	tables->leaving[tables->n_leaving++] = (struct leaving){ id, word.deadline_s };
	return true;
}

/* Those that went: at once where no flows are kept that could name them. */
void leaving_settle(struct tables *tables, const struct model *model, uint64_t now_s)
{
	const struct holding_list *names = &tables->held.names;
	uint32_t next = 0;

	tables->leaving = calloc(names->n + 1, sizeof(*tables->leaving));
	for (uint32_t i = 0; i < names->n; i++) {
		uint32_t id = names->rows[i].id;

		if (stays(tables, &names->rows[i], &next))
			continue;
		if (drains(tables) && tables->leaving && let_leave(tables, model, id, now_s))
			continue;
		/* In new maps that keep no flows the id may be another's. */
		if (tables->in_place || drains(tables))
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
	return word;
}
