/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interfaces - how each interface of the model is attached now.
 *
 * Written by the thread that opened the data plane; interfaces_read() belongs to any.
 */
#ifndef SLUICE_DATAPLANE_INTERFACES_H
#define SLUICE_DATAPLANE_INTERFACES_H

#include "dataplane/dataplane.h"
#include "dataplane/xdp.h"

/* What an attempt to attach met, as far as another attempt may come to something else. */
struct situation {
	unsigned int ifindex;
	struct xdp_state xdp;
};

#define INTERFACE_GONE_WHY "there is no such interface now; it is attached as soon as there is"

struct guarded {
	struct attachment now; /* written with interfaces_set() */
	/* The owner's alone. */
	enum attachment_state told; /* to begin with: attached, of which the daemon tells itself */
	char told_why[ATTACHMENT_WHY_LEN];
	uint32_t failures; /* in a row */
	uint64_t next_ms; /* monotonic: when to try again */
	uint64_t attached_ms; /* monotonic */
	struct situation tried;
};

struct interfaces;

/* n interfaces, each zeroed. NULL: out of memory. */
struct interfaces *interfaces_new(uint32_t n);
void interfaces_free(struct interfaces *interfaces);

uint32_t interfaces_n(const struct interfaces *interfaces);

/* Of i < interfaces_n(). */
struct guarded *interfaces_at(struct interfaces *interfaces, uint32_t i);

/* That of the name, or NULL. */
struct guarded *interfaces_find(struct interfaces *interfaces, const char *name);

void interfaces_set(struct interfaces *interfaces, struct guarded *guarded,
		    const struct attachment *attachment);

/* A copy. false: there is no i. */
bool interfaces_read(struct interfaces *interfaces, uint32_t i, struct attachment *ret);

#endif
