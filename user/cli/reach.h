/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reach - which of a name's addresses can be reached from this host at all.
 *
 * A host without IPv6 is not the server's fault: one probe on demand takes an address that it has
 * a route to. A daemon probes them all.
 */
#ifndef SLUICE_CLI_REACH_H
#define SLUICE_CLI_REACH_H

#include <stdint.h>

#include "util/addr.h"

/* The first of n addresses to which there is a route; without any, the first. n > 0. */
uint32_t reach_first(const struct addr *addrs, uint32_t n);

#endif
