// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/changes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "daemon/pipeline.h"
#include "daemon/tell.h"
#include "model/weights.h"
#include "util/clock.h"
#include "util/err.h"

#define LINE_LEN (EVENT_TEXT_LEN + SL_NAME_LEN + LIMIT_HOST_BYTES + 8)

static const char *const admin_texts[] = {
	[SL_ENABLED] = "enabled",
	[SL_DRAINING] = "draining",
	[SL_DISABLED] = "disabled",
};

/* Where the backend is. */
struct place {
	uint32_t pool, backend;
};

static int find(struct place *place, const struct model *model, const struct change *change,
		struct err *err)
{
	const struct pool *pool = model_find_pool(model, change->pool);
	uint32_t backend;

	if (!pool)
		return err_set(err, -ENOENT, "there is no pool '%s'", change->pool);
	backend = pool_find_backend(pool, change->address);
	if (backend == INDEX_NONE)
		return err_set(err, -ENOENT,
			       "pool '%s' has no backend '%s'; a backend is named as in the "
			       "configuration, without a port",
			       change->pool, change->address);
	place->pool = (uint32_t)(pool - model->pools);
	place->backend = backend;
	return 0;
}

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

static void order_service(struct pipeline *pipeline, const struct model *model,
			  const struct service *service, uint32_t backend,
			  const struct change *change)
{
	uint64_t deadline_ms = deadline_of(change, &model->settings[service->settings]);

	for (uint32_t i = 0; i < service->n_endpoints; i++)
		if (service->owners[i] == backend)
			pipeline_order(pipeline, service->endpoints[i], admin_of(change->action),
				       deadline_ms);
}

static void order(struct pipeline *pipeline, const struct model *model, const struct place *place,
		  const struct change *change)
{
	for (uint32_t i = 0; i < model->n_services; i++)
		if (model->services[i].pool == place->pool)
			order_service(pipeline, model, &model->services[i], place->backend, change);
}

/* "drain by uid 0, process 4711 (sluice backend drain p 10.0.0.5)" */
static void describe(struct event *event, const struct change *change)
{
	const struct change_giver *giver = &change->giver;
	char by[GIVER_COMMAND_LEN + 64] = "", what[32];

	snprintf(what, sizeof(what), "%s", change_name(change->action));
	if (change->action == CHANGE_WEIGHT)
		snprintf(what, sizeof(what), "weight %" PRIu32, change->weight);
	if (giver->known)
		snprintf(by, sizeof(by), " by uid %" PRIu32 ", process %d%s%s%s", giver->uid,
			 giver->pid, giver->command[0] ? " (" : "", giver->command,
			 giver->command[0] ? ")" : "");
	snprintf(event->text, sizeof(event->text), "ordered: %s%s", what, by);
}

static void tell_order(const struct pipeline *pipeline, const struct change *change,
		       uint32_t weight_before)
{
	struct event event = { .kind = EVENT_ORDER, .severity = EVENT_INFO };
	char line[LINE_LEN];

	event_set(event.pool, change->pool);
	event_set(event.endpoint, change->address);
	event_set(event.reason, change_name(change->action));
	describe(&event, change);
	if (change->action == CHANGE_WEIGHT) {
		snprintf(event.before, sizeof(event.before), "%" PRIu32, weight_before);
		snprintf(event.after, sizeof(event.after), "%" PRIu32, change->weight);
	} else {
		event_set(event.after, admin_texts[admin_of(change->action)]);
	}
	if (change->giver.known) {
		event_number(&event, "uid", change->giver.uid);
		event_number(&event, "pid", change->giver.pid);
	}
	if (change->timeout_ms)
		event_number(&event, "timeout_ms", change->timeout_ms);
	snprintf(line, sizeof(line), "%s %s: %s", change->pool, change->address, event.text);
	tell(pipeline_events(pipeline), &event, line);
}

int changes_make(struct pipeline *pipeline, const struct model *model, const struct change *change,
		 struct err *err)
{
	struct place place = { INDEX_NONE, INDEX_NONE };
	int r;

	r = find(&place, model, change, err);
	if (r < 0)
		return r;
	if (pipeline_is_blocked(pipeline))
		return err_set(err, -ENOLINK,
			       "the gate was removed under the daemon: nothing is guarded, and "
			       "nothing can be changed, until sluiced is started again");
	if (change->action != CHANGE_WEIGHT) {
		order(pipeline, model, &place, change);
		tell_order(pipeline, change, 0);
		return 0;
	}
	tell_order(pipeline, change,
		   weights_get(pipeline_weights(pipeline), place.pool, place.backend));
	pipeline_set_weight(pipeline, place.pool, place.backend, change->weight);
	return 0;
}
