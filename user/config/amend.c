// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/amend.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/amend_work.h"
#include "config/report.h"
#include "config/single.h"
#include "model/compose.h"
#include "util/err.h"

void amendment_done(struct amendment *amendment)
{
	free(amendment->text);
	patch_done(&amendment->patch);
	overlay_done(&amendment->left);
	free(amendment->comments);
	*amendment = (struct amendment){ .len = 0 };
}

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
}

/* --- how the file is written ------------------------------------------------------------------ */

/* What ends the first line ends those that are added. */
static const char *newline_of(const struct source *source)
{
	uint32_t at = source_line_end(source, 0);

	if (at == source->len || source->text[at] == '\n')
		return "\n";
	return source->text[at] != '\r'                               ? "\n"
	       : at + 1 < source->len && source->text[at + 1] == '\n' ? "\r\n"
								      : "\r";
}

static const struct node *items_of(const struct node *list)
{
	return list && list->kind == NODE_LIST && list->n_children ? list : NULL;
}

/* New lists of backends look as the last one of the file that looks so. */
static void learn_styles(struct amending *a, const struct node *pools)
{
	struct record_style root = style_of_record(&a->source, a->tree, tree_root(a->tree));
	struct writer *writer = &a->writer;

	root.is_flow = false;
	writer->backends_block = style_default(&root);
	root.is_flow = root.is_padded = true;
	writer->backends_flow = style_default(&root);
	writer->prefers_flow = tree_root(a->tree)->is_flow;
	for (const struct node *pool = pools ? tree_first(a->tree, pools) : NULL; pool;
	     pool = tree_next(a->tree, pool)) {
		const struct node *list = items_of(amend_find(a, pool, "backends", NULL));

		if (!list)
			continue;
		writer->prefers_flow = list->is_flow;
		*(list->is_flow ? &writer->backends_flow : &writer->backends_block) =
			style_of_list(&a->source, a->tree, pool, list);
	}
}

/* --- what changes ----------------------------------------------------------------------------- */

/* The rows about a pool and its backends. */
static struct items rows_of(const struct overlay *overlay, const char *pool)
{
	uint32_t low = 0, high = overlay->n;
	struct items items = { .kind = OVERLAY_BACKEND };

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (strcmp(overlay->rows[middle].pool, pool) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	items.first = overlay->rows + low;
	while (low < overlay->n && !strcmp(overlay->rows[low].pool, pool))
		low++;
	items.end = overlay->rows + low;
	return items;
}

/* Weights, and who goes. */
static void amend_backends(const struct amending *a, struct listing *listing,
			   const struct overlay *overlay, const struct pool *pool)
{
	const struct node *item = listing->n ? tree_first(a->tree, listing->list) : NULL;

	for (uint32_t i = 0; i < listing->n; i++, item = tree_next(a->tree, item)) {
		const struct overlay_row *row =
			overlay_find(overlay, pool->name, backend_text(&pool->backends[i]));

		if (!row)
			continue;
		listing->goes[i] = row->presence == OVERLAY_REMOVED;
		listing->n_gone += listing->goes[i];
		if (!listing->goes[i] && row->has_weight)
			amend_number(a, item, "weight", row->weight);
	}
}

static struct listing find_list(const struct amending *a, const struct node *map, const char *name)
{
	struct listing listing = { .name = name, .map = map };

	listing.list = amend_find(a, map, name, &listing.key);
	listing.n = items_of(listing.list) ? listing.list->n_children : 0;
	return listing;
}

static int amend_pool(const struct amending *a, const struct node *map, const struct pool *pool,
		      const struct overlay *overlay, const struct items *rows)
{
	struct listing listing = find_list(a, map, "backends");
	CLEANUP(free_p) bool *goes = calloc(listing.n + 1, sizeof(*goes));

	if (!goes)
		return no_memory(a->err);
	listing.goes = goes;
	listing.items = *rows;
	amend_backends(a, &listing, overlay, pool);
	return amend_list(a, &listing);
}

/* The reader has made one pool of each item of the list, in its order, and one backend of each of theirs. */
static int amend_pools(struct amending *a, const struct model *file, const struct overlay *overlay)
{
	struct listing pools = find_list(a, tree_root(a->tree), "pools");
	CLEANUP(free_p) bool *goes = calloc(pools.n + 1, sizeof(*goes));
	const struct node *map = pools.n ? tree_first(a->tree, pools.list) : NULL;
	int r;

	if (!goes)
		return no_memory(a->err);
	learn_styles(a, pools.n ? pools.list : NULL);
	pools.goes = goes;
	pools.items = (struct items){ OVERLAY_POOL, overlay->rows, overlay->rows + overlay->n };
	for (uint32_t i = 0; i < pools.n; i++, map = tree_next(a->tree, map)) {
		const struct items rows = rows_of(overlay, file->pools[i].name);

		if (rows.first == rows.end)
			continue;
		goes[i] = rows.first->presence == OVERLAY_REMOVED && !rows.first->address[0];
		pools.n_gone += goes[i];
		r = goes[i] ? 0 : amend_pool(a, map, &file->pools[i], overlay, &rows);
		if (r < 0)
			return r;
	}
	return amend_list(a, &pools);
}

/* --- interfaces ------------------------------------------------------------------------------- */

/* A file names one at least. Where there is to be none, it cannot say so, and all rows stay over it. */
static bool leaves_any(const struct model *file, const struct overlay *overlay)
{
	uint32_t n = file->gateway.n_interfaces;

	for (uint32_t i = 0; i < overlay->n; i++)
		if (overlay_kind_of(&overlay->rows[i]) == OVERLAY_INTERFACE)
			n = n + (overlay->rows[i].presence == OVERLAY_ADDED) -
			    (overlay->rows[i].presence == OVERLAY_REMOVED);
	return n;
}

static void amend_interface(const struct amending *a, const struct node *map,
			    const struct interface *interface, const struct overlay_row *row)
{
	if (row->xdp != interface->xdp)
		amend_text(a, map, "xdp", xdp_mode_name(row->xdp));
	if (row->egress != interface->egress)
		amend_word(a, map, "egress", row->egress ? "true" : "false");
}

static int amend_interfaces(const struct amending *a, const struct model *file,
			    const struct overlay *overlay)
{
	const struct node *gateway = amend_find(a, tree_root(a->tree), "gateway", NULL);
	struct listing listing = find_list(a, gateway, "interfaces");
	const struct node *map = tree_first(a->tree, listing.list);
	CLEANUP(free_p) bool *goes = calloc(listing.n + 1, sizeof(*goes));

	if (!goes)
		return no_memory(a->err);
	listing.goes = goes;
	listing.items =
		(struct items){ OVERLAY_INTERFACE, overlay->rows, overlay->rows + overlay->n };
	for (uint32_t i = 0; i < listing.n; i++, map = tree_next(a->tree, map)) {
		const struct interface *interface = &file->gateway.interfaces[i];
		const struct overlay_row row = overlay_interface_row(overlay, interface->name);

		goes[i] = row.presence == OVERLAY_REMOVED;
		listing.n_gone += goes[i];
		if (row.has_options && !goes[i])
			amend_interface(a, map, interface, &row);
	}
	return amend_list(a, &listing);
}

/* --- what is lost ----------------------------------------------------------------------------- */

/* Names, addresses and numbers hold no '#': what is taken out and does is a comment. */
static uint32_t next_comment(const struct source *source, const struct patch_edit *edit,
			     uint32_t at)
{
	const char *found = at < edit->end ? memchr(source->text + at, '#', edit->end - at) : NULL;

	return found ? (uint32_t)(found - source->text) : edit->end;
}

static int find_comments(struct amendment *amendment, const struct source *source)
{
	uint32_t line = 1, counted = 0, room = 0;

	for (size_t i = 0; i < amendment->patch.n; i++) {
		const struct patch_edit *edit = &amendment->patch.edits[i];
		uint32_t at = next_comment(source, edit, edit->start), end;

		for (; at < edit->end; at = next_comment(source, edit, end)) {
			for (uint32_t next; counted < at; counted = next) {
				next = source_after_break(source, counted);
				line += next != counted;
				next += next == counted;
			}
			if (amendment->n_comments == room) {
				struct amend_comment *grown = realloc(
					amendment->comments, (2 * room + 1) * sizeof(*grown));

				if (!grown)
					return -ENOMEM;
				amendment->comments = grown;
				room = 2 * room + 1;
			}
			end = source_line_end(source, at);
			amendment->comments[amendment->n_comments++] =
				(struct amend_comment){ line, at, end };
		}
	}
	return 0;
}

/* --- all of it -------------------------------------------------------------------------------- */

static int change(struct amendment *amendment, const struct model *file,
		  const struct source *source, const struct overlay *overlay, struct err *err)
{
	CLEANUP(tree_free_p) struct tree *tree = NULL;
	struct amending a = { .source = *source, .patch = &amendment->patch, .err = err };
	struct report report = { .n_items = 0 };
	int r;

	r = patch_init(&amendment->patch);
	if (r == 0)
		r = tree_parse(&tree, source->text, source->len, &report);
	if (r < 0)
		return no_memory(err);
	a.tree = tree;
	a.writer.out = amendment->patch.out;
	a.writer.newline = newline_of(source);
	r = overlay->n ? amend_pools(&a, file, overlay) : 0;
	if (r == 0 && overlay->n && leaves_any(file, overlay))
		r = amend_interfaces(&a, file, overlay);
	if (r < 0)
		return r;
	r = patch_settle(&amendment->patch);
	if (r == -EINVAL)
		return err_set(err, -ENOTSUP,
			       "it is written in a way that cannot be changed safely");
	return r < 0 ? no_memory(err) : 0;
}

int amend(struct amendment *ret, const struct model *file, const char *text, size_t len,
	  const char *name, const struct overlay *overlay, struct err *err)
{
	const struct source source = { text, (uint32_t)len };
	CLEANUP(amendment_done) struct amendment amendment = { .len = 0 };
	CLEANUP(overlay_done) struct overlay rows = { .n = 0 };
	int r;

	/* Rows come from outside: nothing that is no name and no address gets into the text. */
	r = single_overlay(overlay, err);
	if (r < 0)
		return r;
	if (overlay_copy(&rows, overlay) < 0 || compose_prune(&rows, file, NULL, NULL) < 0)
		return no_memory(err);
	r = change(&amendment, file, &source, &rows, err);
	if (r < 0)
		return r;
	if (patch_apply(&amendment.text, &amendment.len, &amendment.patch, text, len) < 0 ||
	    find_comments(&amendment, &source) < 0)
		return no_memory(err);
	r = amend_check(&amendment, file, &rows, name, err);
	if (r < 0)
		return r;
	*ret = amendment;
	amendment = (struct amendment){ .len = 0 };
	return 0;
}
