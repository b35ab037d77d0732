/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * open_work - what the steps of opening share: open.c goes through them; open_found.c looks at what is there, says
 * what becomes of it, and lets programs stay that cannot be replaced.
 */
#ifndef SLUICE_DATAPLANE_OPEN_WORK_H
#define SLUICE_DATAPLANE_OPEN_WORK_H

#include "dataplane/open.h"

/* What only the opening needs. */
struct opening {
	struct dataplane *dp;
	const struct model *model;
	enum tc_kind tc;
	struct attaching *attaching;
	struct map_sizes sizes;
	struct mapset found; /* the maps that were pinned */
	enum mapset_fit fit;
	bool same_maps; /* ... are those that the one before works on */
	bool keeps_flows; /* in maps that are new otherwise */
	struct hooks *hooks;
	bool exchanged[PINS_DIRS];
	uint8_t code; /* SL_CODE_* of the programs that are in force afterwards */
	struct dataplane *before; /* that is being replaced; NULL: none */
	bool trusts; /* ... and what it knows of its maps is so */
};

/* is_loss: of something that was in force. */
void opening_note(struct dataplane *dp, bool is_loss, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Look at what is pinned, and decide whether its maps are taken over. They are not if an endpoint or
 * a service would have to get an id that another has in these maps; then a new set is made as for a
 * change of size, and everything changes at once with the programs. Those that have gone keep their ids
 * for as long as there are others.
 */
int opening_look_around(struct opening *opening, struct err *err);

/* Say in the maps what they are. */
int opening_write_types(const struct opening *opening);

/*
 * Our programs were refused (code, err): go on with those in force, if there are some that can do what is wanted,
 * over maps that can be taken over. Else code.
 */
int opening_stay(struct opening *opening, int code, struct err *err);

/* Once all is in force: what became of what was found. */
void opening_note_fit(struct opening *opening);

#endif
