// SPDX-License-Identifier: GPL-2.0-or-later
/* worker_run - what a worker does: start what is due, judge what has ended, measure itself. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "probe/doubt.h"
#include "probe/worker_work.h"
#include "util/clock.h"

/* An endpoint that waited this long, or its interval if that is longer, says we are overloaded. */
#define WAIT_LIMIT_MS 5000

/* fail_fast probes again after this, so that a refusing backend is not asked in a tight loop. */
#define FAIL_FAST_GAP_MS 100

/* By so much a probe may be late: an awakening costs a good part of what a probe does. */
#define SLACK_MS 10

/* The queue is looked through for waiting endpoints every so many ticks: about once a second. */
#define SWEEP_TICKS 10

/* --- verdicts --------------------------------------------------------------------------------- */

static void report(struct slot *slot, const struct verdict *v)
{
	struct worker *worker = slot->worker;
	struct verdict marked = *v;

	if (v->code == SL_MSG_PROBER_OVERLOADED)
		counter_up(worker->counters.overloaded);
	marked.generation = slot->plan.generation;
	marked.routine = slot->passed && message_passed(v->code);
	slot->passed = message_passed(v->code);
	worker->has_routine |= marked.routine;
	worker->report(worker->arg, slot->index, &marked);
}

/* What was reported as routine is to be looked at now. */
static void flush(struct worker *worker)
{
	if (worker->has_routine && worker->flush)
		worker->flush(worker->arg);
	worker->has_routine = false;
}

/* The loop may have stood still just now: time that nobody spent waiting for a place. */
static void note_stall(struct worker *worker, uint64_t now_ms)
{
	uint64_t stalled_ms = lag_read(&worker->lag, clock_boot_ms()).stalled_ms;

	if (stalled_ms == worker->stalled_ms)
		return;
	worker->stalled_ms = stalled_ms;
	worker->resumed_ms = now_ms;
}

/* Say once per wait that an endpoint waits too long for a free place. Its probe still comes. */
static void report_overdue(struct slot *slot, uint64_t now_ms)
{
	uint64_t resumed_ms = slot->worker->resumed_ms;
	uint64_t waited_ms = now_ms - (slot->due_ms > resumed_ms ? slot->due_ms : resumed_ms);
	uint64_t limit_ms = slot->plan.interval_ms;
	struct verdict v = { .code = SL_MSG_PROBER_OVERLOADED, .stage = STAGE_QUEUE };

	if (limit_ms < WAIT_LIMIT_MS)
		limit_ms = WAIT_LIMIT_MS;
	if (slot->overdue || waited_ms <= limit_ms)
		return;

	slot->overdue = true;
	v.elapsed_ms = waited_ms < UINT32_MAX ? (uint32_t)waited_ms : UINT32_MAX;
	snprintf(v.detail, sizeof(v.detail),
		 "waited %" PRIu64 " ms for one of %" PRIu32 " probes in flight", waited_ms,
		 slot->worker->admit.limit);
	report(slot, &v);
}

/* --- scheduling ------------------------------------------------------------------------------- */

/* xorshift: the jitter only has to differ between endpoints. */
static uint32_t next_random(struct worker *worker)
{
	uint32_t x = worker->random;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	worker->random = x;
	return x;
}

void worker_set_due(struct slot *slot, uint64_t at_ms)
{
	slot->due_ms = at_ms;
	schedule_set(slot->worker->schedule, (uint32_t)(slot - slot->worker->slots), at_ms);
}

/*
 * fail_fast shortens the way to the threshold; once that is reached there is nothing more to
 * prove, and the endpoint is asked at its interval again.
 */
static bool wants_fast(struct slot *slot, enum sl_message code)
{
	if (message_passed(code))
		slot->failures = 0;
	else if (!message_ours(code) && slot->failures < UINT32_MAX)
		slot->failures++;
	else
		return false;

	return slot->plan.fail_fast && slot->failures &&
	       slot->failures < slot->plan.unhealthy_threshold;
}

static uint64_t again_ms(struct slot *slot, bool passed)
{
	uint64_t interval_ms = slot->plan.interval_ms;

	if (slot->stretch && passed)
		interval_ms *= slot->stretch;
	return schedule_again_ms(slot->started_ms,
				 interval_ms < UINT32_MAX ? (uint32_t)interval_ms : UINT32_MAX,
				 next_random(slot->worker));
}

void worker_set_stretch(struct slot *slot, uint32_t stretch)
{
	uint64_t now_ms = clock_mono_ms(), at_ms;
	bool sooner = stretch < slot->stretch;

	slot->stretch = stretch;
	/* Later is early enough from the next probe on. */
	if (!sooner || slot->probe || slot->plan.idle || slot->due_ms <= now_ms)
		return;
	schedule_remove(slot->worker->schedule, (uint32_t)(slot - slot->worker->slots));
	at_ms = again_ms(slot, slot->passed);
	worker_set_due(slot, at_ms > now_ms ? at_ms : now_ms);
}

static void set_next(struct slot *slot, enum sl_message code, uint64_t now_ms)
{
	uint64_t at_ms = again_ms(slot, message_passed(code));

	if (wants_fast(slot, code) && at_ms > now_ms + FAIL_FAST_GAP_MS)
		at_ms = now_ms + FAIL_FAST_GAP_MS;
	worker_set_due(slot, at_ms > now_ms ? at_ms : now_ms);
}

static void on_probe_done(void *arg, const struct verdict *verdict)
{
	struct slot *slot = arg;
	struct worker *worker = slot->worker;
	uint64_t now_ms = clock_mono_ms();
	struct verdict v = *verdict;

	slot->probe = NULL;
	worker->in_flight--;
	counter_up(worker->counters.finished);
	doubt_verdict(&v, slot->plan.timeout_ms,
		      lag_between(slot->began, lag_read(&worker->lag, clock_boot_ms())));
	set_next(slot, v.code, now_ms);
	report(slot, &v);
	worker_pump(worker);
}

static bool resumes(const struct plan *plan)
{
	return plan->tls.enabled && plan->tls.full_every > 1;
}

static void start_probe(struct slot *slot, uint64_t now_ms)
{
	struct worker *worker = slot->worker;
	struct verdict no_memory = { .code = SL_MSG_LOCAL_RESOURCE,
				     .stage = STAGE_QUEUE,
				     .os_errno = ENOMEM,
				     .detail = "malloc" };

	report_overdue(slot, now_ms);
	slot->overdue = false;
	slot->started_ms = now_ms;
	slot->began = lag_read(&worker->lag, clock_boot_ms());
	if (!slot->state && resumes(&slot->plan))
		slot->state = probe_state_new();
	slot->probe = probe_start(&worker->loop, &slot->plan, slot->state, on_probe_done, slot);
	if (!slot->probe) {
		set_next(slot, no_memory.code, now_ms);
		report(slot, &no_memory);
		return;
	}
	worker->in_flight++;
	counter_up(worker->counters.started);
}

void worker_on_due(uv_timer_t *timer)
{
	struct worker *worker = timer->data;

	worker->due_ms = 0;
	worker_pump(worker);
}

void worker_pump(struct worker *worker)
{
	uint64_t now_ms = clock_mono_ms(), next_ms;
	uint32_t id;

	note_stall(worker, now_ms);
	schedule_queue_due(worker->schedule, now_ms);
	while (worker->in_flight < worker->admit.limit && schedule_take(worker->schedule, &id))
		start_probe(&worker->slots[id], now_ms);

	counter_set(worker->counters.in_flight, worker->in_flight);
	counter_set(worker->counters.queued, schedule_queued(worker->schedule));
	next_ms = schedule_next_ms(worker->schedule);
	if (next_ms == UINT64_MAX)
		return;
	/* Those that are due at nearly the same time share one awakening. */
	next_ms = (next_ms + SLACK_MS - 1) / SLACK_MS * SLACK_MS;
	if (next_ms == worker->due_ms)
		return;
	worker->due_ms = next_ms;
	uv_timer_start(&worker->due, worker_on_due, next_ms > now_ms ? next_ms - now_ms : 0, 0);
}

static uint32_t n_active(const struct worker *worker)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < worker->n; i++)
		n += !worker->slots[i].plan.idle;
	return n;
}

/* The interval that everybody could have, as fast as probes end now; 0: all have their own. */
static uint64_t holdable_ms(const struct worker *worker)
{
	uint32_t per_s;

	if (!admit_is_overloaded(&worker->admit, LAG_TICK_MS, &per_s))
		return 0;
	return (uint64_t)n_active(worker) * MS_PER_SEC / (per_s ? per_s : 1) + 1;
}

/* Of the time since the last tick. */
static uint32_t busy_percent(struct worker *worker, uint64_t now_ns)
{
	uint64_t idle_ns = uv_metrics_idle_time(&worker->loop);
	uint64_t waited_ns = idle_ns - worker->idle_ns, passed_ns = now_ns - worker->tick_ns;

	worker->idle_ns = idle_ns;
	worker->tick_ns = now_ns;
	return waited_ns < passed_ns ? (uint32_t)(100 - waited_ns * 100 / passed_ns) : 0;
}

static void adjust(struct worker *worker)
{
	const struct admit_load load = {
		.late_ms = lag_last_ms(&worker->lag),
		.busy_percent = busy_percent(worker, clock_mono_ns()),
		.in_flight = worker->in_flight,
		.queued = schedule_queued(worker->schedule),
		.finished = counter_get(worker->counters.finished),
	};

	admit_tick(&worker->admit, &load);
	if (load.queued)
		worker_pump(worker);
}

void worker_on_tick(uv_timer_t *timer)
{
	struct worker *worker = timer->data;
	uint64_t now_ms = clock_mono_ms();

	flush(worker);
	lag_tick(&worker->lag, clock_boot_ms());
	note_stall(worker, now_ms);
	counter_set(worker->counters.loop_lag_ms, lag_worst_ms(&worker->lag));
	adjust(worker);
	if (worker->lag.n_ticks % SWEEP_TICKS)
		return;
	counter_set(worker->counters.holdable_ms, holdable_ms(worker));
	for (uint32_t i = 0; i < schedule_queued(worker->schedule); i++)
		report_overdue(&worker->slots[schedule_peek(worker->schedule, i)], now_ms);
}
