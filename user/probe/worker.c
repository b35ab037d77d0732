// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/random.h>

#include "probe/admit.h"
#include "probe/doubt.h"
#include "probe/lag.h"
#include "probe/poller.h"
#include "probe/probe.h"
#include "probe/schedule.h"
#include "util/clock.h"
#include "util/err.h"

/* An endpoint that waited this long, or its interval if that is longer, says we are overloaded. */
#define WAIT_LIMIT_MS 5000

/* fail_fast probes again after this, so that a refusing backend is not asked in a tight loop. */
#define FAIL_FAST_GAP_MS 100

/* By so much a probe may be late: an awakening costs a good part of what a probe does. */
#define SLACK_MS 10

/* The queue is looked through for waiting endpoints every so many ticks: about once a second. */
#define SWEEP_TICKS 10

struct slot {
	struct worker *worker;
	struct plan plan;
	struct probe *probe; /* in flight; else NULL */
	struct probe_state *state; /* NULL: the plan resumes no sessions, or memory was short */
	uint64_t due_ms, started_ms;
	struct lag_reading began; /* how late the loop had been when the probe started */
	uint32_t index; /* the plan's */
	uint32_t failures; /* in a row, for fail_fast */
	bool overdue; /* was reported as waiting too long */
	bool passed; /* the last verdict that was reported */
};

/* A change that another thread asked for. */
struct change {
	struct change *next;
	uint32_t k; /* slot */
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

static void set_due(struct slot *slot, uint64_t at_ms)
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

static void set_next(struct slot *slot, enum sl_message code, uint64_t now_ms)
{
	uint64_t at_ms = schedule_again_ms(slot->started_ms, slot->plan.interval_ms,
					   next_random(slot->worker));

	if (wants_fast(slot, code) && at_ms > now_ms + FAIL_FAST_GAP_MS)
		at_ms = now_ms + FAIL_FAST_GAP_MS;
	set_due(slot, at_ms > now_ms ? at_ms : now_ms);
}

static void pump(struct worker *worker);

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
	pump(worker);
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

static void on_due(uv_timer_t *timer)
{
	struct worker *worker = timer->data;

	worker->due_ms = 0;
	pump(worker);
}

/* Queue what is due, start what fits, and wake up when the next is due. */
static void pump(struct worker *worker)
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
	uv_timer_start(&worker->due, on_due, next_ms > now_ms ? next_ms - now_ms : 0, 0);
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
		pump(worker);
}

static void on_tick(uv_timer_t *timer)
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

static void apply(struct worker *worker, const struct change *change)
{
	struct slot *slot = &worker->slots[change->k];

	if (slot->probe) {
		probe_cancel(take_ptr(slot->probe));
		worker->in_flight--;
		counter_up(worker->counters.finished);
	} else {
		schedule_remove(worker->schedule, change->k);
	}
	slot->plan = change->plan;
	slot->passed = false;
	slot->failures = 0;
	probe_state_reset(slot->state);
	slot->overdue = false;
	if (!slot->plan.idle)
		set_due(slot, clock_mono_ms());
}

static struct change *take_changes(struct worker *worker)
{
	struct change *changes;

	pthread_mutex_lock(&worker->lock);
	changes = worker->changes;
	worker->changes = NULL;
	worker->last_change = &worker->changes;
	pthread_mutex_unlock(&worker->lock);
	return changes;
}

static void apply_changes(struct worker *worker)
{
	struct change *changes = take_changes(worker);

	if (!changes)
		return;
	while (changes) {
		CLEANUP(free_p) struct change *change = changes;

		changes = change->next;
		apply(worker, change);
	}
	pump(worker);
}

/* Another thread wants something: a change, or the end. */
static void on_wake(uv_async_t *wake)
{
	struct worker *worker = wake->data;

	if (!atomic_load(&worker->stop)) {
		apply_changes(worker);
		return;
	}
	for (uint32_t i = 0; i < worker->n; i++)
		if (worker->slots[i].probe)
			probe_cancel(take_ptr(worker->slots[i].probe));
	poller_put(take_ptr(worker->poller));
	uv_close((uv_handle_t *)&worker->due, NULL);
	uv_close((uv_handle_t *)&worker->tick, NULL);
	uv_close((uv_handle_t *)&worker->wake, NULL);
}

static void run(void *arg)
{
	struct worker *worker = arg;

	/* Without one now, each probe asks for it, and says so if it cannot be had. */
	(void)poller_get(&worker->poller, &worker->loop);
	uv_run(&worker->loop, UV_RUN_DEFAULT);
}

/* --- start and stop --------------------------------------------------------------------------- */

static void worker_free(struct worker *worker)
{
	struct change *changes = take_changes(worker);

	while (changes) {
		CLEANUP(free_p) struct change *change = changes;

		changes = change->next;
	}
	pthread_mutex_destroy(&worker->lock);
	if (worker->has_loop)
		uv_loop_close(&worker->loop);
	schedule_free(worker->schedule);
	for (uint32_t i = 0; worker->slots && i < worker->n; i++)
		probe_state_free(worker->slots[i].state);
	free(worker->slots);
	free(worker);
}
DEFINE_CLEANUP(struct worker, worker_free)

static int fill_slots(struct worker *worker, const struct worker_share *share)
{
	uint64_t now_ms = clock_mono_ms();
	uint32_t n = 0;

	for (uint32_t i = share->first; i < share->n; i += share->step)
		n++;
	worker->n = n;
	worker->slots = calloc(n ? n : 1, sizeof(*worker->slots));
	worker->schedule = schedule_new(n);
	if (!worker->slots || !worker->schedule)
		return -ENOMEM;

	for (uint32_t i = 0; i < n; i++) {
		struct slot *slot = &worker->slots[i];

		slot->worker = worker;
		slot->index = share->first + i * share->step;
		slot->plan = share->plans[slot->index];
		if (!slot->plan.idle)
			set_due(slot, now_ms + schedule_first_ms(i, n, slot->plan.interval_ms));
	}
	lag_init(&worker->lag, LAG_TICK_MS, clock_boot_ms());
	return 0;
}

static void seed_random(struct worker *worker)
{
	if (getrandom(&worker->random, sizeof(worker->random), GRND_NONBLOCK) < 0)
		worker->random = (uint32_t)clock_mono_ns();
	worker->random |= 1; /* xorshift never leaves zero */
}

/* Signals are the main thread's: a worker that took one would run its handler here. */
static int start_thread(struct worker *worker)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = uv_thread_create(&worker->thread, run, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

static int open_loop(struct worker *worker)
{
	int r;

	r = uv_loop_init(&worker->loop);
	if (r < 0)
		return r;
	worker->has_loop = true;
	r = uv_loop_configure(&worker->loop, UV_METRICS_IDLE_TIME);
	if (r < 0)
		return r;

	/* Closed by on_wake(), or by abandon_loop(). */
	r = uv_async_init(&worker->loop, &worker->wake, on_wake);
	if (r < 0)
		return r;
	uv_timer_init(&worker->loop, &worker->due);
	uv_timer_init(&worker->loop, &worker->tick);
	worker->wake.data = worker;
	worker->due.data = worker;
	worker->tick.data = worker;
	uv_timer_start(&worker->tick, on_tick, LAG_TICK_MS, LAG_TICK_MS);
	uv_timer_start(&worker->due, on_due, 0, 0);
	return 0;
}

/* The thread that should have run the loop does not exist: run it here until all is closed. */
static void abandon_loop(struct worker *worker)
{
	atomic_store(&worker->stop, true);
	on_wake(&worker->wake);
	uv_run(&worker->loop, UV_RUN_DEFAULT);
}

int worker_start(struct worker **ret, const struct worker_share *share,
		 const struct engine_options *options, struct err *err)
{
	CLEANUP(worker_free_p) struct worker *worker = calloc(1, sizeof(*worker));
	int r;

	if (!worker)
		return err_set(err, -ENOMEM, "probe worker: out of memory");
	pthread_mutex_init(&worker->lock, NULL);
	worker->last_change = &worker->changes;
	worker->report = options->report;
	worker->flush = options->flush;
	worker->arg = options->arg;
	admit_init(&worker->admit, share->in_flight_max);
	seed_random(worker);

	r = fill_slots(worker, share);
	if (r < 0)
		return err_set(err, r, "probe worker: out of memory");
	r = open_loop(worker);
	if (r < 0)
		return err_set(err, r, "probe worker's event loop: %s", uv_strerror(r));
	r = start_thread(worker);
	if (r < 0) {
		abandon_loop(worker);
		return err_set(err, r, "probe worker's thread: %s", uv_strerror(r));
	}

	*ret = take_ptr(worker);
	return 0;
}

int worker_set(struct worker *worker, uint32_t k, const struct plan *plan)
{
	struct change *change = calloc(1, sizeof(*change));

	if (!change)
		return -ENOMEM;
	change->k = k;
	if (plan)
		change->plan = *plan;
	else
		change->plan.idle = true;
	pthread_mutex_lock(&worker->lock);
	*worker->last_change = change;
	worker->last_change = &change->next;
	pthread_mutex_unlock(&worker->lock);
	uv_async_send(&worker->wake);
	return 0;
}

void worker_stop(struct worker *worker)
{
	atomic_store(&worker->stop, true);
	uv_async_send(&worker->wake);
}

void worker_join(struct worker *worker)
{
	uv_thread_join(&worker->thread);
	worker_free(worker);
}

void worker_add_stats(const struct worker *worker, struct engine_stats *stats)
{
	const struct counters *counters = &worker->counters;
	uint32_t lag_ms = counter_get(counters->loop_lag_ms);
	uint64_t interval_ms = counter_get(counters->holdable_ms);

	stats->workers++;
	stats->in_flight_max += worker->admit.max;
	stats->in_flight += counter_get(counters->in_flight);
	stats->queued += counter_get(counters->queued);
	stats->started += counter_get(counters->started);
	stats->finished += counter_get(counters->finished);
	stats->overloaded += counter_get(counters->overloaded);
	if (lag_ms > stats->loop_lag_ms)
		stats->loop_lag_ms = lag_ms;
	if (interval_ms > stats->holdable_interval_ms)
		stats->holdable_interval_ms = interval_ms;
}
