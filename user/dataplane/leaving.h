/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * leaving - endpoints that the configuration has no more, but that flows of services still go to.
 *
 * Their word says so, with a deadline, so that the programs end them even if no daemon runs, and a
 * daemon that starts meanwhile lets them go on. Nothing is addressed to them any more. They keep
 * their id; one that is wanted again before it is gone simply stays.
 */
#ifndef SLUICE_DATAPLANE_LEAVING_H
#define SLUICE_DATAPLANE_LEAVING_H

#include "dataplane/tables.h"

struct leaving {
	uint32_t id;
	uint32_t deadline_s; /* as in its word */
};

/*
 * After tables_add(): make those that go known in new maps, as they are in those that were found, before a program judges
 * the packets of their flows by them. -errno from the kernel
 */
int leaving_carry(struct tables *tables, const struct mapset *found);

/* See tables_settle(). Those that no flows are kept of, or whose id is another's now, are forgotten at once. */
void leaving_settle(struct tables *tables, const struct model *model, uint64_t now_s);

/* Forget those whose time is over. */
void leaving_expire(struct tables *tables, uint64_t now_s);

/*
 * The word of an endpoint that is wanted, though it may have been leaving: its flows go on, and new ones wait for a
 * verdict where there is somebody else to go to.
 */
struct sl_word leaving_stayed(struct sl_word word);

/* If the endpoint of that id, which is wanted, was leaving: remember it for leaving_undo(). -ENOMEM */
int leaving_note_return(struct tables *tables, uint32_t id);
void leaving_undo(struct tables *tables);

#endif
