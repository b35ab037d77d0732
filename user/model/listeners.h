/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listeners - which service a request belongs to, where several share a listen address.
 *
 * A rule is one host (or none: any) and one path rule of a service. Rules are tried in order: those with a
 * host before those without; then exact paths, then prefixes, the longest first, then any path.
 */
#ifndef SLUICE_MODEL_LISTENERS_H
#define SLUICE_MODEL_LISTENERS_H

#include "model/model.h"

struct err;

struct listener_rule {
	const struct service *service; /* borrowed from the model, as the texts */
	const char *host; /* "": any */
	const char *path; /* as path_rule has it; "": any */
};

/*
 * The rules of all services that HAProxy carries, by listen address and then in the order in which they are
 * tried. free() them. -ENOMEM
 */
int listeners_list(struct listener_rule **ret, uint32_t *ret_n, const struct model *model);

/* Whether two services that HAProxy carries are reached by the same address and port. */
bool listeners_share(const struct service *a, const struct service *b);

/*
 * -EEXIST  two services on one address whose requests cannot be told apart, or whose listeners differ: err
 *          names both
 * -ENOMEM
 */
int listeners_check(const struct model *model, struct err *err);

#endif
