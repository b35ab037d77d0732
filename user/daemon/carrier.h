/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carrier - brings services with forward: l7 to HAProxy: its configuration with each model, what its servers are
 * with each change.
 *
 * All on the loop's thread, which never waits for the process: that is the supervisor's (l7/supervisor.h).
 */
#ifndef SLUICE_DAEMON_CARRIER_H
#define SLUICE_DAEMON_CARRIER_H

#include <uv.h>

#include "model/model.h"

struct carrier;
struct err;
struct l7_plan;
struct events;
struct supervisor;
struct pipeline;

/* Both borrowed until carrier_free(). NULL: out of memory. */
struct carrier *carrier_new(uv_loop_t *loop, struct events *events);

/* stops: HAProxy as well. NULL is fine. */
void carrier_free(struct carrier *carrier, bool stops);

/* What HAProxy says. r: 0, it is prepared; else -errno, it is not, and why says so. */
typedef void carrier_answer_fn(void *arg, int r, const struct err *why);

/*
 * Have HAProxy check what the model asks for; nothing is in force yet. Without services of layer 7 there is nothing
 * that could fail, and what was checked before is not checked again. err is set: as l7_plan_new() and
 * l7_program_check().
 *   -EINPROGRESS  HAProxy is asked: answer is called on the loop's thread, unless carrier_drop() comes before
 */
int carrier_prepare(struct carrier *carrier, const struct model *model, carrier_answer_fn *answer,
		    void *arg, struct err *err);

/*
 * As carrier_prepare(), at once: its supervisor asks HAProxy, tells what it refuses, and tries it again and again. For
 * a start, when the gate does not wait for it, and for what was in force before.
 */
void carrier_prepare_anyway(struct carrier *carrier, const struct model *model);

/*
 * The plan of a model with services of layer 7, which HAProxy would have to be asked of; NULL: it has accepted it already.
 * Nothing is prepared, and nothing made but the directory. Where the key of cookies would be made at the first start, the
 * plan has one of nothing. err as carrier_prepare().
 */
int carrier_rehearse(struct l7_plan **ret, const struct carrier *carrier, const struct model *model,
		     struct err *err);

/* What was prepared is not to be. */
void carrier_drop(struct carrier *carrier);

/* What was prepared is to be in force: states from now on are those of its model. */
void carrier_stage(struct carrier *carrier);

/* All of its states are told: let it be in force. */
void carrier_commit(struct carrier *carrier);

/* The gate was removed: HAProxy stops, and nothing is carried any more. */
void carrier_dismiss(struct carrier *carrier);

/* Where states of services go to; NULL: nothing is carried. */
struct supervisor *carrier_supervisor(const struct carrier *carrier);

/* Tell what the endpoints of a service are now. shares: as balance_shares() has them. */
int carrier_balance(struct supervisor *supervisor, const struct pipeline *pipeline,
		    uint32_t service, const uint16_t shares[]);

#endif
