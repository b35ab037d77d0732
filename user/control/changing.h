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

/* Refuse the answer, and return false, unless who asks may change something and said no more than fits. */
bool changing_may(const struct request *request, struct answer *answer);

/* Answer POST /v1/backend. */
void changing_answer(const struct request *request, const char *rest, struct answer *answer);

#endif
