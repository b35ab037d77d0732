/* SPDX-License-Identifier: GPL-2.0-or-later */
/* errqueue - ICMP errors that arrived for a socket: which, and who sent them. */
#ifndef SLUICE_UTIL_ERRQUEUE_H
#define SLUICE_UTIL_ERRQUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/addr.h"

struct icmp_error {
	uint8_t type, code;
	struct addr from; /* a router, the target, or this host itself; all zero: not known */
};

/*
 * Take the last ICMP error from the queue of a socket that has IP_RECVERR or IPV6_RECVERR set. false:
 * there is none.
 */
bool errqueue_take_icmp(int fd, struct icmp_error *ret_error);

#endif
