/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * generation - one configuration in force: what is known of its endpoints, and who finds it out.
 *
 * A reload makes the next generation beside the one in force, moves the data plane over to its
 * model, and lets it take over what is known. All on the loop's thread.
 */
#ifndef SLUICE_DAEMON_GENERATION_H
#define SLUICE_DAEMON_GENERATION_H

#include <uv.h>

#include "dataplane/dataplane.h"
#include "model/board.h"
#include "model/model.h"
#include "model/plan.h"
#include "probe/engine.h"
#include "util/cleanup.h"

struct err;
struct events;
struct supervisor;
struct evidence;
struct kept_list;
struct names;
struct pipeline;
struct trusts;

struct generation {
	const struct model *model; /* borrowed */
	struct plan *plans; /* parallel to model->endpoints */
	struct trusts *trusts;
	struct board *board;
	struct pipeline *pipeline;
	struct engine *engine;
	struct names *names;
	struct evidence *evidence; /* NULL: attempts to connect are not watched */
};

/* What it runs on; all borrowed until generation_free(). */
struct generation_parts {
	uv_loop_t *loop;
	struct dataplane *dataplane;
	struct events *events;
	struct supervisor *supervisor; /* of HAProxy; NULL: no service is its */
	struct kept_list *kept; /* of before a restart; taken over; NULL: nothing */
};

/* Whatever can fail for reasons of the configuration; nothing runs yet. err is set. */
int generation_new(struct generation **ret, const struct model *model, struct err *err);

/*
 * Start over the data plane, which has this model already. before: takes over what is known of
 * endpoints that both have; it has been quieted. NULL: there is none. err is set.
 */
int generation_start(struct generation *generation, const struct generation_parts *parts,
		     const struct generation *before, struct err *err);

/* Nothing is probed or asked any more; what is known stays. */
void generation_quiet(struct generation *generation);

/* The loop must run once more for the handles to close. NULL is fine. */
void generation_free(struct generation *generation);
DEFINE_CLEANUP(struct generation, generation_free)

#endif
