// SPDX-License-Identifier: GPL-2.0-or-later
/* render_layers - what was changed at runtime, and what a change would come to. */
#include "control/layers.h"
#include "control/render.h"
#include "dataplane/census.h"
#include "diagnose/json.h"
#include "model/difference.h"

/* --- over the file ---------------------------------------------------------------------------- */

static const char *const presences[] = {
	[OVERLAY_AS_FILE] = "changed",
	[OVERLAY_ADDED] = "added",
	[OVERLAY_REMOVED] = "removed",
};

static const char *const admins[] = {
	[SL_ENABLED] = "enabled",
	[SL_DRAINING] = "draining",
	[SL_DISABLED] = "disabled",
};

static json_t *render_row(const struct overlay_row *row)
{
	json_t *json = json_object();

	if (row->interface[0])
		json_put_text(&json, "interface", row->interface);
	else
		json_put_text(&json, "pool", row->pool);
	if (row->address[0])
		json_put_text(&json, "address", row->address);
	json_put_text(&json, "change", presences[row->presence]);
	if (row->has_options) {
		json_put_text(&json, "xdp", xdp_mode_name(row->xdp));
		json_put_bool(&json, "egress", row->egress);
	}
	if (row->has_weight)
		json_put_uint(&json, "weight", row->weight);
	if (row->admin != SL_ENABLED)
		json_put_text(&json, "admin", admins[row->admin]);
	json_put_time(&json, "at", row->at_ms);
	return json;
}

json_t *render_layers(const struct api_context *context, const struct layers_copy *copy)
{
	const struct overlay *overlay = &copy->overlay;
	json_t *json = json_object(), *rows = json_array();
	char digest[17];

	for (uint32_t i = 0; i < overlay->n; i++)
		json_push(&rows, render_row(&overlay->rows[i]));
	snprintf(digest, sizeof(digest), "%016llx", (unsigned long long)overlay->file_digest);
	json_put_text(&json, "file", context->config_path);
	json_put_text(&json, "file_digest", digest);
	json_put_uint(&json, "version", overlay->version);
	if (copy->trouble[0])
		json_put_text(&json, "trouble", copy->trouble);
	json_put(&json, "changes", rows);
	return json;
}

/* --- what a change would come to -------------------------------------------------------------- */

static const char *const subjects[] = {
	[DIFFERENCE_GATEWAY] = "gateway",     [DIFFERENCE_PROBE] = "probe",
	[DIFFERENCE_SETTINGS] = "settings",   [DIFFERENCE_POOL] = "pool",
	[DIFFERENCE_BACKEND] = "backend",     [DIFFERENCE_SERVICE] = "service",
	[DIFFERENCE_INTERFACE] = "interface",
};

static const char *const kinds[] = {
	[DIFFERENCE_ADDED] = "added",
	[DIFFERENCE_REMOVED] = "removed",
	[DIFFERENCE_CHANGED] = "changed",
};

static json_t *render_item(const struct difference_item *item)
{
	json_t *json = json_object();

	json_put_text(&json, "what", subjects[item->subject]);
	json_put_text(&json, "change", kinds[item->kind]);
	if (item->name[0])
		json_put_text(&json, item->address[0] ? "pool" : "name", item->name);
	if (item->address[0])
		json_put_text(&json, "address", item->address);
	if (item->before[0])
		json_put_text(&json, "before", item->before);
	if (item->after[0])
		json_put_text(&json, "after", item->after);
	return json;
}

/* An endpoint that takes no new flows then; of a name's seats those that somebody sits in. */
static json_t *render_leaving(const struct api_context *context, uint32_t i, uint64_t *flows)
{
	const struct endpoint *endpoint = &context->model->endpoints[i];
	json_t *json = json_object();
	char text[SL_TEXT_LEN];
	struct addr addr;
	uint32_t n;

	if (endpoint->name && board_where(context->board, i, &addr) == BOARD_FOUND)
		addr_port_format(text, &addr, endpoint->key.port);
	else
		snprintf(text, sizeof(text), "%s", endpoint->text);
	json_put_text(&json, "endpoint", text);
	if (context->census && census_flows(context->census, i, &n)) {
		json_put_uint(&json, "flows", n);
		*flows += n;
	}
	return json;
}

json_t *render_difference(const struct api_context *context, const struct difference *d)
{
	json_t *json = json_object(), *items = json_array(), *leaving = json_array();
	uint64_t flows = 0;

	for (uint32_t i = 0; i < d->n_items; i++)
		json_push(&items, render_item(&d->items[i]));
	for (uint32_t i = 0; i < d->n_leaving; i++)
		if (board_is_shown(context->board, d->leaving[i]))
			json_push(&leaving, render_leaving(context, d->leaving[i], &flows));
	json_put_bool(&json, "dry_run", true);
	if (d->guards_nothing)
		json_put_bool(&json, "guards_nothing", true);
	json_put_uint(&json, "version", d->version);
	json_put(&json, "changes", items);
	json_put(&json, "draining", leaving);
	json_put_uint(&json, "flows", flows);
	return json;
}
