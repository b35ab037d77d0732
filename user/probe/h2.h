/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * h2 - the client's side of HTTP/2 for one request: bytes in, bytes out.
 *
 * A thin layer over libnghttp2, which does framing, HPACK, flow control and the rules of HTTP
 * messages. What is added here are the bounds of a probe: header bytes, interim answers, body bytes,
 * and frames that carry no body. No I/O and no clock.
 */
#ifndef SLUICE_PROBE_H2_H
#define SLUICE_PROBE_H2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/http_parser.h"
#include "util/cleanup.h"

#define H2_FRAMES_MAX 500 /* frames of an exchange, not counting those with body bytes */
#define H2_BODY_MAX 4096 /* of a request */

struct h2;

/* Strings are borrowed until h2_new() returns. */
struct h2_request {
	const char *method, *scheme, *authority, *path;
	bool grpc; /* with gRPC's own fields */
	const uint8_t *body; /* copied */
	size_t body_len; /* 0: none */
};

/* A field of the final header or of the trailers; name and value are not NUL-terminated. */
struct h2_field {
	const char *name, *value;
	size_t name_len, value_len;
};

/* Who takes the answer in. */
struct h2_sink {
	http_body_fn *on_body;
	void (*on_field)(void *arg, const struct h2_field *field); /* NULL: nobody asks */
	void *arg;
};

/* A connection with the request on its way. -ENOMEM; -EINVAL: too large a body. */
int h2_new(struct h2 **ret, const struct h2_request *request, const struct h2_sink *sink);
void h2_free(struct h2 *h2);
DEFINE_CLEANUP(struct h2, h2_free)

/*
 * The next bytes to be sent, valid until the next call of any kind, or 0: none now. -ENOMEM,
 * -EPROTO.
 */
ssize_t h2_output(struct h2 *h2, const uint8_t **ret_data);

/* Take in bytes of the server's. */
void h2_receive(struct h2 *h2, const uint8_t *data, size_t len);

enum http_state h2_state(const struct h2 *h2);
const char *h2_error(const struct h2 *h2); /* printable ASCII */
uint16_t h2_status(const struct h2 *h2); /* 0: the final header is not complete */
uint64_t h2_body_bytes(const struct h2 *h2);

#endif
