/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * supervisor - keeps HAProxy running with the plan that is in force, and tells it of every change.
 *
 * A thread of its own writes files, starts and reloads the process, and talks to its sockets: who calls is
 * never made to wait. A process that serves already is adopted. One that ends is started again, after a
 * pause that doubles with every failure.
 */
#ifndef SLUICE_L7_SUPERVISOR_H
#define SLUICE_L7_SUPERVISOR_H

#include "l7/plan.h"
#include "l7/stats.h"

struct err;
struct supervisor;

enum supervisor_severity { SUPERVISOR_ERROR, SUPERVISOR_WARNING, SUPERVISOR_INFO };

/* Something happened; on the supervisor's thread. state: one word. */
typedef void supervisor_tell_fn(void *arg, enum supervisor_severity severity, const char *state,
				const char *line);

struct supervisor_options {
	const char *dir; /* of HAProxy's files; copied */
	supervisor_tell_fn *tell;
	void *arg;
};

/* Nothing runs yet but the thread. -errno, err set. */
int supervisor_new(struct supervisor **ret, const struct supervisor_options *options,
		   struct err *err);

/* Whether a process of that program serves a plan with that digest. */
bool supervisor_serves(struct supervisor *supervisor, const char *digest, const char *program);

/*
 * The plan that is to be in force after supervisor_commit(), which servers set from now on belong to. Takes it
 * over. NULL: HAProxy is to be stopped. program: copied. accepted: HAProxy has checked it; else it is checked before it
 * is used, again and again until it passes. -ENOMEM: nothing has changed.
 */
int supervisor_stage(struct supervisor *supervisor, struct l7_plan *plan, const char *program,
		     bool accepted);
void supervisor_commit(struct supervisor *supervisor);

/*
 * What the n servers of a service are to be. Told at once, if it is not so already; ignored where the plan has another
 * number of lines for the service: it is one of another model, which could not be staged.
 */
void supervisor_set(struct supervisor *supervisor, uint32_t service,
		    const struct l7_server *servers, uint32_t n);

/* For status. */
struct supervisor_status {
	bool wanted, running,
		current; /* a plan is in force; a process serves; it serves that plan */
	int pid;
	uint64_t started_ms; /* wall clock: when it was started or adopted */
	uint64_t plan; /* the number of the one that it serves */
	uint32_t starts, reloads, failures;
	uint64_t pushes; /* servers whose changes were told */
	uint64_t told_us,
		slowest_us; /* from a change until HAProxy had confirmed it: the last, the longest */
	struct l7_clients clients; /* a second ago at most */
	char error[256]; /* of the last failure, while it matters; "" */
};
void supervisor_status(struct supervisor *supervisor, struct supervisor_status *ret);

/* What HAProxy counted of an endpoint, in all services that it carries. Any thread. false: it carries none of them. */
bool supervisor_numbers(struct supervisor *supervisor, uint32_t endpoint, struct l7_numbers *ret);

/* stops: HAProxy, too, which lets open connections end; otherwise it goes on. NULL is fine. */
void supervisor_free(struct supervisor *supervisor, bool stops);

#endif
