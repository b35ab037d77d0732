/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view - the API's documents as text for people.
 *
 * Each function prints one document; what a document lacks is left out. Texts in it are free of
 * control characters already (client_get() sees to that).
 */
#ifndef SLUICE_CLI_VIEW_H
#define SLUICE_CLI_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "util/table.h"

struct view {
	FILE *out;
	bool color;
	uint64_t now_ms; /* wall clock: ages are counted to it */
};

/* 0, -ENOMEM, or -EIO when out fails. */
typedef int view_fn(const struct view *view, const json_t *json);

view_fn view_status, view_health, view_pools, view_pool, view_why, view_stats, view_maps;
view_fn view_change, view_difference, view_layers, view_flows, view_decide, view_events;

/* Events as lines, for those that come one by one. */
view_fn view_event_lines;

/* "3 flows, 25s left"; "" unless it drains. */
#define VIEW_DRAIN_LEN 96
const char *view_drain(char buf[VIEW_DRAIN_LEN], const json_t *endpoint);

/* "33.3%" of the service's table; "-": it has none. */
#define VIEW_SHARE_LEN 48
const char *view_share(char buf[VIEW_SHARE_LEN], const json_t *endpoint);

/* What to know first: that one interface is not guarded; name "": that none is. */
void view_unguarded(const struct view *view, const char *name, const char *why);

/* Whether every endpoint of a health document is Healthy. */
bool view_all_healthy(const json_t *json);

/* What of a health document is a change worth telling: not its ages and counters. NULL: no memory. */
char *view_signature(const json_t *json);

/* Called for every endpoint of a document with pools; stops at the first non-zero and returns it. */
typedef int view_endpoint_fn(void *arg, const json_t *pool, const json_t *service,
			     const json_t *endpoint);
int view_each_endpoint(const json_t *json, view_endpoint_fn *fn, void *arg);

/* "10.0.0.5:443" or "[fd00::5]:443"; returns buf. */
#define VIEW_ADDRESS_LEN 96
const char *view_address(char buf[VIEW_ADDRESS_LEN], const json_t *endpoint);

/* A warning's id in words ("certificate expires in 12 days (2026-12-03)"); returns buf. */
#define VIEW_WARNING_LEN 128
const char *view_warning(char buf[VIEW_WARNING_LEN], const json_t *endpoint, const char *id,
			 uint64_t now_ms);

/* What else is wrong, warnings and the chain; nothing for an endpoint without any of them. */
void view_certificates(const struct view *view, const json_t *endpoint);

/* How many packets left by which decision; nothing without any. */
int view_decisions(const struct view *view, const json_t *decisions);

/* "Unhealthy (forced open)" */
#define VIEW_HEALTH_LEN 96
const char *view_state(char buf[VIEW_HEALTH_LEN], const json_t *endpoint);
enum table_color view_health_color(const char *health);

#endif
