// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/save_rows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/text.h"
#include "model/overlay.h"

/* What is said of an interface beside what is said of all. */
static int read_interface(struct overlay_row *row, const json_t *json)
{
	const char *interface = text_get(json, "interface"), *xdp = text_get(json, "xdp");

	if (!*interface)
		return 0;
	if (strlen(interface) >= sizeof(row->interface) || row->pool[0] || row->address[0])
		return -EPROTO;
	snprintf(row->interface, sizeof(row->interface), "%s", interface);
	row->has_options = *xdp;
	row->egress = text_get_bool(json, "egress");
	return *xdp && xdp_mode_parse(&row->xdp, xdp) < 0 ? -EPROTO : 0;
}

static int read_row(struct overlay_row *ret, const json_t *json)
{
	static const char *const presences[] = { [OVERLAY_AS_FILE] = "changed",
						 [OVERLAY_ADDED] = "added",
						 [OVERLAY_REMOVED] = "removed" };
	const char *pool = text_get(json, "pool"), *address = text_get(json, "address");
	uint64_t weight = text_get_uint(json, "weight");
	uint32_t presence = 0;

	while (presence < 3 && strcmp(text_get(json, "change"), presences[presence]) != 0)
		presence++;
	if (presence == 3 || strlen(pool) >= sizeof(ret->pool) ||
	    strlen(address) >= sizeof(ret->address) || weight > LIMIT_WEIGHT)
		return -EPROTO;
	*ret = (struct overlay_row){
		.presence = (enum overlay_presence)presence,
		.has_weight = json_object_get(json, "weight"),
		.weight = (uint32_t)weight,
		.admin = *text_get(json, "admin") ? SL_DISABLED : SL_ENABLED,
	};
	snprintf(ret->pool, sizeof(ret->pool), "%s", pool);
	snprintf(ret->address, sizeof(ret->address), "%s", address);
	return read_interface(ret, json);
}

int save_rows_read(struct overlay *overlay, const json_t *changes)
{
	const json_t *json;
	size_t i;

	json_array_foreach(changes, i, json)
	{
		struct overlay_row row;
		int r = read_row(&row, json);

		if (r == 0)
			r = overlay_set(overlay, &row);
		if (r < 0)
			return r == -ENOMEM ? r : -EPROTO;
	}
	return 0;
}

bool save_rows_is_savable(const json_t *row)
{
	return strcmp(text_get(row, "change"), "changed") != 0 || json_object_get(row, "weight") ||
	       json_object_get(row, "xdp");
}

size_t save_rows_count(const json_t *changes)
{
	size_t i, n = 0;
	const json_t *row;

	json_array_foreach(changes, i, row) n += save_rows_is_savable(row);
	return n;
}
