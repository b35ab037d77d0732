// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/open.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "dataplane/attaching.h"
#include "dataplane/host.h"
#include "dataplane/leaving.h"
#include "dataplane/meta.h"
#include "dataplane/open_work.h"
#include "util/clock.h"
#include "util/err.h"

/* --- opening, step by step ------------------------------------------------------------------- */

static int check_size(const struct model *model, const struct map_sizes *sizes, struct err *err)
{
	uint32_t services = model_forwarding(model);

	if (services > sizes->entries[MAP_SERVICES])
		return err_set(
			err, -E2BIG,
			"map '%s' is full: %u services do not fit into its %u entries; raise "
			"gateway.max_services (at most %u)",
			map_name(MAP_SERVICES), services, sizes->entries[MAP_SERVICES],
			LIMIT_SERVICES);
	if (model->n_endpoints <= sizes->endpoints)
		return 0;
	return err_set(err, -E2BIG,
		       "map '%s' is full: %u endpoints do not fit into its %u entries; raise "
		       "gateway.max_endpoints (at most %u)",
		       map_name(MAP_WORDS), model->n_endpoints, sizes->endpoints, LIMIT_ENDPOINTS);
}

static struct map_sizes sizes_for(const struct model *model)
{
	struct map_needs needs = { .endpoints = model_map_entries(model),
				   .attempts = attempts_needed(&model->gateway) };

	services_needs(&needs, model);
	return map_sizes_for(&needs);
}

int dataplane_fits(const struct model *model, struct err *err)
{
	struct map_sizes sizes = sizes_for(model);

	return check_size(model, &sizes, err);
}

/* Say which daemon holds the lock, as far as its maps tell. */
static int busy_error(const char *bpffs, struct err *err)
{
	CLEANUP(close_p) int fd = -1;
	struct sl_meta meta = { 0 };
	char path[PATH_MAX];
	__u32 zero = 0;

	if (snprintf(path, sizeof(path), "%s/v%d/%s/%s", bpffs, SL_LAYOUT,
		     pins_dir_name(PINS_MAPS, false), map_name(MAP_META)) < PATH_MAX)
		fd = bpf_obj_get(path);
	if (map_read(fd, &zero, sizeof(zero), &meta, sizeof(meta)) < 0 || !meta.daemon_pid)
		return -EBUSY;
	return err_set(err, -EBUSY,
		       "another daemon (process %u) is running with '%s' (gateway.bpffs); one pin "
		       "directory belongs to one daemon",
		       meta.daemon_pid, bpffs);
}

/* Changes are listened for before anything is looked at. */
static int open_network(struct opening *opening, struct err *err)
{
	if (opening->before && opening->before->network) {
		opening->dp->network = opening->before->network;
		return 0;
	}
	if (!model_forwarding(opening->model))
		return 0;
	return network_open(&opening->dp->network, err);
}

static int open_pins(struct opening *opening, struct err *err)
{
	const char *bpffs = opening->model->gateway.bpffs;
	struct dataplane *dp = opening->dp;
	int r;

	if (opening->before) {
		dp->pins = opening->before->pins;
		return 0;
	}

	r = pins_open(&dp->pins, bpffs, err);
	if (r == -EBUSY)
		return busy_error(bpffs, err);
	if (r < 0)
		return r;
	if (pins_mounted(dp->pins))
		opening_note(dp, false, "mounted a BPF file system on %s", pins_mounted(dp->pins));
	if (pins_taken_over(dp->pins))
		opening_note(dp, false, "took over what another version has pinned as '%s/%s'",
			     bpffs, pins_taken_over(dp->pins));
	return 0;
}

static int find_interfaces(struct opening *opening, struct err *err)
{
	const struct attaching_options options = {
		.model = opening->model,
		.pins = opening->dp->pins,
		.tc = opening->tc,
		.before = opening->before ? opening->before->interfaces : NULL,
		.model_before = opening->before ? opening->before->model : NULL,
	};

	return attaching_begin(&opening->attaching, &options, err);
}

static int fill_tables(struct opening *opening, struct err *err)
{
	struct dataplane *dp = opening->dp;
	struct sl_meta meta = meta_of(opening->model, clock_mono_ns());
	int r;

	r = tables_open(&dp->tables, programs_maps(dp->programs), &opening->sizes);
	if (r < 0)
		return err_set(err, r, "map the endpoint words into memory: %s", strerror(-r));
	if (!dp->tables.in_place) {
		r = opening_write_types(opening);
		if (r < 0)
			return err_set(err, r, "write map '%s': %s", map_name(MAP_TYPES),
				       strerror(-r));
	}
	if (opening->fit == MAPSET_READABLE) {
		r = tables_carry(&dp->tables, &opening->found);
		if (r < 0)
			return err_set(err, r, "carry over the pinned maps: %s", strerror(-r));
	}
	if (!dp->tables.in_place)
		meta_store(dp->tables.meta.start, &meta);
	r = tables_add(&dp->tables, opening->model, err);
	if (r < 0 || opening->fit != MAPSET_READABLE)
		return r;
	r = leaving_carry(&dp->tables, &opening->found);
	return r < 0 ? err_set(err, r, "carry over the endpoints that leave: %s", strerror(-r)) : 0;
}

static int stage(struct opening *opening, struct err *err)
{
	struct dataplane *dp = opening->dp;
	int r;

	if (dp->degraded[0])
		return 0;
	r = programs_stage(dp->programs, dp->pins, err);
	if (r < 0 || dp->tables.in_place)
		return r;
	return mapset_stage(programs_maps(dp->programs), dp->pins, err);
}

static int attach(struct opening *opening, struct err *err)
{
	struct dataplane *dp = opening->dp;
	int r;

	r = hooks_begin(&opening->hooks, dp->pins, err);
	if (r < 0)
		return r;
	r = attaching_attach(&dp->interfaces, opening->attaching, opening->hooks,
			     dp->degraded[0] ? NULL : dp->programs, err);
	return r < 0 && dp->degraded[0] ? err_in(err, r, "%.180s; ", dp->degraded) : r;
}

static int exchange(struct opening *opening, struct err *err)
{
	struct dataplane *dp = opening->dp;
	int r;

	for (enum pins_dir dir = 0; dir < PINS_DIRS; dir++) {
		if (dp->degraded[0] || (dir == PINS_MAPS && dp->tables.in_place))
			continue;
		r = pins_exchange(dp->pins, dir, err);
		if (r < 0)
			return r;
		opening->exchanged[dir] = true;
	}
	return 0;
}

static void detach_layout(int dir_fd, const char *path, void *arg)
{
	(void)dir_fd;
	(void)arg;
	hooks_detach_all(path);
}

/* Everything is in force. From here on nothing can fail that would have to be taken back. */
static void settle(struct opening *opening)
{
	struct dataplane *dp = opening->dp;
	struct sl_meta meta = meta_of(opening->model, clock_mono_ns());

	meta.code = opening->code;
	meta_store(dp->tables.meta.start, &meta);
	tables_settle(&dp->tables, opening->model, clock_mono_ns() / NS_PER_SEC);
	tables_carry_flows(&dp->tables, &opening->found);
	hooks_settle(opening->hooks);
	pins_unstage(dp->pins, PINS_MAPS);
	pins_unstage(dp->pins, PINS_PROGS);
	if (!opening->before)
		pins_remove_others(dp->pins, detach_layout, NULL);
	opening_note_fit(opening);
	dp->is_new = opening->fit == MAPSET_ABSENT;
}

static void roll_back(struct opening *opening)
{
	struct dataplane *dp = opening->dp;

	if (!dp->pins)
		return;
	for (enum pins_dir dir = 0; dir < PINS_DIRS; dir++)
		if (opening->exchanged[dir])
			pins_exchange(dp->pins, dir, NULL);
	if (opening->hooks)
		hooks_rollback(opening->hooks);
	tables_undo(&dp->tables);
	if (opening->before)
		tables_count_on(&opening->before->tables, &dp->tables);
	for (enum pins_dir dir = 0; dir < PINS_DIRS; dir++)
		pins_unstage(dp->pins, dir);
	if (!opening->before)
		pins_undo(dp->pins);
}

/* A service that redirects translates as well. */
static void choose_code(struct programs_options *options, const struct model *model)
{
	for (uint32_t i = 0; i < model->n_services; i++) {
		const struct service *service = &model->services[i];

		if (!service_forwards(model, service))
			continue;
		options->has_services = true;
		if (service->listen.key.port && service->forward != FORWARD_NAT)
			continue;
		options->has_source_nat |= service->source_nat;
		options->has_plain_nat |= !service->source_nat;
	}
}

/*
 * All maps, if they fit; otherwise those of flows, if they do. What these name is told apart from
 * what has the same ids in new maps: endpoints by their generation, services because their ids are
 * given to others only where there is no other left; packets to an address that is no service's any more
 * are looked up nowhere.
 */
static struct mapset reusable(const struct opening *opening)
{
	static const enum map_id flows[] = { MAP_FLOWS, MAP_HALF_OPEN, MAP_HANDSHAKES,
					     MAP_FRAGMENTS };
	struct mapset reuse = MAPSET_NONE;

	if (opening->fit == MAPSET_FITS)
		return opening->found;
	for (size_t i = 0; opening->keeps_flows && i < sizeof(flows) / sizeof(flows[0]); i++) {
		int fd = opening->found.fd[flows[i]];

		if (fd >= 0 && map_entries(fd) == opening->sizes.entries[flows[i]])
			reuse.fd[flows[i]] = fd;
	}
	return reuse;
}

static int load(struct opening *opening, struct err *err)
{
	struct dataplane *dp = opening->dp;
	struct mapset reuse = reusable(opening);
	struct programs_options options = {
		.reuse = &reuse,
		.sizes = &opening->sizes,
		.reply_by_redirect = attaching_has_virtual_xdp(opening->attaching),
	};
	int r;

	choose_code(&options, opening->model);
	opening->code = programs_code(&options);
	/* Programs know the maps that they were loaded with, and no others. */
	if (dp->tables.in_place && opening->same_maps && !opening->before->degraded[0] &&
	    programs_are(opening->before->programs, &options)) {
		dp->programs = opening->before->programs;
		return 0;
	}
	r = programs_load(&dp->programs, &options, err);
	return r < 0 ? opening_stay(opening, r, err) : 0;
}

static int open_all(struct opening *opening, struct err *err)
{
	int r;

	r = open_network(opening, err);
	if (r < 0)
		return r;
	r = open_pins(opening, err);
	if (r < 0)
		return r;
	r = find_interfaces(opening, err);
	if (r < 0)
		return r;
	r = opening_look_around(opening, err);
	if (r < 0)
		return r;
	r = load(opening, err);
	if (r < 0)
		return r;
	r = fill_tables(opening, err);
	if (r < 0)
		return r;
	r = stage(opening, err);
	if (r < 0)
		return r;
	r = attach(opening, err);
	if (r < 0)
		return r;
	return exchange(opening, err);
}

static void list_maps(struct dataplane *dp)
{
	const struct mapset *maps = programs_maps(dp->programs);

	for (enum map_id id = 0; id < MAPS; id++) {
		pins_path(dp->pins, dp->map_paths[id], PINS_MAPS, false, map_name(id));
		dp->maps[id] = (struct map_info){ .name = map_name(id),
						  .path = dp->map_paths[id],
						  .purpose = map_purpose(id),
						  .entries_max = map_entries(maps->fd[id]),
						  .memory_bytes = map_memory(maps->fd[id]) };
	}
}

static void opening_done(struct opening *opening)
{
	attaching_free(opening->attaching);
	hooks_free(opening->hooks);
	mapset_done(&opening->found);
}

/* Leave what one has taken over to the other. */
static void give_back(struct dataplane *dp, const struct dataplane *other)
{
	if (!other)
		return;
	dp->pins = NULL;
	if (dp->network == other->network)
		dp->network = NULL;
	if (dp->programs == other->programs)
		dp->programs = NULL;
}

/* before: the one to be replaced, whose pins are taken over; NULL: none. trusts: as in the opening. */
static int open_over(struct dataplane **ret, struct dataplane *before, bool trusts,
		     const struct model *model, enum tc_kind tc, struct err *err)
{
	CLEANUP(dataplane_close_p) struct dataplane *dp = calloc(1, sizeof(*dp));
	CLEANUP(opening_done)
	struct opening opening = { .dp = dp,
				   .model = model,
				   .tc = tc,
				   .found = MAPSET_NONE,
				   .before = before,
				   .trusts = trusts };
	int r;

	if (!dp)
		return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	dp->model = model;
	dp->tc = tc;
	opening.sizes = sizes_for(model);
	/* What fails without a sentence of its own has run out of memory. */
	err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	r = dataplane_supported(err);
	if (r < 0)
		return r;
	r = check_size(model, &opening.sizes, err);
	if (r < 0)
		return r;
	r = open_all(&opening, err);
	if (r < 0) {
		roll_back(&opening);
		give_back(dp, before);
		return r;
	}
	settle(&opening);
	dataplane_follow_network(dp);
	list_maps(dp);

	*ret = take_ptr(dp);
	return 0;
}

int dataplane_open_as(struct dataplane **ret, const struct model *model, enum tc_kind tc,
		      struct err *err)
{
	return open_over(ret, NULL, false, model, tc, err);
}

int dataplane_open(struct dataplane **ret, const struct model *model, struct err *err)
{
	return dataplane_open_as(ret, model, TC_ANY, err);
}

int dataplane_change(struct dataplane **dp, const struct model *model, bool trusts, struct err *err)
{
	struct dataplane *before = *dp;
	int r;

	r = open_over(dp, before, trusts, model, before->tc, err);
	if (r < 0)
		return r;
	give_back(before, *dp);
	dataplane_close(before);
	return 0;
}
