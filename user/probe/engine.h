/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine - probes every endpoint on its schedule, on worker threads, within bounds.
 *
 * Each worker owns a libuv loop and a share of the endpoints; workers share nothing. The first
 * probes are spread over a start phase, later ones keep their distance with a little jitter. The
 * number of probes in flight is bounded; the rest wait in a queue. What waits too long, or times
 * out while the worker's own loop was late, is reported as prober_overloaded, and what fails while
 * the loop stood still as unknown_gateway_unhealthy: neither is held against the endpoint.
 */
#ifndef SLUICE_PROBE_ENGINE_H
#define SLUICE_PROBE_ENGINE_H

#include "model/plan.h"
#include "model/verdict.h"
#include "util/cleanup.h"

struct engine;
struct err;

/* index is the plan's. Called on a worker's thread: hand the verdict on and return. */
typedef void engine_report_fn(void *arg, uint32_t index, const struct verdict *verdict);

/* Verdicts marked as routine wait until this is called, on a worker's thread, ten times a second. */
typedef void engine_flush_fn(void *arg);

struct engine_options {
	uint32_t workers; /* 0: one per CPU that the process may use, at most LIMIT_WORKERS */
	uint32_t in_flight; /* over all workers; 0: auto. At most what RLIMIT_NOFILE allows */
	engine_report_fn *report;
	engine_flush_fn *flush; /* NULL: nobody lets verdicts wait */
	void *arg;
};

/* Summed over the workers; each number is exact, the set is not one instant. */
struct engine_stats {
	uint32_t workers;
	uint32_t in_flight_max;
	uint32_t in_flight, queued;
	uint64_t started, finished, overloaded;
	uint32_t loop_lag_ms; /* the worst of the last second */
	/*
	 * Not zero: probes wait for a place all the time, and intervals are kept no longer. With this
	 * interval for all endpoints, as fast as probes end now, they would be.
	 */
	uint64_t holdable_interval_ms;
};

/*
 * Start the workers over plans[0..n), which are copied; the strings in them are borrowed until
 * engine_stop(). -ENOMEM, or what creating a thread or loop returned, with err set.
 */
int engine_start(struct engine **ret, const struct plan *plans, uint32_t n,
		 const struct engine_options *options, struct err *err);

/*
 * Probe endpoint index by another plan from now on, at once, or (plan NULL) no longer. Any thread,
 * but not after engine_stop() has begun. The plan is copied, its strings are borrowed. A verdict on
 * the plan before may still be reported; its generation tells. -ENOMEM: nothing changes.
 */
int engine_set(struct engine *engine, uint32_t index, const struct plan *plan);

/*
 * While its probes pass, let the endpoint's interval be so many times as long; 1: as planned. Until the next
 * engine_set(), which ends it. Any thread, as above. -ENOMEM: nothing changes.
 */
int engine_stretch(struct engine *engine, uint32_t index, uint32_t times);

/* Stop all workers and free the engine; no report is called afterwards. NULL is fine. */
void engine_stop(struct engine *engine);
DEFINE_CLEANUP(struct engine, engine_stop)

struct engine_stats engine_stats(const struct engine *engine);

#endif
