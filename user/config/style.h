/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * style - how interfaces, pools and backends of a file are written, and new ones in the same way.
 *
 * A list is either lines that begin with a dash or stands in brackets; a record, lines of "key: value" or braces.
 * Inside of brackets and braces there is nothing of the other kind.
 */
#ifndef SLUICE_CONFIG_STYLE_H
#define SLUICE_CONFIG_STYLE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/source.h"
#include "config/tree.h"

struct record_style {
	bool is_flow; /* in braces */
	bool is_padded; /* { a: b }, not {a: b} */
	char key_quote, value_quote; /* 0: only where it is needed */
};

struct list_style {
	bool is_flow; /* in brackets */
	bool is_padded; /* [ a ], not [a] */
	uint32_t indent; /* columns from the mapping that has the list to the dash */
	uint32_t gap; /* columns between the dash and what follows it */
	struct record_style record;
};

/* Of a mapping that is not empty. */
struct record_style style_of_record(const struct source *source, const struct tree *tree,
				    const struct node *map);

/* Of a list of mappings that is not empty, in that mapping; as its last item is written. */
struct list_style style_of_list(const struct source *source, const struct tree *tree,
				const struct node *map, const struct node *list);

/* Where there is nothing to take after but the record that the list is to be in. */
struct list_style style_default(const struct record_style *record);

#endif
