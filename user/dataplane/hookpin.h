/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hookpin - the pins of hooks: their names, what is behind them, and taking it out of force. */
#ifndef SLUICE_DATAPLANE_HOOKPIN_H
#define SLUICE_DATAPLANE_HOOKPIN_H

#include "dataplane/hooks.h"

#define HOOKPIN_NAME_LEN (IFNAMSIZ + 16)
#define HOOKPIN_DIR_MODE 0700

struct hookpin_info {
	uint32_t id; /* of the link; clsact: of the program */
	uint32_t prog_id;
	unsigned int ifindex; /* 0: the device is gone, or clsact */
};

/* "tcx-in-eth0"; a '.' of the interface's name becomes ':', since bpffs allows none. */
void hookpin_name(char ret[HOOKPIN_NAME_LEN], enum hook_kind kind, const char *interface);
void hookpin_qdisc_name(char ret[HOOKPIN_NAME_LEN], const char *interface);

/* The kind and interface that a pin's name says. -ENOENT: not one of ours. */
int hookpin_parse(enum hook_kind *ret_kind, char ret_interface[IFNAMSIZ], const char *name);

/* Open a pin and look behind it. The fd, or -errno. */
int hookpin_open(const char *path, enum hook_kind kind, struct hookpin_info *ret_info);

/*
 * Detach every hook pinned in the directory, except those that are pinned under the same name in
 * the directory keep (NULL: none), and remove the clsact qdiscs that we made and nobody uses. The
 * pins stay. A directory that does not exist holds no hooks.
 */
void hookpin_discard(const char *dir, const char *keep);

#endif
