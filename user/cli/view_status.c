// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/view.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/text.h"
#include "sluice/abi.h"
#include "util/cleanup.h"
#include "util/duration.h"

DEFINE_CLEANUP(struct table, table_free)

static const char *plural(const json_t *json, const char *key)
{
	return text_get_uint(json, key) == 1 ? "" : "s";
}

/* Health is older than it should be; the longest of the intervals that would be kept is said too. */
static void print_overload(const struct view *view, const json_t *engine)
{
	uint64_t holdable_ms = text_get_uint(engine, "holdable_interval_ms");
	char interval[DURATION_LEN];

	if (!text_get_bool(engine, "overloaded_now"))
		return;
	fprintf(view->out,
		"THE PROBER IS OVERLOADED: %" PRIu64 " probe%s waiting for a place, loop lag "
		"%" PRIu64 "ms",
		text_get_uint(engine, "queued"), plural(engine, "queued"),
		text_get_uint(engine, "loop_lag_ms"));
	if (holdable_ms)
		fprintf(view->out, "; it can hold an interval of %s",
			duration_human(interval, holdable_ms));
	fputs("\n\n", view->out);
}

void view_unguarded(const struct view *view, const char *name, const char *why)
{
	fprintf(view->out, "%s IS %sGUARDED: %s\n\n", *name ? name : "NOTHING", *name ? "NOT " : "",
		why);
}

/* What to know first: parts of the gate that are not there. */
static void print_missing(const struct view *view, const json_t *json)
{
	const json_t *interfaces = json_object_get(json, "interfaces"), *interface;
	size_t i;

	if (json_is_false(json_object_get(json, "in_force")))
		view_unguarded(view, "",
			       "the gate was removed under the running daemon; restart sluiced");
	else if (interfaces && !json_array_size(interfaces))
		view_unguarded(view, "",
			       "no interface is attached; 'sluice attach INTERFACE' attaches one");
	else if (json_is_false(json_object_get(json, "pinned")))
		fprintf(view->out,
			"THE GATE IS NOT PINNED: its BPF file system was unmounted; it is in "
			"force until sluiced ends, and pinned again once there is one\n\n");
	if (*text_get(json, "degraded"))
		fprintf(view->out, "DEGRADED: %s; probing goes on, and a reload tries again\n\n",
			text_get(json, "degraded"));
	json_array_foreach(interfaces, i, interface) if (json_object_get(interface, "why"))
		view_unguarded(view, text_get(interface, "name"), text_get(interface, "why"));
}

/* What happens now would be forgotten with the daemon. */
static void print_not_kept(const struct view *view, const json_t *events)
{
	if (json_is_false(json_object_get(events, "usable")))
		fprintf(view->out,
			"EVENTS ARE NOT KEPT: %s; %" PRIu64 " are in memory, and are written when "
			"it can be used again\n\n",
			text_get(events, "why"), text_get_uint(events, "waiting"));
}

static void print_events(const struct view *view, const json_t *events)
{
	if (!events)
		return;
	fprintf(view->out, "events         %" PRIu64 " of at most %" PRIu64 " kept in %s",
		text_get_uint(events, "kept"), text_get_uint(events, "max"),
		text_get(events, "path"));
	if (text_get_uint(events, "lost"))
		fprintf(view->out, ", %" PRIu64 " lost", text_get_uint(events, "lost"));
	fputc('\n', view->out);
}

static void print_daemon(const struct view *view, const json_t *json)
{
	char up[DURATION_LEN], heartbeat[DURATION_LEN], loss[DURATION_LEN];

	print_missing(view, json);
	print_overload(view, json_object_get(json, "engine"));
	print_not_kept(view, json_object_get(json, "events"));
	fprintf(view->out, "sluiced %s, process %" PRIu64 ", up %s (since %s)\n",
		text_get(json, "version"), text_get_uint(json, "pid"),
		duration_human(up, text_get_uint(json, "uptime_ms")), text_get(json, "since"));
	fprintf(view->out, "configuration  %s\n", text_get(json, "config"));
	fprintf(view->out, "kernel         %s\n", text_get(json, "kernel"));
	fprintf(view->out, "pinned         %s, layout v%" PRIu64 "\n", text_get(json, "bpffs"),
		text_get_uint(json, "layout"));
	if (json_object_get(json, "page"))
		fprintf(view->out, "page           %s\n", text_get(json, "page"));
	if (json_object_get(json, "metrics"))
		fprintf(view->out, "metrics        %s\n", text_get(json, "metrics"));
	fprintf(view->out, "mode           %s%s\n", text_get(json, "mode"),
		strcmp(text_get(json, "mode"), "observe") == 0 ? " (decides and counts, passes all)"
							       : "");
	fprintf(view->out, "heartbeat      %s ago; after %s of silence: %s\n",
		duration_human(heartbeat, text_get_uint(json, "heartbeat_ms_ago")),
		duration_format(loss, text_get_uint(json, "daemon_loss_after_ms")),
		text_get(json, "on_daemon_loss"));
}

static void print_totals(const struct view *view, const json_t *totals, const json_t *engine)
{
	fprintf(view->out,
		"totals         %" PRIu64 " pool%s, %" PRIu64 " service%s, %" PRIu64
		" endpoint%s: %" PRIu64 " healthy, %" PRIu64 " unhealthy, %" PRIu64 " unknown\n",
		text_get_uint(totals, "pools"), plural(totals, "pools"),
		text_get_uint(totals, "services"), plural(totals, "services"),
		text_get_uint(totals, "endpoints"), plural(totals, "endpoints"),
		text_get_uint(totals, "healthy"), text_get_uint(totals, "unhealthy"),
		text_get_uint(totals, "unknown"));
	fprintf(view->out,
		"prober         %" PRIu64 " workers, %" PRIu64 " of %" PRIu64
		" probes in flight, %" PRIu64 " queued, %" PRIu64 " done, %" PRIu64
		" overloaded, loop lag %" PRIu64 "ms\n",
		text_get_uint(engine, "workers"), text_get_uint(engine, "in_flight"),
		text_get_uint(engine, "in_flight_max"), text_get_uint(engine, "queued"),
		text_get_uint(engine, "finished"), text_get_uint(engine, "overloaded"),
		text_get_uint(engine, "loop_lag_ms"));
}

static void print_fill(const struct view *view, const json_t *forwarding, const char *key,
		       const char *text)
{
	const json_t *fill = json_object_get(forwarding, key);

	fprintf(view->out, ", %s %" PRIu64 " of %" PRIu64 " entries", text,
		text_get_uint(fill, "entries"), text_get_uint(fill, "max"));
}

static void print_forwarding(const struct view *view, const json_t *forwarding)
{
	char age[DURATION_LEN];

	if (!forwarding)
		return;
	fprintf(view->out, "forwarding     %" PRIu64 " service%s",
		text_get_uint(forwarding, "services"), plural(forwarding, "services"));
	if (!json_object_get(forwarding, "live")) {
		fputs("; flows are being counted\n", view->out);
		return;
	}
	fprintf(view->out, ", %" PRIu64 " flow%s", text_get_uint(forwarding, "live"),
		plural(forwarding, "live"));
	print_fill(view, forwarding, "flows", "flows");
	print_fill(view, forwarding, "half_open", "half_open");
	fprintf(view->out, " (%s ago)\n",
		duration_human(age, text_get_uint(forwarding, "counted_ms_ago")));
}

static void print_names(const struct view *view, const json_t *names)
{
	uint64_t failing = 0;
	const json_t *servers;
	json_t *name, *server;
	size_t i;

	if (!json_array_size(names))
		return;
	json_array_foreach(names, i, name) failing +=
		json_object_get(name, "failing_since") != NULL;
	fprintf(view->out, "names          %zu, %" PRIu64 " of them without an answer; asked: ",
		json_array_size(names), failing);
	servers = json_object_get(json_array_get(names, 0), "servers");
	json_array_foreach(servers, i, server)
		fprintf(view->out, "%s%s", i ? ", " : "", json_string_value(server));
	fprintf(view->out, "%s\n", json_array_size(servers) ? "" : "nobody yet");
	json_array_foreach(names, i, name) if (*text_get(name, "why"))
		fprintf(view->out, "  %s: %s (%s)\n", text_get(name, "name"), text_get(name, "why"),
			text_get(name, "state"));
}

static int print_interfaces(const struct view *view, const json_t *interfaces)
{
	static const char *const headings[] = { "INTERFACE", "INGRESS", "EGRESS", "PROGRAMS" };
	CLEANUP(table_free_p) struct table *table = table_new(4, headings);
	json_t *interface, *step;
	size_t i, s;
	int r;

	if (!table)
		return -ENOMEM;
	json_array_foreach(interfaces, i, interface)
	{
		table_cell(table, TABLE_PLAIN, "%s", text_get(interface, "name"));
		table_cell(table, TABLE_PLAIN, "%s", text_get(interface, "ingress"));
		table_cell(table, TABLE_PLAIN, "%s", text_get(interface, "egress"));
		if (json_object_get(interface, "why"))
			table_cell(table, TABLE_RED, "%s", text_get(interface, "state"));
		else
			table_cell(table, TABLE_PLAIN, "%s",
				   text_get_bool(interface, "adopted") ? "adopted" : "attached");
	}
	fputc('\n', view->out);
	r = table_print(table, view->out, view->color);
	if (r < 0)
		return r;

	json_array_foreach(interfaces, i, interface)
		json_array_foreach(json_object_get(interface, "steps"), s, step)
			fprintf(view->out, "  %s: %s\n", text_get(interface, "name"),
				json_is_string(step) ? json_string_value(step) : "");
	return 0;
}

static const struct decision_text {
	const char *name, *text;
} decision_texts[] = {
#define DECISION_TEXT(NAME, name, text) { #name, text },
	SL_DECISIONS(DECISION_TEXT)
#undef DECISION_TEXT
};

int view_decisions(const struct view *view, const json_t *decisions)
{
	static const char *const headings[] = { "PACKETS", "DECISION", "MEANING" };
	CLEANUP(table_free_p) struct table *table = NULL;

	if (!decisions)
		return 0;
	table = table_new(3, headings);
	if (!table)
		return -ENOMEM;
	table_align_right(table, 0);
	for (size_t i = 0; i < sizeof(decision_texts) / sizeof(decision_texts[0]); i++) {
		uint64_t count = text_get_uint(decisions, decision_texts[i].name);

		if (!count)
			continue;
		table_cell(table, TABLE_PLAIN, "%" PRIu64, count);
		table_cell(table, TABLE_PLAIN, "%s", decision_texts[i].name);
		table_cell(table, TABLE_PLAIN, "%s", decision_texts[i].text);
	}
	fputc('\n', view->out);
	return table_print(table, view->out, view->color);
}

int view_status(const struct view *view, const json_t *json)
{
	int r;

	print_daemon(view, json);
	print_totals(view, json_object_get(json, "totals"), json_object_get(json, "engine"));
	print_forwarding(view, json_object_get(json, "forwarding"));
	print_names(view, json_object_get(json, "names"));
	print_events(view, json_object_get(json, "events"));
	r = print_interfaces(view, json_object_get(json, "interfaces"));
	if (r < 0)
		return r;
	return view_decisions(view, json_object_get(json, "decisions"));
}
