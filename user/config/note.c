// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/note.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/hint.h"
#include "config/reader.h"
#include "config/report.h"
#include "config/tree.h"

#define NOT_YET_TEXT "not available in this version"

#define GUESSES_MAX 1000 /* errors; in a file with more of them no key is guessed at */

/* Append the place to the key path in buf. */
static void print_place(char *buf, size_t size, const struct place *place)
{
	size_t len;

	if (!place)
		return;
	print_place(buf, size, place->up);
	len = strlen(buf);
	snprintf(buf + len, size - len, "%s%s", len ? "." : "", place->key);
	len = strlen(buf);
	if (place->listed)
		snprintf(buf + len, size - len, "[%u]", place->position);
}

static void note_args(struct reader *reader, const struct place *place, const struct node *node,
		      const char *fmt, va_list args) __attribute__((format(printf, 4, 0)));

static void note_args(struct reader *reader, const struct place *place, const struct node *node,
		      const char *fmt, va_list args)
{
	struct report_item *item = report_add(reader->report, node->line, node->column);
	char text[sizeof(item->message)] = "";

	if (!item)
		return;
	print_place(text, sizeof(text), place);
	report_copy(item->key, sizeof(item->key), text);
	if (node->kind == NODE_TEXT)
		report_copy(item->value, sizeof(item->value), tree_text(reader->tree, node));
	vsnprintf(text, sizeof(text), fmt, args);
	report_copy(item->message, sizeof(item->message), text);
}

void note_place(struct reader *reader, const struct place *place, const struct node *node,
		const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	note_args(reader, place, node, fmt, args);
	va_end(args);
}

void note_key(struct reader *reader, struct record *record, const char *key,
	      const struct node *node, const char *fmt, ...)
{
	const struct place place = { .up = record->place, .key = key };
	va_list args;

	record->clean = false;
	va_start(args, fmt);
	note_args(reader, &place, node ? node : record->node, fmt, args);
	va_end(args);
}

void note_unknown(struct reader *reader, struct record *record, const struct node *node)
{
	const struct section_info *info = sections[record->section];
	const char *name = tree_text(reader->tree, node);
	const struct key *nearest = NULL;
	char known[sizeof(reader->report->items[0].message)] = "";
	const struct place place = { .up = record->place, .key = name };
	size_t len = 0;

	record->clean = false;
	if (reader->report->n_errors < GUESSES_MAX)
		nearest = hint_nearest(record->section, name);
	if (nearest) {
		note_place(reader, &place, node, "unknown key; did you mean '%s'?", nearest->name);
		return;
	}

	for (size_t i = 0; i < info->n_keys && len < sizeof(known); i++)
		len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s", i ? ", " : "",
					info->keys[i].name);
	note_place(reader, &place, node, "unknown key; known here: %s", known);
}

void note_problem(struct reader *reader, struct record *record, const struct key *key,
		  const struct node *node, const char *problem)
{
	char allowed[HINT_LEN];

	note_key(reader, record, key->name, node, "%s; allowed: %s", problem,
		 hint_allowed(allowed, key));
}

void note_kind(struct reader *reader, struct record *record, const struct key *key,
	       const struct node *node)
{
	char problem[HINT_LEN];

	snprintf(problem, sizeof(problem), "is %s", node_kind_name(node->kind));
	note_problem(reader, record, key, node, problem);
}

void note_not_yet(struct reader *reader, struct record *record, const struct key *key,
		  const struct node *node)
{
	const char *allowed = key->type == TYPE_LIST ? "an empty list" : key->value;

	if (key->availability == NOT_YET)
		note_key(reader, record, key->name, node, "%s; leave the key out", NOT_YET_TEXT);
	else if (key->availability == ONLY_DEFAULT)
		note_key(reader, record, key->name, node, "%s; allowed: %s", NOT_YET_TEXT, allowed);
	else
		note_problem(reader, record, key, node, NOT_YET_TEXT);
}
