/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ids - which number each endpoint has in the kernel's maps. Pure.
 *
 * An endpoint keeps the id that it had. Others get the lowest ids that are free.
 */
#ifndef SLUICE_DATAPLANE_IDS_H
#define SLUICE_DATAPLANE_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"
#include "util/cleanup.h"

/* One endpoint that the kernel knows. */
struct holding {
	struct sl_target_key key;
	uint32_t id;
};

/* What a set of maps held when it was opened; both arrays are sorted by key. */
struct holdings {
	struct holding *names; /* endpoint_names: who owns an id */
	struct holding *targets; /* targets: what packets are judged by */
	uint32_t n_names, n_targets;
};

void holdings_done(struct holdings *held);

/* Sort both arrays; afterwards holding_find() works. */
void holdings_sort(struct holdings *held);

/* The holding of that key, or NULL. */
const struct holding *holding_find(const struct holding *sorted, uint32_t n,
				   const struct sl_target_key *key);

struct ids {
	uint32_t *id; /* by endpoint of the model */
	uint32_t *was; /* the id it had before, or ID_NONE */
	uint32_t n;
};

#define ID_NONE UINT32_MAX

void ids_done(struct ids *ids);

/*
 * Give every endpoint of the model an id below entries. in_place: the held ids are in force in the
 * same maps, so those of endpoints that went are not given to others.
 *   -ENOSPC  more endpoints than free ids   -ENOMEM
 */
int ids_assign(struct ids *ret_ids, const struct model *model, const struct holdings *held,
	       uint32_t entries, bool in_place);

#endif
