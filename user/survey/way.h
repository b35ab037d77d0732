/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * way - where packets go from this host and how they leave it, and sockets that send them so.
 *
 * Plain data. Every part of a survey takes one.
 */
#ifndef SLUICE_SURVEY_WAY_H
#define SLUICE_SURVEY_WAY_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/addr.h"
#include "util/errqueue.h"

struct way {
	struct addr to;
	uint16_t port;
	bool udp;
	bool has_from;
	struct addr from; /* source address, if it was asked for */
	char device[IF_NAMESIZE]; /* to leave by; "": as the routes say */
	uint32_t mark; /* SO_MARK; 0: none */
};

/*
 * A non-blocking socket bound as the way says, which keeps ICMP errors on its error queue. -errno,
 * of which -EPERM: the mark, or a raw socket, is for root.
 */
int way_socket(int *ret_fd, const struct way *way, int type, int protocol);

/* Start to connect: 0, also while it goes on, or -errno. */
int way_connect(int fd, const struct way *way, uint16_t port);

/* Limit how far packets of the socket go. */
int way_limit_hops(int fd, const struct way *way, int hops);

struct pollfd;

/* Close a connection with RST, so that nothing is left of it here or there; fd->fd becomes -1. */
void way_reset(struct pollfd *fd);

/* Wait until one of fds[n] (-1: none) has something to say, or until_ns on clock_mono_ns(). */
int way_wait(struct pollfd *fds, unsigned int n, uint64_t until_ns);

#endif
