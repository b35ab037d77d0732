/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * programs - the compiled BPF objects, loaded over one set of maps.
 *
 * bpf/xdp.bpf.c and bpf/tc.bpf.c declare the same maps; the second object is given the first
 * one's. The maps live as long as a pin, an attached program or this object holds them.
 */
#ifndef SLUICE_DATAPLANE_PROGRAMS_H
#define SLUICE_DATAPLANE_PROGRAMS_H

#include <stdbool.h>

#include "dataplane/mapset.h"
#include "util/cleanup.h"

struct err;
struct pins;
struct programs;
struct sl_types;

enum prog_id { PROG_XDP, PROG_TC_INGRESS, PROG_TC_EGRESS, PROGS };

struct programs_options {
	const struct mapset *reuse; /* load over the maps that are open there, and new others */
	const struct map_sizes *sizes;
	bool reply_by_redirect; /* see bpf/xdp.bpf.c: XDP on a virtual device */
	/* What the programs need not look for without: see bpf/gate.h. */
	bool has_services, has_source_nat, has_plain_nat;
};

/* SL_CODE_*: what programs with these options can do. */
uint8_t programs_code(const struct programs_options *options);

/* What the entries of our maps are. -errno. */
int programs_types(struct sl_types *ret_types);

/* Load both objects. -errno from the kernel, with what the verifier said in err. */
int programs_load(struct programs **ret, const struct programs_options *options, struct err *err);

/* Whether loading with these options, over the same maps, would come to the same. */
bool programs_are(const struct programs *programs, const struct programs_options *options);

/*
 * A copy of the XDP program as it is in force, to try single packets on: over the same maps where it
 * only reads, and over maps of its own where it writes, so that nothing is disturbed. Its meta and
 * tables of flows are empty. It has no tc programs. -errno from the kernel; -EOPNOTSUPP: those in force are not
 * ours.
 */
int programs_load_trial(struct programs **ret, const struct programs *programs, struct err *err);
/*
 * None of our own, but the maps of those that are in force, which are all there: programs_fd() is negative. -errno.
 */
int programs_stay(struct programs **ret, const struct mapset *found, const struct map_sizes *sizes);

void programs_free(struct programs *programs);
DEFINE_CLEANUP(struct programs, programs_free)

/* Whether they were loaded with that option. */
bool programs_reply_by_redirect(const struct programs *programs);

int programs_fd(const struct programs *programs, enum prog_id id);

/* The maps, borrowed: not to be released with mapset_done(). */
const struct mapset *programs_maps(const struct programs *programs);

/* Pin all programs in "progs:new". */
int programs_stage(const struct programs *programs, const struct pins *pins, struct err *err);

#endif
