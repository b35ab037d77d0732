/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attaching - all interfaces of a model put under the gate at once, for an opening or a change.
 *
 * Interfaces that may be absent, or refuse, are left as they are: see dataplane_open() and dataplane_change().
 */
#ifndef SLUICE_DATAPLANE_ATTACHING_H
#define SLUICE_DATAPLANE_ATTACHING_H

#include "dataplane/attach.h"
#include "dataplane/interfaces.h"

struct attaching;
struct pins;

/* All borrowed until attaching_free(). */
struct attaching_options {
	const struct model *model;
	const struct pins *pins;
	enum tc_kind tc;
	struct interfaces *before; /* of the data plane that is replaced; NULL: there is none */
	const struct model *model_before;
};

/* Find the devices. -errno as dataplane_open(), with a sentence. */
int attaching_begin(struct attaching **ret, const struct attaching_options *options,
		    struct err *err);
void attaching_free(struct attaching *attaching);

/* Whether XDP may run on a virtual device. */
bool attaching_has_virtual_xdp(const struct attaching *attaching);

/*
 * Put the programs on all interfaces, within a transaction of hooks. On failure that is to be rolled back, and
 * *ret is left alone. programs NULL: others stay in force, which all interfaces have to have.
 */
int attaching_attach(struct interfaces **ret, const struct attaching *attaching,
		     struct hooks *hooks, const struct programs *programs, struct err *err);

#endif
