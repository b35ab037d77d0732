/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * progpin - the program behind an id, by its pin.
 *
 * The kernel gives a descriptor for an id to CAP_SYS_ADMIN alone, which the daemon does not have;
 * for a pin it gives one to the owner of the file.
 */
#ifndef SLUICE_DATAPLANE_PROGPIN_H
#define SLUICE_DATAPLANE_PROGPIN_H

#include <stdint.h>

struct pins;

/*
 * Open the program in force that has this id. The fd; -ENOENT: none of those that are pinned, which
 * is so after a daemon was killed in the middle of its start.
 */
int progpin_open(const struct pins *pins, uint32_t prog_id);

#endif
