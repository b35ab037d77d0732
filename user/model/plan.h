/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan - everything one probe needs to know, resolved from settings and probe definition.
 *
 * This is where the precedence rules live: which host, path, port and match apply. Strings are
 * borrowed from the model (or the caller) and must outlive the plan.
 */
#ifndef SLUICE_MODEL_PLAN_H
#define SLUICE_MODEL_PLAN_H

#include "model/model.h"

struct plan {
	enum protocol protocol; /* PROTO_HTTP or PROTO_TCP */
	struct addr addr; /* to connect to */
	uint16_t port;
	const char *host; /* Host header; an IPv6 literal has its brackets */
	const char *path;
	const struct probe_match *match;
	uint32_t interval_ms, timeout_ms;
	uint32_t unhealthy_threshold, healthy_threshold;
	bool fail_fast;
	uint32_t mark; /* SO_MARK; 0: none */
};

/* The default probe: GET http://127.0.0.1:<port>/ or a TCP handshake; 200-399; 30 s; 3 failures. */
const struct probe_def *probe_default(enum protocol protocol);

/* The definition in use for settings: the custom probe or the default one. */
const struct probe_def *plan_probe(const struct model *model, const struct settings *settings);

/* The plan for one endpoint of the model. */
struct plan plan_endpoint(const struct model *model, const struct endpoint *endpoint);

#endif
