/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * routes - which path is answered by what.
 */
#ifndef SLUICE_CONTROL_ROUTES_H
#define SLUICE_CONTROL_ROUTES_H

#include <microhttpd.h>

#include "control/api.h"
#include "control/body.h"
#include "control/groups.h"

struct answer;
struct live_cache;
struct waiters;

struct request {
	const struct api_context *context;
	const struct groups *groups;
	struct live_cache *cache;
	struct waiters *waiters;
	struct MHD_Connection *connection;
	const struct caller *caller; /* may read at least */
	const char *method, *path;
	const struct body *body; /* NULL: it was not read */
};

/* Whether a body is to be read before the request is answered: of a change, unless it says that it is too long. */
bool routes_wants_body(const struct request *request);

/* The same where everybody may ask: only what pages need. False: there is no such path; nothing is answered. */
bool routes_answer_anybody(const struct request *request, struct answer *answer);

/* Answer the request. Returns MHD_NO only when even an error cannot be sent. */
enum MHD_Result routes_answer(const struct request *request);

#endif
