// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/view.h"

#include <errno.h>
#include <inttypes.h>

#include "cli/text.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/duration.h"

DEFINE_CLEANUP(struct table, table_free)

static void put_flow(struct table *table, const json_t *flow)
{
	static const char *const ends[] = { "client", "to", "endpoint" };
	char address[VIEW_ADDRESS_LEN], idle[DURATION_LEN];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		table_cell(table, TABLE_PLAIN, "%s",
			   view_address(address, json_object_get(flow, ends[i])));
	table_cell(table, TABLE_PLAIN, "%s", text_get(flow, "proto"));
	table_cell(table, TABLE_PLAIN, "%s", text_get(flow, "state"));
	table_cell(table, TABLE_PLAIN, "%s",
		   duration_format(idle, text_get_uint(flow, "idle_s") * MS_PER_SEC));
	table_cell(table, TABLE_PLAIN, "%s", text_get(flow, "service"));
}

int view_flows(const struct view *view, const json_t *json)
{
	static const char *const headings[] = { "CLIENT", "TO",   "ENDPOINT", "PROTO",
						"STATE",  "IDLE", "SERVICE" };
	CLEANUP(table_free_p) struct table *table = table_new(7, headings);
	uint64_t total = text_get_uint(json, "total"), listed = text_get_uint(json, "listed");
	json_t *flow;
	size_t i;
	int r;

	if (!table)
		return -ENOMEM;
	table_align_right(table, 5);
	json_array_foreach(json_object_get(json, "flows"), i, flow) put_flow(table, flow);
	r = listed ? table_print(table, view->out, view->color) : 0;
	if (r < 0)
		return r;
	if (listed < total)
		fprintf(view->out, "%" PRIu64 " of %" PRIu64 " flows; --limit N lists more\n",
			listed, total);
	else
		fprintf(view->out, "%" PRIu64 " flow%s\n", total, total == 1 ? "" : "s");
	return 0;
}
