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
	fprintf(view->out, "weight %" PRIu64 ", until the daemon ends\n",
		text_get_uint(json, "weight"));
	if (!text_get_uint(json, "services_balanced"))
		fputs("  no service of this pool forwards packets: it changes nothing now\n",
		      view->out);
	return 0;
}
