// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/render.h"

#include <stdio.h>
#include <string.h>

#include "control/render_attempts.h"
#include "dataplane/census.h"
#include "diagnose/verdict_json.h"
#include "diagnose/why.h"
#include "util/clock.h"
#include "util/printable.h"

/* Where the parts of a row are. */
struct place {
	const struct service *service;
	const struct settings *settings;
	const struct pool *pool;
	const struct backend *backend;
	const struct endpoint *endpoint;
	struct plan plan; /* with the address that the endpoint has now */
	bool is_name; /* the seat stands for its name: there is no address */
	uint32_t index; /* of the endpoint */
	uint64_t now_ms;
};

static struct place find(const struct api_context *context, const struct render_row *row,
			 const struct board_entry *entry)
{
	const struct model *model = context->model;
	const struct service *service = &model->services[row->service];
	uint32_t index = service->endpoints[row->member];
	struct place place = {
		.service = service,
		.settings = &model->settings[service->settings],
		.pool = &model->pools[service->pool],
		.backend = &model->pools[service->pool].backends[service->owners[row->member]],
		.endpoint = &model->endpoints[index],
		.plan = context->plans[index],
		.is_name = entry->seat == BOARD_NAME,
		.index = index,
		.now_ms = row->now_ms,
	};

	if (entry->seat == BOARD_FOUND)
		place.plan.addr = entry->addr;
	return place;
}

static struct board_entry read_entry(const struct api_context *context,
				     const struct render_row *row)
{
	return board_read(context->board,
			  context->model->services[row->service].endpoints[row->member]);
}

static const char *proto_name(enum sl_proto proto)
{
	return proto == SL_UDP ? "udp" : "tcp";
}

static json_t *render_place(const struct place *place)
{
	json_t *json = json_object();
	char text[SL_TEXT_LEN];

	json_put_text(&json, "address",
		      place->is_name ? place->endpoint->name
				     : addr_format(text, &place->plan.addr));
	json_put_uint(&json, "port", place->endpoint->key.port);
	json_put_text(&json, "proto", proto_name(place->endpoint->key.proto));
	json_put_text(&json, "backend", backend_text(place->backend));
	return json;
}

static const char *admin_name(enum sl_admin admin)
{
	static const char *const names[] = {
		[SL_ENABLED] = "enabled",
		[SL_DRAINING] = "draining",
		[SL_DISABLED] = "disabled",
	};

	return names[admin];
}

static json_t *render_drain(const struct board_entry *entry)
{
	uint64_t now_ms = clock_mono_ms();
	json_t *json = json_object();

	if (entry->deadline_ms)
		json_put_uint(&json, "left_ms",
			      entry->deadline_ms > now_ms ? entry->deadline_ms - now_ms : 0);
	return json;
}

/* Where the gate alone stands before an endpoint, nobody knows its flows. */
static void put_flows(json_t **json, const struct api_context *context, const struct place *place)
{
	uint32_t flows;

	if (service_forwards(context->model, place->service) &&
	    census_flows(context->census, place->index, &flows))
		json_put_uint(json, "flows", flows);
}

static void put_admin(json_t **json, const struct api_context *context, const struct place *place,
		      const struct board_entry *entry)
{
	json_t *drain;

	json_put_text(json, "admin", admin_name(entry->admin));
	if (entry->admin != SL_DRAINING)
		return;
	drain = render_drain(entry);
	put_flows(&drain, context, place);
	json_put(json, "drain", drain);
}

/* A wall clock that was set back must not show as an age of centuries. */
static uint64_t age_of(uint64_t now_ms, uint64_t at_ms)
{
	return now_ms > at_ms ? now_ms - at_ms : 0;
}

/* Not probed since the daemon started: by what of before, and from when that is. */
static void put_adopted(json_t **json, const struct board_entry *entry, uint64_t now_ms)
{
	if (!entry->adopted)
		return;
	json_put_bool(json, "adopted", true);
	if (entry->recent[0].at_ms)
		json_put_uint(json, "verdict_ms_ago", age_of(now_ms, entry->recent[0].at_ms));
}

static void put_health(json_t **json, const struct board_entry *entry, uint64_t now_ms)
{
	const struct health *health = &entry->health;

	json_put_text(json, "health", health_name(health->shown));
	if (health->proven != health->shown)
		json_put_text(json, "gate", health_name(health->proven));
	if (health->forced)
		json_put_bool(json, "forced", true);
	put_adopted(json, entry, now_ms);
	if (entry->suspected)
		json_put_bool(json, "suspected", true);
	if (entry->disagreement)
		json_put_text(json, "disagrees", entry->disagreement);
}

static json_t *render_probe(const struct place *place, const struct board_entry *entry)
{
	json_t *json = json_object();

	json_put_uint(&json, "interval_ms", place->plan.interval_ms);
	if (entry->stretch > 1)
		json_put_uint(&json, "stretch", entry->stretch);
	if (entry->recent[0].at_ms) {
		json_put_uint(&json, "last_ms_ago", age_of(place->now_ms, entry->recent[0].at_ms));
		json_put_uint(&json, "consecutive_failures", entry->health.failures);
		json_put(&json, "timing_us", verdict_json_timing(&entry->recent[0].verdict.timing));
	}
	return json;
}

static json_t *render_kernel(const struct sl_endpoint_stats *stats)
{
	json_t *json = json_object();

	json_put_uint(&json, "syn", stats->syn);
	json_put_uint(&json, "packets", stats->packets);
	json_put_uint(&json, "bytes", stats->bytes);
	json_put_uint(&json, "rejected", stats->rejected);
	json_put_uint(&json, "dropped", stats->dropped);
	json_put_uint(&json, "reset", stats->reset);
	json_put_uint(&json, "limited", stats->limited);
	json_put_uint(&json, "icmp_errors", stats->icmp_errors);
	return json;
}

/* Whether an endpoint's answers to the clients of the service pass this host. */
static bool is_one_sided(const struct api_context *context, const struct service *service)
{
	return service_forwards(context->model, service) && service->forward != FORWARD_NAT;
}

/* What comes back from the endpoint; where nothing translates it, it is seen only if attempts are watched, too. */
static void put_replies(json_t **json, const struct api_context *context,
			const struct service *service, const struct sl_endpoint_stats *stats)
{
	bool forwards = service_forwards(context->model, service);

	if (is_one_sided(context, service) || (!forwards && !context->model->gateway.watch))
		return;
	json_put_uint(json, "replies", stats->replies);
	json_put_uint(json, "reply_bytes", stats->reply_bytes);
	if (!forwards)
		json_put_uint(json, "reply_sample", SL_REPLY_SAMPLE);
}

/* What the programs know of an endpoint. */
struct kernel_facts {
	struct sl_endpoint_stats stats;
	struct attempt_report attempts;
	bool counted, watched; /* whether stats and attempts are known */
};

static struct kernel_facts read_kernel(const struct api_context *context, const struct place *place)
{
	struct kernel_facts facts = { .counted = false };

	facts.counted =
		dataplane_endpoint_stats(context->dataplane, place->index, &facts.stats) >= 0;
	facts.watched = render_read_attempts(context, place->index, &facts.attempts);
	return facts;
}

static void put_kernel(json_t **json, const struct api_context *context, const struct place *place,
		       const struct kernel_facts *facts)
{
	json_t *kernel;

	if (!facts->counted)
		return;
	kernel = render_kernel(&facts->stats);
	put_replies(&kernel, context, place->service, &facts->stats);
	if (facts->watched)
		render_attempts(&kernel, &facts->attempts, is_one_sided(context, place->service));
	json_put(json, "kernel", kernel);
}

static json_t *render_entry(const struct api_context *context, const struct place *place,
			    const struct board_entry *entry)
{
	struct verdict newest = why_newest(entry);
	struct advice advice = advice_for(&newest);
	json_t *json = render_place(place);

	put_health(&json, entry, place->now_ms);
	put_admin(&json, context, place, entry);
	json_put_time(&json, "since", entry->health.since_ms);
	verdict_json_message(&json, &place->plan, &newest);
	verdict_json_facts(&json, &place->plan, &newest);
	json_put(&json, "remedies", json_texts(advice.remedies, advice.n_remedies));
	json_put(&json, "probe", render_probe(place, entry));
	if (place->endpoint->name) {
		struct board_name name = board_name(context->board, place->endpoint->name_index);

		json_put(&json, "dns", render_name(place->endpoint->name, &name, place->now_ms));
	}
	return json;
}

json_t *render_health(const struct api_context *context, const struct render_row *row)
{
	CLEANUP(board_entry_done)
	struct board_entry entry = read_entry(context, row);
	struct place place = find(context, row, &entry);
	struct kernel_facts kernel = read_kernel(context, &place);
	json_t *json = render_entry(context, &place, &entry);

	put_kernel(&json, context, &place, &kernel);
	return json;
}

json_t *render_stats(const struct api_context *context, const struct render_row *row)
{
	CLEANUP(board_entry_done)
	struct board_entry entry = read_entry(context, row);
	struct place place = find(context, row, &entry);
	struct kernel_facts kernel = read_kernel(context, &place);
	json_t *json = render_place(&place);

	put_health(&json, &entry, place.now_ms);
	json_put_text(&json, "admin", admin_name(entry.admin));
	put_kernel(&json, context, &place, &kernel);
	render_l7_numbers(&json, context,
			  context->model->services[row->service].endpoints[row->member]);
	return json;
}

json_t *render_standing(const struct api_context *context, const struct render_row *row)
{
	CLEANUP(board_entry_done)
	struct board_entry entry = read_entry(context, row);
	struct place place = find(context, row, &entry);
	json_t *json = render_place(&place);

	put_health(&json, &entry, place.now_ms);
	json_put_text(&json, "admin", admin_name(entry.admin));
	/* Flows were counted before the change: they are for those who ask again. */
	if (entry.admin == SL_DRAINING)
		json_put(&json, "drain", render_drain(&entry));
	return json;
}

json_t *render_brief(const struct api_context *context, const struct render_row *row)
{
	CLEANUP(board_entry_done)
	struct board_entry entry = read_entry(context, row);
	struct place place = find(context, row, &entry);
	struct verdict newest = why_newest(&entry);
	json_t *json = render_place(&place);

	put_health(&json, &entry, place.now_ms);
	put_admin(&json, context, &place, &entry);
	json_put_time(&json, "since", entry.health.since_ms);
	verdict_json_message(&json, &place.plan, &newest);
	if (newest.tls.not_after)
		json_put_unix(&json, "cert_not_after", newest.tls.not_after);
	return json;
}

json_t *render_trail(const struct api_context *context, const struct render_row *row)
{
	uint32_t index = context->model->services[row->service].endpoints[row->member];
	const struct board_trail trail = board_trail(context->board, index);
	CLEANUP(board_entry_done)
	struct board_entry entry = read_entry(context, row);
	struct place place = find(context, row, &entry);
	json_t *passed = json_array(), *took_us = json_array();
	json_t *json = json_object();

	for (uint32_t i = 0; i < trail.n; i++) {
		json_push(&passed, json_boolean(trail.steps[i].passed));
		json_push(&took_us, json_integer(trail.steps[i].took_us));
	}
	put_admin(&json, context, &place, &entry);
	if (entry.n_verdicts)
		json_put_uint(&json, "last_ms_ago", age_of(row->now_ms, entry.recent[0].at_ms));
	json_put(&json, "passed", passed);
	json_put(&json, "took_us", took_us);
	return json;
}

static bool asks_for_path(enum protocol protocol)
{
	return protocol == PROTO_HTTP || protocol == PROTO_HTTPS || protocol == PROTO_GRPC;
}

static json_t *render_plan_tls(const struct plan_tls *tls)
{
	json_t *json = json_object();

	if (tls->sni)
		json_put_text(&json, "sni", tls->sni);
	if (tls->name && tls->check_name)
		json_put_text(&json, "verified_name", tls->name);
	json_put_bool(&json, "validate_chain_and_expiry", tls->check_chain);
	json_put_bool(&json, "validate_sni", tls->check_name);
	json_put_uint(&json, "full_handshake_every", tls->full_every);
	return json;
}

static void put_path(json_t **json, const char *path)
{
	size_t len = printable_path_len(path);
	char shown[LIMIT_PATH_BYTES + sizeof(PRINTABLE_QUERY)];

	snprintf(shown, sizeof(shown), "%.*s%s", (int)len, path, path[len] ? PRINTABLE_QUERY : "");
	json_put_text(json, "path", shown);
}

/* What the probe does, so that it can be repeated by hand. */
static json_t *render_plan(const struct plan *plan)
{
	char target[SL_TEXT_LEN];
	json_t *json = json_object();

	json_put_text(&json, "protocol", protocol_name(plan->protocol));
	json_put_text(&json, "target", addr_port_format(target, &plan->addr, plan->port));
	if (asks_for_path(plan->protocol)) {
		json_put_text(&json, "host", plan->host);
		put_path(&json, plan->path);
	}
	if (plan->tls.enabled)
		json_put(&json, "tls", render_plan_tls(&plan->tls));
	if (plan->proxy_protocol)
		json_put_text(&json, "proxy_protocol", proxy_version_name(plan->proxy_protocol));
	json_put_uint(&json, "interval_ms", plan->interval_ms);
	json_put_uint(&json, "timeout_ms", plan->timeout_ms);
	json_put_uint(&json, "unhealthy_threshold", plan->unhealthy_threshold);
	json_put_uint(&json, "healthy_threshold", plan->healthy_threshold);
	return json;
}

static json_t *render_recent(const struct place *place, const struct board_entry *entry)
{
	json_t *array = json_array();

	for (size_t i = 0; i < BOARD_RECENT && entry->recent[i].at_ms; i++) {
		const struct board_verdict *recent = &entry->recent[i];
		json_t *json = json_object();

		json_put_time(&json, "at", recent->at_ms);
		json_put_uint(&json, "ms_ago", age_of(place->now_ms, recent->at_ms));
		verdict_json_message(&json, &place->plan, &recent->verdict);
		verdict_json_facts(&json, &place->plan, &recent->verdict);
		json_put_text(&json, "stage", stage_name(recent->verdict.stage));
		json_put_uint(&json, "elapsed_ms", recent->verdict.elapsed_ms);
		json_put(&json, "timing_us", verdict_json_timing(&recent->verdict.timing));
		json_push(&array, json);
	}
	return array;
}

static json_t *render_notes(const struct why *why)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < why->n_notes; i++)
		json_push(&array, json_text(why->notes[i]));
	return array;
}

static json_t *render_disagreement(const struct disagreement *disagreement)
{
	const struct cause_row *row = cause_row(disagreement->cause);
	json_t *json = json_object();

	json_put_text(&json, "id", cause_id(disagreement->cause));
	json_put_text(&json, "text", disagreement->text);
	json_put_text(&json, "meaning", row->meaning);
	json_put(&json, "remedies",
		 json_texts(row->remedies, cause_n_remedies(disagreement->cause)));
	return json;
}

/* How clients fared, and since when. */
static json_t *render_lately(const struct why *why)
{
	json_t *json = json_object();

	json_put_uint(&json, "window_ms", why->window_ms);
	json_put_uint(&json, "answered", why->lately.answered);
	json_put_uint(&json, "refused", why->lately.refused);
	json_put_uint(&json, "unreachable", why->lately.unreachable);
	json_put_uint(&json, "unanswered", why->lately.unanswered);
	json_put_uint(&json, "reset_endpoint", why->lately.reset);
	return json;
}

static void put_clients(json_t **json, const struct why *why)
{
	if (why->disagreement.cause != CAUSE_REACHABLE)
		json_put(json, "disagreement", render_disagreement(&why->disagreement));
	if (why->window_ms)
		json_put(json, "lately", render_lately(why));
}

/* Of the newest probe; where that resumed a session, those that the session began with. */
static json_t *render_chain(const struct api_context *context, uint32_t endpoint,
			    const struct verdict *newest)
{
	CLEANUP(board_sheet_done) struct board_sheet sheet = board_sheet(context->board, endpoint);

	return verdict_json_chain(newest->tls.resumed ? sheet.certs : newest->tls.certs);
}

json_t *render_why(const struct api_context *context, const struct render_row *row)
{
	CLEANUP(board_entry_done)
	struct board_entry entry = read_entry(context, row);
	struct place place = find(context, row, &entry);
	struct sl_meta meta = dataplane_meta(context->dataplane);
	struct kernel_facts kernel = read_kernel(context, &place);
	struct traffic traffic = attempt_traffic(&kernel.attempts);
	struct board_name dns = { .n = 0 };
	struct why_facts facts = {
		.dns = place.endpoint->name ? &dns : NULL,
		.settings = place.settings,
		.plan = &place.plan,
		.endpoint = place.endpoint,
		.entry = &entry,
		.stats = kernel.counted ? &kernel.stats : NULL,
		.traffic = kernel.watched ? &traffic : NULL,
		.meta = &meta,
		.removed = !dataplane_in_force(context->dataplane),
		.mono_ns = clock_mono_ns(),
		.wall_ms = place.now_ms,
	};
	json_t *json = render_entry(context, &place, &entry);
	struct why why;

	if (place.endpoint->name)
		dns = board_name(context->board, place.endpoint->name_index);
	why_explain(&why, &facts);
	json_put_text(&json, "service", place.service->name);
	json_put_text(&json, "settings", place.settings->name);
	put_clients(&json, &why);
	json_put_text(&json, "finding", why.finding);
	json_put(&json, "notes", render_notes(&why));
	json_put(&json, "causes", json_texts(why.advice.causes, why.advice.n_causes));
	json_put(&json, "plan", render_plan(&place.plan));
	json_put(&json, "recent", render_recent(&place, &entry));
	if (place.plan.tls.enabled)
		json_put(&json, "chain", render_chain(context, place.index, &why.newest));
	render_share(&json, context, row);
	render_forwarding(&json, context, place.service);
	render_l7_numbers(&json, context,
			  context->model->services[row->service].endpoints[row->member]);
	json_put_text(&json, "on_unhealthy", why_action_name(place.settings->on_unhealthy));
	json_put_text(&json, "established", place.settings->reset_established ? "reset" : "keep");
	put_kernel(&json, context, &place, &kernel);
	return json;
}
