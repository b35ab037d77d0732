// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/view.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/text.h"
#include "util/cleanup.h"
#include "util/duration.h"

DEFINE_CLEANUP(struct table, table_free)

/* "draining, 30s left" */
static void put_standing(struct table *table, const json_t *endpoint)
{
	const char *admin = text_get(endpoint, "admin");
	const json_t *drain = json_object_get(endpoint, "drain");
	char left[DURATION_LEN];

	if (json_object_get(drain, "left_ms"))
		table_cell(table, TABLE_PLAIN, "%s, %s left", admin,
			   duration_human(left, text_get_uint(drain, "left_ms")));
	else
		table_cell(table, TABLE_PLAIN, "%s", admin);
}

static int print_endpoints(const struct view *view, const json_t *endpoints)
{
	static const char *const headings[] = { "  SERVICE", "ADDRESS", "STATE" };
	CLEANUP(table_free_p) struct table *table = NULL;
	char address[VIEW_ADDRESS_LEN];
	json_t *endpoint;
	size_t i;

	if (!json_array_size(endpoints)) {
		fputs("  no service uses it now\n", view->out);
		return 0;
	}
	table = table_new(3, headings);
	if (!table)
		return -ENOMEM;
	json_array_foreach(endpoints, i, endpoint)
	{
		table_cell(table, TABLE_PLAIN, "  %s", text_get(endpoint, "service"));
		table_cell(table, TABLE_PLAIN, "%s", view_address(address, endpoint));
		put_standing(table, endpoint);
	}
	return table_print(table, view->out, view->color);
}

int view_change(const struct view *view, const json_t *json)
{
	fprintf(view->out, "%s %s: ", text_get(json, "pool"), text_get(json, "address"));
	if (strcmp(text_get(json, "action"), "weight") != 0) {
		fprintf(view->out, "%s\n", text_get(json, "action"));
		return print_endpoints(view, json_object_get(json, "endpoints"));
	}
	fprintf(view->out, "weight %" PRIu64 "\n", text_get_uint(json, "weight"));
	if (!text_get_uint(json, "services_balanced"))
		fputs("  no service of this pool forwards packets: it changes nothing now\n",
		      view->out);
	return 0;
}

/* --- what a change would come to --------------------------------------------------------------- */

/* "pool web: backend 10.0.0.9 added, weight 1" */
static void print_item(const struct view *view, const json_t *item)
{
	const char *address = text_get(item, "address"), *before = text_get(item, "before");
	const char *after = text_get(item, "after");

	if (*address)
		fprintf(view->out, "  %s: backend %s %s", text_get(item, "pool"), address,
			text_get(item, "change"));
	else
		fprintf(view->out, "  %s%s%s %s", text_get(item, "what"),
			*text_get(item, "name") ? " " : "", text_get(item, "name"),
			text_get(item, "change"));
	if (*before && *after)
		fprintf(view->out, ", %s -> %s", before, after);
	else if (*after)
		fprintf(view->out, ", %s", after);
	fputc('\n', view->out);
}

int view_difference(const struct view *view, const json_t *json)
{
	const json_t *changes = json_object_get(json, "changes");
	const json_t *draining = json_object_get(json, "draining"), *item;
	size_t i;

	if (!json_array_size(changes)) {
		fputs("nothing would change\n", view->out);
		return 0;
	}
	fputs("would change:\n", view->out);
	json_array_foreach(changes, i, item) print_item(view, item);
	if (text_get_bool(json, "guards_nothing"))
		fputs("NOTHING WOULD BE GUARDED: no interface is left\n", view->out);
	if (json_array_size(draining))
		fprintf(view->out, "would drain, %" PRIu64 " flows in all:\n",
			text_get_uint(json, "flows"));
	json_array_foreach(draining, i, item)
		fprintf(view->out, "  %s  %" PRIu64 " flows\n", text_get(item, "endpoint"),
			text_get_uint(item, "flows"));
	return 0;
}

/* --- over the file ----------------------------------------------------------------------------- */

/* "weight 7, draining" */
static void put_state(struct table *table, const json_t *row)
{
	bool has_weight = json_object_get(row, "weight");
	const char *admin = text_get(row, "admin");
	char weight[32] = "";

	if (has_weight)
		snprintf(weight, sizeof(weight), "weight %" PRIu64, text_get_uint(row, "weight"));
	table_cell(table, TABLE_PLAIN, "%s%s%s", weight, has_weight && *admin ? ", " : "", admin);
}

static int print_interfaces(const struct view *view, const json_t *changes)
{
	static const char *const headings[] = { "INTERFACE", "CHANGE", "XDP", "EGRESS", "SINCE" };
	CLEANUP(table_free_p) struct table *table = table_new(5, headings);
	const json_t *row;
	size_t i;

	if (!table)
		return -ENOMEM;
	json_array_foreach(changes, i, row)
	{
		bool has_options = json_object_get(row, "xdp");

		if (!*text_get(row, "interface"))
			continue;
		table_cell(table, TABLE_PLAIN, "%s", text_get(row, "interface"));
		table_cell(table, TABLE_PLAIN, "%s", text_get(row, "change"));
		table_cell(table, TABLE_PLAIN, "%s", has_options ? text_get(row, "xdp") : "-");
		table_cell(table, TABLE_PLAIN, "%s",
			   !has_options                   ? "-"
			   : text_get_bool(row, "egress") ? "true"
							  : "false");
		table_cell(table, TABLE_PLAIN, "%s", text_get(row, "at"));
	}
	return table_print(table, view->out, view->color);
}

static int print_pools(const struct view *view, const json_t *changes)
{
	static const char *const headings[] = { "POOL", "BACKEND", "CHANGE", "STATE", "SINCE" };
	CLEANUP(table_free_p) struct table *table = table_new(5, headings);
	const json_t *row;
	size_t i;

	if (!table)
		return -ENOMEM;
	json_array_foreach(changes, i, row)
	{
		if (*text_get(row, "interface"))
			continue;
		table_cell(table, TABLE_PLAIN, "%s", text_get(row, "pool"));
		table_cell(table, TABLE_PLAIN, "%s",
			   *text_get(row, "address") ? text_get(row, "address") : "-");
		table_cell(table, TABLE_PLAIN, "%s", text_get(row, "change"));
		put_state(table, row);
		table_cell(table, TABLE_PLAIN, "%s", text_get(row, "at"));
	}
	return table_print(table, view->out, view->color);
}

int view_layers(const struct view *view, const json_t *json)
{
	const json_t *changes = json_object_get(json, "changes"), *row;
	size_t i, interfaces = 0;
	int r;

	if (*text_get(json, "trouble"))
		fprintf(view->out, "changes cannot be kept, and are refused: %s\n",
			text_get(json, "trouble"));
	fprintf(view->out, "version %" PRIu64 " of %s\n", text_get_uint(json, "version"),
		text_get(json, "file"));
	if (!json_array_size(changes)) {
		fputs("nothing is changed over the file\n", view->out);
		return 0;
	}
	json_array_foreach(changes, i, row) interfaces += json_object_get(row, "interface") != NULL;
	if (interfaces) {
		r = print_interfaces(view, changes);
		if (r < 0 || interfaces == json_array_size(changes))
			return r;
		fputc('\n', view->out);
	}
	return print_pools(view, changes);
}
