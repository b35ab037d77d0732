/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history - the events that are kept, page by page. */
#ifndef SLUICE_CONTROL_HISTORY_H
#define SLUICE_CONTROL_HISTORY_H

#include "control/answer.h"
#include "control/routes.h"

/* GET /v1/events. */
void history_answer(const struct request *request, const char *rest, struct answer *answer);

/* "events" in /v1/status: where they are kept, and whether they are. NULL: out of memory. */
json_t *history_state(struct events *events);

#endif
