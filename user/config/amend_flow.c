// SPDX-License-Identifier: GPL-2.0-or-later
/* amend_flow - lists in brackets. A part of amend.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/amend_work.h"
#include "util/cleanup.h"
#include "util/err.h"

#define NOWHERE UINT32_MAX

/* One item of the list, and what stands behind it. */
struct place {
	const struct node *node;
	uint32_t comma; /* where it is; NOWHERE: there is none */
	bool is_alone; /* on lines of its own */
};

static uint32_t comma_of(const struct amending *a, const struct node *item)
{
	uint32_t at = source_skip(&a->source, item->end);

	return at < a->source.len && a->source.text[at] == ',' ? at : NOWHERE;
}

/* Behind the item and its comma. */
static uint32_t end_of(const struct place *place)
{
	return place->comma == NOWHERE ? place->node->end : place->comma + 1;
}

static struct place *find_places(const struct amending *a, const struct listing *listing)
{
	struct place *places = calloc(listing->n, sizeof(*places));
	const struct node *item = tree_first(a->tree, listing->list);

	for (uint32_t i = 0; places && i < listing->n; i++) {
		places[i].node = item;
		places[i].comma = comma_of(a, item);
		places[i].is_alone = source_begins_line(&a->source, item->start) &&
				     source_line_start(&a->source, item->start) > 0 &&
				     source_ends_line(&a->source, end_of(&places[i]));
		item = tree_next(a->tree, item);
	}
	return places;
}

struct flow {
	const struct amending *a;
	const struct listing *listing;
	const struct place *places;
	struct list_style style;
	uint32_t done; /* what is before is taken out already, or stays */
};

/* Where the line break is that the line of this place begins behind. */
static uint32_t break_before(const struct amending *a, uint32_t at)
{
	return source_before_break(&a->source, source_line_start(&a->source, at));
}

/* Back over blanks, and over line breaks as well unless there are comments between. */
static uint32_t back(const struct amending *a, uint32_t at, uint32_t limit)
{
	uint32_t blanks = source_back_blanks(&a->source, at);

	if (memchr(a->source.text + limit, '#', at - limit))
		return blanks;
	for (;;) {
		uint32_t next = source_before_break(&a->source, blanks);

		if (next == blanks || next < limit)
			return blanks;
		blanks = source_back_blanks(&a->source, next);
	}
}

static void take_out(struct flow *f, uint32_t i)
{
	const struct amending *a = f->a;
	const struct place *place = &f->places[i];
	uint32_t start = place->node->start, end = end_of(place);

	if (place->is_alone) {
		start = break_before(a, start);
		end = source_line_end(&a->source, end);
	} else if (place->comma == NOWHERE) {
		start = back(a, start, f->done);
	} else if (source_is_end(&a->source, end)) {
		start = source_back_blanks(&a->source, start);
	} else {
		end = source_skip_blanks(&a->source, end);
	}
	patch_replace(a->patch, start < f->done ? f->done : start, end);
	f->done = end;
}

static void take_out_all(struct flow *f)
{
	f->done = f->listing->list->start + 1;
	for (uint32_t i = 0; i < f->listing->n; i++)
		if (f->listing->goes[i])
			take_out(f, i);
		else
			f->done = end_of(&f->places[i]);
}

/* New items on lines of their own, indented as that one. */
static void add_lines(const struct flow *f, const struct place *like, bool trailing)
{
	const struct amending *a = f->a;
	const struct items *items = &f->listing->items;
	uint32_t line = source_line_start(&a->source, like->node->start);

	for (const struct overlay_row *row = items_first(items), *next; row; row = next) {
		next = items_next(items, row);
		fputs(a->writer.newline, a->writer.out);
		fwrite(a->source.text + line, 1, like->node->start - line, a->writer.out);
		write_item(&a->writer, items, row, &f->style.record, 0);
		if (next || trailing)
			fputc(',', a->writer.out);
	}
}

static void add_inline(const struct flow *f)
{
	const struct items *items = &f->listing->items;

	for (const struct overlay_row *row = items_first(items); row;
	     row = items_next(items, row)) {
		fputs(", ", f->a->writer.out);
		write_item(&f->a->writer, items, row, &f->style.record, 0);
	}
}

/* Behind the last item that stays; trailing: the last of all had a comma. */
static void add_behind(const struct flow *f, uint32_t last, bool trailing)
{
	const struct amending *a = f->a;
	const struct place *place = &f->places[last];
	bool adds = items_first(&f->listing->items), adds_lines = adds && place->is_alone;
	uint32_t at;

	if (adds_lines && place->comma == NOWHERE) {
		patch_replace(a->patch, place->node->end, place->node->end);
		fputc(',', a->writer.out);
	}
	if (adds_lines) {
		at = source_line_end(&a->source, end_of(place));
		patch_replace(a->patch, at, at);
		add_lines(f, place, trailing);
	} else if (adds) {
		patch_replace(a->patch, place->node->end, place->node->end);
		add_inline(f);
	}
	if (!adds_lines && !trailing && place->comma != NOWHERE)
		patch_replace(a->patch, place->comma, place->comma + 1);
}

/* Nothing of the list stays but, where there is something new, how it stood. */
static void exchange_all(struct flow *f, bool trailing)
{
	const struct amending *a = f->a;
	const struct node *list = f->listing->list;
	bool adds = items_first(&f->listing->items);
	uint32_t at;

	if (adds && f->places[0].is_alone) {
		at = break_before(a, f->places[0].node->start);
		patch_replace(a->patch, at, at);
		add_lines(f, &f->places[0], trailing);
		take_out_all(f);
		return;
	}
	patch_replace(a->patch, list->start, list->end);
	if (adds)
		write_flow_list(&a->writer, &f->listing->items, &f->style);
	else
		fputs("[]", a->writer.out);
}

int amend_flow(const struct amending *a, const struct listing *listing)
{
	CLEANUP(free_p) struct place *places = find_places(a, listing);
	struct flow f = { .a = a, .listing = listing, .places = places };
	uint32_t last = listing->n;
	bool trailing;

	if (!places)
		return err_set(a->err, -ENOMEM, "%s", strerror(ENOMEM));
	f.style = style_of_list(&a->source, a->tree, listing->map, listing->list);
	trailing = places[listing->n - 1].comma != NOWHERE;
	while (last > 0 && listing->goes[last - 1])
		last--;
	if (!last) {
		exchange_all(&f, trailing);
		return 0;
	}
	add_behind(&f, last - 1, trailing);
	take_out_all(&f);
	return 0;
}
