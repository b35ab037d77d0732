/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcx - tc programs by link, Linux 6.6 and later. */
#ifndef SLUICE_DATAPLANE_TCX_H
#define SLUICE_DATAPLANE_TCX_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/nic.h"

/*
 * Attach in front of all other programs of that direction: one of theirs that accepts a packet
 * would end the chain before the gate. The link's fd, or -errno; -EINVAL: the kernel has no tcx.
 */
int tcx_link(int prog_fd, const struct nic *nic, bool egress);

/* Whether the program runs on the device. */
bool tcx_runs(const struct nic *nic, bool egress, uint32_t prog_id);

#endif
