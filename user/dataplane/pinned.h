/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pinned - what the pinned maps say of one endpoint, for those who have no daemon to ask.
 *
 * Reads only, and opens nothing for longer than the call.
 */
#ifndef SLUICE_DATAPLANE_PINNED_H
#define SLUICE_DATAPLANE_PINNED_H

#include <stdbool.h>

#include "util/addr.h"

struct pinned_endpoint {
	struct sl_word word;
	char pool[SL_NAME_LEN];
	bool observed; /* the mode is observe: whatever is decided, packets pass */
};

/*
 * -ENOENT: nothing is pinned there, or it has no such endpoint; -EPERM or -EACCES: not for this
 * user; -EINVAL: another version of the program has pinned it, which describes it differently.
 */
int pinned_find(struct pinned_endpoint *ret_endpoint, const char *bpffs, const struct addr *addr,
		uint16_t port, enum sl_proto proto);

/* Whether new connections to the endpoint are refused. */
bool pinned_refuses(const struct pinned_endpoint *endpoint);

#endif
