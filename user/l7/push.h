/* SPDX-License-Identifier: GPL-2.0-or-later */
/* push - tell HAProxy what its servers are to be, by what has been told last. */
#ifndef SLUICE_L7_PUSH_H
#define SLUICE_L7_PUSH_H

#include "l7/plan.h"

/* What a running HAProxy has been told of the plan's servers. */
struct push {
	struct l7_server *told; /* parallel to plan->lines */
	bool *known; /* whether it is */
};

/* Nothing has been told. -ENOMEM */
int push_init(struct push *push, uint32_t n_lines);
void push_done(struct push *push);

/* Another process, or the same with another configuration: all is to be told again. */
void push_forget(struct push *push, uint32_t n_lines);

/*
 * Tell what has changed, through the runtime socket at path. *ret_n: servers that were told of. -errno of talk():
 * from that server on nothing is known to be told.
 * complaint: what HAProxy said against any of it, or "".
 */
int push_servers(struct push *push, const struct l7_plan *plan, const struct l7_server *servers,
		 const char *path, uint32_t *ret_n, char *complaint, size_t size);

/* The commands for one server that was told (NULL: nothing is known) and is to be now; for tests, too. */
void push_commands(FILE *out, const struct l7_line *line, const struct l7_server *told,
		   const struct l7_server *server);

#endif
