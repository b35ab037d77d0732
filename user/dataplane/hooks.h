/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hooks - places in the kernel where our programs sit, changed as one transaction.
 *
 *   links/xdp-IF        pinned XDP link
 *   links/tcx-in-IF     pinned tcx links
 *   links/tcx-out-IF
 *   links/clsact-in-IF  the program of our clsact filter: a filter itself cannot be pinned
 *   links/clsact-out-IF
 *   links/qdisc-IF      (directory) we made the clsact qdisc of that interface
 *
 * hooks_put() updates what is in place or attaches anew, and pins it in "links:new". Hooks that
 * are not put again stay in force until hooks_settle(), after the exchange of the directories;
 * so an interface that changes its mode is gated all the time, and for a moment twice.
 *
 * A link is detached before its pin goes: the kernel drops the last reference of a pin later, and
 * "later" is no time at which a gate may be attached again.
 */
#ifndef SLUICE_DATAPLANE_HOOKS_H
#define SLUICE_DATAPLANE_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dataplane.h"
#include "dataplane/nic.h"
#include "util/cleanup.h"

struct hooks;
struct pins;

enum hook_kind { HOOK_XDP, HOOK_TCX_IN, HOOK_TCX_OUT, HOOK_CLSACT_IN, HOOK_CLSACT_OUT, HOOK_KINDS };

/* What to put where. mode is the XDP mode, for HOOK_XDP only. */
struct hook {
	enum hook_kind kind;
	struct nic nic;
	enum attach_mode mode;
	int prog_fd; /* borrowed */
	int bridge_fd; /* HOOK_XDP: a tc program that gates while one XDP mode makes room for another */
};

/* Start a transaction; "links:new" is made. pins are borrowed. */
int hooks_begin(struct hooks **ret, const struct pins *pins, struct err *err);
void hooks_free(struct hooks *hooks);
DEFINE_CLEANUP(struct hooks, hooks_free)

/* Id of the program in our pinned hook, if it is in force on this device; 0: none. */
uint32_t hooks_held_prog(const struct hooks *hooks, enum hook_kind kind, const struct nic *nic);

/*
 * Put the program there. *ret_adopted: it replaced ours atomically.
 *   -EINVAL, -EOPNOTSUPP, ...  what the kernel said to the attachment; nothing has changed
 *   -EBUSY  clsact: our place is taken
 */
int hooks_put(struct hooks *hooks, const struct hook *hook, bool *ret_adopted);

/* How many changes have been made; take back those that were made since then, newest first. */
uint32_t hooks_changes(const struct hooks *hooks);
void hooks_take_back(struct hooks *hooks, uint32_t changes);

/* Take everything back that was put, newest first, and end the transaction. */
void hooks_rollback(struct hooks *hooks);

/* After the exchange: detach what "links:new", once "links", has and "links" has not. */
void hooks_settle(struct hooks *hooks);

/* Detach all that is pinned in "links" and "links:new" below the directory of a layout. */
void hooks_detach_all(const char *layout_path);

#endif
