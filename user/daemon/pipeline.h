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

struct pipeline;

/* All borrowed until pipeline_free(). */
struct pipeline_parts {
	uv_loop_t *loop;
	const struct model *model;
	const struct plan *plans; /* parallel to model->endpoints */
	struct board *board;
	struct dataplane *dataplane;
};

/*
 * Start from the words in force: endpoints that the kernel already acts on keep that health until
 * their first verdict. -ENOMEM, or what libuv returned.
 */
int pipeline_new(struct pipeline **ret, const struct pipeline_parts *parts);

/* Stop taking verdicts. The loop must run once more for the handles to close. NULL is fine. */
void pipeline_free(struct pipeline *pipeline);
DEFINE_CLEANUP(struct pipeline, pipeline_free)

/* An engine_report_fn: any thread; arg is the pipeline. */
void pipeline_report(void *arg, uint32_t endpoint, const struct verdict *verdict);

#endif
