/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listeners - who listens on a port of this host, as `ss -lntup` shows it. Plain data. */
#ifndef SLUICE_SURVEY_LISTENERS_H
#define SLUICE_SURVEY_LISTENERS_H

#include <stdbool.h>
#include <stdint.h>

#include "util/addr.h"

#define LISTENERS_MAX 32
#define LISTENERS_COMM_LEN 16

struct listener {
	struct addr addr; /* v4-mapped for IPv4; unspecified: every address */
	bool v6; /* a socket of IPv6 */
	bool v6_only;
	uint32_t queued, backlog; /* connections that wait to be accepted, and how many may; TCP */
	uint32_t inode;
	int pid; /* 0: not to be found out by this user */
	char comm[LISTENERS_COMM_LEN];
};

struct listeners {
	uint32_t n, n_left_out;
	struct listener of[LISTENERS_MAX];
};

/* Sockets of tcp or udp that wait on the port. -errno: the kernel could not be asked. */
int listeners_find(struct listeners *ret_listeners, bool udp, uint16_t port);

/* Find out whose they are, as far as /proc shows it. */
void listeners_name(struct listeners *listeners);

/* Whether it takes packets to addr. */
bool listener_covers(const struct listener *listener, const struct addr *addr);

/* Whether it is bound to this host's loopback alone. */
bool listener_is_loopback(const struct listener *listener);

/* TcpExt ListenOverflows of this network namespace since it began. -ENOENT: not told. */
int listeners_overflows(uint64_t *ret_overflows);

#endif
