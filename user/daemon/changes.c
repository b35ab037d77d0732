// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/changes.h"

#include <errno.h>
#include <inttypes.h>

#include "daemon/pipeline.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/log.h"

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
	log_info("%s %s: ordered: %s", change->pool, change->address, change_name(change->action));
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
		return 0;
	}
	pipeline_set_weight(pipeline, place.pool, place.backend, change->weight);
	log_info("%s %s: ordered: weight %" PRIu32, change->pool, change->address, change->weight);
	return 0;
}
