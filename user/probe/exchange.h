/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exchange - a request and its answer, in whatever protocol the plan and the server agreed on.
 *
 * Knows nothing of what carries the bytes. Follows http.h's pattern: bytes out, bytes in, verdict.
 */
#ifndef SLUICE_PROBE_EXCHANGE_H
#define SLUICE_PROBE_EXCHANGE_H

#include "probe/grpc.h"
#include "probe/http.h"
#include "probe/stream.h"

struct exchange {
	bool grpc;
	bool asked; /* HTTP/1.1: the request has been put out */
	union {
		struct http http;
		struct grpc *call;
	};
};

/* Ready. plan is borrowed. -ENOMEM, or -EINVAL: host or path cannot be sent. */
int exchange_init(struct exchange *exchange, const struct plan *plan);

/* The server chose HTTP/2. -ENOMEM, -EINVAL. */
int exchange_use_h2(struct exchange *exchange, const struct plan *plan);

void exchange_done(struct exchange *exchange);

/* Put what is to be said next on the stream. Returns 0, or what stream_put() or h2_output() said. */
int exchange_speak(struct exchange *exchange, const struct plan *plan, struct stream *stream);

enum stage exchange_stage(const struct exchange *exchange);

/* As http_receive() and http_end(). */
bool exchange_receive(struct exchange *exchange, const uint8_t *data, size_t len,
		      struct verdict *ret_verdict);
void exchange_end(struct exchange *exchange, enum stream_end end, int os_errno,
		  struct verdict *ret_verdict);

#endif
