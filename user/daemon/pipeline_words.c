// SPDX-License-Identifier: GPL-2.0-or-later
/* pipeline_words - from health to the words that the kernel reads. */
#include "daemon/balancer.h"
#include "daemon/pipeline_work.h"
#include "util/clock.h"
#include "util/log.h"

static const struct settings *settings_of(const struct pipeline *pipeline, uint32_t endpoint)
{
	const struct model *model = pipeline->parts.model;

	return &model->settings[model->endpoints[endpoint].settings];
}

static void publish(struct pipeline *pipeline, uint32_t endpoint, bool forced)
{
	const struct settings *settings = settings_of(pipeline, endpoint);
	const struct seat *seat = &pipeline->seats[endpoint];
	struct standing standing = seat_standing(seat);
	bool draining = standing.admin == SL_DRAINING;
	struct health health = pipeline->health[endpoint];
	struct sl_word word;

	if (!seat->taken)
		return;
	health.forced = forced;
	/* Draining is there for the flows that are open. */
	word = health_word(&health, settings->on_unhealthy,
			   settings->reset_established && !draining);
	/* Those whom a cookie brings still come, by HAProxy: that lets nobody else in, and ends it in time. */
	if (draining && settings->l7.affinity)
		draining = false;
	else
		word.admin = standing.admin;
	if (seat->ordered.admin != SL_ENABLED)
		word.flags |= SL_WORD_ORDERED;
	if (seat->suspected)
		word.flags |= SL_WORD_SUSPECT;
	/* Rounded up: nobody loses a second. */
	if (draining && standing.deadline_ms)
		word.deadline_s = (__u32)((standing.deadline_ms + MS_PER_SEC - 1) / MS_PER_SEC);
	dataplane_store_word(pipeline->parts.dataplane, endpoint, word);
	balancer_note(pipeline->balancer, endpoint);
}

void pipeline_publish(struct pipeline *pipeline, uint32_t endpoint)
{
	publish(pipeline, endpoint, pipeline->health[endpoint].forced);
}

bool pipeline_serves(const struct pipeline *pipeline, uint32_t endpoint)
{
	const struct seat *seat = &pipeline->seats[endpoint];

	return seat->taken && seat_standing(seat).admin == SL_ENABLED;
}

static void force_service(struct pipeline *pipeline, const struct service *service, uint32_t min)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < service->n_endpoints; i++)
		if (pipeline_serves(pipeline, service->endpoints[i]))
			pipeline->members[n++] = &pipeline->health[service->endpoints[i]];
	health_force(pipeline->members, n, min, pipeline->chosen);
	for (uint32_t i = 0; i < n; i++)
		if (pipeline->chosen[i])
			pipeline->forced[pipeline->members[i] - pipeline->health] = true;
}

/* Services [begin, end), of them those with these settings. */
struct scope {
	uint32_t begin, end, settings, min;
};

static struct scope scope_all(const struct pipeline *pipeline, uint32_t settings)
{
	const struct model *model = pipeline->parts.model;

	return (struct scope){
		.end = model->n_services,
		.settings = settings,
		.min = plan_probe(model, &model->settings[settings])->min_servers,
	};
}

/* The services that a change of this endpoint may matter to. */
static struct scope scope_of(const struct pipeline *pipeline, uint32_t endpoint)
{
	const struct endpoint *changed = &pipeline->parts.model->endpoints[endpoint];
	struct scope scope = scope_all(pipeline, changed->settings);

	if (!pipeline->shares) {
		scope.begin = changed->service;
		scope.end = changed->service + 1;
	}
	return scope;
}

/* Call fn for every endpoint of the services; for one of several services more than once. */
static void for_each(struct pipeline *pipeline, const struct scope *scope,
		     void (*fn)(struct pipeline *pipeline, uint32_t endpoint, uint32_t min))
{
	const struct model *model = pipeline->parts.model;

	for (uint32_t s = scope->begin; s < scope->end; s++) {
		const struct service *service = &model->services[s];

		if (service->settings != scope->settings)
			continue;
		for (uint32_t i = 0; i < service->n_endpoints; i++)
			fn(pipeline, service->endpoints[i], scope->min);
	}
}

static void clear_forced(struct pipeline *pipeline, uint32_t endpoint, uint32_t min)
{
	(void)min;
	pipeline->forced[endpoint] = false;
}

/* min_servers counts within each service; an endpoint forced by one is forced. */
static void judge_min_servers(struct pipeline *pipeline, const struct scope *scope)
{
	const struct model *model = pipeline->parts.model;

	for_each(pipeline, scope, clear_forced);
	for (uint32_t s = scope->begin; s < scope->end; s++)
		if (model->services[s].settings == scope->settings)
			force_service(pipeline, &model->services[s], scope->min);
}

static void publish_opened(struct pipeline *pipeline, uint32_t endpoint, uint32_t min)
{
	(void)min;
	if (pipeline->forced[endpoint] && !pipeline->health[endpoint].forced)
		publish(pipeline, endpoint, true);
}

static void publish_closed(struct pipeline *pipeline, uint32_t endpoint, uint32_t min)
{
	(void)min;
	if (!pipeline->forced[endpoint] && pipeline->health[endpoint].forced)
		publish(pipeline, endpoint, false);
}

/* The change of pipeline->health[].forced itself is left to note_forced(). */
void pipeline_publish_change(struct pipeline *pipeline, uint32_t changed)
{
	struct scope scope = scope_of(pipeline, changed);

	if (!scope.min) {
		publish(pipeline, changed, false);
		return;
	}
	judge_min_servers(pipeline, &scope);
	for_each(pipeline, &scope, publish_opened);
	publish(pipeline, changed, pipeline->forced[changed]);
	for_each(pipeline, &scope, publish_closed);
}

/* Show and log that the endpoint is forced, or no longer. */
static void note_forced(struct pipeline *pipeline, uint32_t endpoint, uint32_t min)
{
	struct health *health = &pipeline->health[endpoint];
	struct board *board = pipeline->parts.board;
	CLEANUP(board_entry_done) struct board_entry entry = board_read(board, endpoint);
	char text[ENDPOINT_TEXT_LEN];

	if (health->forced == pipeline->forced[endpoint])
		return;
	health->forced = pipeline->forced[endpoint];
	board_set_health(board, endpoint, health, entry.adopted);
	log_info("%s: %s by min_servers (%u)", pipeline_text(pipeline, endpoint, text),
		 health->forced ? "unhealthy, but kept open" : "no longer kept open", min);
}

void pipeline_note_change(struct pipeline *pipeline, uint32_t changed)
{
	struct scope scope = scope_of(pipeline, changed);

	if (scope.min)
		for_each(pipeline, &scope, note_forced);
}

void pipeline_publish_all(struct pipeline *pipeline)
{
	const struct model *model = pipeline->parts.model;

	for (uint32_t s = 0; s < model->n_settings; s++) {
		struct scope scope = scope_all(pipeline, s);

		if (!scope.min)
			continue;
		judge_min_servers(pipeline, &scope);
		for_each(pipeline, &scope, note_forced);
	}
	for (uint32_t i = 0; i < model->n_endpoints; i++)
		publish(pipeline, i, pipeline->health[i].forced);
}
