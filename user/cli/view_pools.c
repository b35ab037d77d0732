// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/view.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/text.h"
#include "util/cleanup.h"

DEFINE_CLEANUP(struct table, table_free)

#define KIB 1024

static void put_counts(struct table *table, const json_t *json)
{
	uint64_t unhealthy = text_get_uint(json, "unhealthy");
	uint64_t unknown = text_get_uint(json, "unknown");

	table_cell(table, TABLE_PLAIN, "%" PRIu64, text_get_uint(json, "healthy"));
	table_cell(table, unhealthy ? TABLE_RED : TABLE_PLAIN, "%" PRIu64, unhealthy);
	table_cell(table, unknown ? TABLE_YELLOW : TABLE_PLAIN, "%" PRIu64, unknown);
}

/* "shop, admin" */
static void put_names(struct table *table, const json_t *names)
{
	CLEANUP(free_p) char *text = NULL;
	json_t *name;
	size_t i, len;
	FILE *out = open_memstream(&text, &len);

	if (out) {
		json_array_foreach(names, i, name)
			fprintf(out, "%s%s", i ? ", " : "",
				json_is_string(name) ? json_string_value(name) : "");
		fclose(out);
	}
	table_cell(table, TABLE_PLAIN, "%s", text && *text ? text : "-");
}

int view_pools(const struct view *view, const json_t *json)
{
	static const char *const headings[] = { "POOL",      "BACKENDS", "ENDPOINTS", "HEALTHY",
						"UNHEALTHY", "UNKNOWN",  "SERVICES" };
	CLEANUP(table_free_p) struct table *table = table_new(7, headings);
	json_t *pool;
	size_t i;

	if (!table)
		return -ENOMEM;
	for (int column = 1; column <= 5; column++)
		table_align_right(table, column);
	json_array_foreach(json_object_get(json, "pools"), i, pool)
	{
		table_cell(table, TABLE_PLAIN, "%s", text_get(pool, "name"));
		table_cell(table, TABLE_PLAIN, "%" PRIu64, text_get_uint(pool, "backends"));
		table_cell(table, TABLE_PLAIN, "%" PRIu64,
			   text_get_uint(pool, "healthy") + text_get_uint(pool, "unhealthy") +
				   text_get_uint(pool, "unknown"));
		put_counts(table, pool);
		put_names(table, json_object_get(pool, "services"));
	}
	return table_print(table, view->out, view->color);
}

static int print_services(const struct view *view, const json_t *services)
{
	static const char *const headings[] = { "SERVICE",     "SETTINGS", "PROTOCOL",
						"PORT",        "PROBE",    "ON-UNHEALTHY",
						"ESTABLISHED", "HEALTHY",  "UNHEALTHY",
						"UNKNOWN" };
	CLEANUP(table_free_p) struct table *table = table_new(10, headings);
	json_t *service;
	size_t i;

	if (!table)
		return -ENOMEM;
	table_align_right(table, 3);
	for (int column = 7; column <= 9; column++)
		table_align_right(table, column);
	json_array_foreach(services, i, service)
	{
		table_cell(table, TABLE_PLAIN, "%s", text_get(service, "name"));
		table_cell(table, TABLE_PLAIN, "%s", text_get(service, "settings"));
		table_cell(table, TABLE_PLAIN, "%s", text_get(service, "protocol"));
		table_cell(table, TABLE_PLAIN, "%" PRIu64, text_get_uint(service, "port"));
		table_cell(table, TABLE_PLAIN, "%s", text_get(service, "probe"));
		table_cell(table, TABLE_PLAIN, "%s", text_get(service, "on_unhealthy"));
		table_cell(table, TABLE_PLAIN, "%s", text_get(service, "established"));
		put_counts(table, service);
	}
	return table_print(table, view->out, view->color);
}

const char *view_share(char buf[VIEW_SHARE_LEN], const json_t *endpoint)
{
	const json_t *table = json_object_get(endpoint, "table");
	uint64_t size = text_get_uint(table, "size"), slots = text_get_uint(table, "slots");
	uint64_t permille = size ? (slots * 1000 + size / 2) / size : 0;

	snprintf(buf, VIEW_SHARE_LEN, "-");
	if (size)
		snprintf(buf, VIEW_SHARE_LEN, "%" PRIu64 ".%" PRIu64 "%%", permille / 10,
			 permille % 10);
	return buf;
}

/* Who gets what part of the new connections, in services that forward packets. */
static int print_members(const struct view *view, const json_t *services)
{
	static const char *const headings[] = { "SERVICE", "LISTEN", "FORWARD", "ADDRESS",
						"HEALTH",  "WEIGHT", "SHARE" };
	CLEANUP(table_free_p) struct table *table = table_new(7, headings);
	char address[VIEW_ADDRESS_LEN], state[VIEW_HEALTH_LEN], share[VIEW_SHARE_LEN];
	json_t *service, *member;
	bool any = false;
	size_t s, m;

	if (!table)
		return -ENOMEM;
	table_align_right(table, 5);
	table_align_right(table, 6);
	json_array_foreach(services, s, service)
		json_array_foreach(json_object_get(service, "endpoints"), m, member)
	{
		const char *listen = text_get(service, "listen");

		if (!*text_get(service, "forward"))
			continue;
		any = true;
		table_cell(table, TABLE_PLAIN, "%s", text_get(service, "name"));
		table_cell(table, TABLE_PLAIN, "%s", *listen ? listen : "-");
		table_cell(table, TABLE_PLAIN, "%s", text_get(service, "forward"));
		table_cell(table, TABLE_PLAIN, "%s", view_address(address, member));
		table_cell(table, view_health_color(text_get(member, "health")), "%s",
			   view_state(state, member));
		table_cell(table, TABLE_PLAIN, "%" PRIu64, text_get_uint(member, "weight"));
		table_cell(table, TABLE_PLAIN, "%s", view_share(share, member));
	}
	if (!any)
		return 0;
	fputc('\n', view->out);
	return table_print(table, view->out, view->color);
}

int view_pool(const struct view *view, const json_t *json)
{
	const json_t *backends = json_object_get(json, "backends");
	const json_t *services = json_object_get(json, "services");
	json_t *backend;
	size_t i;
	int r;

	fprintf(view->out, "pool %s, %zu backend%s\n", text_get(json, "name"),
		json_array_size(backends), json_array_size(backends) == 1 ? "" : "s");
	json_array_foreach(backends, i, backend) fprintf(
		view->out, "  %s\n", json_is_string(backend) ? json_string_value(backend) : "");
	fputc('\n', view->out);
	if (!json_array_size(services)) {
		fputs("no service uses it, so nothing of it is probed\n", view->out);
		return 0;
	}
	r = print_services(view, services);
	return r < 0 ? r : print_members(view, services);
}

int view_maps(const struct view *view, const json_t *json)
{
	static const char *const headings[] = { "MAP", "ENTRIES", "KIB", "PURPOSE" };
	CLEANUP(table_free_p) struct table *table = table_new(4, headings);
	const json_t *maps = json_object_get(json, "maps");
	json_t *map;
	size_t i;
	int r;

	if (!table)
		return -ENOMEM;
	table_align_right(table, 1);
	table_align_right(table, 2);
	json_array_foreach(maps, i, map)
	{
		table_cell(table, TABLE_BOLD, "%s", text_get(map, "name"));
		table_cell(table, TABLE_PLAIN, "%" PRIu64, text_get_uint(map, "entries_max"));
		table_cell(table, TABLE_PLAIN, "%" PRIu64,
			   (text_get_uint(map, "memory_bytes") + KIB - 1) / KIB);
		table_cell(table, TABLE_PLAIN, "%s", text_get(map, "purpose"));
	}
	r = table_print(table, view->out, view->color);
	if (r < 0)
		return r;

	fputs("\nDump them with\n", view->out);
	json_array_foreach(maps, i, map)
		fprintf(view->out, "  bpftool map dump pinned %s\n", text_get(map, "path"));
	return 0;
}
