// SPDX-License-Identifier: GPL-2.0-or-later
/* amend_check - whether the amended text is right. A part of amend.h. */
#include <errno.h>
#include <string.h>

#include "config/amend.h"
#include "config/amend_work.h"
#include "config/config.h"
#include "config/report.h"
#include "model/compose.h"
#include "model/difference.h"
#include "util/err.h"

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
}

static int unsafe(struct err *err, const char *what, const char *name)
{
	return err_set(
		err, -ENOTSUP,
		"it is written in a way that cannot be changed safely: %s%s%s%s would not be "
		"as it is in force",
		what, *name ? " '" : "", name, *name ? "'" : "");
}

/* The text as it is to be is a configuration like any other. */
static int read_result(struct model **ret, const struct amendment *amendment, const char *name,
		       struct err *err)
{
	struct report report = { .n_items = 0 };
	int r = config_parse(ret, amendment->text, amendment->len, name, &report);

	if (r == -ENOMEM)
		return no_memory(err);
	if (r < 0)
		return err_set(err, -ENOTSUP,
			       "it is written in a way that cannot be changed safely: line %u "
			       "would be refused: %s",
			       report.items[0].line, report.items[0].message);
	return 0;
}

/* Nothing is left over it but orders, and that nothing is guarded. */
static int check_left(const struct overlay *left, const struct model *before, struct err *err)
{
	for (uint32_t i = 0; i < left->n; i++) {
		const struct overlay_row *row = &left->rows[i];

		if (overlay_kind_of(row) == OVERLAY_INTERFACE) {
			if (before->gateway.n_interfaces)
				return unsafe(err, "interface", row->interface);
		} else if (row->presence != OVERLAY_AS_FILE || row->has_weight) {
			return unsafe(err, "pool", row->pool);
		}
	}
	return 0;
}

static bool is_same_backend(const struct backend *a, const struct backend *b)
{
	return a->weight == b->weight && !strcmp(backend_text(a), backend_text(b));
}

/* In the same order, too. */
static int check_pools(const struct model *before, const struct model *after, struct err *err)
{
	if (before->n_pools != after->n_pools)
		return unsafe(err, "the list of pools", "");
	for (uint32_t i = 0; i < before->n_pools; i++) {
		const struct pool *a = &before->pools[i], *b = &after->pools[i];
		bool same = a->n_backends == b->n_backends && !strcmp(a->name, b->name);

		for (uint32_t j = 0; same && j < a->n_backends; j++)
			same = is_same_backend(&a->backends[j], &b->backends[j]);
		if (!same)
			return unsafe(err, "pool", a->name);
	}
	return 0;
}

static int check_rest(const struct model *before, const struct model *after, struct err *err)
{
	CLEANUP(difference_free_p) struct difference *difference = difference_new();

	if (!difference || difference_between(difference, before, NULL, after) < 0)
		return no_memory(err);
	return difference->n_items ? unsafe(err, "its part", difference->items[0].name) : 0;
}

/* What file and overlay make, and what the amended text makes with what is left over it. */
int amend_check(struct amendment *amendment, const struct model *file,
		const struct overlay *overlay, const char *name, struct err *err)
{
	CLEANUP(model_free_p) struct model *amended = NULL;
	CLEANUP(model_free_p) struct model *before = NULL;
	CLEANUP(model_free_p) struct model *after = NULL;
	int r;

	r = compose_model(&before, file, overlay, err);
	if (r == 0)
		r = read_result(&amended, amendment, name, err);
	if (r < 0)
		return r;
	amendment->digest = amended->digest;
	if (overlay_copy(&amendment->left, overlay) < 0 ||
	    compose_prune(&amendment->left, amended, NULL, NULL) < 0)
		return no_memory(err);
	r = check_left(&amendment->left, before, err);
	if (r == 0)
		r = compose_model(&after, amended, &amendment->left, err);
	if (r == 0)
		r = check_pools(before, after, err);
	return r < 0 ? r : check_rest(before, after, err);
}
