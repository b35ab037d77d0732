/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network - this host's network, as far as forwarding depends on it.
 *
 * The programs ask the kernel's routing table themselves. Four things it does not do for them: say
 * which device carries a VLAN device, look for a next hop's link address before a packet needs it, heed
 * what routers say about the packets of tunnels, and tell when an answer that they remember is out of date.
 *
 * Next hops are given to the kernel as managed neighbours: it keeps their link addresses fresh by
 * itself, also when no daemon runs. All on one thread.
 */
#ifndef SLUICE_DATAPLANE_NETWORK_H
#define SLUICE_DATAPLANE_NETWORK_H

#include "util/addr.h"
#include "util/cleanup.h"

struct err;
struct network;

/* Bits of what network_read() returns. */
#define NETWORK_NEIGHBOURS 0x1 /* link addresses of neighbours */
#define NETWORK_ROUTES 0x2 /* routes, addresses or devices */
#define NETWORK_PATHS 0x4 /* MTUs of tunnels' paths */

/* Open, and listen for changes from now on. -errno with a sentence. */
int network_open(struct network **ret, struct err *err);
void network_close(struct network *network);
DEFINE_CLEANUP(struct network, network_close)

/* Readable when something has changed. */
int network_fd(const struct network *network);

/* What has changed since the last call; does not wait. */
unsigned int network_read(struct network *network);

/* Bring the devices map in line with the VLAN devices there are. -errno from the kernel. */
int network_list_devices(struct network *network, int map_fd);

/*
 * Have the kernel keep the link addresses of whatever leads to these addresses, and of all routers
 * in the routing table. What cannot be reached now is left out.
 */
void network_keep_next_hops(struct network *network, const struct addr addrs[], uint32_t n);

#endif
