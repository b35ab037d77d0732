/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tables - the maps' contents brought in line with a model, in steps that can be taken back.
 *
 *   tables_add()     what is new becomes visible; nothing that is in force changes
 *   tables_undo()    ... and is gone again
 *   tables_settle()  what the model no longer has goes; cannot fail
 *
 * Order, so that no packet is judged by the wrong word: an id's word and counters are cleared
 * before it is given out, its name is written next, its index slot is taken before its target
 * appears; on the way out the target goes first. An id that was in force is not given to another
 * endpoint in the same start.
 */
#ifndef SLUICE_DATAPLANE_TABLES_H
#define SLUICE_DATAPLANE_TABLES_H

#include "dataplane/attempts.h"
#include "dataplane/ids.h"
#include "dataplane/mapped.h"
#include "dataplane/mapset.h"
#include "dataplane/services.h"

struct leaving; /* see leaving.h */
struct tables_chunk; /* buffers of the batched writes */

struct tables {
	const struct mapset *maps; /* borrowed */
	struct map_sizes sizes;
	struct mapped words, meta, index;
	struct attempts attempts;
	struct ids ids;
	struct services services;
	struct holdings held; /* what the maps that we found held */
	/* What is to be in targets: endpoints that are no vacant seats, services. */
	struct holding_list wanted;
	uint32_t *generation; /* by id */
	bool *in_force; /* by endpoint of the model: it is in these very maps, under this id */
	bool *stays; /* by row of held.targets: it is that of an endpoint in force */
	bool in_place; /* held is about maps: they were taken over */
	bool keeps_flows; /* ... or at least those of flows */
	bool keeps_words; /* ... or at least what was in them */
	struct leaving *leaving; /* endpoints that are no more in the model, but that flows go to */
	uint32_t n_leaving;
	struct leaving *returned; /* ... that were so, and are in the model again */
	uint32_t n_returned;
	struct tables_chunk *chunk;
};

/* Read what a readable set holds. -errno from the kernel, -ENOMEM. */
int holdings_read(struct holdings *ret_held, const struct mapset *set);

/*
 * The same of the maps that before is about, from what is known of them: but for endpoints that are
 * leaving, nothing is read. model: before's.
 */
int holdings_recall(struct holdings *ret_held, const struct tables *before,
		    const struct model *model);

/*
 * Map the maps into memory. held and ids are set by the caller before tables_add(). Released with
 * tables_done() in every case.
 */
int tables_open(struct tables *tables, const struct mapset *maps, const struct map_sizes *sizes);
void tables_done(struct tables *tables);

/*
 * Make the model's endpoints visible that are not yet.
 *   -E2BIG  a map is full   other -errno from the kernel; tables_undo() is to be called then, too
 */
int tables_add(struct tables *tables, const struct model *model, struct err *err);
void tables_undo(struct tables *tables);
/* What was undone has given ids to others, in the maps of these: flows may name those, however briefly. */
void tables_count_on(struct tables *tables, const struct tables *undone);
/* Endpoints of services that went drain first. now_s: as sl_word.deadline_s. */
void tables_settle(struct tables *tables, const struct model *model, uint64_t now_s);

/*
 * While the daemon runs: let the endpoint's id stand for key (its word and counters begin anew), or
 * for nothing (NULL). -EEXIST: key is another endpoint's; -E2BIG, other -errno from the kernel.
 */
int tables_set(struct tables *tables, const struct model *model, uint32_t endpoint,
	       const struct sl_target_key *key, struct err *err);

/* See services_balance(). */
int tables_balance(struct tables *tables, const struct model *model, uint32_t service,
		   const uint16_t shares[], bool any);

/* Look up anew which address this host uses towards the endpoints of services. */
void tables_find_sources(struct tables *tables, const struct model *model);

/* The addresses that packets of services are sent to; to be freed. -ENOMEM. */
int tables_destinations(const struct tables *tables, const struct model *model,
			struct addr **ret_addrs, uint32_t *ret_n);

/* The id is nobody's from now on, and its flows are dead. */
void tables_forget(const struct tables *tables, uint32_t id);

/* Copy words, counters, decisions and flows of what stays from a set that is replaced. */
int tables_carry(struct tables *tables, const struct mapset *old);

/* Copy the flows that it has and ours have not, where they are not the same maps. */
void tables_carry_flows(const struct tables *tables, const struct mapset *old);

#endif
