/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * census - how many flows there are, and whose.
 *
 * Counting goes through the tables of flows, which may take seconds when they are large. So a thread of
 * its own does it, when somebody asks and the last count is older than a second; who asks waits a
 * moment for it, and gets the last one if it takes longer.
 */
#ifndef SLUICE_DATAPLANE_CENSUS_H
#define SLUICE_DATAPLANE_CENSUS_H

#include "dataplane/flows.h"

struct census;

/* The data plane is borrowed until census_stop(). -ENOMEM, -EAGAIN: no thread to be had. */
int census_start(struct census **ret, const struct dataplane *dp);
void census_stop(struct census *census);
DEFINE_CLEANUP(struct census, census_stop)

struct census_totals {
	struct flow_fills fills;
	uint32_t flows; /* that live */
	uint64_t age_ms; /* of the count */
};

/* False: nothing has been counted yet, or nothing can be. Any thread, as the next. */
bool census_totals(struct census *census, struct census_totals *ret_totals);

/* Flows of one endpoint that live, over all services. */
bool census_flows(struct census *census, uint32_t endpoint, uint32_t *ret_flows);

#endif
