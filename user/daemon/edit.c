// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/edit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/single.h"
#include "util/err.h"

#define NAMED_MAX 3 /* services in an error */
#define LIST_LEN 256

struct editing {
	struct overlay *overlay;
	const struct edit_base *base;
	const struct change *change;
	uint64_t now_ms;
};

static int set(const struct editing *e, struct overlay_row *row, struct err *err)
{
	int r;

	row->at_ms = e->now_ms;
	r = overlay_set(e->overlay, row);
	if (r == -E2BIG)
		return err_set(err, r, "%u changes are kept already, and that is all there may be",
			       OVERLAY_MAX);
	return r < 0 ? err_set(err, r, "%s", strerror(-r)) : 0;
}

static int find_pool(const struct editing *e, const struct pool **ret, struct err *err)
{
	*ret = model_find_pool(e->base->now, e->change->pool);
	if (*ret)
		return 0;
	return err_set(err, -ENOENT, "there is no pool '%s'", e->change->pool);
}

/* The backend as the file has it, or NULL. */
static const struct backend *in_file(const struct editing *e, const char *address)
{
	const struct pool *pool = model_find_pool(e->base->file, e->change->pool);
	uint32_t i = pool ? pool_find_backend(pool, address) : INDEX_NONE;

	return i == INDEX_NONE ? NULL : &pool->backends[i];
}

/* --- pools ------------------------------------------------------------------------------------ */

static int add_pool(const struct editing *e, struct err *err)
{
	const char *name = e->change->pool;
	struct overlay_row row = overlay_row_of(e->overlay, name, "");
	int r;

	r = single_name(name, err);
	if (r < 0)
		return r;
	if (model_find_pool(e->base->now, name))
		return err_set(err, -EEXIST, "there is a pool '%s' already", name);
	row.presence = model_find_pool(e->base->file, name) ? OVERLAY_AS_FILE : OVERLAY_ADDED;
	return set(e, &row, err);
}

/* "'shop', 'store' and 3 more" */
static uint32_t list_services(char buf[LIST_LEN], const struct model *model, uint32_t pool)
{
	uint32_t n = 0;
	int len = 0;

	buf[0] = '\0';
	for (uint32_t i = 0; i < model->n_services; i++)
		if (model->services[i].pool == pool && n++ < NAMED_MAX)
			len += snprintf(buf + len, LIST_LEN - (size_t)len, "%s'%s'",
					len ? ", " : "", model->services[i].name);
	if (n > NAMED_MAX)
		snprintf(buf + len, LIST_LEN - (size_t)len, " and %" PRIu32 " more", n - NAMED_MAX);
	return n;
}

static int remove_pool(const struct editing *e, struct err *err)
{
	const char *name = e->change->pool;
	struct overlay_row row = overlay_row_of(e->overlay, name, "");
	const struct pool *pool;
	char services[LIST_LEN];
	int r;

	r = find_pool(e, &pool, err);
	if (r < 0)
		return r;
	if (list_services(services, e->base->now, (uint32_t)(pool - e->base->now->pools)))
		return err_set(err, -EBUSY,
			       "pool '%s' is used by %s: take the service out of the configuration "
			       "first, or remove backends",
			       name, services);
	overlay_forget_pool(e->overlay, name);
	row.presence = model_find_pool(e->base->file, name) ? OVERLAY_REMOVED : OVERLAY_AS_FILE;
	return set(e, &row, err);
}

/* --- backends --------------------------------------------------------------------------------- */

static int add(const struct editing *e, struct err *err)
{
	uint32_t weight = e->change->weight;
	char address[LIMIT_HOST_BYTES + 1];
	const struct backend *file;
	const struct pool *pool;
	struct overlay_row row;
	int r;

	r = find_pool(e, &pool, err);
	if (r == 0)
		r = single_address(address, e->change->address, err);
	if (r < 0)
		return r;
	if (pool_find_backend(pool, address) != INDEX_NONE)
		return err_set(err, -EEXIST, "pool '%s' has the backend '%s' already",
			       e->change->pool, address);
	row = overlay_row_of(e->overlay, e->change->pool, address);
	file = in_file(e, address);
	row.presence = file ? OVERLAY_AS_FILE : OVERLAY_ADDED;
	row.has_weight = !file || file->weight != weight;
	row.weight = row.has_weight ? weight : 0;
	return set(e, &row, err);
}

/* The row of a backend that is there. */
static int find_backend(const struct editing *e, struct overlay_row *ret, struct err *err)
{
	const struct pool *pool;
	uint32_t i;
	int r;

	r = find_pool(e, &pool, err);
	if (r < 0)
		return r;
	i = pool_find_backend(pool, e->change->address);
	if (i == INDEX_NONE)
		return err_set(err, -ENOENT,
			       "pool '%s' has no backend '%s'; a backend is named as in the "
			       "configuration, without a port",
			       e->change->pool, e->change->address);
	*ret = overlay_row_of(e->overlay, e->change->pool, backend_text(&pool->backends[i]));
	return 0;
}

static int remove_backend(const struct editing *e, struct err *err)
{
	struct overlay_row row;
	int r;

	r = find_backend(e, &row, err);
	if (r < 0)
		return r;
	row.presence = in_file(e, row.address) ? OVERLAY_REMOVED : OVERLAY_AS_FILE;
	row.has_weight = false;
	row.weight = 0;
	row.admin = SL_ENABLED;
	row.deadline_ms = 0;
	return set(e, &row, err);
}

static int weigh(const struct editing *e, struct err *err)
{
	const struct backend *file;
	struct overlay_row row;
	int r;

	r = find_backend(e, &row, err);
	if (r < 0)
		return r;
	file = in_file(e, row.address);
	row.has_weight = !file || file->weight != e->change->weight;
	row.weight = row.has_weight ? e->change->weight : 0;
	return set(e, &row, err);
}

/* --- interfaces ------------------------------------------------------------------------------- */

/* As it is now, or as the file has it, with what is asked for. */
static struct interface wanted(const struct editing *e, const struct interface *now)
{
	const struct change *change = e->change;
	const struct interface *file = model_find_interface(e->base->file, change->interface);
	struct interface wanted = { .xdp = XDP_AUTO, .egress = true };

	if (now || file)
		wanted = now ? *now : *file;
	if (change->has_xdp)
		wanted.xdp = change->xdp;
	if (change->has_egress)
		wanted.egress = change->egress;
	return wanted;
}

static bool is_same_way(const struct interface *a, const struct interface *b)
{
	return a->xdp == b->xdp && a->egress == b->egress;
}

static int attach(const struct editing *e, struct err *err)
{
	const char *name = e->change->interface;
	const struct interface *file = model_find_interface(e->base->file, name);
	const struct interface *now = model_find_interface(e->base->now, name);
	struct interface next = wanted(e, now);
	struct overlay_row row = overlay_interface_row(e->overlay, name);
	int r;

	r = single_interface(name, err);
	if (r < 0)
		return r;
	if (now && is_same_way(now, &next))
		return err_set(err, -EEXIST,
			       "interface '%s' is guarded already, xdp: %s, egress: %s", name,
			       xdp_mode_name(now->xdp), now->egress ? "true" : "false");
	row.presence = file ? OVERLAY_AS_FILE : OVERLAY_ADDED;
	row.has_options = !file || !is_same_way(file, &next);
	row.xdp = row.has_options ? next.xdp : XDP_AUTO;
	row.egress = row.has_options && next.egress;
	return set(e, &row, err);
}

static int detach(const struct editing *e, struct err *err)
{
	const char *name = e->change->interface;
	struct overlay_row row = overlay_interface_row(e->overlay, name);

	if (!model_find_interface(e->base->now, name))
		return err_set(
			err, -ENOENT,
			"interface '%s' is not guarded; 'sluice status' shows those that are",
			name);
	row.presence =
		model_find_interface(e->base->file, name) ? OVERLAY_REMOVED : OVERLAY_AS_FILE;
	row.has_options = row.egress = false;
	row.xdp = XDP_AUTO;
	return set(e, &row, err);
}

/* --- orders ----------------------------------------------------------------------------------- */

/* When the flows of a backend that drains end: as the service whose settings give them longest says. */
static uint64_t drain_until(const struct editing *e, uint32_t pool)
{
	const struct model *model = e->base->now;
	uint32_t longest_ms = 0;

	if (e->change->timeout_ms)
		return e->now_ms + e->change->timeout_ms;
	for (uint32_t i = 0; i < model->n_services; i++) {
		uint32_t ms = settings_drain_ms(&model->settings[model->services[i].settings]);

		if (model->services[i].pool == pool && ms > longest_ms)
			longest_ms = ms;
	}
	return e->now_ms + longest_ms;
}

static int give_order(const struct editing *e, enum sl_admin admin, struct err *err)
{
	struct overlay_row row;
	const struct pool *pool;
	int r;

	r = find_backend(e, &row, err);
	if (r < 0)
		return r;
	pool = model_find_pool(e->base->now, e->change->pool);
	row.admin = admin;
	row.deadline_ms = 0;
	if (admin == SL_DRAINING)
		row.deadline_ms = drain_until(e, (uint32_t)(pool - e->base->now->pools));
	return set(e, &row, err);
}

int edit_overlay(struct overlay *overlay, const struct edit_base *base, const struct change *change,
		 uint64_t now_ms, struct err *err)
{
	const struct editing e = { overlay, base, change, now_ms };

	overlay->version++;
	switch (change->action) {
	case CHANGE_DRAIN:
		return give_order(&e, SL_DRAINING, err);
	case CHANGE_ENABLE:
		return give_order(&e, SL_ENABLED, err);
	case CHANGE_DISABLE:
		return give_order(&e, SL_DISABLED, err);
	case CHANGE_WEIGHT:
		return weigh(&e, err);
	case CHANGE_ADD:
		return add(&e, err);
	case CHANGE_REMOVE:
		return remove_backend(&e, err);
	case CHANGE_ADD_POOL:
		return add_pool(&e, err);
	case CHANGE_REMOVE_POOL:
		return remove_pool(&e, err);
	case CHANGE_ATTACH:
		return attach(&e, err);
	case CHANGE_DETACH:
		return detach(&e, err);
	case CHANGE_RELOAD:
		break;
	}
	return err_set(err, -EINVAL, "this changes the file, and nothing over it");
}
