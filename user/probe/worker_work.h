/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * worker_work - what a worker's thread works on: worker.c starts and stops it, worker_run.c does it.
 */
#ifndef SLUICE_PROBE_WORKER_WORK_H
#define SLUICE_PROBE_WORKER_WORK_H

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "probe/admit.h"
#include "probe/lag.h"
#include "probe/poller.h"
#include "probe/probe.h"
#include "probe/schedule.h"
#include "probe/worker.h"

struct slot {
	struct worker *worker;
	struct plan plan;
	struct probe *probe; /* in flight; else NULL */
	struct probe_state *state; /* NULL: the plan resumes no sessions, or memory was short */
	uint64_t due_ms, started_ms;
	struct lag_reading began; /* how late the loop had been when the probe started */
	uint32_t index; /* the plan's */
	uint32_t failures; /* in a row, for fail_fast */
	uint32_t stretch; /* after a success the interval is so many times as long; 0: as 1 */
	bool overdue; /* was reported as waiting too long */
	bool passed; /* the last verdict that was reported */
};

/* A change that another thread asked for. */
struct change {
	struct change *next;
	uint32_t k; /* slot */
	uint32_t stretch; /* 0: it is the plan that changes */
	struct plan plan;
};

struct counters {
	atomic_uint in_flight, queued, loop_lag_ms;
	atomic_ullong started, finished, overloaded, holdable_ms;
};

struct worker {
	uv_loop_t loop;
	uv_thread_t thread;
	uv_async_t wake;
	uv_timer_t due, tick;
	uint64_t due_ms; /* when due is set to; 0: it is not */
	struct poller *poller; /* kept, so that it is not made anew for every lonely probe */
	bool has_loop;
	atomic_bool stop;
	pthread_mutex_t lock;
	struct change *changes, **last_change; /* in the order they came; under the lock */

	struct slot *slots;
	struct schedule *schedule;
	uint32_t n, in_flight;
	uint32_t random;
	struct lag lag;
	uint64_t stalled_ms, resumed_ms; /* how long the loop has stood still, and until when */
	struct admit admit;
	uint64_t tick_ns,
		idle_ns; /* at the last tick: the time, and how long the loop had waited */

	engine_report_fn *report;
	engine_flush_fn *flush;
	void *arg;
	bool has_routine; /* something was reported since the last flush */
	struct counters counters;
};

/* Relaxed is enough: each counter has one writer, and readers only show it. */
#define counter_set(counter, value) atomic_store_explicit(&(counter), (value), memory_order_relaxed)
#define counter_get(counter) atomic_load_explicit(&(counter), memory_order_relaxed)
#define counter_up(counter) counter_set(counter, counter_get(counter) + 1)

/* Let an endpoint that is out be probed at this time. */
void worker_set_due(struct slot *slot, uint64_t at_ms);

/* The interval after a success, from now on: if it is shorter than it was, the next probe comes sooner. */
void worker_set_stretch(struct slot *slot, uint32_t stretch);

/* Queue what is due, start what fits, and wake up when the next is due. */
void worker_pump(struct worker *worker);

/* The timers' functions. */
void worker_on_due(uv_timer_t *timer);
void worker_on_tick(uv_timer_t *timer);

#endif
