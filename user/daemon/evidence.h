/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * evidence - what the kernel saw of clients' connections, turned into "probe this endpoint now".
 *
 * The only way back from the data plane to the probes. It decides nothing about health: an endpoint that is
 * suspected is probed fast, and with little patience for silence, until a probe has passed, or enough
 * have failed. All on the loop's thread.
 */
#ifndef SLUICE_DAEMON_EVIDENCE_H
#define SLUICE_DAEMON_EVIDENCE_H

#include <uv.h>

#include "dataplane/dataplane.h"
#include "model/board.h"
#include "model/model.h"
#include "probe/engine.h"
#include "util/cleanup.h"

struct evidence;
struct pipeline;

/* All borrowed until evidence_free(). */
struct evidence_parts {
	uv_loop_t *loop;
	const struct model *model;
	struct board *board;
	struct dataplane *dataplane;
	struct pipeline *pipeline;
	struct engine *engine;
};

/* -ENOMEM, or what libuv returned. *ret is NULL if attempts to connect are not watched. */
int evidence_new(struct evidence **ret, const struct evidence_parts *parts);

/* The loop must run once more for the handle to close. NULL is fine. */
void evidence_free(struct evidence *evidence);
DEFINE_CLEANUP(struct evidence, evidence_free)

#endif
