// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/render.h"

#include <net/if.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "control/groups.h"
#include "control/history.h"
#include "control/jobs.h"
#include "control/layers.h"
#include "dataplane/census.h"
#include "diagnose/why.h"
#include "model/event.h"
#include "model/weights.h"
#include "probe/resolve.h"
#include "util/clock.h"

#define FAILING_NAMES_MAX 16 /* of those that are named in a bulletin */

struct tally {
	uint32_t healthy, unhealthy, unknown;
};

static void count(struct tally *tally, enum sl_health health)
{
	switch (health) {
	case SL_HEALTHY:
		tally->healthy++;
		break;
	case SL_UNHEALTHY:
		tally->unhealthy++;
		break;
	case SL_UNKNOWN:
		tally->unknown++;
		break;
	}
}

static void put_tally(json_t **json, const struct tally *tally)
{
	json_put_uint(json, "healthy", tally->healthy);
	json_put_uint(json, "unhealthy", tally->unhealthy);
	json_put_uint(json, "unknown", tally->unknown);
}

static json_t *render_totals(const struct api_context *context)
{
	const struct model *model = context->model;
	json_t *json = json_object();
	struct tally tally = { 0 };

	for (uint32_t i = 0; i < model->n_endpoints; i++)
		if (board_is_shown(context->board, i))
			count(&tally, board_health(context->board, i).shown);

	json_put_uint(&json, "pools", model->n_pools);
	json_put_uint(&json, "services", model->n_services);
	json_put_uint(&json, "endpoints", tally.healthy + tally.unhealthy + tally.unknown);
	put_tally(&json, &tally);
	return json;
}

static json_t *render_interface(const struct attachment *attachment)
{
	json_t *json = json_object();
	json_t *steps = json_array();

	for (uint32_t s = 0; s < attachment->n_steps; s++)
		json_push(&steps, json_text(attachment->steps[s]));
	json_put_text(&json, "name", attachment->interface);
	json_put_text(&json, "state", attachment_state_name(attachment->state));
	if (attachment->why[0])
		json_put_text(&json, "why", attachment->why);
	json_put_time(&json, "since", attachment->since_ms);
	json_put_uint(&json, "returns", attachment->returns);
	json_put_uint(&json, "ifindex", attachment->ifindex);
	json_put_text(&json, "ingress", attach_mode_name(attachment->ingress));
	json_put_text(&json, "egress", attach_mode_name(attachment->egress));
	json_put_bool(&json, "present", attachment_is_present(attachment));
	json_put_bool(&json, "adopted", attachment->adopted);
	json_put(&json, "steps", steps);
	return json;
}

static json_t *render_interfaces(const struct dataplane *dataplane)
{
	json_t *array = json_array();
	struct attachment attachment;

	for (uint32_t i = 0; dataplane_attachment(dataplane, i, &attachment); i++)
		json_push(&array, render_interface(&attachment));
	return array;
}

/* interface "": all of them. */
static json_t *render_lack(const char *interface, const char *state, const char *why)
{
	json_t *json = json_object();

	if (interface[0])
		json_put_text(&json, "interface", interface);
	json_put_text(&json, "state", state);
	json_put_text(&json, "why", why);
	return json;
}

json_t *render_unguarded(const struct api_context *context)
{
	json_t *array = json_array();
	struct attachment a;
	uint32_t n = 0;

	for (; dataplane_attachment(context->dataplane, n, &a); n++)
		if (a.state != ATTACHMENT_ATTACHED)
			json_push(&array,
				  render_lack(a.interface, attachment_state_name(a.state), a.why));
	if (!n)
		json_push(&array, render_lack("", "detached", "no interface is attached"));
	if (!dataplane_in_force(context->dataplane))
		json_push(&array,
			  render_lack("", "removed",
				      "the gate was removed under the running daemon; restart it"));
	return array;
}

static json_t *render_fill(const struct flow_fill *fill)
{
	json_t *json = json_object();

	json_put_uint(&json, "entries", fill->entries);
	json_put_uint(&json, "max", fill->max);
	return json;
}

/* Services that packets are forwarded for, and how full the tables of their flows are. */
static json_t *render_flows(const struct api_context *context)
{
	const struct model *model = context->model;
	struct census_totals totals;
	json_t *json = json_object();
	uint32_t n = 0;

	for (uint32_t i = 0; i < model->n_services; i++)
		n += service_forwards(model, &model->services[i]);
	json_put_uint(&json, "services", n);
	if (!census_totals(context->census, &totals))
		return json;
	json_put_uint(&json, "live", totals.flows);
	json_put(&json, "flows", render_fill(&totals.fills.flows));
	json_put(&json, "half_open", render_fill(&totals.fills.half_open));
	json_put_uint(&json, "counted_ms_ago", totals.age_ms);
	return json;
}

static json_t *render_engine(const struct engine *engine)
{
	struct engine_stats stats = engine_stats(engine);
	json_t *json = json_object();

	json_put_uint(&json, "workers", stats.workers);
	json_put_uint(&json, "in_flight_max", stats.in_flight_max);
	json_put_uint(&json, "in_flight", stats.in_flight);
	json_put_uint(&json, "queued", stats.queued);
	json_put_uint(&json, "started", stats.started);
	json_put_uint(&json, "finished", stats.finished);
	json_put_uint(&json, "overloaded", stats.overloaded);
	json_put_uint(&json, "loop_lag_ms", stats.loop_lag_ms);
	json_put_bool(&json, "overloaded_now", stats.holdable_interval_ms != 0);
	if (stats.holdable_interval_ms)
		json_put_uint(&json, "holdable_interval_ms", stats.holdable_interval_ms);
	return json;
}

static void put_meta(json_t **json, const struct sl_meta *meta)
{
	uint64_t now_ns = clock_mono_ns();
	uint64_t age_ns = now_ns > meta->heartbeat_ns ? now_ns - meta->heartbeat_ns : 0;

	json_put_text(json, "mode", meta->mode == SL_MODE_OBSERVE ? "observe" : "enforce");
	json_put_text(json, "on_daemon_loss",
		      meta->on_daemon_loss == SL_LOSS_OPEN ? "open" : "hold");
	json_put_uint(json, "daemon_loss_after_ms", meta->daemon_loss_after_ns / NS_PER_MS);
	json_put_uint(json, "heartbeat_ms_ago", age_ns / NS_PER_MS);
	json_put_uint(json, "layout", meta->layout);
}

/* "10.0.0.53, 10.0.1.53" as a list. */
static json_t *render_servers(const char *servers)
{
	json_t *array = json_array();
	char text[NAME_TEXT_LEN], *rest, *word;

	snprintf(text, sizeof(text), "%s", servers);
	for (word = strtok_r(text, ", ", &rest); word; word = strtok_r(NULL, ", ", &rest))
		json_push(&array, json_text(word));
	return array;
}

json_t *render_name(const char *text, const struct board_name *name, uint64_t now_ms)
{
	json_t *json = json_object();

	json_put_text(&json, "name", text);
	json_put_text(&json, "state", name_state_name(name->state));
	json_put_uint(&json, "addresses", name->n);
	if (name->good_ms) {
		json_put_uint(&json, "ttl_s", name->ttl_s);
		json_put_uint(&json, "age_s",
			      now_ms > name->good_ms ? (now_ms - name->good_ms) / MS_PER_SEC : 0);
	}
	if (name->failed_ms)
		json_put_time(&json, "failing_since", name->failed_ms);
	if (name->state != NAME_PENDING) {
		json_put_text(&json, "rcode", rcode_name(name->rcode));
		json_put(&json, "servers", render_servers(name->servers));
	}
	if (name->why[0])
		json_put_text(&json, "why", name->why);
	return json;
}

/* How full each map is; "flows" and "half_open" where packets are forwarded. */
static json_t *render_fills(const struct api_context *context)
{
	const struct dataplane_fills fills = dataplane_fills(context->dataplane);
	struct census_totals totals;
	json_t *json = json_object();

	json_put(&json, "targets",
		 render_fill(&(struct flow_fill){ fills.targets, fills.targets_max }));
	json_put(&json, "endpoints",
		 render_fill(&(struct flow_fill){ fills.endpoints, fills.endpoints_max }));
	json_put(&json, "services",
		 render_fill(&(struct flow_fill){ fills.services, fills.services_max }));
	if (dataplane_forwards(context->dataplane) && census_totals(context->census, &totals)) {
		json_put(&json, "flows", render_fill(&totals.fills.flows));
		json_put(&json, "half_open", render_fill(&totals.fills.half_open));
	}
	return json;
}

/* How many names there are, and the first of those that do not resolve. */
static json_t *render_failing_names(const struct api_context *context)
{
	json_t *json = json_object(), *failing = json_array();
	uint32_t n = 0;

	for (uint32_t i = 0; i < context->model->n_names; i++) {
		const struct board_name name = board_name(context->board, i);

		if (!name.failed_ms)
			continue;
		if (n++ < FAILING_NAMES_MAX)
			json_push(&failing,
				  render_name(context->model->names[i], &name, clock_wall_ms()));
	}
	json_put_uint(&json, "total", context->model->n_names);
	json_put_uint(&json, "failed", n);
	json_put(&json, "failing", failing);
	return json;
}

static json_t *render_names(const struct api_context *context, uint64_t now_ms)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < context->model->n_names; i++) {
		struct board_name name = board_name(context->board, i);

		json_push(&array, render_name(context->model->names[i], &name, now_ms));
	}
	return array;
}

/* Where there is something to look at over TCP. */
static void put_web(json_t **json, const struct listen *listen)
{
	char url[sizeof("http:///metrics") + SL_TEXT_LEN];

	if (!listen->key.port)
		return;
	snprintf(url, sizeof(url), "http://%s/", listen->text);
	json_put_text(json, "page", url);
	snprintf(url, sizeof(url), "http://%s/metrics", listen->text);
	json_put_text(json, "metrics", url);
}

/* What status and bulletin have in common. */
static json_t *render_daemon(const struct api_context *context)
{
	struct sl_meta meta = dataplane_meta(context->dataplane);
	json_t *json = json_object();
	json_t *reload;

	json_put_text(&json, "version", SLUICE_VERSION);
	json_put_uint(&json, "pid", (uint64_t)getpid());
	json_put_uint(&json, "uptime_ms", clock_mono_ms() - context->started_mono_ms);
	json_put_time(&json, "since", context->started_ms);
	json_put_text(&json, "config", context->config_path);
	json_put_uint(&json, "config_version", layers_version(context->layers));
	json_put_uint(&json, "runtime_changes", layers_count(context->layers));
	reload = jobs_render(context->jobs, 0);
	if (reload)
		json_put(&json, "reload", reload);
	put_meta(&json, &meta);
	json_put_bool(&json, "in_force", dataplane_in_force(context->dataplane));
	json_put_bool(&json, "pinned", dataplane_in_sight(context->dataplane));
	if (dataplane_degraded(context->dataplane))
		json_put_text(&json, "degraded", dataplane_degraded(context->dataplane));
	json_put(&json, "events", history_state(context->events));
	json_put(&json, "interfaces", render_interfaces(context->dataplane));
	json_put(&json, "totals", render_totals(context));
	json_put(&json, "engine", render_engine(context->engine));
	return json;
}

json_t *render_bulletin(const struct api_context *context)
{
	json_t *json = render_daemon(context);

	/* It is made once for all, whoever they are. */
	jobs_withhold(json_object_get(json, "reload"));
	json_put(&json, "fills", render_fills(context));
	if (context->model->n_names)
		json_put(&json, "names", render_failing_names(context));
	return json;
}

json_t *render_status(const struct api_context *context)
{
	uint64_t now_ms = clock_wall_ms();
	json_t *json = render_daemon(context);
	json_t *decisions;
	struct utsname uts;

	put_web(&json, &context->model->gateway.listen);
	json_put_text(&json, "bpffs", context->model->gateway.bpffs);
	if (uname(&uts) == 0)
		json_put_text(&json, "kernel", uts.release);
	decisions = render_decisions(context);
	if (decisions)
		json_put(&json, "decisions", decisions);
	if (dataplane_forwards(context->dataplane))
		json_put(&json, "forwarding", render_flows(context));
	if (context->model->n_names)
		json_put(&json, "names", render_names(context, now_ms));
	return json;
}

json_t *render_decisions(const struct api_context *context)
{
	struct sl_decision_counts counts;
	json_t *json;

	if (dataplane_decisions(context->dataplane, &counts) < 0)
		return NULL;
	json = json_object();
#define PUT_DECISION(NAME, name, text) json_put_uint(&json, #name, counts.name);
	SL_DECISIONS(PUT_DECISION)
#undef PUT_DECISION
	return json;
}

json_t *render_maps(const struct api_context *context)
{
	json_t *json = json_object();
	json_t *array = json_array();
	uint32_t n;
	const struct map_info *maps = dataplane_maps(context->dataplane, &n);

	for (uint32_t i = 0; i < n; i++) {
		json_t *map = json_object();

		json_put_text(&map, "name", maps[i].name);
		json_put_text(&map, "path", maps[i].path);
		json_put_text(&map, "purpose", maps[i].purpose);
		json_put_uint(&map, "entries_max", maps[i].entries_max);
		json_put_uint(&map, "memory_bytes", maps[i].memory_bytes);
		json_push(&array, map);
	}
	json_put(&json, "maps", array);
	return json;
}

static json_t *render_event_kinds(void)
{
	json_t *array = json_array();

	for (enum event_kind kind = 0; kind < EVENT_KINDS_N; kind++)
		json_push(&array, json_text(event_kind_name(kind)));
	return array;
}

json_t *render_outline(const struct api_context *context, const struct groups *groups)
{
	const struct model *model = context->model;
	json_t *json = json_object(), *pools = json_array();

	for (uint32_t p = 0; p < model->n_pools; p++) {
		json_t *pool = json_object(), *services = json_array();

		for (uint32_t i = groups->first[p]; i < groups->first[p + 1]; i++) {
			const struct service *service = &model->services[groups->services[i]];
			const struct settings *settings = &model->settings[service->settings];
			json_t *item = json_object();

			json_put_uint(&item, "service", groups->services[i]);
			json_put_text(&item, "name", service->name);
			json_put_text(&item, "settings", settings->name);
			json_put_text(&item, "protocol", protocol_name(settings->protocol));
			json_put_uint(&item, "port", settings->port);
			json_put_text(&item, "probe", plan_probe(model, settings)->name);
			json_put_text(&item, "on_unhealthy",
				      why_action_name(settings->on_unhealthy));
			render_forwarding(&item, context, service);
			json_push(&services, item);
		}
		json_put_text(&pool, "name", model->pools[p].name);
		json_put(&pool, "services", services);
		json_push(&pools, pool);
	}
	json_put(&json, "pools", pools);
	json_put(&json, "event_kinds", render_event_kinds());
	return json;
}

static struct tally tally_service(const struct api_context *context, const struct service *service)
{
	struct tally tally = { 0 };

	for (uint32_t i = 0; i < service->n_endpoints; i++)
		if (board_is_shown(context->board, service->endpoints[i]))
			count(&tally, board_health(context->board, service->endpoints[i]).shown);
	return tally;
}

json_t *render_service(const struct api_context *context, uint32_t index)
{
	const struct service *service = &context->model->services[index];
	const struct settings *settings = &context->model->settings[service->settings];
	struct tally tally = tally_service(context, service);
	json_t *json = json_object();

	json_put_text(&json, "name", service->name);
	json_put_text(&json, "settings", settings->name);
	json_put_text(&json, "protocol", protocol_name(settings->protocol));
	json_put_uint(&json, "port", settings->port);
	json_put_text(&json, "probe", plan_probe(context->model, settings)->name);
	json_put_text(&json, "on_unhealthy", why_action_name(settings->on_unhealthy));
	json_put_text(&json, "established", settings->reset_established ? "reset" : "keep");
	render_forwarding(&json, context, service);
	put_tally(&json, &tally);
	json_put(&json, "endpoints", render_members(context, index));
	return json;
}

json_t *render_pool_backends(const struct api_context *context, uint32_t pool, json_t **ret_weights)
{
	const struct model *model = context->model;
	json_t *backends = json_array(), *weights = json_object();

	for (uint32_t i = 0; i < model->pools[pool].n_backends; i++) {
		const char *address = backend_text(&model->pools[pool].backends[i]);

		json_push(&backends, json_text(address));
		json_put_uint(&weights, address, weights_get(context->weights, pool, i));
	}
	*ret_weights = weights;
	return backends;
}

static json_t *render_pool_summary(const struct api_context *context, const struct groups *groups,
				   uint32_t pool)
{
	const struct model *model = context->model;
	json_t *json = json_object();
	json_t *services = json_array();
	struct tally total = { 0 };

	for (uint32_t i = groups->first[pool]; i < groups->first[pool + 1]; i++) {
		const struct service *service = &model->services[groups->services[i]];
		struct tally tally = tally_service(context, service);

		total.healthy += tally.healthy;
		total.unhealthy += tally.unhealthy;
		total.unknown += tally.unknown;
		json_push(&services, json_text(service->name));
	}

	json_put_text(&json, "name", model->pools[pool].name);
	json_put_uint(&json, "backends", model->pools[pool].n_backends);
	json_put(&json, "services", services);
	put_tally(&json, &total);
	return json;
}

json_t *render_pools(const struct api_context *context, const struct groups *groups)
{
	json_t *json = json_object();
	json_t *pools = json_array();

	for (uint32_t p = 0; p < context->model->n_pools; p++)
		json_push(&pools, render_pool_summary(context, groups, p));
	json_put(&json, "pools", pools);
	return json;
}
