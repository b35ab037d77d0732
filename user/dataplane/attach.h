/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attach - which hook guards an interface, and why that one.
 *
 * xdp: auto goes down the ladder offload, native XDP, tcx, generic XDP; the other settings have
 * one rung and insist on it. A rung that is passed over leaves a line with the reason.
 */
#ifndef SLUICE_DATAPLANE_ATTACH_H
#define SLUICE_DATAPLANE_ATTACH_H

#include "dataplane/dataplane.h"
#include "dataplane/hooks.h"
#include "dataplane/programs.h"

/* TC_CLSACT: as if the kernel were older than 6.6 and had no tcx; for tests. */
enum tc_kind { TC_ANY, TC_CLSACT };

/*
 * Put the programs on one interface, ingress and, if wanted, egress. What was attached is in hooks
 * even on failure, for hooks_rollback().
 *   -EBUSY  somebody else's program   -EOPNOTSUPP, ...  what the kernel said, in words in err
 */
int attach_interface(struct attachment *ret_attachment, struct hooks *hooks,
		     const struct interface *interface, const struct nic *nic,
		     const struct programs *programs, enum tc_kind tc, struct err *err);

/*
 * Find out how the interface is attached, and leave it so. -ENOENT: it is not, in the way that the configuration
 * says, with a sentence.
 */
int attach_held(struct attachment *ret_attachment, const struct hooks *hooks,
		const struct interface *interface, const struct nic *nic, struct err *err);

#endif
