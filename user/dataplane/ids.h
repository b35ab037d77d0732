/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ids - which number each endpoint has in the kernel's maps. Pure.
 *
 * An endpoint keeps the id that it had. Others get the lowest ids that are free; where there are no more,
 * and only in new maps, those of endpoints that went.
 */
#ifndef SLUICE_DATAPLANE_IDS_H
#define SLUICE_DATAPLANE_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/key_table.h"
#include "model/model.h"
#include "util/cleanup.h"

/* One endpoint, or in targets also a service, that the kernel knows. */
struct holding {
	struct sl_target_key key;
	enum sl_target_kind kind;
	uint32_t id;
	uint64_t name; /* ids_name_hash() of the DNS name it was found under; 0: none, or unknown */
	uint64_t digest; /* of the configuration that was in force */
};

/* Holdings that are found by their keys; of several with the same key, the first. Many a list is never asked. */
struct holding_list {
	struct holding *rows;
	uint32_t n;
	struct key_table keys;
	uint32_t n_entered; /* in keys: those that were there when it was asked last */
};

/* Room for max. To be released with holding_list_done() in every case. -ENOMEM. */
int holding_list_open(struct holding_list *ret, uint32_t max);
void holding_list_done(struct holding_list *list);
void holding_list_add(struct holding_list *list, const struct holding *holding);
/* The holding of that key, or NULL. */
const struct holding *holding_find(struct holding_list *list, const struct sl_target_key *key);
/*
 * The same for a caller who goes through keys that are probably in the list's own order, which
 * saves a walk through memory for each. *next: 0 at first, then left to this function.
 */
const struct holding *holding_find_next(struct holding_list *list, const struct sl_target_key *key,
					uint32_t *next);

/* What a set of maps held when it was opened. */
struct holdings {
	struct holding_list names; /* endpoint_names: who owns an id */
	struct holding_list targets; /* targets: what packets are judged by; services among them */
	uint32_t *generations; /* of all ids, those that are free as well */
	uint32_t n_ids;
};

void holdings_done(struct holdings *held);

struct ids {
	uint32_t *id; /* by endpoint of the model */
	uint32_t *was; /* the id it had before, or ID_NONE */
	struct sl_target_key *key; /* what the endpoint is now; port 0: a vacant seat */
	bool *stale; /* the address of a seat dates from another configuration */
	uint32_t n;
};

#define ID_NONE UINT32_MAX

void ids_done(struct ids *ids);

/* Never 0. */
uint64_t ids_name_hash(const char *name);

/*
 * Give every endpoint of the model an id below entries, vacant seats included. Seats take what was
 * held for their name, port and transport, as long as there are any. in_place: packets are judged by these maps, so
 * ids of endpoints that went are not given to others.
 *   -ENOSPC  more endpoints than free ids   -ENOMEM
 */
int ids_assign(struct ids *ret_ids, const struct model *model, struct holdings *held,
	       uint32_t entries, bool in_place);

#endif
