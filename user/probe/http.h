/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http - one GET and what its answer means: request bytes out, answer bytes in, verdict.
 *
 * No I/O and no clock: whoever carries the bytes asks for the request, hands the answer on as it
 * comes, and says when the stream ends. The answer is read only as far as the verdict needs it: the
 * header, and the body while a text is still looked for. HTTP/1.1, or HTTP/2 where the server chose
 * it: what is judged is the same.
 */
#ifndef SLUICE_PROBE_HTTP_H
#define SLUICE_PROBE_HTTP_H

#include "model/plan.h"
#include "model/verdict.h"
#include "probe/h2.h"
#include "probe/http_parser.h"
#include "probe/search.h"

/* The method, version and fixed fields need less than 256 bytes. */
#define HTTP_REQUEST_MAX (LIMIT_PATH_BYTES + LIMIT_HOST_BYTES + 256)

/* How a stream ended. */
enum stream_end {
	END_ORDERLY, /* the peer said so: FIN, and within TLS close_notify before it */
	END_CUT, /* FIN without close_notify: anybody can have sent it */
	END_ERROR
};

struct http {
	const struct probe_match *match;
	struct http_parser parser;
	struct h2 *h2; /* NULL: HTTP/1.1, and parser holds the answer */
	struct search *search; /* NULL: the body does not matter */
	uint64_t received;
};

/* Ready for an exchange. plan is borrowed. -ENOMEM. */
int http_init(struct http *http, const struct plan *plan);

/* Whether host and path hold only what belongs into a request. */
bool http_can_be_sent(const struct plan *plan);

/* Speak HTTP/2 in it. -ENOMEM; -EINVAL: see http_request(). */
int http_use_h2(struct http *http, const struct plan *plan);
void http_done(struct http *http);

/*
 * Write the request of plan, which is the same every time, and return its length. -EINVAL: host or
 * path holds something that does not belong into a request line.
 */
int http_request(char buf[HTTP_REQUEST_MAX], const struct plan *plan);

/* STAGE_HEADER or STAGE_BODY: how far the answer has come. */
enum stage http_stage(const struct http *http);

/* Take in bytes of the answer. Returns whether the verdict is known and in *ret_verdict. */
bool http_receive(struct http *http, const uint8_t *data, size_t len, struct verdict *ret_verdict);

/*
 * The stream ended; os_errno is END_ERROR's. Writes the verdict, which is then known in any case.
 */
void http_end(struct http *http, enum stream_end end, int os_errno, struct verdict *ret_verdict);

#endif
