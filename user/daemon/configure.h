/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * configure - what is configured, changed while the daemon runs: by a new file, or over it.
 *
 * All of a change is in force, or nothing of it. On the loop's thread.
 */
#ifndef SLUICE_DAEMON_CONFIGURE_H
#define SLUICE_DAEMON_CONFIGURE_H

#include "control/change.h"

struct daemon;

/* Carry out the jobs that wait (control/jobs.h). If one gets stuck half way, the loop ends. */
void configure_run_jobs(struct daemon *daemon);

/* One that waits for HAProxy's word does so no more. NULL is fine. */
struct rehearsal;
struct waiting_job;
void configure_forget_job(struct waiting_job *job);

/* An order_fn; arg is the daemon. */
int configure_order(void *arg, const struct change *change, struct difference **ret,
		    struct rehearsal **ret_rest, struct err *err);

/* Give the generation's backends the orders that are kept, and take away others. */
void configure_impose_orders(struct daemon *daemon);

#endif
