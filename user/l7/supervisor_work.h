/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * supervisor_work - what the supervisor consists of: supervisor.c is its thread and what others see of it,
 * supervisor_run.c the process.
 */
#ifndef SLUICE_L7_SUPERVISOR_WORK_H
#define SLUICE_L7_SUPERVISOR_WORK_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "l7/hold.h"
#include "l7/push.h"
#include "l7/supervisor.h"

/* Servers as others want them, with the plan that they are of. */
struct wanted {
	struct l7_plan *plan; /* NULL: HAProxy is to be stopped */
	struct l7_server *servers; /* parallel to plan->lines */
	char *program;
	bool accepted; /* checked by HAProxy */
};

/* A process that was dismissed, and is not yet gone. More at a time become orphans, for as long as the daemon runs. */
#define LEAVING_MAX 8
struct leaving {
	pid_t pid; /* 0: nobody */
	int fd; /* of the process */
	uint64_t told_ms; /* monotonic: when it was, last */
	uint32_t urged; /* how often it was told again */
};

enum phase {
	PHASE_OFF, /* nothing is to run */
	PHASE_PAUSE, /* a start or reload has failed: once more, later */
	PHASE_LOADING, /* a process is about to serve the plan */
	PHASE_SERVING
};

struct supervisor {
	struct supervisor_options options;
	char dir[PATH_MAX];
	pthread_mutex_t lock;
	/* Under the lock: written by others, */
	struct wanted staged;
	bool has_staged, committed, stops;
	atomic_bool ends; /* also looked at without it */
	/* and of what is in force, written by the thread but for its servers. */
	struct wanted wanted;
	uint64_t changed_ns; /* monotonic: since when something is to be told; 0: nothing */
	struct supervisor_status status;
	struct l7_numbers *numbers; /* parallel to wanted.plan->lines; NULL: none */

	/* The thread's own. */
	uv_thread_t thread;
	uv_loop_t loop;
	uv_async_t wake;
	uv_timer_t step, tick;
	uv_poll_t *watch; /* of the process's end */
	int pidfd; /* -1: no process */
	struct leaving leaving[LEAVING_MAX];
	pid_t pid;
	char program[PATH_MAX]; /* of that process; "": unknown */
	uint64_t worker; /* pid of its worker that was told; 0: not known yet */
	enum phase phase;
	bool looked; /* for a process to adopt */
	uint64_t number; /* of the plan that was written last */
	uint64_t served; /* of the plan that a process served last; 0: none */
	uint64_t since_ms; /* monotonic: when the phase began */
	uint32_t failures; /* in a row */
	bool reloads; /* the process was there before; one that starts could not bear the signal */
	uint32_t urged; /* how often the process was told again to load */
	struct l7_server *servers; /* as they are now: a copy of wanted.servers */
	struct push push;
	struct hold hold; /* of the process that serves, or did */
	bool is_silent; /* it is there, and does not answer */
	uint64_t lost_ms; /* monotonic: since when there is none; 0: there is one */
	uv_poll_t *offer; /* of offer_fd, while a process is expected to ask; NULL: none is */
	int offer_fd;
	uint64_t read_ms; /* monotonic: numbers are not read before */
	struct l7_numbers *before; /* parallel: counted by processes before this one */
};

/* The thread tells of something, in its status, too. */
void supervisor_say(struct supervisor *supervisor, enum supervisor_severity severity,
		    const char *state, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Start, reload or stop, so that what is wanted is served. */
void supervisor_bring(struct supervisor *supervisor);

/* The time of the step timer has come. */
void supervisor_step(struct supervisor *supervisor);

/* Tell what has changed. */
void supervisor_push(struct supervisor *supervisor);

/* See that drained servers are told, and read what HAProxy has counted. */
void supervisor_tick(struct supervisor *supervisor);

/* Read what is counted of each server, and set when to do so next. path: the runtime socket. */
void supervisor_read_numbers(struct supervisor *supervisor, const char *path);

/*
 * Note how clients fare. path: the runtime socket of the process that serves; NULL: there is none. *ret_worker: the
 * worker that answered, 0: none. As talk() returns.
 */
int supervisor_read_clients(struct supervisor *supervisor, const char *path, uint64_t *ret_worker);

/* Its listening sockets are taken anew: it serves. path: its runtime socket. */
void supervisor_hold_renew(struct supervisor *supervisor, const char *path);

/* The process is lost: clients wait, but not for ever. */
void supervisor_hold_begin(struct supervisor *supervisor);
void supervisor_hold_tick(struct supervisor *supervisor);

/* The next one is about to be started: whether it is to ask for sockets. */
bool supervisor_hold_offer(struct supervisor *supervisor);

/* Nobody is to wait. */
void supervisor_hold_end(struct supervisor *supervisor);

/* Have the process finish what is open, and end; it is no longer watched. */
void supervisor_dismiss(struct supervisor *supervisor);

/* No longer watch any process, the dismissed neither; they go on. */
void supervisor_let_go(struct supervisor *supervisor);

#endif
