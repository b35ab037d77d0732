// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/jobs.h"

#include <pthread.h>
#include <stdlib.h>

#include "diagnose/json.h"
#include "util/clock.h"

enum job_state { JOB_NONE, JOB_WAITING, JOB_RUNNING, JOB_DONE, JOB_REFUSED };

static const char *const state_names[] = {
	[JOB_WAITING] = "waiting",
	[JOB_RUNNING] = "running",
	[JOB_DONE] = "done",
	[JOB_REFUSED] = "refused",
};

struct job {
	uint64_t number;
	enum job_state state;
	struct change change;
	uint64_t at_ms; /* wall clock: when it ended */
	uint64_t began_ns, read_ns, ended_ns; /* monotonic; read_ns 0: no file was read */
	uint64_t version;
	json_t *messages; /* array */
};

/* Those that wait follow those that are over: number n is at n % JOBS_KEPT until it is overwritten. */
struct jobs {
	pthread_mutex_t lock;
	jobs_wake_fn *wake;
	void *arg;
	struct job job[JOBS_KEPT];
	uint64_t n_queued, n_begun;
	struct job reload; /* the last one that has ended; it has messages of its own */
};

_Static_assert(JOBS_WAITING_MAX <= JOBS_KEPT, "jobs: who waits has a place");

struct jobs *jobs_new(void)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));

	if (jobs)
		pthread_mutex_init(&jobs->lock, NULL);
	return jobs;
}

void jobs_free(struct jobs *jobs)
{
	if (!jobs)
		return;
	for (size_t i = 0; i < JOBS_KEPT; i++)
		json_decref(jobs->job[i].messages);
	json_decref(jobs->reload.messages);
	pthread_mutex_destroy(&jobs->lock);
	free(jobs);
}

void jobs_on_queued(struct jobs *jobs, jobs_wake_fn *wake, void *arg)
{
	jobs->wake = wake;
	jobs->arg = arg;
}

static struct job *job_at(struct jobs *jobs, uint64_t number)
{
	return &jobs->job[number % JOBS_KEPT];
}

/* Under the lock, as those that follow. */
static uint64_t put(struct jobs *jobs, const struct change *change)
{
	uint64_t number = jobs->n_queued + 1;
	struct job *job = job_at(jobs, number);

	if (jobs->n_queued - jobs->n_begun >= JOBS_WAITING_MAX || job->state == JOB_RUNNING)
		return 0;
	json_decref(job->messages);
	*job = (struct job){
		.number = number,
		.state = JOB_WAITING,
		.change = *change,
		.messages = json_array(),
	};
	jobs->n_queued = number;
	return number;
}

uint64_t jobs_queue(struct jobs *jobs, const struct change *change)
{
	uint64_t number;

	pthread_mutex_lock(&jobs->lock);
	number = put(jobs, change);
	pthread_mutex_unlock(&jobs->lock);
	if (number && jobs->wake)
		jobs->wake(jobs->arg);
	return number;
}

bool jobs_begin(struct jobs *jobs, struct change *ret_change)
{
	bool any;

	pthread_mutex_lock(&jobs->lock);
	any = jobs->n_begun < jobs->n_queued;
	if (any) {
		struct job *job = job_at(jobs, ++jobs->n_begun);

		job->state = JOB_RUNNING;
		job->began_ns = clock_mono_ns();
		*ret_change = job->change;
	}
	pthread_mutex_unlock(&jobs->lock);
	return any;
}

void jobs_say(struct jobs *jobs, const char *line)
{
	pthread_mutex_lock(&jobs->lock);
	json_array_append_new(job_at(jobs, jobs->n_begun)->messages, json_text(line));
	pthread_mutex_unlock(&jobs->lock);
}

void jobs_have_read(struct jobs *jobs)
{
	pthread_mutex_lock(&jobs->lock);
	job_at(jobs, jobs->n_begun)->read_ns = clock_mono_ns();
	pthread_mutex_unlock(&jobs->lock);
}

void jobs_end(struct jobs *jobs, bool refused, uint64_t version)
{
	struct job *job;

	pthread_mutex_lock(&jobs->lock);
	job = job_at(jobs, jobs->n_begun);
	job->state = refused ? JOB_REFUSED : JOB_DONE;
	job->at_ms = clock_wall_ms();
	job->ended_ns = clock_mono_ns();
	job->version = version;
	if (job->change.action == CHANGE_RELOAD) {
		json_decref(jobs->reload.messages);
		jobs->reload = *job;
		json_incref(jobs->reload.messages);
	}
	pthread_mutex_unlock(&jobs->lock);
}

struct jobs_last jobs_last_reload(struct jobs *jobs)
{
	struct jobs_last last;

	pthread_mutex_lock(&jobs->lock);
	last = (struct jobs_last){ jobs->reload.number, jobs->reload.at_ms,
				   jobs->reload.state == JOB_REFUSED };
	pthread_mutex_unlock(&jobs->lock);
	return last;
}

static json_t *render(const struct job *job)
{
	json_t *json = json_object();

	json_put_uint(&json, "number", job->number);
	json_put_text(&json, "action", change_name(job->change.action));
	json_put_text(&json, "state", state_names[job->state]);
	if (job->state != JOB_DONE && job->state != JOB_REFUSED)
		return json;
	json_put_time(&json, "at", job->at_ms);
	json_put_bool(&json, "refused", job->state == JOB_REFUSED);
	json_put_uint(&json, "version", job->version);
	json_put_uint(&json, "took_us", (job->ended_ns - job->began_ns) / NS_PER_US);
	if (job->read_ns)
		json_put_uint(&json, "read_us", (job->read_ns - job->began_ns) / NS_PER_US);
	json_put(&json, "errors",
		 job->state == JOB_REFUSED ? json_deep_copy(job->messages) : json_array());
	json_put(&json, "notes",
		 job->state == JOB_REFUSED ? json_array() : json_deep_copy(job->messages));
	return json;
}

json_t *jobs_render(struct jobs *jobs, uint64_t number)
{
	const struct job *job;
	json_t *json = NULL;

	pthread_mutex_lock(&jobs->lock);
	job = number ? job_at(jobs, number) : &jobs->reload;
	if (job->state != JOB_NONE && (!number || job->number == number))
		json = render(job);
	pthread_mutex_unlock(&jobs->lock);
	return json;
}

void jobs_withhold(json_t *json)
{
	json_t *errors = json_object_get(json, "errors"), *notes = json_object_get(json, "notes");
	size_t n = json_array_size(errors) + json_array_size(notes);

	if (!n)
		return;
	json_array_clear(errors);
	json_array_clear(notes);
	json_put_uint(&json, "withheld", n);
}
