/* SPDX-License-Identifier: GPL-2.0-or-later */
/* route - what the kernel's routes say of the way to an address. Plain data. */
#ifndef SLUICE_SURVEY_ROUTE_H
#define SLUICE_SURVEY_ROUTE_H

#include "survey/way.h"

enum route_kind {
	ROUTE_UNASKED,
	ROUTE_FORWARD, /* out by a device */
	ROUTE_LOCAL, /* the address is this host's own */
	ROUTE_NONE,
	ROUTE_UNREACHABLE,
	ROUTE_PROHIBIT,
	ROUTE_BLACKHOLE,
	ROUTE_NO_SOURCE, /* the source address or device that was asked for is not there */
};

struct route {
	enum route_kind kind;
	unsigned int ifindex;
	char device[IF_NAMESIZE];
	bool has_gateway, has_source, has_carrier;
	struct addr gateway, source;
	uint32_t mtu; /* of the way as far as it is known, else of the device; 0: not known */
};

/* Ask for the route of the way. -errno: the kernel could not be asked. */
int route_find(struct route *ret_route, const struct way *way);

/* Who gets the packets next: the gateway, or the target itself. */
const struct addr *route_next(const struct route *route, const struct way *way);

#endif
