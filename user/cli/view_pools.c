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

int view_pool(const struct view *view, const json_t *json)
{
	const json_t *backends = json_object_get(json, "backends");
	const json_t *services = json_object_get(json, "services");
	json_t *backend;
	size_t i;

	fprintf(view->out, "pool %s, %zu backend%s\n", text_get(json, "name"),
		json_array_size(backends), json_array_size(backends) == 1 ? "" : "s");
	json_array_foreach(backends, i, backend) fprintf(
		view->out, "  %s\n", json_is_string(backend) ? json_string_value(backend) : "");
	fputc('\n', view->out);
	if (json_array_size(services))
		return print_services(view, services);
	fputs("no service uses it, so nothing of it is probed\n", view->out);
	return 0;
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
