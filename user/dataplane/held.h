/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * held - the pinned gate of one interface: whether it is in force, and what becomes of it while others change.
 *
 * The pins are the memory of it: those of a device that went away stay, with nothing behind them, so that the
 * next daemon knows that it is to come back.
 */
#ifndef SLUICE_DATAPLANE_HELD_H
#define SLUICE_DATAPLANE_HELD_H

#include <stdbool.h>

#include "dataplane/dataplane.h"

struct pins;

/* Whether anything of it is pinned. */
bool held_any(const struct pins *pins, const char *interface);

/* Whether every program of the attachment still runs on its device, whatever that is called by now. */
bool held_in_force(const struct pins *pins, const struct attachment *attachment);

/* Pin in "links:new" what is pinned in "links" of the interface. -errno from the kernel. */
int held_keep(const struct pins *pins, const char *interface);

/* Take the programs off the device, also in another network namespace; filters of clsact only in this one. */
void held_release(const struct pins *pins, const struct attachment *attachment);

#endif
