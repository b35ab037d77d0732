/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trails - how the last probes of some endpoints went: what is asked for again and again of what is looked at. */
#ifndef SLUICE_CONTROL_TRAILS_H
#define SLUICE_CONTROL_TRAILS_H

#include "control/answer.h"
#include "control/routes.h"

#define TRAILS_MAX 128 /* of one request */

/* GET /v1/trails?generation=G&of=SERVICE.MEMBER,…: of rows that /v1/live has told of. */
void trails_answer(const struct request *request, const char *rest, struct answer *answer);

#endif
