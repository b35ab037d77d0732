/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow_stream - the document about flows, made while it is sent.
 *
 *   {"flows": [{…}, …], "listed": N, "total": N, "limit": N}
 *
 * The tables of flows are gone through a few thousand entries at a time, so that other requests are
 * answered in between. Flows beyond the limit are counted.
 */
#ifndef SLUICE_CONTROL_FLOW_STREAM_H
#define SLUICE_CONTROL_FLOW_STREAM_H

#include <sys/types.h>

#include "control/wanted.h"

#define FLOW_STREAM_LIMIT 100
#define FLOW_STREAM_LIMIT_MAX 100000

struct flow_stream;

struct flow_stream_options {
	const struct api_context *context;
	uint32_t pool; /* whose services alone, or INDEX_NONE: all */
	const struct wanted *wanted; /* endpoints of that pool alone; NULL: all */
	uint32_t limit;
};

/* The context is borrowed. -ENOENT: no endpoint of the pool is wanted. -ENOMEM. */
int flow_stream_new(struct flow_stream **ret, const struct flow_stream_options *options);
void flow_stream_free(struct flow_stream *stream);
DEFINE_CLEANUP(struct flow_stream, flow_stream_free)

/* Write the next bytes of the document. Returns how many; 0: the end; -errno. */
ssize_t flow_stream_read(struct flow_stream *stream, char *buf, size_t size);

#endif
