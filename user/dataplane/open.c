// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/open.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "dataplane/host.h"
#include "dataplane/meta.h"
#include "util/clock.h"
#include "util/err.h"

/* What only the opening needs. */
struct opening {
	struct dataplane *dp;
	const struct model *model;
	enum tc_kind tc;
	struct nic *nics;
	struct map_sizes sizes;
	struct mapset found; /* the maps that were pinned */
	enum mapset_fit fit;
	bool keeps_flows; /* in maps that are new otherwise */
	struct hooks *hooks;
	bool exchanged[PINS_DIRS];
	struct dataplane *before; /* that is being replaced; NULL: none */
};

static void note(struct dataplane *dp, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void note(struct dataplane *dp, const char *fmt, ...)
{
	va_list args;

	if (dp->n_notes == DATAPLANE_NOTES_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(dp->notes[dp->n_notes++], DATAPLANE_NOTE_LEN, fmt, args);
	va_end(args);
}

/* --- opening, step by step ------------------------------------------------------------------- */

static int find_nics(struct opening *opening, struct err *err)
{
	const struct gateway *gateway = &opening->model->gateway;
	int r;

	opening->nics =
		calloc(gateway->n_interfaces ? gateway->n_interfaces : 1, sizeof(*opening->nics));
	if (!opening->nics)
		return -ENOMEM;
	for (uint32_t i = 0; i < gateway->n_interfaces; i++) {
		r = nic_find(&opening->nics[i], gateway->interfaces[i].name, err);
		if (r < 0)
			return r;
	}
	return 0;
}

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
	if (fd < 0 || bpf_map_lookup_elem(fd, &zero, &meta) < 0 || !meta.daemon_pid)
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
		note(dp, "mounted a BPF file system on %s", pins_mounted(dp->pins));
	return 0;
}

static int assign(struct opening *opening, enum services_kept kept)
{
	struct tables *tables = &opening->dp->tables;
	int r;

	opening->keeps_flows = kept == SERVICES_FLOWS && opening->fit == MAPSET_READABLE;

	r = ids_assign(&tables->ids, opening->model, &tables->held, opening->sizes.endpoints,
		       kept != SERVICES_ANEW);
	if (r < 0)
		return r;
	r = services_assign(&tables->services, opening->model, &opening->sizes, kept);
	if (r < 0)
		ids_done(&tables->ids);
	return r;
}

static int read_found(struct opening *opening)
{
	struct tables *tables = &opening->dp->tables;
	int r;

	if (opening->fit != MAPSET_FITS && opening->fit != MAPSET_READABLE)
		return 0;
	r = holdings_read(&tables->held, &opening->found);
	if (r < 0)
		return r;
	return services_read(&tables->services.held, &opening->found);
}

/*
 * Look at what is pinned, and decide whether its maps are taken over. They are not if an endpoint or
 * a service would have to get an id that another has in these maps; then a new set is made as for a
 * change of size, and everything changes at once with the programs.
 */
static int look_around(struct opening *opening, struct err *err)
{
	struct tables *tables = &opening->dp->tables;
	int r;

	opening->fit = mapset_open_pinned(&opening->found, opening->dp->pins, &opening->sizes);
	r = read_found(opening);
	if (r < 0)
		return err_set(err, r, "read the pinned maps: %s", strerror(-r));
	r = assign(opening, opening->fit == MAPSET_FITS ? SERVICES_ALL : SERVICES_FLOWS);
	if (r == -ENOSPC && opening->fit == MAPSET_FITS) {
		opening->fit = MAPSET_READABLE;
		r = assign(opening, SERVICES_FLOWS);
	}
	if (r == -ENOSPC)
		r = assign(opening, SERVICES_ANEW);
	if (r < 0)
		return err_set(err, r, "give endpoints and services their ids: %s", strerror(-r));
	tables->in_place = opening->fit == MAPSET_FITS;
	tables->keeps_flows = tables->in_place || opening->keeps_flows;
	return 0;
}

static void note_fit(struct opening *opening)
{
	struct dataplane *dp = opening->dp;

	if (opening->fit == MAPSET_READABLE)
		note(dp, "new maps for %u endpoints (%u before); health and counters carried over",
		     opening->sizes.endpoints, map_entries(opening->found.fd[MAP_NAMES]));
	if (opening->fit == MAPSET_ALIEN)
		note(dp, "the pinned maps have another layout and were replaced; health and "
			 "counters start anew");
}

static int fill_tables(struct opening *opening, struct err *err)
{
	struct dataplane *dp = opening->dp;
	struct sl_meta meta = meta_of(opening->model, clock_mono_ns());
	int r;

	r = tables_open(&dp->tables, programs_maps(dp->programs), &opening->sizes);
	if (r < 0)
		return err_set(err, r, "map the endpoint words into memory: %s", strerror(-r));
	if (opening->fit == MAPSET_READABLE) {
		r = tables_carry(&dp->tables, &opening->found);
		if (r < 0)
			return err_set(err, r, "carry over the pinned maps: %s", strerror(-r));
	}
	if (!dp->tables.in_place)
		meta_store(dp->tables.meta.start, &meta);
	return tables_add(&dp->tables, opening->model, err);
}

static int stage(struct opening *opening, struct err *err)
{
	struct dataplane *dp = opening->dp;
	int r;

	r = programs_stage(dp->programs, dp->pins, err);
	if (r < 0 || dp->tables.in_place)
		return r;
	return mapset_stage(programs_maps(dp->programs), dp->pins, err);
}

static int attach(struct opening *opening, struct err *err)
{
	const struct gateway *gateway = &opening->model->gateway;
	struct dataplane *dp = opening->dp;
	int r;

	dp->attachments =
		calloc(gateway->n_interfaces ? gateway->n_interfaces : 1, sizeof(*dp->attachments));
	if (!dp->attachments)
		return -ENOMEM;
	r = hooks_begin(&opening->hooks, dp->pins, err);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < gateway->n_interfaces; i++) {
		r = attach_interface(&dp->attachments[i], opening->hooks, &gateway->interfaces[i],
				     &opening->nics[i], dp->programs, opening->tc, err);
		if (r < 0)
			return r;
	}
	dp->n_attachments = gateway->n_interfaces;
	return 0;
}

static int exchange(struct opening *opening, struct err *err)
{
	struct dataplane *dp = opening->dp;
	int r;

	for (enum pins_dir dir = 0; dir < PINS_DIRS; dir++) {
		if (dir == PINS_MAPS && dp->tables.in_place)
			continue;
		r = pins_exchange(dp->pins, dir, err);
		if (r < 0)
			return r;
		opening->exchanged[dir] = true;
	}
	return 0;
}

/* Everything is in force. From here on nothing can fail that would have to be taken back. */
static void settle(struct opening *opening)
{
	struct dataplane *dp = opening->dp;
	struct sl_meta meta = meta_of(opening->model, clock_mono_ns());

	meta_store(dp->tables.meta.start, &meta);
	tables_settle(&dp->tables, opening->model, &opening->found, clock_mono_ns() / NS_PER_SEC);
	hooks_settle(opening->hooks);
	pins_unstage(dp->pins, PINS_MAPS);
	pins_unstage(dp->pins, PINS_PROGS);
	note_fit(opening);
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
	for (enum pins_dir dir = 0; dir < PINS_DIRS; dir++)
		pins_unstage(dp->pins, dir);
	if (!opening->before)
		pins_undo(dp->pins);
}

/* One program serves all interfaces; a NIC takes replies by redirect as well, only a little slower. */
static bool has_virtual_xdp(const struct opening *opening)
{
	const struct gateway *gateway = &opening->model->gateway;

	for (uint32_t i = 0; i < gateway->n_interfaces; i++)
		if (opening->nics[i].is_virtual && gateway->interfaces[i].xdp != XDP_OFF)
			return true;
	return false;
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
 * not given to others.
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
		.reply_by_redirect = has_virtual_xdp(opening),
	};

	choose_code(&options, opening->model);
	if (opening->before && opening->fit == MAPSET_FITS &&
	    programs_are(opening->before->programs, &options)) {
		dp->programs = opening->before->programs;
		return 0;
	}

	return programs_load(&dp->programs, &options, err);
}

static int open_all(struct opening *opening, struct err *err)
{
	int r;

	r = find_nics(opening, err);
	if (r < 0)
		return r;
	r = open_network(opening, err);
	if (r < 0)
		return r;
	r = open_pins(opening, err);
	if (r < 0)
		return r;
	r = look_around(opening, err);
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
	free(opening->nics);
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

/* before: the one to be replaced, whose pins are taken over; NULL: none. */
static int open_over(struct dataplane **ret, struct dataplane *before, const struct model *model,
		     enum tc_kind tc, struct err *err)
{
	CLEANUP(dataplane_close_p) struct dataplane *dp = calloc(1, sizeof(*dp));
	struct map_needs needs = { .endpoints = model_map_entries(model),
				   .attempts = attempts_needed(&model->gateway) };
	CLEANUP(opening_done)
	struct opening opening = {
		.dp = dp, .model = model, .tc = tc, .found = MAPSET_NONE, .before = before
	};
	int r;

	if (!dp)
		return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	dp->model = model;
	services_needs(&needs, model);
	opening.sizes = map_sizes_for(&needs);
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
	return open_over(ret, NULL, model, tc, err);
}

int dataplane_open(struct dataplane **ret, const struct model *model, struct err *err)
{
	return dataplane_open_as(ret, model, TC_ANY, err);
}

int dataplane_change(struct dataplane **dp, const struct model *model, struct err *err)
{
	struct dataplane *before = *dp;
	int r;

	r = open_over(dp, before, model, TC_ANY, err);
	if (r < 0)
		return r;
	give_back(before, *dp);
	dataplane_close(before);
	return 0;
}
