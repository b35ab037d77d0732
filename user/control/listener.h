/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listener - the TCP socket that metrics are read from, and its move to another address.
 *
 * Nothing over TCP changes anything; it listens where the configuration says and nowhere else.
 */
#ifndef SLUICE_CONTROL_LISTENER_H
#define SLUICE_CONTROL_LISTENER_H

#include "model/model.h"

struct err;

/*
 * Listen there. Returns the descriptor, or -ENOENT: the configuration has no address; or
 *   -EADDRINUSE     another process listens there   -EADDRNOTAVAIL  this host has no such address
 *   -EACCES, other -errno of what the kernel refused
 */
int listener_open(const struct listen *listen, struct err *err);

/*
 * Make *fd, which listens at from (-1: nowhere), listen at to. On failure it listens at from again,
 * or, if even that fails, is -1. 0, or as above.
 */
int listener_move(int *fd, const struct listen *from, const struct listen *to, struct err *err);

/* Whether only this host itself can reach it. */
bool listener_is_local(const struct listen *listen);

#endif
