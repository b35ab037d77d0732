/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trial - what HAProxy says of a plan, found out while the loop goes on.
 *
 * HAProxy takes its time: it reads certificates, looks up users, and may hang.
 */
#ifndef SLUICE_DAEMON_TRIAL_H
#define SLUICE_DAEMON_TRIAL_H

#include <uv.h>

#include "l7/plan.h"

struct err;
struct trial;

/* On the loop's thread. plan: handed back. r, why: as l7_program_check(). */
typedef void trial_done_fn(void *arg, struct l7_plan *plan, int r, const struct err *why);

/* Takes the plan over, and copies program. -ENOMEM: neither. */
int trial_start(struct trial **ret, uv_loop_t *loop, struct l7_plan *plan, const char *program,
		trial_done_fn *done, void *arg);

/* Nobody wants to know any more: HAProxy is ended, and done not called. The loop must run on. NULL is fine. */
void trial_abandon(struct trial *trial);

#endif
