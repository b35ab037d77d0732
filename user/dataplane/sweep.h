/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sweep - going through the tables of flows: to forget those of a service, to count, to list.
 *
 * The programs change the tables meanwhile: a flow that comes or goes during a sweep may be missed.
 */
#ifndef SLUICE_DATAPLANE_SWEEP_H
#define SLUICE_DATAPLANE_SWEEP_H

#include <stdbool.h>

#include "dataplane/mapset.h"
#include "sluice/abi.h"
#include "util/cleanup.h"

/* One entry; false: no more are wanted. */
typedef bool sweep_fn(void *arg, const struct sl_tuple *tuple, const struct sl_flow *flow);

/* A sweep in parts, so that whoever makes it can do something else in between. */
struct sweeper;

/* maps are borrowed. NULL: out of memory. */
struct sweeper *sweeper_new(const struct mapset *maps, enum map_id id);
void sweeper_free(struct sweeper *sweeper);
DEFINE_CLEANUP(struct sweeper, sweeper_free)

/* Call fn for the next few thousand entries. 1: there are more; 0: that was all; -errno. */
int sweeper_next(struct sweeper *sweeper, sweep_fn *fn, void *arg);

/* Call fn for every entry of the map, MAP_FLOWS or MAP_HALF_OPEN. -errno from the kernel, -ENOMEM. */
int sweep(const struct mapset *maps, enum map_id id, sweep_fn *fn, void *arg);

/* Forget the flows of a service that is gone. What the kernel refuses is left. */
void sweep_service(const struct mapset *maps, uint32_t service);

#endif
