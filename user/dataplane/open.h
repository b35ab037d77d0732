/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * open - the inside of struct dataplane, and how one comes to be.
 *
 * Opening goes in steps: look, load, fill, stage, attach, exchange. Each can fail and be taken
 * back; after the exchange everything is in force, and what is left to do cannot fail.
 */
#ifndef SLUICE_DATAPLANE_OPEN_H
#define SLUICE_DATAPLANE_OPEN_H

#include <limits.h>

#include "dataplane/attach.h"
#include "dataplane/dataplane.h"
#include "dataplane/interfaces.h"
#include "dataplane/network.h"
#include "dataplane/pins.h"
#include "dataplane/programs.h"
#include "dataplane/tables.h"

#define DATAPLANE_NOTES_MAX 8
#define DATAPLANE_DEGRADED_LEN 640

struct dataplane_note {
	char text[DATAPLANE_DEGRADED_LEN];
	bool is_loss;
};

struct dataplane {
	const struct model *model; /* borrowed */
	struct pins *pins;
	struct programs *programs; /* owns the maps */
	struct tables tables;
	struct sl_types types; /* of our maps */
	struct network *network; /* NULL: nothing is forwarded */
	struct interfaces *interfaces; /* parallel to the model's */
	enum tc_kind tc;
	struct map_info maps[MAPS];
	char map_paths[MAPS][PATH_MAX];
	struct dataplane_note notes[DATAPLANE_NOTES_MAX];
	uint32_t n_notes;
	char degraded
		[DATAPLANE_DEGRADED_LEN]; /* why programs in force are not ours; "": they are */
	bool is_new; /* nothing was pinned before */
};

/* dataplane_open() on a kernel that has tcx (TC_ANY: if this one has), or has none (TC_CLSACT). */
int dataplane_open_as(struct dataplane **ret, const struct model *model, enum tc_kind tc,
		      struct err *err);

#endif
