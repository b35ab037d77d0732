/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * worker - one thread of the engine: a loop, its share of the endpoints, and its bound.
 *
 * Nothing but the counters is shared with other threads.
 */
#ifndef SLUICE_PROBE_WORKER_H
#define SLUICE_PROBE_WORKER_H

#include "probe/engine.h"

struct worker;

/* Endpoints first, first + step, … below n of plans. */
struct worker_share {
	const struct plan *plans;
	uint32_t n, first, step;
	uint32_t in_flight_max;
};

/* Copy the share's plans and start probing. -ENOMEM, or what the loop or thread said. */
int worker_start(struct worker **ret, const struct worker_share *share,
		 const struct engine_options *options, struct err *err);

/* engine_set() for the k-th endpoint of the share. */
int worker_set(struct worker *worker, uint32_t k, const struct plan *plan);

/* engine_stretch() for it. */
int worker_stretch(struct worker *worker, uint32_t k, uint32_t times);

/* Ask the worker to stop; returns at once. */
void worker_stop(struct worker *worker);

/* Wait for a worker that was asked to stop, and free it. */
void worker_join(struct worker *worker);

/* Add the worker's numbers to the sums. */
void worker_add_stats(const struct worker *worker, struct engine_stats *stats);

#endif
