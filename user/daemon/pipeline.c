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
	bool *forced; /* scratch, parallel to model->endpoints */
	const struct health **members; /* scratch for one service, */
	bool *chosen; /* as large as the largest pool */
};

static const struct settings *settings_of(const struct pipeline *pipeline, uint32_t endpoint)
{
	const struct model *model = pipeline->parts.model;

	return &model->settings[model->endpoints[endpoint].settings];
}

static void publish(struct pipeline *pipeline, uint32_t endpoint)
{
	const struct settings *settings = settings_of(pipeline, endpoint);
	const struct health *health = &pipeline->health[endpoint];

	dataplane_store_word(
		pipeline->parts.dataplane, endpoint,
		health_word(health, settings->on_unhealthy, settings->reset_established));
}

static void force_service(struct pipeline *pipeline, const struct service *service, uint32_t min)
{
	uint32_t n = pipeline->parts.model->pools[service->pool].n_backends;

	memset(pipeline->chosen, 0, n * sizeof(*pipeline->chosen));
	for (uint32_t i = 0; i < n; i++)
		pipeline->members[i] = &pipeline->health[service->endpoints[i]];
	health_force(pipeline->members, n, min, pipeline->chosen);
	for (uint32_t i = 0; i < n; i++)
		if (pipeline->chosen[i])
			pipeline->forced[service->endpoints[i]] = true;
}

/* min_servers counts within each service of these settings; an endpoint forced by one is forced. */
static void apply_min_servers(struct pipeline *pipeline, uint32_t settings)
{
	const struct model *model = pipeline->parts.model;
	uint32_t min = plan_probe(model, &model->settings[settings])->min_servers;

	if (!min)
		return;
	memset(pipeline->forced, 0, model->n_endpoints * sizeof(*pipeline->forced));
	for (uint32_t i = 0; i < model->n_services; i++)
		if (model->services[i].settings == settings)
			force_service(pipeline, &model->services[i], min);

	for (uint32_t i = 0; i < model->n_endpoints; i++) {
		if (model->endpoints[i].settings != settings ||
		    pipeline->health[i].forced == pipeline->forced[i])
			continue;
		pipeline->health[i].forced = pipeline->forced[i];
		publish(pipeline, i);
		board_set_health(pipeline->parts.board, i, &pipeline->health[i], false);
		log_info("%s: %s by min_servers (%u)", model->endpoints[i].text,
			 pipeline->forced[i] ? "unhealthy, but kept open" : "no longer kept open",
			 min);
	}
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
	if (health->proven != proven)
		publish(pipeline, letter->endpoint);

	board_add_verdict(board, letter->endpoint, &letter->verdict, at_ms);
	board_set_health(board, letter->endpoint, health, false);
	if (health->shown != shown)
		log_change(pipeline, letter, shown);
	if (health->proven != proven)
		apply_min_servers(pipeline,
				  pipeline->parts.model->endpoints[letter->endpoint].settings);
}

static void on_wake(uv_async_t *wake)
{
	struct pipeline *pipeline = wake->data;
	const struct letter *letters;
	size_t n = inbox_take(pipeline->inbox, &letters);

	for (size_t i = 0; i < n; i++)
		take_letter(pipeline, &letters[i]);
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

static void start_from_words(struct pipeline *pipeline)
{
	const struct model *model = pipeline->parts.model;
	uint64_t now_ms = clock_wall_ms();

	for (uint32_t i = 0; i < model->n_endpoints; i++) {
		struct sl_word word = dataplane_word(pipeline->parts.dataplane, i);
		bool adopted = dataplane_was_adopted(pipeline->parts.dataplane, i) &&
			       word.health != SL_UNKNOWN;

		health_init(&pipeline->health[i], adopted ? word.health : SL_UNKNOWN, now_ms);
		pipeline->health[i].forced = adopted && (word.flags & SL_WORD_FORCED);
		board_set_health(pipeline->parts.board, i, &pipeline->health[i], adopted);
		/* The settings may have changed while no daemon ran. */
		publish(pipeline, i);
	}
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
	start_from_words(pipeline);

	*ret = pipeline;
	return 0;
}

void pipeline_free(struct pipeline *pipeline)
{
	if (pipeline)
		uv_close((uv_handle_t *)&pipeline->wake, on_closed);
}
