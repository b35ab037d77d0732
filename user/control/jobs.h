/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jobs - what the daemon's main thread was asked to do while nobody reads: numbered, one after the other, with
 * what came of each of the last ones.
 *
 * A job replaces all that the API shows, so that nobody can wait for its end within a request: who asks gets the
 * number, and asks again. Queued by the API's thread, carried out on the daemon's.
 */
#ifndef SLUICE_CONTROL_JOBS_H
#define SLUICE_CONTROL_JOBS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/change.h"
#include "util/cleanup.h"

struct jobs;

/* Outcomes that are kept, and jobs that may wait. */
#define JOBS_KEPT 64
#define JOBS_WAITING_MAX 64

/* Called on any thread when a job is queued. */
typedef void jobs_wake_fn(void *arg);

/* NULL: out of memory. */
struct jobs *jobs_new(void);
void jobs_free(struct jobs *jobs);
DEFINE_CLEANUP(struct jobs, jobs_free)

/* Whom to wake; before anybody queues. */
void jobs_on_queued(struct jobs *jobs, jobs_wake_fn *wake, void *arg);

/* Queue a copy. Returns its number, from 1; 0: too many wait, or out of memory. */
uint64_t jobs_queue(struct jobs *jobs, const struct change *change);

/* The next one, which begins now. False: none waits. */
bool jobs_begin(struct jobs *jobs, struct change *ret_change);

/* Of the one that has begun: something to be told of it, a line. Without memory it is left out. */
void jobs_say(struct jobs *jobs, const char *line);

/* Of the one that has begun: the file has been read, as far as that went. */
void jobs_have_read(struct jobs *jobs);

/* It ends. refused: nothing has changed. version: of what is configured now. */
void jobs_end(struct jobs *jobs, bool refused, uint64_t version);

struct jobs_last {
	uint64_t number; /* 0: there was none */
	uint64_t at_ms; /* wall clock */
	bool refused;
};

/* The last reload that has ended. */
struct jobs_last jobs_last_reload(struct jobs *jobs);

/*
 * "number", "action", "state" ("waiting", "running", "done", "refused"), and of one that has ended "at",
 * "refused", "version", "took_us", "read_us" (that part of it in which the file was read, if one was), "errors" and
 * "notes"; of the last reload for number 0. NULL: not known (any more), or out of memory.
 */
json_t *jobs_render(struct jobs *jobs, uint64_t number);

/*
 * Of what jobs_render() made (or NULL), for those who may not change anything: lines that quote the configuration
 * give way to "withheld", how many they were.
 */
void jobs_withhold(json_t *json);

#endif
