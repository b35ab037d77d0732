/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names - from what DNS says of the backends' names to who sits in their seats.
 *
 * An address that appears takes a vacant seat, is guarded from then on and probed at once. One that
 * is gone from the answer drains: it gets no new flows, and its seat is vacated when the drain
 * timeout is over. Without an answer, or when the record is gone, the last known addresses stay for
 * as long as it takes. They outlive the daemon in the kernel's maps; but those that date from
 * another configuration are given up when the first lookup after the start fails.
 *
 * Everything happens on the loop's thread.
 */
#ifndef SLUICE_DAEMON_NAMES_H
#define SLUICE_DAEMON_NAMES_H

#include <uv.h>

#include "daemon/pipeline.h"
#include "probe/engine.h"

struct err;
struct names;

/* All borrowed until names_stop(). */
struct names_parts {
	uv_loop_t *loop;
	const struct model *model;
	struct board *board;
	const struct dataplane *dataplane;
	struct pipeline *pipeline;
	struct engine *engine;
};

/* -ENOMEM, or what resolver_new() returned. */
int names_start(struct names **ret, const struct names_parts *parts, struct err *err);

/* The loop must run once more for the handles to close. NULL is fine. */
void names_stop(struct names *names);

#endif
