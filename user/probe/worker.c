// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/worker.h"

#include <errno.h>
#include <signal.h>
#include <sys/random.h>

#include "probe/worker_work.h"
#include "util/clock.h"
#include "util/err.h"

/* --- changes --------------------------------------------------------------------------------- */

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
	slot->stretch = 0;
	probe_state_reset(slot->state);
	slot->overdue = false;
	if (!slot->plan.idle)
		worker_set_due(slot, clock_mono_ms());
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
		if (change->stretch)
			worker_set_stretch(&worker->slots[change->k], change->stretch);
		else
			apply(worker, change);
	}
	worker_pump(worker);
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
			worker_set_due(slot,
				       now_ms + schedule_first_ms(i, n, slot->plan.interval_ms,
								  slot->plan.settled));
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
	uv_timer_start(&worker->tick, worker_on_tick, LAG_TICK_MS, LAG_TICK_MS);
	uv_timer_start(&worker->due, worker_on_due, 0, 0);
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

static int change_slot(struct worker *worker, const struct change *wanted)
{
	struct change *change = malloc(sizeof(*change));

	if (!change)
		return -ENOMEM;
	*change = *wanted;
	pthread_mutex_lock(&worker->lock);
	*worker->last_change = change;
	worker->last_change = &change->next;
	pthread_mutex_unlock(&worker->lock);
	uv_async_send(&worker->wake);
	return 0;
}

int worker_set(struct worker *worker, uint32_t k, const struct plan *plan)
{
	struct change change = { .k = k };

	if (plan)
		change.plan = *plan;
	else
		change.plan.idle = true;
	return change_slot(worker, &change);
}

int worker_stretch(struct worker *worker, uint32_t k, uint32_t times)
{
	return change_slot(worker, &(struct change){ .k = k, .stretch = times });
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
