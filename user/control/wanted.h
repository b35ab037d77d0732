/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wanted - which endpoints an address in a request means. */
#ifndef SLUICE_CONTROL_WANTED_H
#define SLUICE_CONTROL_WANTED_H

#include "control/api.h"

/* "10.0.0.5", or "10.0.0.5:443" for one port only; or the name of a backend. */
struct wanted {
	const char *name; /* borrowed; NULL: addr */
	struct addr addr;
	uint16_t port; /* 0: any */
};

/* False: it is neither an address nor a name of a backend. */
bool wanted_parse(struct wanted *ret_wanted, const struct model *model, const char *text);

/* Whether the endpoint is one of those now. */
bool wanted_is(const struct wanted *wanted, const struct api_context *context, uint32_t endpoint);

#endif
