// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/writer.h"

#include <inttypes.h>
#include <string.h>

#include "config/plain.h"

static bool is_item(const struct items *items, const struct overlay_row *row)
{
	return row->presence == OVERLAY_ADDED && overlay_kind_of(row) == items->kind;
}

static const struct overlay_row *find_item(const struct items *items, const struct overlay_row *row)
{
	for (; row < items->end; row++)
		if (is_item(items, row))
			return row;
	return NULL;
}

const struct overlay_row *items_first(const struct items *items)
{
	return find_item(items, items->first);
}

const struct overlay_row *items_next(const struct items *items, const struct overlay_row *row)
{
	return find_item(items, row + 1);
}

/* The backends of a new pool: its rows follow its own. */
static struct items backends_of(const struct items *items, const struct overlay_row *row)
{
	const struct overlay_row *end = row + 1;

	while (end < items->end && !strcmp(end->pool, row->pool))
		end++;
	return (struct items){ OVERLAY_BACKEND, row + 1, end };
}

void write_line(const struct writer *writer, uint32_t columns)
{
	fprintf(writer->out, "%s%*s", writer->newline, (int)columns, "");
}

/* Names and addresses hold neither quotes nor backslashes. */
void write_quoted(const struct writer *writer, char quote, const char *text)
{
	if (quote)
		fprintf(writer->out, "%c%s%c", quote, text, quote);
	else
		fputs(text, writer->out);
}

/* Behind its key. */
static void write_value(const struct writer *writer, const struct record_style *style,
			const char *text)
{
	char quote = style->value_quote;

	if (!quote && !plain_is(text))
		quote = '"';
	fputs(": ", writer->out);
	write_quoted(writer, quote, text);
}

/* Between two pairs of a record. */
static void write_next(const struct writer *writer, const struct record_style *style,
		       uint32_t column)
{
	if (style->is_flow)
		fputs(", ", writer->out);
	else
		write_line(writer, column);
}

static void write_backend(const struct writer *writer, const struct overlay_row *row,
			  const struct record_style *style, uint32_t column)
{
	write_quoted(writer, style->key_quote, "address");
	write_value(writer, style, row->address);
	if (row->weight == 1)
		return;
	write_next(writer, style, column);
	write_quoted(writer, style->key_quote, "weight");
	fprintf(writer->out, ": %" PRIu32, row->weight);
}

static void write_pool(const struct writer *writer, const struct items *items,
		       const struct overlay_row *row, const struct record_style *style,
		       uint32_t column)
{
	const struct items backends = backends_of(items, row);

	write_quoted(writer, style->key_quote, "name");
	write_value(writer, style, row->pool);
	if (!items_first(&backends))
		return;
	write_next(writer, style, column);
	write_quoted(writer, style->key_quote, "backends");
	fputc(':', writer->out);
	write_list(writer, &backends, style_of_backends(writer, style->is_flow), column);
}

/* What is as it is without being said needs no word. */
static void write_interface(const struct writer *writer, const struct overlay_row *row,
			    const struct record_style *style, uint32_t column)
{
	write_quoted(writer, style->key_quote, "name");
	write_value(writer, style, row->interface);
	if (row->xdp != XDP_AUTO) {
		write_next(writer, style, column);
		write_quoted(writer, style->key_quote, "xdp");
		write_value(writer, style, xdp_mode_name(row->xdp));
	}
	if (row->egress)
		return;
	write_next(writer, style, column);
	write_quoted(writer, style->key_quote, "egress");
	fputs(": false", writer->out);
}

static void write_record(const struct writer *writer, const struct items *items,
			 const struct overlay_row *row, const struct record_style *style,
			 uint32_t column)
{
	switch (items->kind) {
	case OVERLAY_INTERFACE:
		write_interface(writer, row, style, column);
		break;
	case OVERLAY_POOL:
		write_pool(writer, items, row, style, column);
		break;
	case OVERLAY_BACKEND:
		write_backend(writer, row, style, column);
		break;
	}
}

void write_item(const struct writer *writer, const struct items *items,
		const struct overlay_row *row, const struct record_style *style, uint32_t column)
{
	const char *pad = style->is_padded ? " " : "";

	if (style->is_flow)
		fprintf(writer->out, "{%s", pad);
	write_record(writer, items, row, style, column);
	if (style->is_flow)
		fprintf(writer->out, "%s}", pad);
}

void write_flow_list(const struct writer *writer, const struct items *items,
		     const struct list_style *style)
{
	const struct overlay_row *first = items_first(items);
	const char *pad = style->is_padded ? " " : "";

	fprintf(writer->out, "[%s", pad);
	for (const struct overlay_row *row = first; row; row = items_next(items, row)) {
		if (row != first)
			fputs(", ", writer->out);
		write_item(writer, items, row, &style->record, 0);
	}
	fprintf(writer->out, "%s]", pad);
}

void write_block_items(const struct writer *writer, const struct items *items,
		       const struct list_style *style, uint32_t column)
{
	for (const struct overlay_row *row = items_first(items); row;
	     row = items_next(items, row)) {
		write_line(writer, column);
		fprintf(writer->out, "-%*s", (int)style->gap, "");
		write_item(writer, items, row, &style->record, column + 1 + style->gap);
	}
}

void write_list(const struct writer *writer, const struct items *items,
		const struct list_style *style, uint32_t column)
{
	if (!style->is_flow) {
		write_block_items(writer, items, style, column + style->indent);
		return;
	}
	fputc(' ', writer->out);
	write_flow_list(writer, items, style);
}

const struct list_style *style_of_backends(const struct writer *writer, bool in_flow)
{
	return in_flow || writer->prefers_flow ? &writer->backends_flow : &writer->backends_block;
}
