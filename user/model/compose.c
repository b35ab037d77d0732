// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/compose.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/compose_work.h"
#include "util/err.h"

/* --- finding pools ---------------------------------------------------------------------------- */

/* The pools of a model by name, since rows and pools may both be many. */
struct directory {
	const struct pool **pools;
	uint32_t n;
	bool *used; /* parallel to the model's pools: a service names it */
};

static int compare_pools(const void *a, const void *b)
{
	return strcmp((*(const struct pool *const *)a)->name,
		      (*(const struct pool *const *)b)->name);
}

static int compare_name(const void *name, const void *pool)
{
	return strcmp(name, (*(const struct pool *const *)pool)->name);
}

static void directory_done(struct directory *directory)
{
	free(directory->pools);
	free(directory->used);
}

static int directory_init(struct directory *directory, const struct model *model)
{
	directory->n = model->n_pools;
	directory->pools = calloc(model->n_pools + 1, sizeof(*directory->pools));
	directory->used = calloc(model->n_pools + 1, sizeof(*directory->used));
	if (!directory->pools || !directory->used)
		return -ENOMEM;
	for (uint32_t i = 0; i < model->n_pools; i++)
		directory->pools[i] = &model->pools[i];
	qsort(directory->pools, directory->n, sizeof(*directory->pools), compare_pools);
	for (uint32_t i = 0; i < model->n_services; i++)
		directory->used[model->services[i].pool] = true;
	return 0;
}

static const struct pool *find_pool(const struct directory *directory, const char *name)
{
	const struct pool *const *found = bsearch(name, directory->pools, directory->n,
						  sizeof(*directory->pools), compare_name);

	return found ? *found : NULL;
}

/* --- what is left of the overlay -------------------------------------------------------------- */

struct pruning {
	const struct model *file;
	struct directory directory;
	compose_note_fn *note;
	void *arg;
};

static void give_up(const struct pruning *pruning, const struct overlay_row *row, const char *why)
{
	if (pruning->note)
		pruning->note(pruning->arg, row, why);
}

/* Whether the row of a pool still says something. */
static bool keep_pool(const struct pruning *pruning, const struct overlay_row *row)
{
	const struct pool *pool = find_pool(&pruning->directory, row->pool);

	if (row->presence == OVERLAY_ADDED)
		return !pool;
	if (!pool)
		return false;
	if (!pruning->directory.used[pool - pruning->file->pools])
		return true;
	give_up(pruning, row, "it had been removed, and a service of the file uses it");
	return false;
}

static bool keep_backend_of(const struct pruning *pruning, struct overlay_row *row,
			    const struct pool *pool)
{
	uint32_t i = pool_find_backend(pool, row->address);

	if (i == INDEX_NONE) {
		if (row->presence == OVERLAY_AS_FILE)
			give_up(pruning, row, "the file no longer has the backend");
		return row->presence == OVERLAY_ADDED;
	}
	if (row->presence == OVERLAY_ADDED)
		row->presence = OVERLAY_AS_FILE;
	if (row->presence == OVERLAY_AS_FILE && row->weight == pool->backends[i].weight)
		row->has_weight = false;
	return row->presence == OVERLAY_REMOVED || row->has_weight || row->admin != SL_ENABLED;
}

/* pool_row: what is left of the row of its pool, or NULL. */
static bool keep_backend(const struct pruning *pruning, struct overlay_row *row,
			 const struct overlay_row *pool_row)
{
	const struct pool *pool = find_pool(&pruning->directory, row->pool);

	if (pool_row && pool_row->presence == OVERLAY_REMOVED)
		return false;
	if (pool)
		return keep_backend_of(pruning, row, pool);
	if (!pool_row)
		give_up(pruning, row, "the file no longer has the pool");
	return pool_row && row->presence == OVERLAY_ADDED;
}

static bool keep_row(const struct pruning *pruning, struct overlay_row *row,
		     const struct overlay_row *pool_row)
{
	const char *why;

	switch (overlay_kind_of(row)) {
	case OVERLAY_INTERFACE:
		if (compose_keep_interface(pruning->file, row, &why))
			return true;
		if (why)
			give_up(pruning, row, why);
		return false;
	case OVERLAY_POOL:
		return keep_pool(pruning, row);
	case OVERLAY_BACKEND:
		break;
	}
	return keep_backend(pruning, row, pool_row);
}

int compose_prune(struct overlay *overlay, const struct model *file, compose_note_fn *note,
		  void *arg)
{
	struct pruning pruning = { .file = file, .note = note, .arg = arg };
	const struct overlay_row *pool_row = NULL;
	uint32_t kept = 0;
	int r;

	r = directory_init(&pruning.directory, file);
	/* The row of a pool comes before those of its backends. */
	for (uint32_t i = 0; i < overlay->n && r == 0; i++) {
		struct overlay_row row = overlay->rows[i];

		if (pool_row && strcmp(pool_row->pool, row.pool) != 0)
			pool_row = NULL;
		if (!keep_row(&pruning, &row, pool_row))
			continue;
		overlay->rows[kept] = row;
		if (overlay_kind_of(&row) == OVERLAY_POOL)
			pool_row = &overlay->rows[kept];
		kept++;
	}
	if (r == 0)
		overlay->n = kept;
	directory_done(&pruning.directory);
	return r;
}

/* --- pools and backends ----------------------------------------------------------------------- */

/* Where pools are to be taken away, and what became of their indexes. */
struct composing {
	struct model *model;
	struct directory directory; /* of the pools that were there at first */
	bool *removed; /* parallel to the model's pools, those that were there at first */
};

static int add_pool(struct composing *c, const char *name, struct err *err)
{
	struct model *model = c->model;
	struct pool *pool;

	if (model->n_pools >= LIMIT_POOLS)
		return err_set(err, -E2BIG,
			       "pool '%s': there are %u pools, and that is all there may be", name,
			       LIMIT_POOLS);
	pool = &model->pools[model->n_pools++];
	*pool = (struct pool){ .n_backends = 0 };
	snprintf(pool->name, sizeof(pool->name), "%s", name);
	return 0;
}

static int add_backend(struct pool *pool, const struct overlay_row *row, struct err *err)
{
	struct backend *backends, *backend;

	if (pool->n_backends >= LIMIT_BACKENDS_PER_POOL)
		return err_set(err, -E2BIG,
			       "pool '%s' has %u backends, and that is all that it may have",
			       pool->name, LIMIT_BACKENDS_PER_POOL);
	backends = realloc(pool->backends, (pool->n_backends + 1) * sizeof(*backends));
	if (!backends)
		return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	pool->backends = backends;
	backend = &backends[pool->n_backends];
	*backend = (struct backend){ .weight = row->weight };
	if (addr_parse(&backend->addr, row->address) == 0) {
		addr_format(backend->text, &backend->addr);
	} else {
		backend->addr = (struct addr){ .bytes = { 0 } };
		backend->name = strdup(row->address);
		if (!backend->name)
			return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	}
	pool->n_backends++;
	return 0;
}

static void remove_backend(struct pool *pool, uint32_t i)
{
	free(pool->backends[i].name);
	pool->n_backends--;
	memmove(&pool->backends[i], &pool->backends[i + 1],
		(pool->n_backends - i) * sizeof(*pool->backends));
}

static int apply_to_backend(struct pool *pool, const struct overlay_row *row, struct err *err)
{
	uint32_t i;

	if (row->presence == OVERLAY_ADDED)
		return add_backend(pool, row, err);
	i = pool_find_backend(pool, row->address);
	if (i == INDEX_NONE)
		return 0; /* compose_prune() would have taken the row out */
	if (row->presence == OVERLAY_REMOVED)
		remove_backend(pool, i);
	else if (row->has_weight)
		pool->backends[i].weight = row->weight;
	return 0;
}

static int apply_to_pool(struct composing *c, const struct overlay_row *row,
			 const struct pool *pool, struct err *err)
{
	if (row->presence == OVERLAY_ADDED)
		return pool ? 0 : add_pool(c, row->pool, err);
	if (!pool)
		return 0;
	if (c->directory.used[pool - c->model->pools])
		return err_set(err, -EINVAL, "a service uses pool '%s', which is to be removed",
			       row->pool);
	c->removed[pool - c->model->pools] = true;
	return 0;
}

/* The pool of a row: one of the file's, or the one that was added last. */
static struct pool *pool_of(const struct composing *c, const struct overlay_row *row)
{
	const struct pool *pool = find_pool(&c->directory, row->pool);
	struct pool *last = c->model->n_pools ? &c->model->pools[c->model->n_pools - 1] : NULL;

	if (pool)
		return &c->model->pools[pool - c->model->pools];
	return last && !strcmp(last->name, row->pool) ? last : NULL;
}

static int apply_row(struct composing *c, const struct overlay_row *row, struct err *err)
{
	struct pool *pool = pool_of(c, row);

	switch (overlay_kind_of(row)) {
	case OVERLAY_INTERFACE:
		return compose_interface(&c->model->gateway, row, err);
	case OVERLAY_POOL:
		return apply_to_pool(c, row, pool, err);
	case OVERLAY_BACKEND:
		break;
	}
	return pool ? apply_to_backend(pool, row, err) : 0;
}

static int apply(struct composing *c, const struct overlay *overlay, struct err *err)
{
	for (uint32_t i = 0; i < overlay->n; i++) {
		int r = apply_row(c, &overlay->rows[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

static uint32_t count_added(const struct overlay *overlay)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < overlay->n; i++)
		n += overlay_kind_of(&overlay->rows[i]) == OVERLAY_POOL &&
		     overlay->rows[i].presence == OVERLAY_ADDED;
	return n;
}

/* Before anything points to them. */
static int make_room(struct model *model, uint32_t n)
{
	struct pool *pools = realloc(model->pools, (model->n_pools + n + 1) * sizeof(*pools));

	if (!pools)
		return -ENOMEM;
	model->pools = pools;
	return 0;
}

/* Those that are removed go, and services follow the indexes of the others. */
static int close_gaps(struct composing *c)
{
	struct model *model = c->model;
	CLEANUP(free_p) uint32_t *moved = calloc(model->n_pools + 1, sizeof(*moved));
	uint32_t n = 0;

	if (!moved)
		return -ENOMEM;
	for (uint32_t i = 0; i < model->n_pools; i++) {
		moved[i] = n;
		if (i >= c->directory.n || !c->removed[i]) {
			model->pools[n++] = model->pools[i];
			continue;
		}
		for (uint32_t j = 0; j < model->pools[i].n_backends; j++)
			free(model->pools[i].backends[j].name);
		free(model->pools[i].backends);
	}
	model->n_pools = n;
	for (uint32_t i = 0; i < model->n_services; i++)
		model->services[i].pool = moved[model->services[i].pool];
	return 0;
}

static int apply_rows(struct model *model, const struct overlay *overlay, struct err *err)
{
	struct composing c = { .model = model };
	int r;

	r = make_room(model, count_added(overlay));
	if (r == 0)
		r = directory_init(&c.directory, model);
	if (r == 0)
		c.removed = calloc(model->n_pools + 1, sizeof(*c.removed));
	if (r == 0 && !c.removed)
		r = -ENOMEM;
	if (r == 0)
		r = apply(&c, overlay, err);
	if (r == 0)
		r = close_gaps(&c);
	directory_done(&c.directory);
	free(c.removed);
	return r;
}

int compose_model(struct model **ret, const struct model *file, const struct overlay *overlay,
		  struct err *err)
{
	CLEANUP(model_free_p) struct model *model = NULL;
	int r;

	err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	r = model_copy(&model, file);
	if (r == 0 && overlay->n)
		r = apply_rows(model, overlay, err);
	if (r == 0)
		r = model_link(model, err);
	if (r < 0)
		return r;
	model->digest = overlay_digest(overlay, file->digest);
	*ret = take_ptr(model);
	return 0;
}
