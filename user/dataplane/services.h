/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * services - the services whose packets are forwarded: their ids, entries and selection tables.
 *
 * A service that was in force under the same name and address keeps its id, which flows know it by,
 * and its slice of the selection map, if that has the size that is needed now. Ids and slices that
 * are in force are not given to others in the same start; an id that is given up is free for the
 * next only once no flow names it.
 *
 * Steps of a start, as in tables.h: services_assign(), services_open(), services_add(), then either
 * services_undo() or services_settle(). All on one thread.
 */
#ifndef SLUICE_DATAPLANE_SERVICES_H
#define SLUICE_DATAPLANE_SERVICES_H

#include "dataplane/ids.h"
#include "dataplane/mapped.h"
#include "dataplane/mapset.h"

struct err;
struct maglev;
struct weights;

/* A service that the kernel knows. */
struct held_service {
	char name[SL_NAME_LEN];
	struct sl_service entry;
	uint32_t id;
};

/* What a set of maps held when it was opened. */
struct held_services {
	struct held_service *rows;
	uint32_t n;
};

/* One service of the model. */
struct forwarding {
	uint32_t id; /* SL_ID_NONE: its packets are not forwarded */
	struct sl_slice slice;
	bool in_force; /* it was, with this id and slice, in these very maps */
	bool kept_id; /* ... or at least with this id */
	struct maglev *maglev; /* NULL: to be made */
	uint64_t members_hash; /* of the members that it was made of */
	uint32_t *members; /* endpoints of the model, in maglev's order; */
	uint32_t n_members; /* as many */
};

struct services {
	const struct mapset *maps; /* borrowed */
	const struct weights *weights; /* borrowed; NULL: those of the model */
	struct mapped entries, selection;
	struct held_services held;
	struct forwarding *of; /* by service of the model */
	uint32_t n;
	bool in_place;
	uint32_t *slots; /* scratch: as large as the largest slice */
};

void services_done(struct services *services);

/* What the model's services need of the maps. Pure. */
void services_needs(struct map_needs *needs, const struct model *model);

/* Read what a readable set holds; one without services holds none. -errno from the kernel, -ENOMEM. */
int services_read(struct held_services *ret_held, const struct mapset *set);

/*
 * Give every service that forwards an id and a slice. services->held is set before. in_place: packets are judged by
 * these maps; in new ones, who has gone gives up his id where there is no other. Pure.
 *   -ENOSPC  there is no room for them beside what stays   -ENOMEM
 */
int services_assign(struct services *services, const struct model *model,
		    const struct map_sizes *sizes, bool in_place);

/* Map the maps into memory. */
int services_open(struct services *services, const struct mapset *maps,
		  const struct map_sizes *sizes);

/* What packets are to be judged by: a holding for every listen address. -ENOMEM. */
int services_targets(const struct services *services, const struct model *model,
		     struct holding **ret_targets, uint32_t *ret_n);

/*
 * Write entries and tables of services that are not in force: every member that may be chosen by its word has
 * its full share. Their targets are the caller's business. -errno from the kernel, -ENOMEM.
 */
int services_add(struct services *services, const struct model *model, const struct ids *ids,
		 const struct mapped *words);

/*
 * Once nothing can fail any more: bring tables that were in force in line with who is a member now,
 * going by the words in force, so that no flow is sent to those who leave or finds nobody until
 * services_balance() knows better.
 */
void services_refresh(struct services *services, const struct model *model, const struct ids *ids,
		      const struct mapped *words);

void services_undo(struct services *services);
void services_settle(struct services *services, const struct model *model);

/*
 * Bring a service's table in line with shares, parallel to the service's endpoints in the model. any:
 * as SL_SERVICE_ANY. Vacant seats and endpoints out of reach have no share, whatever shares says.
 * -ENOMEM: nothing has changed.
 */
int services_balance(struct services *services, const struct model *model, const struct ids *ids,
		     uint32_t service, const uint16_t shares[], bool any);

/*
 * Count the slots of a service's table as it is in force by the endpoint id that is in them. Any
 * thread. -ENOENT: it has none.
 */
int services_count(const struct services *services, uint32_t service, uint32_t counts[],
		   uint32_t n_ids, uint32_t *ret_size);

#endif
