/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pmtu - what routers say about packets of our tunnels that are too large for the way.
 *
 * Their errors come to this host, whose kernel keeps a path's MTU, and tells it to programs that ask for a
 * route, but only if somebody stands for the protocol that the error is about: a raw socket does. Nothing else
 * is wanted of them: what tunnels bring here is left to whoever else takes it.
 */
#ifndef SLUICE_DATAPLANE_PMTU_H
#define SLUICE_DATAPLANE_PMTU_H

#include <stdbool.h>

struct err;

/* IPv4 or IPv6 outside, and inside. */
#define PMTU_SOCKETS 4

/*
 * Open the i-th socket: an EPOLLERR comes when there is something to read. -EAFNOSUPPORT: this host has no such
 * family; else -errno with a sentence.
 */
int pmtu_open(int *ret_fd, int i, struct err *err);

/* Whether a path's MTU has changed, by some of what there is to read; does not wait. */
bool pmtu_read(int fd);

#endif
