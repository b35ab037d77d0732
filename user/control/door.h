/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * door - accepts connections to the Unix socket at once, whatever those inside are at, finds out who each is, and
 * has him let in or sent away.
 *
 * Who is sent away is answered here, whatever he asks: he meets no parser, and takes no place inside. A thread of
 * its own.
 */
#ifndef SLUICE_CONTROL_DOOR_H
#define SLUICE_CONTROL_DOOR_H

#include "control/caller.h"
#include "util/cleanup.h"

struct door;

/*
 * On the door's thread. NULL: fd has been taken over. Otherwise what to answer before the connection ends, all of
 * it, header and body.
 */
typedef const char *door_fn(void *arg, int fd, const struct caller *caller);

/* fd listens, and belongs to the door from now on. -ENOMEM, or why there is no descriptor */
int door_new(struct door **ret, int fd, door_fn *fn, void *arg);
void door_free(struct door *door);
DEFINE_CLEANUP(struct door, door_free)

/* Who is who, from now on. Any thread. */
void door_set_roles(struct door *door, const struct roles *roles);

/* Open it; those who wait first. Why there is no thread */
int door_open(struct door *door);

/* Whoever comes waits. Nobody is on his way in afterwards. Fine for one that is closed. */
void door_close(struct door *door);

#endif
