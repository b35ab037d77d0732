/* SPDX-License-Identifier: GPL-2.0-or-later */
/* deciding - the answer to what would become of a packet. */
#ifndef SLUICE_CONTROL_DECIDING_H
#define SLUICE_CONTROL_DECIDING_H

#include "control/answer.h"
#include "control/routes.h"

/* Answer GET /v1/decide. */
void deciding_answer(const struct request *request, const char *rest, struct answer *answer);

#endif
