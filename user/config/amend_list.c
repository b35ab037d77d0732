// SPDX-License-Identifier: GPL-2.0-or-later
/* amend_list - lists whose items begin with a dash, lists that are empty, and single keys. A part of amend.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/amend_work.h"
#include "config/plain.h"
#include "util/err.h"

#define NOWHERE UINT32_MAX

int amend_refuse(const struct amending *a, const struct node *node, const char *why)
{
	return err_set(a->err, -ENOTSUP, "line %" PRIu32 " cannot be changed safely: %s",
		       node->line, why);
}

const struct node *amend_find(const struct amending *a, const struct node *map, const char *name,
			      const struct node **ret_key)
{
	const struct node *key = tree_first(a->tree, map), *value;

	for (; key; key = tree_next(a->tree, value)) {
		value = tree_next(a->tree, key);
		if (strcmp(tree_text(a->tree, key), name) != 0)
			continue;
		if (ret_key)
			*ret_key = key;
		return value;
	}
	return NULL;
}

/* Behind the colon of a key; NOWHERE: it has none. */
static uint32_t after_colon(const struct amending *a, const struct node *key)
{
	uint32_t at = source_skip(&a->source, key->end);

	return at < a->source.len && a->source.text[at] == ':' ? at + 1 : NOWHERE;
}

/* --- one key ---------------------------------------------------------------------------------- */

static bool has_braces(const struct amending *a, const struct node *map)
{
	return !map->is_flow || a->source.text[map->start] == '{';
}

/* Begin a new pair at the end of a record. One pair in brackets needs no braces; two do. */
static struct record_style begin_pair(const struct amending *a, const struct node *map,
				      const char *name)
{
	const struct record_style style = style_of_record(&a->source, a->tree, map);
	uint32_t at = map->end;

	if (!has_braces(a, map)) {
		patch_replace(a->patch, map->start, map->start);
		fputs("{ ", a->writer.out);
	} else {
		const struct node *last = tree_first(a->tree, map);

		while (tree_next(a->tree, last))
			last = tree_next(a->tree, last);
		at = last->end;
	}
	if (!map->is_flow)
		at = source_after_comments(&a->source, source_line_end(&a->source, at),
					   map->column - 1);
	patch_replace(a->patch, at, at);
	if (map->is_flow)
		fputs(", ", a->writer.out);
	else
		write_line(&a->writer, map->column - 1);
	write_quoted(&a->writer, style.key_quote, name);
	fputc(':', a->writer.out);
	return style;
}

static void end_pair(const struct amending *a, const struct node *map)
{
	if (!has_braces(a, map))
		fputs(" }", a->writer.out);
}

void amend_word(const struct amending *a, const struct node *map, const char *name,
		const char *word)
{
	const struct node *value = amend_find(a, map, name, NULL);

	if (value) {
		patch_replace(a->patch, value->start, value->end);
		fputs(word, a->writer.out);
		return;
	}
	begin_pair(a, map, name);
	fprintf(a->writer.out, " %s", word);
	end_pair(a, map);
}

void amend_text(const struct amending *a, const struct node *map, const char *name,
		const char *text)
{
	char quote = style_of_record(&a->source, a->tree, map).value_quote, word[32];

	if (!quote && !plain_is(text))
		quote = '"';
	if (quote)
		snprintf(word, sizeof(word), "%c%s%c", quote, text, quote);
	else
		snprintf(word, sizeof(word), "%s", text);
	amend_word(a, map, name, word);
}

void amend_number(const struct amending *a, const struct node *map, const char *name,
		  uint32_t number)
{
	char word[16];

	snprintf(word, sizeof(word), "%" PRIu32, number);
	amend_word(a, map, name, word);
}

/* --- a list that is empty --------------------------------------------------------------------- */

/* As lists of backends are written elsewhere; of pools, as the record that they are to be in. */
static struct list_style style_of_empty(const struct amending *a, const struct listing *listing)
{
	struct record_style record = style_of_record(&a->source, a->tree, listing->map);

	if (listing->items.kind == OVERLAY_BACKEND)
		return *style_of_backends(&a->writer, listing->map->is_flow);
	return style_default(&record);
}

/* What stands in the place of the list on the line of its key, blanks before it included, is one line. */
static bool is_short(const struct amending *a, uint32_t colon, const struct node *list)
{
	for (uint32_t at = colon; at < list->end; at++)
		if (a->source.text[at] == '#' || source_after_break(&a->source, at) != at)
			return false;
	return true;
}

int amend_empty(const struct amending *a, const struct listing *listing)
{
	const struct node *map = listing->map, *list = listing->list;
	struct list_style style = style_of_empty(a, listing);
	uint32_t colon, at;

	if (!listing->key) {
		begin_pair(a, map, listing->name);
		write_list(&a->writer, &listing->items, &style, map->column - 1);
		end_pair(a, map);
		return 0;
	}
	colon = after_colon(a, listing->key);
	if (colon == NOWHERE)
		return amend_refuse(a, listing->key, "the key has no colon");
	if (!is_short(a, colon, list) || style.is_flow) {
		style.is_flow = style.record.is_flow = true;
		patch_replace(a->patch, list->start < colon ? colon : list->start, list->end);
		if (list->start == colon)
			fputc(' ', a->writer.out);
		write_flow_list(&a->writer, &listing->items, &style);
		return 0;
	}
	if (list->end > colon)
		patch_replace(a->patch, colon, list->end);
	at = source_line_end(&a->source, list->end > colon ? list->end : colon);
	patch_replace(a->patch, at, at);
	write_block_items(&a->writer, &listing->items, &style, map->column - 1 + style.indent);
	return 0;
}

/* --- a list whose items begin with a dash ----------------------------------------------------- */

/* The dash before an item; what stands between it and the item before are blanks and comments. */
static uint32_t dash_of(const struct amending *a, const struct node *list,
			const struct node *before)
{
	return before ? source_skip(&a->source, before->end) : list->start;
}

/* With the line break before it, so that what is added behind the last line has its own. */
static int take_out_lines(const struct amending *a, const struct node *item, uint32_t dash)
{
	uint32_t line = source_line_start(&a->source, dash);
	uint32_t end = source_line_end(&a->source, item->end);

	if (a->source.text[dash] != '-' || !source_begins_line(&a->source, dash) || !line)
		return amend_refuse(a, item, "the item does not begin its line");
	patch_replace(a->patch, source_before_break(&a->source, line),
		      source_after_comments(&a->source, end, dash - line));
	return 0;
}

/* Nothing is left: say so, since a key without a value looks forgotten. */
static int leave_empty(const struct amending *a, const struct listing *listing)
{
	uint32_t colon = after_colon(a, listing->key);

	if (colon == NOWHERE)
		return amend_refuse(a, listing->key, "the key has no colon");
	patch_replace(a->patch, colon, colon);
	fputs(" []", a->writer.out);
	return 0;
}

int amend_block(const struct amending *a, const struct listing *listing)
{
	const struct node *list = listing->list, *before = NULL;
	struct list_style style = style_of_list(&a->source, a->tree, listing->map, list);
	uint32_t i = 0, at;

	for (const struct node *item = tree_first(a->tree, list); item;
	     before = item, item = tree_next(a->tree, item)) {
		int r;

		if (!listing->goes[i++])
			continue;
		r = take_out_lines(a, item, dash_of(a, list, before));
		if (r < 0)
			return r;
	}
	if (!items_first(&listing->items))
		return listing->n_gone == listing->n ? leave_empty(a, listing) : 0;
	at = source_after_comments(&a->source, source_line_end(&a->source, before->end),
				   listing->map->column - 1);
	patch_replace(a->patch, at, at);
	write_block_items(&a->writer, &listing->items, &style, list->column - 1);
	return 0;
}

/* --- any list --------------------------------------------------------------------------------- */

int amend_list(const struct amending *a, const struct listing *listing)
{
	if (!listing->n_gone && !items_first(&listing->items))
		return 0;
	if (!listing->n)
		return amend_empty(a, listing);
	return listing->list->is_flow ? amend_flow(a, listing) : amend_block(a, listing);
}
