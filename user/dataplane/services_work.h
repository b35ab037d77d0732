/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * services_work - what the parts of services.h share.
 *
 * services_assign.c gives out ids and slices; services_table.c computes and stores the tables;
 * services.c does the rest.
 */
#ifndef SLUICE_DATAPLANE_SERVICES_WORK_H
#define SLUICE_DATAPLANE_SERVICES_WORK_H

#include "dataplane/services.h"

#define SLOTS_PER_ENTRY ((uint32_t)(sizeof(struct sl_slots) / sizeof(__u32)))

static inline struct sl_service *entry_of(const struct services *services, uint32_t id)
{
	return (struct sl_service *)services->entries.start + id;
}

static inline uint32_t *slots_of(const struct services *services, const struct forwarding *f)
{
	return (uint32_t *)services->selection.start + f->slice.start;
}

void forwarding_done(struct forwarding *forwarding);

/*
 * Store the table of a service that was not in force: of those that may be chosen by their words, everybody with
 * his full share. -ENOMEM.
 */
int services_fill(struct services *services, const struct model *model, const struct ids *ids,
		  const struct mapped *words, uint32_t service);

#endif
