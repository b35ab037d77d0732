/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * changing - requests that change something: from whom they are taken, and their answers.
 *
 * Who reads is a matter of the socket's mode; only root and the daemon's own user may change anything.
 */
#ifndef SLUICE_CONTROL_CHANGING_H
#define SLUICE_CONTROL_CHANGING_H

#include "control/answer.h"
#include "control/routes.h"

/* Whether the process at the other end of the socket may change anything. */
bool changing_is_permitted(const struct request *request);

/* Answer POST /v1/backend, /v1/pool and /v1/reload. */
void changing_backend(const struct request *request, const char *rest, struct answer *answer);
void changing_pool(const struct request *request, const char *rest, struct answer *answer);
void changing_reload(const struct request *request, const char *rest, struct answer *answer);

/* Answer GET /v1/jobs/NUMBER and /v1/changes. */
void changing_job(const struct request *request, const char *rest, struct answer *answer);
void changing_list(const struct request *request, const char *rest, struct answer *answer);

#endif
