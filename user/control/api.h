/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api - the daemon's HTTP and JSON interface on its Unix socket, and its metrics on TCP.
 *
 * Runs on threads of its own: a door for the socket, one of libmicrohttpd's for those who may change something, one
 * for those who may read, so that they can be as many and as slow as they like, and one for metrics. It only reads:
 * the model and the board, counters of the data plane and of the engine. What changes something is handed to the
 * daemon's main thread, through api_context.change. Connections, request sizes and times are limited.
 */
#ifndef SLUICE_CONTROL_API_H
#define SLUICE_CONTROL_API_H

#include "control/caller.h"
#include "control/change.h"
#include "dataplane/dataplane.h"
#include "model/board.h"
#include "model/model.h"
#include "probe/engine.h"
#include "util/cleanup.h"

struct api;
struct census;
struct err;
struct events;
struct jobs;
struct supervisor;
struct layers;
struct weights;

/* Something that was asked for and is not done. */
struct refusal {
	const struct caller *caller;
	const char *what; /* "GET /v1/health", "a connection", … as sent: anything */
	const struct change *change; /* NULL: it was none, or could not be read */
	const char *why; /* a sentence */
};

/* Any thread. It is told to whom it may concern, who is not to be flooded with it. */
typedef void refused_fn(void *arg, const struct refusal *refusal);

/* All borrowed until api_stop(). */
struct api_context {
	const struct model *model;
	const struct plan *plans; /* parallel to model->endpoints */
	const struct board *board;
	const struct engine *engine;
	const struct dataplane *dataplane;
	struct census *census; /* api_serve() sets it */
	const char *config_path;
	struct jobs *jobs; /* there in any case, as those that follow */
	struct layers *layers;
	struct events *events;
	const struct weights *weights; /* in force */
	struct supervisor *supervisor; /* of HAProxy; NULL: nothing is carried by it */
	change_fn *change; /* makes changes; returns before CHANGE_TIMEOUT_MS are long over */
	void *change_arg;
	refused_fn *refused;
	void *refused_arg;
	uint64_t started_ms; /* wall clock, */
	uint64_t started_mono_ms; /* and monotonic */
	uint64_t
		generation; /* api_serve() sets it: of what the context is about, another each time */
};

/*
 * Listen on a socket and, for metrics, at the address, if there is one; clients wait until api_serve(). A stale
 * socket file is replaced.
 *   -EADDRINUSE  a process answers there, or the path is something else than a socket; err names it
 *   other        as listener_open()
 */
int api_listen(struct api **ret, const char *path, const struct listen *listen, struct err *err);

/* Look up the groups that may do something (see roles.h), and log those that do not exist. On the main thread. */
void api_find_roles(struct api *api);

/* Every few seconds: end connections that take too long. */
void api_expire(struct api *api);

/*
 * While it is paused: have metrics at another address, or at none. As listener_open(): they stay where they
 * are.
 */
int api_move(struct api *api, const struct listen *listen, struct err *err);

/* Answer from now on, those who wait first. */
int api_serve(struct api *api, const struct api_context *context, struct err *err);

/*
 * Finish what has been asked, for little more than a second; what is asked from now on waits for the next api_serve().
 */
void api_pause(struct api *api);

/* Stop serving and remove the socket. NULL is fine. */
void api_stop(struct api *api);
DEFINE_CLEANUP(struct api, api_stop)

#endif
