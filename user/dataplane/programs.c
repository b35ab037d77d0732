// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "dataplane/bpflog.h"
#include "dataplane/pins.h"
#include "dataplane/types.h"
#include "sluice/hash.h"
#include "util/err.h"

#include "tc.skel.h"
#include "xdp.skel.h"

/* Of one packet; enough that none is evicted. */
#define TRIAL_FLOWS 4096

struct programs {
	struct xdp_bpf *xdp;
	struct tc_bpf *tc;
	struct mapset maps; /* borrowed from xdp; owned without */
	struct programs_options options; /* without reuse; sizes: below */
	struct map_sizes sizes;
	const struct bpf_program *progs[PROGS];
};

/* Texts about a load that failed; the kernel's errno alone says little. */
static int load_error(struct err *err, const char *what, int code)
{
	const char *reason = bpflog_reason();

	return err_set(err, code, "load the %s program: %s%s%s", what, strerror(-code),
		       *reason ? ": " : "", reason);
}

/* libbpf looks maps up by name; the table in mapset.c has them. */
static int shape_maps(struct bpf_object *object, const struct mapset *reuse,
		      const struct map_sizes *sizes)
{
	int r;

	for (enum map_id id = 0; id < MAPS; id++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, map_name(id));

		if (!map)
			return -ENOENT;
		r = reuse->fd[id] >= 0 ? bpf_map__reuse_fd(map, reuse->fd[id])
				       : bpf_map__set_max_entries(map, sizes->entries[id]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int load_xdp(struct programs *programs, const struct programs_options *options,
		    struct err *err)
{
	int r;

	programs->xdp = xdp_bpf__open();
	if (!programs->xdp)
		return load_error(err, "XDP", -errno);
	programs->xdp->rodata->index_shift = SL_INDEX_SHIFT(options->sizes->index_bits);
	programs->xdp->rodata->handshake_slots = options->sizes->entries[MAP_HANDSHAKES];
	programs->xdp->rodata->attempt_slots = options->sizes->attempts;
	programs->xdp->rodata->has_services = options->has_services;
	programs->xdp->rodata->has_source_nat = options->has_source_nat;
	programs->xdp->rodata->has_plain_nat = options->has_plain_nat;
	programs->xdp->rodata->reply_by_redirect = options->reply_by_redirect;
	r = shape_maps(programs->xdp->obj, options->reuse, options->sizes);
	if (r < 0)
		return load_error(err, "XDP", r);
	r = xdp_bpf__load(programs->xdp);
	if (r < 0)
		return load_error(err, "XDP", r);
	for (enum map_id id = 0; id < MAPS; id++)
		programs->maps.fd[id] =
			bpf_object__find_map_fd_by_name(programs->xdp->obj, map_name(id));
	programs->options = *options;
	programs->options.reuse = NULL;
	programs->sizes = *options->sizes;
	programs->progs[PROG_XDP] = programs->xdp->progs.sl_xdp;
	return 0;
}

static int load_tc(struct programs *programs, const struct programs_options *options,
		   struct err *err)
{
	int r;

	programs->tc = tc_bpf__open();
	if (!programs->tc)
		return load_error(err, "tc", -errno);
	programs->tc->rodata->index_shift = SL_INDEX_SHIFT(options->sizes->index_bits);
	programs->tc->rodata->handshake_slots = options->sizes->entries[MAP_HANDSHAKES];
	programs->tc->rodata->attempt_slots = options->sizes->attempts;
	programs->tc->rodata->has_services = options->has_services;
	programs->tc->rodata->has_source_nat = options->has_source_nat;
	programs->tc->rodata->has_plain_nat = options->has_plain_nat;
	r = shape_maps(programs->tc->obj, &programs->maps, options->sizes);
	if (r < 0)
		return load_error(err, "tc", r);
	r = tc_bpf__load(programs->tc);
	if (r < 0)
		return load_error(err, "tc", r);
	return 0;
}

int programs_load(struct programs **ret, const struct programs_options *options, struct err *err)
{
	CLEANUP(programs_free_p) struct programs *programs = calloc(1, sizeof(*programs));
	int r;

	if (!programs)
		return -ENOMEM;
	programs->maps = (struct mapset)MAPSET_NONE;
	bpflog_begin();
	r = load_xdp(programs, options, err);
	if (r < 0)
		return r;
	r = load_tc(programs, options, err);
	if (r < 0)
		return r;
	programs->progs[PROG_TC_INGRESS] = programs->tc->progs.sl_tc_ingress;
	programs->progs[PROG_TC_EGRESS] = programs->tc->progs.sl_tc_egress;

	*ret = take_ptr(programs);
	return 0;
}

uint8_t programs_code(const struct programs_options *options)
{
	return (options->has_services ? SL_CODE_SERVICES : 0) |
	       (options->has_source_nat ? SL_CODE_SOURCE_NAT : 0) |
	       (options->has_plain_nat ? SL_CODE_PLAIN_NAT : 0) |
	       (options->reply_by_redirect ? SL_CODE_REDIRECT : 0);
}

int programs_types(struct sl_types *ret_types)
{
	struct sl_types types = { 0 };
	struct xdp_bpf *xdp;
	bool ok = true;

	bpflog_begin();
	xdp = xdp_bpf__open();
	if (!xdp)
		return -errno;
	for (enum map_id id = 0; id < MAPS && ok; id++) {
		const struct bpf_map *map = bpf_object__find_map_by_name(xdp->obj, map_name(id));
		uint64_t hash =
			map ? types_hash(bpf_object__btf(xdp->obj), bpf_map__btf_key_type_id(map),
					 bpf_map__btf_value_type_id(map))
			    : 0;

		ok = hash && types_add(&types, map_name(id), hash);
	}
	xdp_bpf__destroy(xdp);
	*ret_types = types;
	return ok ? 0 : -EINVAL;
}

int programs_stay(struct programs **ret, const struct mapset *found, const struct map_sizes *sizes)
{
	CLEANUP(programs_free_p) struct programs *programs = calloc(1, sizeof(*programs));

	if (!programs)
		return -ENOMEM;
	programs->maps = (struct mapset)MAPSET_NONE;
	programs->sizes = *sizes;
	for (enum map_id id = 0; id < MAPS; id++) {
		programs->maps.fd[id] = fcntl(found->fd[id], F_DUPFD_CLOEXEC, 0);
		if (programs->maps.fd[id] < 0)
			return -errno;
	}
	*ret = take_ptr(programs);
	return 0;
}

bool programs_are(const struct programs *programs, const struct programs_options *options)
{
	const struct programs_options *own = &programs->options;

	return own->reply_by_redirect == options->reply_by_redirect &&
	       own->has_services == options->has_services &&
	       own->has_source_nat == options->has_source_nat &&
	       own->has_plain_nat == options->has_plain_nat &&
	       !memcmp(&programs->sizes, options->sizes, sizeof(programs->sizes));
}

/* Maps that the programs only read. */
static const enum map_id read_only[] = {
	MAP_TARGETS,  MAP_INDEX,         MAP_WORDS,     MAP_NAMES,
	MAP_SERVICES, MAP_SERVICE_NAMES, MAP_SELECTION, MAP_DEVICES,
};

/* Maps that need no more entries than those of the flow on trial. */
static const enum map_id of_flows[] = { MAP_FLOWS, MAP_HALF_OPEN, MAP_HANDSHAKES };

int programs_load_trial(struct programs **ret, const struct programs *programs, struct err *err)
{
	CLEANUP(programs_free_p) struct programs *trial = calloc(1, sizeof(*trial));
	struct programs_options options = programs->options;
	struct map_sizes sizes = programs->sizes;
	struct mapset reuse = MAPSET_NONE; /* what is in it is borrowed */
	int r;

	if (!trial)
		return -ENOMEM;
	trial->maps = (struct mapset)MAPSET_NONE;
	if (!programs->xdp)
		return err_set(err, -EOPNOTSUPP,
			       "the programs in force are of another version, and cannot be tried");
	for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++)
		reuse.fd[read_only[i]] = programs->maps.fd[read_only[i]];
	for (size_t i = 0; i < sizeof(of_flows) / sizeof(of_flows[0]); i++)
		if (sizes.entries[of_flows[i]] > TRIAL_FLOWS)
			sizes.entries[of_flows[i]] = TRIAL_FLOWS;
	sizes.attempts = 0;
	sizes.entries[MAP_ATTEMPTS] = 1;
	options.reuse = &reuse;
	options.sizes = &sizes;
	bpflog_begin();
	r = load_xdp(trial, &options, err);
	if (r < 0)
		return r;

	*ret = take_ptr(trial);
	return 0;
}

void programs_free(struct programs *programs)
{
	if (!programs)
		return;
	if (!programs->xdp)
		mapset_done(&programs->maps);
	xdp_bpf__destroy(programs->xdp);
	tc_bpf__destroy(programs->tc);
	free(programs);
}

bool programs_reply_by_redirect(const struct programs *programs)
{
	return programs->options.reply_by_redirect;
}

int programs_fd(const struct programs *programs, enum prog_id id)
{
	if (!programs->progs[id])
		return -EBADF;
	return bpf_program__fd(programs->progs[id]);
}

const struct mapset *programs_maps(const struct programs *programs)
{
	return &programs->maps;
}

int programs_stage(const struct programs *programs, const struct pins *pins, struct err *err)
{
	char path[PATH_MAX];
	int r;

	r = pins_stage(pins, PINS_PROGS, err);
	if (r < 0)
		return r;
	for (enum prog_id id = 0; id < PROGS; id++) {
		const char *name = bpf_program__name(programs->progs[id]);

		r = pins_path(pins, path, PINS_PROGS, true, name);
		if (r < 0 || bpf_obj_pin(programs_fd(programs, id), path) < 0) {
			r = r < 0 ? r : -errno;
			return err_set(err, r, "pin program '%s': %s", name, strerror(-r));
		}
	}
	return 0;
}
