/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edit - what an operator asks for, put into the overlay: checked for sense against what is configured.
 *
 * Nothing is in force by that. No I/O.
 */
#ifndef SLUICE_DAEMON_EDIT_H
#define SLUICE_DAEMON_EDIT_H

#include "control/change.h"
#include "model/model.h"
#include "model/overlay.h"

/* What the overlay is over, and what both make together. */
struct edit_base {
	const struct model *file, *now;
};

/*
 * Change the overlay, which is a copy of the one in force, and count its version up. Of any action but
 * CHANGE_RELOAD. now_ms: wall clock. err is set, and the overlay is of no use then:
 *   -ENOENT  no such pool, backend or interface    -EEXIST  it is there already
 *   -EBUSY   services use the pool          -EINVAL  a name or an address that cannot be one
 *   -E2BIG   more changes than can be kept  -ENOMEM
 */
int edit_overlay(struct overlay *overlay, const struct edit_base *base, const struct change *change,
		 uint64_t now_ms, struct err *err);

#endif
