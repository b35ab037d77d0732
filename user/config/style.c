// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/style.h"

#include <string.h>

#define INDENT_DEFAULT 2
#define GAP_MAX 8 /* more is no habit */

static char quote_of(const struct source *source, const struct node *scalar)
{
	char first = scalar->start < source->len ? source->text[scalar->start] : '\0';

	return first == '"' || first == '\'' ? first : '\0';
}

/* Also one that goes on in the next line, and what has no bracket to look behind. */
static bool is_padded(const struct source *source, const struct node *node, char bracket)
{
	return source->text[node->start] != bracket ||
	       strchr(" \t\r\n", source->text[node->start + 1]);
}

struct record_style style_of_record(const struct source *source, const struct tree *tree,
				    const struct node *map)
{
	const struct node *key = tree_first(tree, map), *value = tree_next(tree, key);

	return (struct record_style){
		.is_flow = map->is_flow,
		.is_padded = is_padded(source, map, '{'),
		.key_quote = quote_of(source, key),
		.value_quote = value->kind == NODE_TEXT ? quote_of(source, value) : '\0',
	};
}

struct list_style style_of_list(const struct source *source, const struct tree *tree,
				const struct node *map, const struct node *list)
{
	const struct node *first = tree_first(tree, list), *last = first;
	uint32_t gap = first->start - list->start - 1;

	while (tree_next(tree, last))
		last = tree_next(tree, last);
	if (list->is_flow || gap > GAP_MAX ||
	    strspn(source->text + list->start + 1, " ") != first->start - list->start - 1)
		gap = 1;
	return (struct list_style){
		.is_flow = list->is_flow,
		.is_padded = is_padded(source, list, '['),
		.indent = list->column > map->column ? list->column - map->column : 0,
		.gap = gap,
		.record = style_of_record(source, tree, last),
	};
}

struct list_style style_default(const struct record_style *record)
{
	struct list_style style = {
		.is_flow = record->is_flow,
		.is_padded = record->is_padded,
		.indent = INDENT_DEFAULT,
		.gap = 1,
		.record = *record,
	};

	style.record.value_quote = record->key_quote;
	return style;
}
