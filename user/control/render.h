/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * render - the model, the board and the counters as JSON.
 *
 * Every function returns a new document, or NULL: out of memory. What this version does not
 * measure is left out, never zero.
 */
#ifndef SLUICE_CONTROL_RENDER_H
#define SLUICE_CONTROL_RENDER_H

#include "control/api.h"
#include "diagnose/json.h"

struct change;
struct difference;
struct groups;
struct layers_copy;

/* One endpoint as one service sees it. */
struct render_row {
	uint32_t service; /* index into model->services */
	uint32_t member; /* position in the service's endpoints */
	uint64_t now_ms; /* wall clock */
};

/* An element of "endpoints" in /v1/health, /v1/stats and /v1/why. */
json_t *render_health(const struct api_context *context, const struct render_row *row);
json_t *render_stats(const struct api_context *context, const struct render_row *row);
json_t *render_why(const struct api_context *context, const struct render_row *row);

/* HAProxy: its process, and the configuration that it was given last. */
json_t *render_l7(const struct api_context *context);
json_t *render_l7_configuration(const struct api_context *context);

/* Adds "l7" to an endpoint in /v1/stats, where HAProxy carries a service that has it. */
void render_l7_numbers(json_t **json, const struct api_context *context, uint32_t endpoint);
/* What there is to see of an endpoint at a glance: an element of "rows" in /v1/live. */
json_t *render_brief(const struct api_context *context, const struct render_row *row);

/* How its last probes went, newest first, and how far it has drained: an element of /v1/trails. */
json_t *render_trail(const struct api_context *context, const struct render_row *row);

/* The state of the gateway in a few kilobytes, however large it is: "status" in /v1/live. */
json_t *render_bulletin(const struct api_context *context);

/* What there is: the pools and their services, without endpoints. */
json_t *render_outline(const struct api_context *context, const struct groups *groups);

/* Adds to a service in /v1/stats what the kernel counted for it, where its packets are forwarded. */
void render_service_stats(json_t **json, const struct api_context *context, uint32_t service);

/* Adds "listen" and "forward", where packets of the service are forwarded. */
void render_forwarding(json_t **json, const struct api_context *context,
		       const struct service *service);

/* A service's endpoints with their weight and their part of its table now. */
json_t *render_members(const struct api_context *context, uint32_t service);

/* Adds "weight" and, where there is one, the endpoint's part of the "table". */
void render_share(json_t **json, const struct api_context *context, const struct render_row *row);

/* "address", "port", "proto", "backend", "health", "admin" and, while it drains, "drain". */
json_t *render_standing(const struct api_context *context, const struct render_row *row);

/* What is known of a DNS name: "dns" of its endpoints, and an element of "names" in /v1/status. */
json_t *render_name(const char *text, const struct board_name *name, uint64_t now_ms);

/* What a change that was made has come to. */
json_t *render_change(const struct api_context *context, const struct groups *groups,
		      const struct change *change);

/* One end of a flow: "address" and "port". */
json_t *render_end(const struct addr *addr, uint16_t port);

/* What a change would come to, with the flows that are concerned. */
json_t *render_difference(const struct api_context *context, const struct difference *difference);

/* What was changed at runtime, over the file. */
json_t *render_layers(const struct api_context *context, const struct layers_copy *copy);

json_t *render_status(const struct api_context *context);

/* What of the gate is not there: interfaces, or all of it; an empty array: nothing. */
json_t *render_unguarded(const struct api_context *context);
json_t *render_maps(const struct api_context *context);
json_t *render_decisions(const struct api_context *context);
json_t *render_pools(const struct api_context *context, const struct groups *groups);
/* "backends", and with it "weights", of a pool; and one of its "services". */
json_t *render_pool_backends(const struct api_context *context, uint32_t pool,
			     json_t **ret_weights);
json_t *render_service(const struct api_context *context, uint32_t service);

#endif
