// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/tell.h"

#include <stdio.h>
#include <string.h>

#include "control/caller.h"
#include "model/model.h"
#include "util/err.h"
#include "util/log.h"

static void log_event(const struct event *event, const char *line)
{
	const struct journal_field fields[] = {
		{ "SLUICE_EVENT", event_kind_name(event->kind) },
		{ "SLUICE_POOL", event->pool },
		{ "SLUICE_SERVICE", event->service },
		{ "SLUICE_SETTINGS", event->settings },
		{ "SLUICE_ENDPOINT", event->endpoint },
		{ "SLUICE_BEFORE", event->before },
		{ "SLUICE_AFTER", event->after },
		{ "SLUICE_REASON", event->reason },
		{ "SLUICE_NUMBERS", event->numbers },
	};

	log_fields((enum log_level)event->severity, line, fields,
		   sizeof(fields) / sizeof(fields[0]));
}

void tell(struct events *events, const struct event *event, const char *line)
{
	log_event(event, line ? line : event->text);
	if (events)
		events_add(events, event);
}

void tell_store(void *arg, const struct event *event)
{
	(void)arg;
	log_event(event, event->text);
}

int tell_open(struct events **ret, const struct gateway *gateway, struct err *err)
{
	const struct events_options options = {
		.directory = gateway->state_dir,
		.max = gateway->events_max,
		.tell = tell_store,
	};
	int r;

	r = events_open(ret, &options);
	return r < 0 ? err_set(err, r, "the thread that keeps events did not start: %s",
			       strerror(-r))
		     : 0;
}

void tell_daemon(struct events *events, enum event_severity severity, const char *state,
		 const char *line)
{
	struct event event = { .kind = EVENT_DAEMON, .severity = severity };

	event_set(event.after, state);
	event_set(event.text, line);
	tell(events, &event, NULL);
}

void tell_giver(struct event *event, const struct change_giver *giver)
{
	if (!giver->known)
		return;
	event_number(event, "uid", giver->uid);
	event_number(event, "pid", giver->pid);
}

void tell_reload(struct events *events, bool done, const char *line,
		 const struct change_giver *giver)
{
	struct event event = { .kind = EVENT_RELOAD, .severity = done ? EVENT_INFO : EVENT_ERROR };
	char by[GIVER_TEXT_LEN];

	event_set(event.after, done ? "done" : "refused");
	giver_text(by, giver);
	snprintf(event.text, sizeof(event.text), "%s%s%s", line, by[0] ? "; by " : "", by);
	tell_giver(&event, giver);
	tell(events, &event, NULL);
}

void tell_interface(struct events *events, enum event_severity severity, const char *reason,
		    const char *line)
{
	struct event event = { .kind = EVENT_INTERFACE, .severity = severity };

	event_set(event.reason, reason);
	event_set(event.text, line);
	tell(events, &event, line);
}
