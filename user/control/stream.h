/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream - one JSON document about every endpoint, made while it is sent.
 *
 *   {"pools": [{"name": …, "services": [{"name": …, "settings": …, "endpoints": [ROW, …]}]}]}
 *
 * or of one pool, with each service whole, {"services": [SERVICE, …]}.
 *
 * A stream holds one row at a time, or one service, so that an answer about 65,536 endpoints costs as little memory
 * as one about three, however slowly it is read. Each row is its own instant.
 */
#ifndef SLUICE_CONTROL_STREAM_H
#define SLUICE_CONTROL_STREAM_H

#include <sys/types.h>

#include "control/groups.h"
#include "control/render.h"

struct stream;

typedef json_t *stream_row_fn(const struct api_context *context, const struct render_row *row);

/* Adds to what is said of a service in front of its endpoints. */
typedef void stream_service_fn(json_t **json, const struct api_context *context, uint32_t service);

/* All there is to say of a service, an element of "services". */
typedef json_t *stream_whole_fn(const struct api_context *context, uint32_t service);

struct stream_options {
	const struct api_context *context;
	const struct groups *groups;
	stream_row_fn *row;
	stream_service_fn *service; /* may be NULL */
	stream_whole_fn *whole; /* instead of row and service, of one pool; or NULL */
	uint32_t pool; /* the only one, or INDEX_NONE: all */
};

/* Options are copied; what they point to is borrowed. NULL: out of memory. */
struct stream *stream_new(const struct stream_options *options);
void stream_free(struct stream *stream);
DEFINE_CLEANUP(struct stream, stream_free)

/* Put a member in front of "pools", or of the services that are all there is. Takes over the value. -ENOMEM */
int stream_lead(struct stream *stream, const char *key, json_t *value);

/* Write the next bytes of the document. Returns how many; 0: the end; -ENOMEM. */
ssize_t stream_read(struct stream *stream, char *buf, size_t size);

#endif
