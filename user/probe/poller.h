/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * poller - the sockets of all probes on one loop, in an epoll set of their own.
 *
 * libuv's own handle for a descriptor costs several system calls per socket: one to test whether it
 * can be polled at all, and one for every change of what is waited for. Here a socket is added once,
 * for both directions and edge-triggered; the loop watches the set. Whoever is told must use up what
 * there is: nobody repeats it.
 *
 * One per loop, counted. Belongs to the loop's thread.
 */
#ifndef SLUICE_PROBE_POLLER_H
#define SLUICE_PROBE_POLLER_H

#include <stdint.h>
#include <sys/epoll.h>

#include <uv.h>

struct poller;

/* Part of whatever waits. fn may be cleared at any time; the memory must last for the loop's turn. */
struct watch {
	void (*fn)(struct watch *watch, uint32_t events); /* EPOLL*; NULL: nobody waits any more */
};

/* The loop's poller, made when there is none, with one more reference. -ENOMEM, -EMFILE, … */
int poller_get(struct poller **ret, uv_loop_t *loop);

/* Drop a reference; the last one closes the poller on the loop's next turn. NULL is fine. */
void poller_put(struct poller *poller);

/* Tell watch whatever happens to fd from now on, and what is so already. Returns 0 or -errno. */
int poller_add(struct poller *poller, int fd, struct watch *watch);

/*
 * Before fd is closed: closing alone takes it out of the set only once no other process has it, and HAProxy's, between
 * being made and being executed, has all there are.
 */
void poller_remove(struct poller *poller, int fd);

/* Tell it again what is so now, on the loop's next turn: for those who left something unread. */
void poller_again(struct poller *poller, int fd, struct watch *watch);

#endif
