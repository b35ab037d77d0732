// SPDX-License-Identifier: GPL-2.0-or-later
/* pipeline_tell - what happened to an endpoint, told, or summed up where it is too much. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/inbox.h"
#include "daemon/pipeline_work.h"
#include "daemon/tell.h"
#include "probe/message.h"
#include "util/clock.h"
#include "util/duration.h"

#define LINE_LEN (EVENT_TEXT_LEN + EVENT_ENDPOINT_LEN + 256)

static void fill_in(const struct pipeline *pipeline, uint32_t index, struct event *event)
{
	const struct model *model = pipeline->parts.model;
	const struct endpoint *endpoint = &model->endpoints[index];
	const struct service *service = &model->services[endpoint->service];
	char name[ENDPOINT_TEXT_LEN];

	event_set(event->pool, model->pools[service->pool].name);
	event_set(event->service, service->name);
	event_set(event->settings, model->settings[endpoint->settings].name);
	event_set(event->endpoint, pipeline_text(pipeline, index, name));
}

/* "web-pool 10.0.0.5:443: Healthy -> Unhealthy, verdict at …: …" */
static void tell_now(const struct pipeline *pipeline, const struct event *event)
{
	char line[LINE_LEN], time[CLOCK_ISO_LEN], states[2 * EVENT_STATE_LEN + 8] = "";

	if (event->before[0] || event->after[0])
		snprintf(states, sizeof(states), " %s -> %s,", event->before, event->after);
	snprintf(line, sizeof(line), "%s %s:%s %s at %s: %s", event->pool, event->endpoint, states,
		 event->kind == EVENT_HEALTH ? "verdict" : event_kind_name(event->kind),
		 clock_iso_us(time, event->at_us ? event->at_us : clock_wall_us()), event->text);
	tell(pipeline->parts.events, event, line);
}

void pipeline_tell(struct pipeline *pipeline, uint32_t endpoint, const struct event *event)
{
	enum hush_sort sort = event->kind == EVENT_HEALTH ? HUSH_HEALTH : HUSH_OTHER;
	struct event whole = *event;

	if (!hush_admit(pipeline->hush, endpoint, sort))
		return;
	fill_in(pipeline, endpoint, &whole);
	tell_now(pipeline, &whole);
}

static void put_verdict(struct event *event, const struct health *health,
			const struct verdict *verdict)
{
	event->severity = health->shown == SL_HEALTHY ? EVENT_INFO : EVENT_WARNING;
	event_set(event->after, health_name(health->shown));
	event_set(event->reason, message_id(verdict->code));
	event_number(event, "code", verdict->code);
	event_number(event, "failures", health->failures);
	event_number(event, "successes", health->successes);
	event_number(event, "elapsed_ms", verdict->elapsed_ms);
	if (verdict->http_status)
		event_number(event, "http_status", verdict->http_status);
}

void pipeline_tell_change(struct pipeline *pipeline, const struct letter *letter,
			  enum sl_health before)
{
	struct seat *seat = &pipeline->seats[letter->endpoint];
	const struct health *health = &pipeline->health[letter->endpoint];
	struct event event = { .kind = EVENT_HEALTH, .at_us = letter->at_us };
	struct plan plan;
	char text[MESSAGE_LEN];

	/* Sentences are long in the making. */
	if (!hush_admit(pipeline->hush, letter->endpoint, HUSH_HEALTH))
		return;
	plan = pipeline_plan(pipeline, letter->endpoint);
	seat->told = health->shown;
	fill_in(pipeline, letter->endpoint, &event);
	put_verdict(&event, health, &letter->verdict);
	event_set(event.before, health_name(before));
	event_set(event.text, message_format(text, &plan, &letter->verdict));
	tell_now(pipeline, &event);
}

/* What the endpoint is now, with the verdict that it has come to. */
static void sum_up_health(struct pipeline *pipeline, uint32_t endpoint, struct event *event)
{
	CLEANUP(board_entry_done)
	struct board_entry entry = board_read(pipeline->parts.board, endpoint);
	const struct plan plan = pipeline_plan(pipeline, endpoint);
	struct seat *seat = &pipeline->seats[endpoint];
	size_t len = strlen(event->text);
	char text[MESSAGE_LEN];

	event->kind = EVENT_HEALTH;
	event_set(event->before, health_name(seat->told));
	put_verdict(event, &entry.health, &entry.recent[0].verdict);
	seat->told = entry.health.shown;
	event_put(event->text + len, sizeof(event->text) - len,
		  message_format(text, &plan, &entry.recent[0].verdict));
}

void pipeline_sum_up(void *arg, uint32_t endpoint, enum hush_sort sort, uint32_t held,
		     uint32_t window_ms)
{
	struct pipeline *pipeline = arg;
	struct event event = { .kind = EVENT_EVIDENCE, .severity = EVENT_WARNING };
	char window[DURATION_LEN];

	event.at_us = clock_wall_us();
	snprintf(event.text, sizeof(event.text), "%" PRIu32 " more %s within %s%s", held,
		 sort == HUSH_HEALTH ? "changes" : "events", duration_human(window, window_ms),
		 sort == HUSH_HEALTH ? ", now: " : "");
	event_number(&event, "more", held);
	event_number(&event, "within_ms", window_ms);
	if (sort == HUSH_HEALTH)
		sum_up_health(pipeline, endpoint, &event);
	fill_in(pipeline, endpoint, &event);
	tell_now(pipeline, &event);
}

void pipeline_tell_held(struct pipeline *pipeline)
{
	hush_flush(pipeline->hush);
}

struct events *pipeline_events(const struct pipeline *pipeline)
{
	return pipeline->parts.events;
}
