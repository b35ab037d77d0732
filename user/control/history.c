// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/history.h"

#include <stdio.h>
#include <string.h>

#include "store/events.h"
#include "util/clock.h"
#include "util/instant.h"
#include "util/number.h"

#define LIMIT_DEFAULT 100
#define ID_MAX (1ull << 53) /* as far as every reader of JSON counts */

static void put_if(json_t **json, const char *key, const char *text)
{
	if (*text)
		json_put_text(json, key, text);
}

/* Whether it says who somebody was, and what he said: of a file that he gave, too. */
static bool is_about_somebody(const struct event *event)
{
	return event->kind == EVENT_ORDER || event->kind == EVENT_ACCESS ||
	       event->kind == EVENT_RELOAD || strstr(event->numbers, "\"uid\"");
}

/* "order: drain, refused": all that is said to those of whom nobody knows who they are. */
static void withhold(struct event *event)
{
	snprintf(event->text, sizeof(event->text), "%s: %s%s%s", event_kind_name(event->kind),
		 event->reason, event->reason[0] && event->after[0] ? ", " : "", event->after);
	event->numbers[0] = '\0';
}

static json_t *render(const struct event *event)
{
	json_t *json = json_object(), *numbers;
	char at[CLOCK_ISO_LEN];

	json_put_uint(&json, "id", event->id);
	json_put_text(&json, "at", clock_iso_us(at, event->at_us));
	json_put_text(&json, "kind", event_kind_name(event->kind));
	json_put_text(&json, "severity", event_severity_name(event->severity));
	put_if(&json, "pool", event->pool);
	put_if(&json, "service", event->service);
	put_if(&json, "settings", event->settings);
	put_if(&json, "endpoint", event->endpoint);
	put_if(&json, "before", event->before);
	put_if(&json, "after", event->after);
	put_if(&json, "reason", event->reason);
	json_put_text(&json, "text", event->text);
	numbers = event->numbers[0] ? json_loads(event->numbers, 0, NULL) : NULL;
	if (json_is_object(numbers))
		json_put(&json, "numbers", numbers);
	else
		json_decref(numbers);
	return json;
}

static bool refuse(struct answer *answer, const char *name, const char *value, const char *allowed)
{
	answer_refuse(answer, MHD_HTTP_BAD_REQUEST, "bad_request", "%s '%.*s' is not %s", name,
		      ANSWER_NAMED_MAX, value, allowed);
	return false;
}

static const char *parameter(const struct request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

/* What is asked for; without a beginning it is the newest. A pool need not be there any more. */
static bool parse(struct events_query *ret_query, const struct request *request,
		  struct answer *answer)
{
	const char *after = parameter(request, "after"), *since = parameter(request, "since");
	const char *limit = parameter(request, "limit");
	struct events_query query = {
		.pool = parameter(request, "pool"),
		.newest = !after && !since,
	};
	uint64_t n = LIMIT_DEFAULT;

	if (after && number_parse(&query.after, after, 0, ID_MAX) < 0)
		return refuse(answer, "after", after, "the id of an event");
	if (since && instant_parse(&query.since_us, since, clock_wall_us()) < 0)
		return refuse(answer, "since", since, INSTANT_ALLOWED);
	if (limit && number_parse(&n, limit, 1, EVENTS_PAGE_MAX) < 0)
		return refuse(answer, "limit", limit, "a whole number from 1 to 1000");
	query.limit = (uint32_t)n;
	*ret_query = query;
	return true;
}

_Static_assert(EVENTS_PAGE_MAX == 1000, "texts name the limit");

void history_answer(const struct request *request, const char *rest, struct answer *answer)
{
	struct events_page page = { 0 };
	struct events_query query;
	json_t *events, *json;

	(void)rest;
	if (!parse(&query, request, answer))
		return;
	if (events_read(request->context->events, &query, &page) < 0)
		return;
	events = json_array();
	for (size_t i = 0; i < page.n; i++) {
		if (request->caller->role < ROLE_READ && is_about_somebody(&page.events[i]))
			withhold(&page.events[i]);
		json_push(&events, render(&page.events[i]));
	}
	free(page.events);
	json = json_object();
	json_put(&json, "events", events);
	json_put_bool(&json, "more", page.more);
	json_put_uint(&json, "last", page.last);
	answer->json = json;
}

json_t *history_state(struct events *events)
{
	struct events_state state;
	json_t *json = json_object();

	events_state(events, &state);
	json_put_text(&json, "path", state.path);
	json_put_bool(&json, "usable", state.usable);
	put_if(&json, "why", state.why);
	json_put_uint(&json, "kept", state.kept);
	json_put_uint(&json, "max", state.max);
	json_put_uint(&json, "waiting", state.waiting);
	json_put_uint(&json, "lost", state.lost);
	return json;
}
