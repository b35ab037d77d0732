/* SPDX-License-Identifier: GPL-2.0-or-later */
/* neighbour - whether somebody on the link answers for an address (ARP, ND). Plain data. */
#ifndef SLUICE_SURVEY_NEIGHBOUR_H
#define SLUICE_SURVEY_NEIGHBOUR_H

#include "survey/way.h"

enum neighbour_state {
	NEIGHBOUR_UNASKED, /* nobody was asked, or the link knows no addresses */
	NEIGHBOUR_NONE, /* the kernel has no entry */
	NEIGHBOUR_WAITING, /* asked, no answer yet */
	NEIGHBOUR_FAILED,
	NEIGHBOUR_OLD, /* answered some time ago */
	NEIGHBOUR_FRESH, /* answered, or was entered by hand */
};

#define NEIGHBOUR_MAC_LEN 6

struct neighbour {
	enum neighbour_state state;
	bool has_mac;
	uint8_t mac[NEIGHBOUR_MAC_LEN];
};

/* What the kernel knows of addr on the link now. -errno: it could not be asked. */
int neighbour_read(struct neighbour *ret_neighbour, const struct addr *addr, unsigned int ifindex);

/*
 * Wait until traffic that was sent before has settled the question, at most until_ns
 * (clock_mono_ns()). An old entry is asked again at once where that is permitted.
 */
int neighbour_settle(struct neighbour *ret_neighbour, const struct addr *addr, unsigned int ifindex,
		     uint64_t until_ns);

#endif
