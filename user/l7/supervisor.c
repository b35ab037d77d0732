// SPDX-License-Identifier: GPL-2.0-or-later
#include "l7/supervisor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "l7/supervisor_work.h"
#include "util/clock.h"
#include "util/err.h"

#define TICK_MS 1000

static void wanted_done(struct wanted *wanted)
{
	l7_plan_free(wanted->plan);
	free(wanted->servers);
	free(wanted->program);
	*wanted = (struct wanted){ .plan = NULL };
}

void supervisor_say(struct supervisor *supervisor, enum supervisor_severity severity,
		    const char *state, const char *fmt, ...)
{
	char line[sizeof(((struct err *)0)->text) + 128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	pthread_mutex_lock(&supervisor->lock);
	if (severity == SUPERVISOR_ERROR)
		snprintf(supervisor->status.error, sizeof(supervisor->status.error), "%.*s",
			 (int)sizeof(supervisor->status.error) - 1, line);
	pthread_mutex_unlock(&supervisor->lock);
	supervisor->options.tell(supervisor->options.arg, severity, state, line);
}

/* --- the thread ------------------------------------------------------------------------------- */

/* What is staged comes in force; the thread's own copies follow it. -ENOMEM: it does not. */
static int enter(struct supervisor *supervisor, struct wanted *staged)
{
	uint32_t n = staged->plan ? staged->plan->n_lines : 0;
	struct l7_server *servers = calloc(n + 1, sizeof(*servers));
	struct l7_numbers *before = calloc(n + 1, sizeof(*before));
	struct l7_numbers *numbers = calloc(n + 1, sizeof(*numbers));
	struct push push = { .told = NULL };

	if (!servers || !before || !numbers || push_init(&push, n) < 0 ||
	    stats_carry(numbers, staged->plan, supervisor->numbers, supervisor->wanted.plan) < 0) {
		free(servers);
		free(before);
		free(numbers);
		push_done(&push);
		return -ENOMEM;
	}
	free(supervisor->servers);
	free(supervisor->before);
	free(supervisor->numbers);
	push_done(&supervisor->push);
	wanted_done(&supervisor->wanted);
	supervisor->servers = servers;
	supervisor->before = before;
	supervisor->numbers = numbers;
	supervisor->push = push;
	supervisor->wanted = *staged;
	*staged = (struct wanted){ .plan = NULL };
	supervisor->status.wanted = n;
	return 0;
}

static bool is_same(const struct wanted *a, const struct wanted *b)
{
	return a->plan && b->plan && !strcmp(a->plan->digest, b->plan->digest) &&
	       !strcmp(a->program, b->program);
}

/* The same configuration, whose services may have other indexes: nothing is to be told to the process. */
static void exchange(struct wanted *wanted, struct wanted *staged)
{
	struct wanted old = *wanted;

	*wanted = *staged;
	wanted->plan->number = old.plan->number;
	*staged = old;
	wanted_done(staged);
}

static void on_wake(uv_async_t *wake)
{
	struct supervisor *supervisor = wake->data;
	bool fresh = false, ends, failed = false;

	pthread_mutex_lock(&supervisor->lock);
	if (supervisor->committed) {
		supervisor->committed = supervisor->has_staged = false;
		fresh = !is_same(&supervisor->wanted, &supervisor->staged);
		if (fresh)
			failed = enter(supervisor, &supervisor->staged) < 0;
		else
			exchange(&supervisor->wanted, &supervisor->staged);
		/* What was committed and is no more what is wanted has never begun. */
		if (!fresh)
			supervisor->status.current = supervisor->phase == PHASE_SERVING;
	}
	ends = supervisor->ends;
	pthread_mutex_unlock(&supervisor->lock);
	if (ends) {
		uv_stop(&supervisor->loop);
		return;
	}
	if (failed)
		supervisor_say(supervisor, SUPERVISOR_ERROR, "refused", "HAProxy: out of memory");
	else if (fresh)
		supervisor_bring(supervisor);
	else
		supervisor_push(supervisor);
}

static void on_tick(uv_timer_t *timer)
{
	supervisor_tick(timer->data);
}

static void close_all(struct supervisor *supervisor)
{
	supervisor_let_go(supervisor);
	supervisor_hold_end(supervisor);
	uv_close((uv_handle_t *)&supervisor->wake, NULL);
	uv_close((uv_handle_t *)&supervisor->step, NULL);
	uv_close((uv_handle_t *)&supervisor->tick, NULL);
	uv_run(&supervisor->loop, UV_RUN_DEFAULT);
	uv_loop_close(&supervisor->loop);
}

static void run(void *arg)
{
	struct supervisor *supervisor = arg;

	uv_run(&supervisor->loop, UV_RUN_DEFAULT);
	if (supervisor->stops)
		supervisor_dismiss(supervisor);
}

/* --- from outside ----------------------------------------------------------------------------- */

static void free_supervisor(struct supervisor *supervisor)
{
	wanted_done(&supervisor->staged);
	wanted_done(&supervisor->wanted);
	push_done(&supervisor->push);
	free(supervisor->servers);
	free(supervisor->before);
	free(supervisor->numbers);
	pthread_mutex_destroy(&supervisor->lock);
	free(supervisor);
}

int supervisor_new(struct supervisor **ret, const struct supervisor_options *options,
		   struct err *err)
{
	struct supervisor *supervisor = calloc(1, sizeof(*supervisor));
	int r;

	if (!supervisor)
		return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	supervisor->options = *options;
	supervisor->pidfd = supervisor->offer_fd = -1;
	snprintf(supervisor->dir, sizeof(supervisor->dir), "%s", options->dir);
	pthread_mutex_init(&supervisor->lock, NULL);
	r = uv_loop_init(&supervisor->loop);
	if (r < 0) {
		free_supervisor(supervisor);
		return err_set(err, r, "event loop: %s", uv_strerror(r));
	}
	supervisor->wake.data = supervisor->step.data = supervisor->tick.data = supervisor;
	uv_timer_init(&supervisor->loop, &supervisor->step);
	uv_timer_init(&supervisor->loop, &supervisor->tick);
	uv_timer_start(&supervisor->tick, on_tick, TICK_MS, TICK_MS);
	r = uv_async_init(&supervisor->loop, &supervisor->wake, on_wake);
	if (r == 0)
		r = uv_thread_create(&supervisor->thread, run, supervisor);
	if (r < 0) {
		close_all(supervisor);
		free_supervisor(supervisor);
		return err_set(err, r, "the thread that keeps HAProxy did not start: %s",
			       uv_strerror(r));
	}
	*ret = supervisor;
	return 0;
}

void supervisor_free(struct supervisor *supervisor, bool stops)
{
	if (!supervisor)
		return;
	pthread_mutex_lock(&supervisor->lock);
	supervisor->ends = true;
	supervisor->stops = stops;
	pthread_mutex_unlock(&supervisor->lock);
	uv_async_send(&supervisor->wake);
	uv_thread_join(&supervisor->thread);
	close_all(supervisor);
	free_supervisor(supervisor);
}

bool supervisor_serves(struct supervisor *supervisor, const char *digest, const char *program)
{
	bool serves;

	pthread_mutex_lock(&supervisor->lock);
	serves = supervisor->status.current && supervisor->wanted.plan &&
		 !strcmp(supervisor->wanted.plan->digest, digest) &&
		 !strcmp(supervisor->wanted.program, program);
	pthread_mutex_unlock(&supervisor->lock);
	return serves;
}

int supervisor_stage(struct supervisor *supervisor, struct l7_plan *plan, const char *program,
		     bool accepted)
{
	struct wanted staged = {
		.plan = plan,
		.program = strdup(program),
		.accepted = accepted,
	};

	if (plan)
		staged.servers = calloc(plan->n_lines + 1, sizeof(*staged.servers));
	if (!staged.program || (plan && !staged.servers)) {
		wanted_done(&staged);
		return -ENOMEM;
	}
	pthread_mutex_lock(&supervisor->lock);
	/* One that was committed a moment ago, and that the thread has not seen. */
	wanted_done(&supervisor->staged);
	supervisor->staged = staged;
	supervisor->has_staged = true;
	supervisor->committed = false;
	pthread_mutex_unlock(&supervisor->lock);
	return 0;
}

void supervisor_commit(struct supervisor *supervisor)
{
	pthread_mutex_lock(&supervisor->lock);
	supervisor->committed = supervisor->has_staged;
	/* The thread may be busy: who asks once a reload is through must not hear of the plan before. */
	if (supervisor->committed && !is_same(&supervisor->wanted, &supervisor->staged))
		supervisor->status.current = false;
	pthread_mutex_unlock(&supervisor->lock);
	uv_async_send(&supervisor->wake);
}

static bool has_lines(const struct l7_plan *plan, uint32_t service, uint32_t n)
{
	return plan && service < plan->n_services &&
	       plan->first[service + 1] - plan->first[service] == n;
}

void supervisor_set(struct supervisor *supervisor, uint32_t service,
		    const struct l7_server *servers, uint32_t n)
{
	struct wanted *wanted;
	bool wakes;

	pthread_mutex_lock(&supervisor->lock);
	wanted = supervisor->has_staged ? &supervisor->staged : &supervisor->wanted;
	wakes = !supervisor->has_staged;
	if (has_lines(wanted->plan, service, n)) {
		memcpy(&wanted->servers[wanted->plan->first[service]], servers,
		       n * sizeof(*servers));
		if (wakes && !supervisor->changed_ns)
			supervisor->changed_ns = clock_mono_ns();
	}
	pthread_mutex_unlock(&supervisor->lock);
	if (wakes)
		uv_async_send(&supervisor->wake);
}

void supervisor_status(struct supervisor *supervisor, struct supervisor_status *ret)
{
	pthread_mutex_lock(&supervisor->lock);
	*ret = supervisor->status;
	pthread_mutex_unlock(&supervisor->lock);
}

bool supervisor_numbers(struct supervisor *supervisor, uint32_t endpoint, struct l7_numbers *ret)
{
	const struct l7_plan *plan;
	bool found = false;

	*ret = (struct l7_numbers){ 0 };
	pthread_mutex_lock(&supervisor->lock);
	plan = supervisor->wanted.plan;
	if (plan && supervisor->numbers && endpoint < plan->n_endpoints)
		for (uint32_t i = plan->of_endpoint[endpoint]; i != INDEX_NONE;
		     i = plan->lines[i].next) {
			*ret = stats_sum(ret, &supervisor->numbers[i]);
			found = true;
		}
	pthread_mutex_unlock(&supervisor->lock);
	return found;
}
