/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SLUICE_CONTROL_RENDER_ATTEMPTS_H
#define SLUICE_CONTROL_RENDER_ATTEMPTS_H

#include <stdbool.h>

#include <jansson.h>

#include "control/api.h"
#include "dataplane/dataplane.h"

/* What came of the attempts to connect to the endpoint. false: they are not watched, or cannot be read. */
bool render_read_attempts(const struct api_context *context, uint32_t endpoint,
			  struct attempt_report *ret);

/* About how many connections are open now. */
uint64_t render_open_estimate(const struct attempt_report *report);

/*
 * Add what came of the attempts to connect to an endpoint. one_sided: what it sends bypasses this host, so
 * that an attempt counts as answered when its client goes on.
 */
void render_attempts(json_t **json, const struct attempt_report *report, bool one_sided);

#endif
