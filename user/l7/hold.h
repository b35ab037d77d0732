/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hold - HAProxy's listening sockets, kept while there is no HAProxy.
 *
 * A socket listens for as long as anybody has it: with a copy of each, clients that come after a process has been
 * killed are not refused, but wait for the next one, which is given the copies. This is what HAProxy itself does at a
 * reload, with the same exchange: a number of sockets, then the sockets, in messages that are acknowledged.
 */
#ifndef SLUICE_L7_HOLD_H
#define SLUICE_L7_HOLD_H

#include <stdint.h>

/* Bound of what a process may give. */
#define HOLD_MAX 4096

struct hold {
	int *fds; /* n of them; owned */
	uint32_t n;
};

/*
 * Ask the process behind a runtime socket for its listening sockets of TCP; those held before are released. Blocks for
 * TALK_MS at most at a time. -errno: those held before stay.
 */
int hold_take(struct hold *hold, const char *path);
void hold_release(struct hold *hold);

/* Clients that wait at them to be accepted. */
uint64_t hold_waiting(const struct hold *hold);

/* A socket at path, where the next process asks for them (haproxy -x); replaces what is there. Its fd, or -errno. */
int hold_offer(const char *path);

/* Answer one who has come to that socket; the sockets stay held. Blocks like hold_take(). 0 or -errno. */
int hold_give(const struct hold *hold, int offer);

#endif
