/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * difference - what changes between one model and the next.
 *
 * Interfaces, pools, backends and services one by one; of probes, settings and the gateway's keys, that they differ. No I/O.
 */
#ifndef SLUICE_MODEL_DIFFERENCE_H
#define SLUICE_MODEL_DIFFERENCE_H

#include "model/model.h"
#include "model/weights.h"

enum difference_subject {
	DIFFERENCE_GATEWAY, /* but for its interfaces */
	DIFFERENCE_INTERFACE, /* how it is attached, where it is neither added nor removed */
	DIFFERENCE_PROBE,
	DIFFERENCE_SETTINGS,
	DIFFERENCE_POOL,
	DIFFERENCE_BACKEND, /* weight, or order, where it is neither added nor removed */
	DIFFERENCE_SERVICE
};

enum difference_kind { DIFFERENCE_ADDED, DIFFERENCE_REMOVED, DIFFERENCE_CHANGED };

#define DIFFERENCE_VALUE_LEN 32

struct difference_item {
	enum difference_subject subject;
	enum difference_kind kind;
	char name[SL_NAME_LEN]; /* of the pool for a backend; "" for the gateway */
	char address[LIMIT_HOST_BYTES + 1]; /* of a backend */
	char before[DIFFERENCE_VALUE_LEN], after[DIFFERENCE_VALUE_LEN]; /* "": not said */
};

struct difference {
	struct difference_item *items;
	uint32_t n_items, room_items;
	uint32_t *
		leaving; /* endpoints, by their place in the model before, that take no new flows then */
	uint32_t n_leaving, room_leaving;
	const struct weights
		*weights; /* of the model before, while it is compared; NULL: its own */
	bool guards_nothing; /* afterwards: no interface is left */
	uint64_t version; /* of what is configured now */
};

/* NULL: out of memory. */
struct difference *difference_new(void);
void difference_free(struct difference *difference);
DEFINE_CLEANUP(struct difference, difference_free)

/* Both -ENOMEM. */
int difference_add(struct difference *difference, const struct difference_item *item);
int difference_add_leaving(struct difference *difference, uint32_t endpoint);

/* Add what differs; both are linked. weights: those in force, where the model before has others; or NULL. -ENOMEM */
int difference_between(struct difference *difference, const struct model *before,
		       const struct weights *weights, const struct model *after);

/*
 * For each endpoint of the model before, the index of the one that it is in the next, or INDEX_NONE: the same address, or
 * seat of a name, under the same port and transport. Both are linked. The array is the caller's. -ENOMEM
 */
int difference_same_endpoints(uint32_t **ret, const struct model *before,
			      const struct model *after);

#endif
