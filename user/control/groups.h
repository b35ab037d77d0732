/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * groups - the services of each pool, so that nobody has to search all services for each pool.
 *
 * Built once from a model, then read-only.
 */
#ifndef SLUICE_CONTROL_GROUPS_H
#define SLUICE_CONTROL_GROUPS_H

#include "model/model.h"
#include "util/cleanup.h"

struct groups {
	uint32_t *services; /* indexes into model->services, in the order of their pools */
	uint32_t *first; /* services[first[p]..first[p + 1]) are those of pool p */
};

/* -ENOMEM */
int groups_init(struct groups *ret_groups, const struct model *model);
void groups_done(struct groups *groups);

#endif
