/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * message - a verdict as one sentence for the operator, with the data of its catalogue row.
 *
 * "The backend refused the TCP connection to 10.0.0.5:80 (connection refused, RST received)."
 */
#ifndef SLUICE_PROBE_MESSAGE_H
#define SLUICE_PROBE_MESSAGE_H

#include <stddef.h>

#include "model/plan.h"
#include "model/verdict.h"

#define MESSAGE_LEN 512

/* Write the sentence and return buf. Everything a backend sent is made printable. */
const char *message_format(char buf[MESSAGE_LEN], const struct plan *plan,
			   const struct verdict *verdict);

/* A remedy that depends on the verdict's data (HTTP status, errno), or NULL. Static string. */
const char *message_hint(const struct verdict *verdict);

#endif
