// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/view.h"

#include <errno.h>
#include <string.h>

#include "cli/text.h"
#include "util/cleanup.h"

DEFINE_CLEANUP(struct table, table_free)

#define TIME_LEN 24 /* "2026-01-01T00:00:00.000Z" */

static enum table_color color_of(const json_t *event)
{
	const char *severity = text_get(event, "severity"), *after = text_get(event, "after");

	if (!strcmp(text_get(event, "kind"), "health"))
		return view_health_color(after);
	if (!strcmp(severity, "error"))
		return TABLE_RED;
	return !strcmp(severity, "warning") ? TABLE_YELLOW : TABLE_PLAIN;
}

/* "Healthy -> Unhealthy", or what there is of it. */
static void put_change(struct table *table, const json_t *event)
{
	const char *before = text_get(event, "before"), *after = text_get(event, "after");

	table_cell(table, color_of(event), "%s%s%s", before, *before && *after ? " -> " : "",
		   *after    ? after
		   : *before ? ""
			     : "-");
}

static const char *or_none(const char *text)
{
	return *text ? text : "-";
}

int view_events(const struct view *view, const json_t *json)
{
	static const char *const headings[] = { "TIME",     "EVENT",  "POOL",
						"ENDPOINT", "CHANGE", "REASON" };
	CLEANUP(table_free_p) struct table *table = table_new(6, headings);
	const json_t *events = json_object_get(json, "events");
	json_t *event;
	size_t i;

	if (!table)
		return -ENOMEM;
	if (!json_array_size(events)) {
		fputs("no events\n", view->out);
		return 0;
	}
	json_array_foreach(events, i, event)
	{
		/* Microseconds are for programs. */
		table_cell(table, TABLE_PLAIN, "%.*sZ", TIME_LEN - 1, text_get(event, "at"));
		table_cell(table, TABLE_PLAIN, "%s", text_get(event, "kind"));
		table_cell(table, TABLE_PLAIN, "%s", or_none(text_get(event, "pool")));
		table_cell(table, TABLE_PLAIN, "%s", or_none(text_get(event, "endpoint")));
		put_change(table, event);
		table_cell(table, TABLE_PLAIN, "%s", text_get(event, "text"));
	}
	return table_print(table, view->out, view->color);
}

/* One line each, since what comes later is not known: columns as wide as usual. */
int view_event_lines(const struct view *view, const json_t *json)
{
	json_t *event;
	size_t i;

	json_array_foreach(json_object_get(json, "events"), i, event)
	{
		const char *before = text_get(event, "before"), *after = text_get(event, "after");

		fprintf(view->out, "%.*sZ  %-9s", TIME_LEN - 1, text_get(event, "at"),
			text_get(event, "kind"));
		if (*text_get(event, "pool"))
			fprintf(view->out, "  %s %s", text_get(event, "pool"),
				text_get(event, "endpoint"));
		if (*before || *after)
			fprintf(view->out, "  %s%s%s", before, *before && *after ? " -> " : "",
				after);
		fprintf(view->out, "  %s\n", text_get(event, "text"));
	}
	return fflush(view->out) == 0 ? 0 : -EIO;
}
