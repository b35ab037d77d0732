/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grpc - one call of grpc.health.v1.Health/Check and what its answer means.
 *
 * Two messages of one field each do not need a library: the request is a string, the answer an
 * enumeration. No I/O and no clock, like http.h.
 */
#ifndef SLUICE_PROBE_GRPC_H
#define SLUICE_PROBE_GRPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/plan.h"
#include "model/verdict.h"
#include "probe/h2.h"
#include "probe/http.h"

#define GRPC_ANSWER_MAX 256 /* bytes of the answer that are looked at; two are usual */
#define GRPC_TEXT_LEN 64

struct grpc {
	struct h2 *h2;
	uint64_t received;
	uint32_t answer_len; /* more than GRPC_ANSWER_MAX: too long */
	uint8_t answer[GRPC_ANSWER_MAX];
	bool has_type, has_status;
	uint32_t status; /* grpc-status */
	char type[GRPC_TEXT_LEN],
		message[GRPC_TEXT_LEN]; /* content-type, grpc-message; printable */
};

/* Ready for a call. -ENOMEM; -EINVAL: host or service cannot be sent. */
int grpc_init(struct grpc *grpc, const struct plan *plan);
void grpc_done(struct grpc *grpc);

enum stage grpc_stage(const struct grpc *grpc);

/* As http_receive() and http_end(). */
bool grpc_receive(struct grpc *grpc, const uint8_t *data, size_t len, struct verdict *ret_verdict);
void grpc_end(struct grpc *grpc, enum stream_end end, int os_errno, struct verdict *ret_verdict);

/*
 * Read the health out of a length-prefixed message. NULL and *ret_health, or what is wrong with it.
 */
const char *grpc_parse_answer(uint32_t *ret_health, const uint8_t *data, size_t len);

/* Write the length-prefixed request for a service and return its length. */
size_t grpc_write_request(uint8_t *buf, const char *service);

#endif
