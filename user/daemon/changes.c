// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/changes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/caller.h"
#include "daemon/pipeline.h"
#include "daemon/tell.h"
#include "model/difference.h"
#include "model/overlay.h"
#include "model/weights.h"
#include "util/clock.h"
#include "util/err.h"

#define LINE_LEN (EVENT_TEXT_LEN + IFNAMSIZ + SL_NAME_LEN + LIMIT_HOST_BYTES + 8)

static const char *const admin_texts[] = {
	[SL_ENABLED] = "enabled",
	[SL_DRAINING] = "draining",
	[SL_DISABLED] = "disabled",
};

/* Where the backend is. */
struct place {
	uint32_t pool, backend;
};

/* There is one, since the change was checked. */
static struct place find(const struct model *model, const struct change *change)
{
	const struct pool *pool = model_find_pool(model, change->pool);

	return (struct place){ (uint32_t)(pool - model->pools),
			       pool_find_backend(pool, change->address) };
}

/* --- telling ---------------------------------------------------------------------------------- */

/* "attach eth0, xdp native, egress false" */
static void describe_interface(char *buf, size_t size, const struct change *change)
{
	snprintf(buf, size, "%s %s%s%s%s%s%s", change_name(change->action), change->interface,
		 change->has_xdp ? ", xdp " : "", change->has_xdp ? xdp_mode_name(change->xdp) : "",
		 change->has_egress ? ", egress " : "",
		 !change->has_egress ? ""
		 : change->egress    ? "true"
				     : "false",
		 change->is_rehearsal ? " (dry run)" : "");
}

/* "add pool", "drain", "weight 7" */
static void describe_what(char *buf, size_t size, const struct change *change)
{
	bool is_pool = change->action == CHANGE_ADD_POOL || change->action == CHANGE_REMOVE_POOL;
	bool is_weight = change->action == CHANGE_WEIGHT;
	char weight[16] = "";

	if (change->interface[0]) {
		describe_interface(buf, size, change);
		return;
	}
	if (is_weight)
		snprintf(weight, sizeof(weight), " %" PRIu32, change->weight);
	snprintf(buf, size, "%s%s%s%s", change_name(change->action), is_pool ? " pool" : "", weight,
		 change->is_rehearsal ? " (dry run)" : "");
}

/* "ordered: drain by uid 0, process 4711 (sluice backend drain p 10.0.0.5)" */
static void describe(struct event *event, const struct change *change, const struct err *refused)
{
	char by[GIVER_TEXT_LEN], what[64];
	const char *lead;

	describe_what(what, sizeof(what), change);
	lead = *giver_text(by, &change->giver) ? " by " : "";
	if (refused)
		snprintf(event->text, sizeof(event->text), "refused: %s%s%s: %.490s", what, lead,
			 by, refused->text);
	else
		snprintf(event->text, sizeof(event->text), "ordered: %s%s%s", what, lead, by);
}

static struct event event_of(const struct change *change, const struct err *refused)
{
	struct event event = { .kind = EVENT_ORDER,
			       .severity = refused ? EVENT_WARNING : EVENT_INFO };

	event_set(event.pool, change->pool);
	event_set(event.endpoint, change->address);
	event_set(event.reason, change_name(change->action));
	describe(&event, change, refused);
	tell_giver(&event, &change->giver);
	if (change->timeout_ms)
		event_number(&event, "timeout_ms", change->timeout_ms);
	return event;
}

static void tell_event(struct events *events, const struct change *change,
		       const struct event *event)
{
	char line[LINE_LEN];

	snprintf(line, sizeof(line), "%s%s%s%s%s%s", change->interface, change->pool,
		 change->address[0] ? " " : "", change->address,
		 change->interface[0] || change->pool[0] ? ": " : "", event->text);
	tell(events, event, line);
}

static void tell_done(struct events *events, const struct change *change, const char *after,
		      const char *before)
{
	struct event event = event_of(change, NULL);

	event_set(event.before, before);
	event_set(event.after, after);
	tell_event(events, change, &event);
}

static void tell_weight(struct events *events, const struct change *change, uint32_t weight_before)
{
	char before[16], after[16];

	snprintf(before, sizeof(before), "%" PRIu32, weight_before);
	snprintf(after, sizeof(after), "%" PRIu32, change->weight);
	tell_done(events, change, after, before);
}

void changes_tell(struct events *events, const struct change *change, const struct err *refused)
{
	struct event event = event_of(change, refused);

	if (refused)
		event_set(event.after, "refused");
	tell_event(events, change, &event);
}

/* --- making ----------------------------------------------------------------------------------- */

static uint64_t deadline_of(const struct change *change, const struct settings *settings)
{
	uint32_t timeout_ms = settings_drain_ms(settings);

	if (change->timeout_ms)
		timeout_ms = change->timeout_ms;
	return change->action == CHANGE_DRAIN ? clock_mono_ms() + timeout_ms : 0;
}

static enum sl_admin admin_of(enum change_action action)
{
	static const enum sl_admin admins[] = {
		[CHANGE_DRAIN] = SL_DRAINING,
		[CHANGE_ENABLE] = SL_ENABLED,
		[CHANGE_DISABLE] = SL_DISABLED,
	};

	return admins[action];
}

static bool is_used(const struct model *model, const char *pool, uint32_t settings)
{
	for (uint32_t i = 0; i < model->n_services; i++)
		if (model->services[i].settings == settings &&
		    !strcmp(model->pools[model->services[i].pool].name, pool))
			return true;
	return false;
}

/* Another pool's order about the endpoint that the backend has under these settings, if it is stricter. */
static const struct overlay_row *find_stricter(const struct overlay *overlay,
					       const struct model *model, uint32_t settings,
					       const struct overlay_row *ours)
{
	const struct overlay_row *found = NULL;

	for (uint32_t i = 0; i < overlay->n; i++) {
		const struct overlay_row *row = &overlay->rows[i];

		if (overlay_is_stricter(row, found ? found : ours) &&
		    !strcmp(row->address, ours->address) && strcmp(row->pool, ours->pool) != 0 &&
		    is_used(model, row->pool, settings))
			found = row;
	}
	return found;
}

uint64_t changes_deadline_ms(const struct overlay_row *row)
{
	if (row->admin != SL_DRAINING)
		return 0;
	return clock_mono_ms() + overlay_left_ms(row, clock_wall_ms());
}

struct ordering {
	struct pipeline *pipeline;
	const struct model *model;
	const struct overlay *overlay;
	const struct change *change;
	struct overlay_row row; /* of the backend, with what is ordered */
};

static void order_service(const struct ordering *o, const struct service *service, uint32_t backend)
{
	const struct overlay_row *stricter =
		find_stricter(o->overlay, o->model, service->settings, &o->row);
	uint64_t deadline_ms =
		stricter ? changes_deadline_ms(stricter)
			 : deadline_of(o->change, &o->model->settings[service->settings]);

	for (uint32_t i = 0; i < service->n_endpoints; i++)
		if (service->owners[i] == backend)
			pipeline_order(o->pipeline, service->endpoints[i],
				       stricter ? stricter->admin : o->row.admin, deadline_ms);
}

static void order(struct ordering *o, const struct place *place)
{
	const struct pool *pool = &o->model->pools[place->pool];

	o->row = overlay_row_of(o->overlay, pool->name,
				backend_text(&pool->backends[place->backend]));
	o->row.admin = admin_of(o->change->action);
	for (uint32_t i = 0; i < o->model->n_services; i++)
		if (o->model->services[i].pool == place->pool)
			order_service(o, &o->model->services[i], place->backend);
}

int changes_check(const struct pipeline *pipeline, struct err *err)
{
	if (!pipeline_is_blocked(pipeline))
		return 0;
	return err_set(err, -ENOLINK,
		       "the gate was removed under the daemon: nothing is guarded, and nothing can "
		       "be changed, until sluiced is started again");
}

void changes_make(struct pipeline *pipeline, const struct model *model,
		  const struct overlay *overlay, const struct change *change)
{
	struct ordering ordering = { pipeline, model, overlay, change, { .address = "" } };
	struct place place = find(model, change);
	uint32_t weight_before;

	if (change->action != CHANGE_WEIGHT) {
		order(&ordering, &place);
		tell_done(pipeline_events(pipeline), change, admin_texts[admin_of(change->action)],
			  "");
		return;
	}
	weight_before = weights_get(pipeline_weights(pipeline), place.pool, place.backend);
	pipeline_set_weight(pipeline, place.pool, place.backend, change->weight);
	tell_weight(pipeline_events(pipeline), change, weight_before);
}

/* --- what it would come to -------------------------------------------------------------------- */

static bool is_listed(const struct difference *difference, uint32_t endpoint)
{
	for (uint32_t i = 0; i < difference->n_leaving; i++)
		if (difference->leaving[i] == endpoint)
			return true;
	return false;
}

/* The backend's endpoints in one service that take new flows now; services share them. */
static int add_leaving_of(struct difference *difference, const struct pipeline *pipeline,
			  const struct service *service, uint32_t backend)
{
	for (uint32_t i = 0; i < service->n_endpoints; i++)
		if (service->owners[i] == backend &&
		    pipeline_ordered(pipeline, service->endpoints[i], NULL) == SL_ENABLED &&
		    !is_listed(difference, service->endpoints[i]) &&
		    difference_add_leaving(difference, service->endpoints[i]) < 0)
			return -ENOMEM;
	return 0;
}

static int add_leaving(struct difference *difference, const struct pipeline *pipeline,
		       const struct model *model, const struct place *place)
{
	for (uint32_t i = 0; i < model->n_services; i++)
		if (model->services[i].pool == place->pool &&
		    add_leaving_of(difference, pipeline, &model->services[i], place->backend) < 0)
			return -ENOMEM;
	return 0;
}

int changes_rehearse(struct difference *difference, const struct pipeline *pipeline,
		     const struct model *model, const struct change *change)
{
	struct place place = find(model, change);
	struct difference_item item = { .subject = DIFFERENCE_BACKEND, .kind = DIFFERENCE_CHANGED };
	bool leaves = change->action == CHANGE_DRAIN || change->action == CHANGE_DISABLE;
	int r;

	snprintf(item.name, sizeof(item.name), "%s", change->pool);
	snprintf(item.address, sizeof(item.address), "%s",
		 backend_text(&model->pools[place.pool].backends[place.backend]));
	if (change->action == CHANGE_WEIGHT) {
		snprintf(item.before, sizeof(item.before), "%" PRIu32,
			 weights_get(pipeline_weights(pipeline), place.pool, place.backend));
		snprintf(item.after, sizeof(item.after), "%" PRIu32, change->weight);
	} else {
		snprintf(item.after, sizeof(item.after), "%s",
			 admin_texts[admin_of(change->action)]);
	}
	r = difference_add(difference, &item);
	return r < 0 || !leaves ? r : add_leaving(difference, pipeline, model, &place);
}
