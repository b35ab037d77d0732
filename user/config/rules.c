// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/rules.h"

#include <string.h>

#include "config/note.h"
#include "config/reader.h"
#include "config/tree.h"

/* Keys of which one record may set only one. The first of a pair is blamed. */
static const struct exclusion {
	enum section section;
	const char *key, *other;
} exclusions[] = {
	{ SECTION_PROBE, "host_from_settings", "host" },
	{ SECTION_SETTINGS, "host_name_from_backend", "host_name" },
	{ SECTION_SETTINGS, "allow_listed", "trusted_roots" },
};

static void check_exclusions(struct reader *reader, struct record *record)
{
	for (size_t i = 0; i < sizeof(exclusions) / sizeof(exclusions[0]); i++) {
		const struct exclusion *e = &exclusions[i];

		if (e->section != record->section)
			continue;
		if (record_active(record, e->key) && record_active(record, e->other))
			note_key(reader, record, e->key, record_value(record, e->key),
				 "conflicts with %s on line %u; allowed: one of the two", e->other,
				 record_value(record, e->other)->line);
	}
}

/* A switch that is off asks for nothing. */
static bool is_false(const struct reader *reader, const struct node *node)
{
	return node->kind == NODE_TEXT && !strcmp(tree_text(reader->tree, node), "false");
}

static void check_probe(struct reader *reader, struct record *record)
{
	static const char *const http_keys[] = { "host", "path", "match", "host_from_settings" };
	const struct probe_def *probe = record->base;

	if (!record_active(record, "protocol") || probe->protocol != PROTO_TCP)
		return;
	for (size_t i = 0; i < sizeof(http_keys) / sizeof(http_keys[0]); i++) {
		const struct node *node = record_value(record, http_keys[i]);

		if (node && !is_false(reader, node))
			note_key(reader, record, http_keys[i], node,
				 "is for probes of protocol http; this one's is tcp");
	}
}

/* Settings without a custom probe: their protocol's own probe, where this version has one. */
static void check_default_probe(struct reader *reader, struct record *record)
{
	const struct settings *settings = record->base;

	if (settings->protocol == PROTO_UDP || settings->protocol == PROTO_TLS)
		note_key(reader, record, "probe", NULL,
			 "the default probe of protocol %s is not available in this version; "
			 "name a probe of protocol tcp or http",
			 protocol_name(settings->protocol));
}

static void check_custom_probe(struct reader *reader, struct record *record)
{
	const struct settings *settings = record->base;
	const struct probe_def *probe = &reader->model->probes[settings->probe];
	const struct node *node = record_value(record, "probe");

	if (settings->protocol == PROTO_HTTP && probe->protocol != PROTO_HTTP)
		note_key(reader, record, "probe", node,
			 "is a probe of protocol %s; allowed for settings of protocol http: "
			 "a probe of protocol http, or none",
			 protocol_name(probe->protocol));
	if (probe->host_from_settings && !settings->host_name)
		note_key(reader, record, "probe", node,
			 "takes its host from the settings (host_from_settings), but these "
			 "have no host_name");
}

static void check_settings(struct reader *reader, struct record *record)
{
	const struct node *node = record_value(record, "probe");
	const struct index_entry *probe;
	const char *name;

	/* What is wrong already would only be repeated in other words. */
	if (!record->clean)
		return;
	if (!node) {
		check_default_probe(reader, record);
		return;
	}
	name = tree_text(reader->tree, node);
	probe = index_find(&reader->names[SECTION_PROBE], name, strlen(name));
	if (probe && probe->clean)
		check_custom_probe(reader, record);
}

void rules_check(struct reader *reader, struct record *record)
{
	check_exclusions(reader, record);
	if (record->section == SECTION_PROBE)
		check_probe(reader, record);
	if (record->section == SECTION_SETTINGS)
		check_settings(reader, record);
}
