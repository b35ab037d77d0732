/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * changing - requests that change something: from whom they are taken, and their answers.
 *
 * A rehearsal takes the same right as the change itself: it costs the daemon as much, and shows what is not in force.
 * What is refused is told of (api_context.refused), but for rehearsals that are only answered.
 */
#ifndef SLUICE_CONTROL_CHANGING_H
#define SLUICE_CONTROL_CHANGING_H

#include "control/answer.h"
#include "control/routes.h"

/* Answer POST /v1/backend, /v1/pool, /v1/interface and /v1/reload. */
void changing_backend(const struct request *request, const char *rest, struct answer *answer);
void changing_pool(const struct request *request, const char *rest, struct answer *answer);
void changing_interface(const struct request *request, const char *rest, struct answer *answer);
void changing_reload(const struct request *request, const char *rest, struct answer *answer);

/* Answer GET /v1/jobs/NUMBER and /v1/changes. */
void changing_job(const struct request *request, const char *rest, struct answer *answer);
void changing_list(const struct request *request, const char *rest, struct answer *answer);

#endif
