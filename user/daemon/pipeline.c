// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/pipeline.h"

#include <errno.h>
#include <string.h>

#include "daemon/inbox.h"
#include "probe/message.h"
#include "util/clock.h"
#include "util/log.h"

struct pipeline {
	struct pipeline_parts parts;
	struct inbox *inbox;
	uv_async_t wake;
	struct health *health; /* parallel to model->endpoints */
	uint64_t n_lapses; /* orders health->lapsed */
	bool shares; /* some endpoint is in more than one service */
	bool *forced; /* scratch, parallel to model->endpoints */
	const struct health **members; /* scratch for one service, */
	bool *chosen; /* as large as the largest pool */
};

static const struct settings *settings_of(const struct pipeline *pipeline, uint32_t endpoint)
{
	const struct model *model = pipeline->parts.model;

	return &model->settings[model->endpoints[endpoint].settings];
}

static void publish(struct pipeline *pipeline, uint32_t endpoint, bool forced)
{
	const struct settings *settings = settings_of(pipeline, endpoint);
	struct health health = pipeline->health[endpoint];

	health.forced = forced;
	dataplane_store_word(
		pipeline->parts.dataplane, endpoint,
		health_word(&health, settings->on_unhealthy, settings->reset_established));
}

static void force_service(struct pipeline *pipeline, const struct service *service, uint32_t min)
{
	uint32_t n = pipeline->parts.model->pools[service->pool].n_backends;

	for (uint32_t i = 0; i < n; i++)
		pipeline->members[i] = &pipeline->health[service->endpoints[i]];
	health_force(pipeline->members, n, min, pipeline->chosen);
	for (uint32_t i = 0; i < n; i++)
		if (pipeline->chosen[i])
			pipeline->forced[service->endpoints[i]] = true;
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
		for (uint32_t i = 0; i < model->pools[service->pool].n_backends; i++)
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

/*
 * Whatever opens does so before anything closes, and what has to stay open is never closed. The
 * change of pipeline->health[].forced itself is left to note_forced().
 */
static void publish_change(struct pipeline *pipeline, uint32_t changed)
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

	if (health->forced == pipeline->forced[endpoint])
		return;
	health->forced = pipeline->forced[endpoint];
	board_set_health(board, endpoint, health, entry.adopted);
	log_info("%s: %s by min_servers (%u)", pipeline->parts.model->endpoints[endpoint].text,
		 health->forced ? "unhealthy, but kept open" : "no longer kept open", min);
}

static void note_change(struct pipeline *pipeline, uint32_t changed)
{
	struct scope scope = scope_of(pipeline, changed);

	if (scope.min)
		for_each(pipeline, &scope, note_forced);
}

static void log_change(const struct pipeline *pipeline, const struct letter *letter,
		       enum sl_health before)
{
	const struct model *model = pipeline->parts.model;
	const struct endpoint *endpoint = &model->endpoints[letter->endpoint];
	const struct service *service = &model->services[endpoint->service];
	const struct health *health = &pipeline->health[letter->endpoint];
	char text[MESSAGE_LEN], time[CLOCK_ISO_LEN];

	log_line(health->shown == SL_HEALTHY ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
		 "%s %s: %s -> %s, verdict at %s: %s", model->pools[service->pool].name,
		 endpoint->text, health_name(before), health_name(health->shown),
		 clock_iso_us(time, letter->at_us),
		 message_format(text, &pipeline->parts.plans[letter->endpoint], &letter->verdict));
}

static void take_letter(struct pipeline *pipeline, const struct letter *letter)
{
	const struct plan *plan = &pipeline->parts.plans[letter->endpoint];
	struct health *health = &pipeline->health[letter->endpoint];
	const struct health_policy policy = { plan->unhealthy_threshold, plan->healthy_threshold };
	enum sl_health shown = health->shown, proven = health->proven;
	uint64_t at_ms = letter->at_us / US_PER_MS;
	struct board *board = pipeline->parts.board;

	health_step(health, &policy, letter->verdict.code, at_ms);
	if (proven == SL_HEALTHY && health->proven == SL_UNHEALTHY)
		health->lapsed = ++pipeline->n_lapses;
	if (health->proven != proven)
		publish_change(pipeline, letter->endpoint);

	board_add_verdict(board, letter->endpoint, &letter->verdict, at_ms);
	board_set_health(board, letter->endpoint, health, false);
	if (health->shown != shown)
		log_change(pipeline, letter, shown);
	if (health->proven != proven)
		note_change(pipeline, letter->endpoint);
}

static void on_wake(uv_async_t *wake)
{
	struct pipeline *pipeline = wake->data;
	struct letter *letters;
	size_t n = inbox_take(pipeline->inbox, &letters);

	for (size_t i = 0; i < n; i++) {
		take_letter(pipeline, &letters[i]);
		verdict_done(&letters[i].verdict);
	}
}

void pipeline_report(void *arg, uint32_t endpoint, const struct verdict *verdict)
{
	struct pipeline *pipeline = arg;
	struct letter letter = { endpoint, clock_wall_us(), *verdict };

	/* A lost verdict is as if the probe had not run: the next one is an interval away. */
	if (inbox_put(pipeline->inbox, &letter) < 0)
		log_error("out of memory: a verdict was lost");
	else
		uv_async_send(&pipeline->wake);
}

/* What the kernel holds may be anybody's writing: only what proves something is taken over. */
static bool is_proof(const struct sl_word *word)
{
	return word->health == SL_HEALTHY || word->health == SL_UNHEALTHY;
}

/*
 * min_servers, like all settings, may have changed while no daemon ran, and so may the members: who
 * is forced is judged anew. Those that were so far stay the first choice.
 */
static void adopt(struct pipeline *pipeline)
{
	const struct dataplane *dataplane = pipeline->parts.dataplane;
	const struct model *model = pipeline->parts.model;
	uint64_t now_ms = clock_wall_ms();

	pipeline->n_lapses = 1;
	for (uint32_t i = 0; i < model->n_endpoints; i++) {
		struct sl_word word = dataplane_word(dataplane, i);
		struct health *health = &pipeline->health[i];
		bool adopted = dataplane_was_adopted(dataplane, i) && is_proof(&word);

		health_init(health, adopted ? word.health : SL_UNKNOWN, now_ms);
		if (adopted && word.flags & SL_WORD_FORCED)
			health->lapsed = pipeline->n_lapses;
		board_set_health(pipeline->parts.board, i, health, adopted);
	}
}

static void start_from_words(struct pipeline *pipeline)
{
	const struct model *model = pipeline->parts.model;

	adopt(pipeline);
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

/* Every endpoint is in one service at least. */
static bool shares_endpoints(const struct model *model)
{
	uint64_t n_members = 0;

	for (uint32_t i = 0; i < model->n_services; i++)
		n_members += model->pools[model->services[i].pool].n_backends;
	return n_members > model->n_endpoints;
}

static uint32_t largest_pool(const struct model *model)
{
	uint32_t largest = 1;

	for (uint32_t i = 0; i < model->n_pools; i++)
		if (model->pools[i].n_backends > largest)
			largest = model->pools[i].n_backends;
	return largest;
}

static void free_parts(struct pipeline *pipeline)
{
	inbox_free(pipeline->inbox);
	free(pipeline->health);
	free(pipeline->forced);
	free(pipeline->members);
	free(pipeline->chosen);
	free(pipeline);
}

static void on_closed(uv_handle_t *handle)
{
	free_parts(handle->data);
}

int pipeline_new(struct pipeline **ret, const struct pipeline_parts *parts)
{
	struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
	uint32_t n = parts->model->n_endpoints + 1; /* calloc(0) may be NULL */
	uint32_t n_members = largest_pool(parts->model);
	int r;

	if (!pipeline)
		return -ENOMEM;
	pipeline->parts = *parts;
	pipeline->inbox = inbox_new();
	pipeline->health = calloc(n, sizeof(*pipeline->health));
	pipeline->forced = calloc(n, sizeof(*pipeline->forced));
	pipeline->members = calloc(n_members, sizeof(*pipeline->members));
	pipeline->chosen = calloc(n_members, sizeof(*pipeline->chosen));
	if (!pipeline->inbox || !pipeline->health || !pipeline->forced || !pipeline->members ||
	    !pipeline->chosen) {
		free_parts(pipeline);
		return -ENOMEM;
	}
	r = uv_async_init(parts->loop, &pipeline->wake, on_wake);
	if (r < 0) {
		free_parts(pipeline);
		return r;
	}
	pipeline->wake.data = pipeline;
	pipeline->shares = shares_endpoints(parts->model);
	start_from_words(pipeline);

	*ret = pipeline;
	return 0;
}

void pipeline_free(struct pipeline *pipeline)
{
	if (pipeline)
		uv_close((uv_handle_t *)&pipeline->wake, on_closed);
}
