/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipeline - verdict in, health stepped, word stored, board updated: the one path of a fact.
 *
 * Workers hand verdicts in from their threads; everything else happens on the loop's thread. The
 * word is stored before anything else is done with a change, so that nothing stands between a
 * verdict and the gate.
 */
#ifndef SLUICE_DAEMON_PIPELINE_H
#define SLUICE_DAEMON_PIPELINE_H

#include <uv.h>

#include "dataplane/dataplane.h"
#include "model/board.h"
#include "model/model.h"
#include "model/plan.h"
#include "model/verdict.h"

struct err;
struct event;
struct events;
struct supervisor;
struct kept_list;
struct pipeline;
struct weights;

/* All borrowed until pipeline_free(). */
struct pipeline_parts {
	uv_loop_t *loop;
	const struct model *model;
	const struct plan *plans; /* parallel to model->endpoints */
	struct board *board;
	struct dataplane *dataplane;
	struct events *events; /* what happens is kept there; NULL: it is logged only */
	struct supervisor
		*supervisor; /* of HAProxy, which carries some services; NULL: it carries none */
	struct kept_list *kept; /* of before a restart; taken over; NULL: there is nothing */
};

/*
 * Start from the words in force: endpoints that the kernel already acts on keep that health until
 * their first verdict; those that it has forgotten begin with what was kept of them, if that is not too old.
 * -ENOMEM, or what libuv returned.
 */
int pipeline_new(struct pipeline **ret, const struct pipeline_parts *parts);

/*
 * Take over what another pipeline, of the configuration before and with its workers stopped, knows of
 * endpoints that both have. Settings and thresholds are those of this one.
 */
void pipeline_inherit(struct pipeline *pipeline, const struct pipeline *before);

/* Stop taking verdicts. The loop must run once more for the handles to close. NULL is fine. */
void pipeline_free(struct pipeline *pipeline);
DEFINE_CLEANUP(struct pipeline, pipeline_free)

/*
 * Changes of seats, on the loop's thread. The data plane's entry is made or taken away by the
 * pipeline; probing is the caller's business, with the plan of pipeline_plan().
 */

/* Whether an address sits there: always so for what is no seat. */
bool pipeline_taken(const struct pipeline *pipeline, uint32_t endpoint);

/* Let an address in, of which nothing is known. -errno of dataplane_set_endpoint(). */
int pipeline_seat(struct pipeline *pipeline, uint32_t endpoint, const struct addr *addr,
		  struct err *err);

/* Nobody sits there any more; shown: the seat stands for its name until somebody does. */
void pipeline_vacate(struct pipeline *pipeline, uint32_t endpoint, bool shown);

/*
 * SL_DRAINING: no new flows; those that are open are reset after deadline_ms (monotonic; 0: never),
 * which the kernel sees to. Of whoever sits there now: a name no longer stands for it, or does again.
 */
void pipeline_set_admin(struct pipeline *pipeline, uint32_t endpoint, enum sl_admin admin,
			uint64_t deadline_ms);
enum sl_admin pipeline_admin(const struct pipeline *pipeline, uint32_t endpoint);

/*
 * The operator's order, beside the above; SL_DISABLED: no new flows. Of the place, whoever sits there
 * now or later. A daemon that adopts the maps finds it there again.
 */
void pipeline_order(struct pipeline *pipeline, uint32_t endpoint, enum sl_admin admin,
		    uint64_t deadline_ms);
/* ret_deadline_ms: as pipeline_order() was given it; or NULL. */
enum sl_admin pipeline_ordered(const struct pipeline *pipeline, uint32_t endpoint,
			       uint64_t *ret_deadline_ms);

/* Give a backend, by its position in the pool, another weight until the daemon ends. */
void pipeline_set_weight(struct pipeline *pipeline, uint32_t pool, uint32_t backend,
			 uint32_t weight);

/* The weights in force. They live as long as the pipeline. */
const struct weights *pipeline_weights(const struct pipeline *pipeline);

/* Whether pipeline_block() was called: nothing that is ordered reaches the kernel. */
bool pipeline_is_blocked(const struct pipeline *pipeline);

/* What speaks for and against an endpoint, by its probes. */
struct pipeline_standing {
	bool open; /* new flows go there, and no probe has spoken against it */
	bool failing; /* its probes do, or did last, and it is not healthy yet again */
	uint64_t passed_us; /* monotonic: when the last probe that passed began; 0: none */
};
struct pipeline_standing pipeline_standing(const struct pipeline *pipeline, uint32_t endpoint);

/* Show in its word that an endpoint is suspected, or no longer. */
void pipeline_suspect(struct pipeline *pipeline, uint32_t endpoint, bool suspected);

/*
 * Tell the log and the events of something about an endpoint, on the loop's thread: kind, severity,
 * before, after, reason, text and numbers; who it is is filled in. What is told too often is summed up.
 */
void pipeline_tell(struct pipeline *pipeline, uint32_t endpoint, const struct event *event);

/* Tell now of what was to be summed up later: nothing comes any more. */
void pipeline_tell_held(struct pipeline *pipeline);

/* The same for what is to be kept over a restart. */
void pipeline_keep_all(struct pipeline *pipeline);

/* Whether it is known how the endpoint is, and no probe has begun to say otherwise: there is no hurry. */
bool pipeline_is_settled(const struct pipeline *pipeline, uint32_t endpoint);

/* Those of its parts. */
struct events *pipeline_events(const struct pipeline *pipeline);

/* What the endpoint is to be probed by now. */
struct plan pipeline_plan(const struct pipeline *pipeline, uint32_t endpoint);

/* A verdict from this thread about whoever, or whatever name, sits there now. */
void pipeline_judge(struct pipeline *pipeline, uint32_t endpoint, const struct verdict *verdict);

/*
 * What is found out no longer reaches the kernel: from now on every endpoint is shown as Unknown, with
 * unknown_control_blocked and this detail. On the loop's thread.
 */
void pipeline_block(struct pipeline *pipeline, const char *detail);

/* An engine_report_fn: any thread; arg is the pipeline. */
void pipeline_report(void *arg, uint32_t endpoint, const struct verdict *verdict);

/* An engine_flush_fn: take in what was reported as routine. */
void pipeline_flush(void *arg);

#endif
