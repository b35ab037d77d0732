/* SPDX-License-Identifier: GPL-2.0-or-later */
/* writer - writes new interfaces, pools and backends in a given style. */
#ifndef SLUICE_CONFIG_WRITER_H
#define SLUICE_CONFIG_WRITER_H

#include <stdio.h>

#include "config/style.h"
#include "model/overlay.h"

/* New items of one list: rows of an overlay, which has others between. */
struct items {
	enum overlay_kind kind;
	const struct overlay_row *first, *end;
};

/* The first item, the next one; NULL: there is none. */
const struct overlay_row *items_first(const struct items *items);
const struct overlay_row *items_next(const struct items *items, const struct overlay_row *row);

struct writer {
	FILE *out;
	const char *newline;
	struct list_style backends_flow, backends_block; /* of pools that are written */
	bool prefers_flow; /* where both are possible */
};

/* The text in these quotes; 0: as it is. */
void write_quoted(const struct writer *writer, char quote, const char *text);

/* A new line and so many blanks. */
void write_line(const struct writer *writer, uint32_t columns);

/* One item; column: from 0, where the keys of its lines begin. */
void write_item(const struct writer *writer, const struct items *items,
		const struct overlay_row *row, const struct record_style *style, uint32_t column);

/* "[ ITEM, ITEM ]" */
void write_flow_list(const struct writer *writer, const struct items *items,
		     const struct list_style *style);

/* Lines that begin with a dash in that column. */
void write_block_items(const struct writer *writer, const struct items *items,
		       const struct list_style *style, uint32_t column);

/* The list in the mapping of that column, behind its "key:". */
void write_list(const struct writer *writer, const struct items *items,
		const struct list_style *style, uint32_t column);

/* How backends are to be written in a record of that kind. */
const struct list_style *style_of_backends(const struct writer *writer, bool in_flow);

#endif
