/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict - the outcome of one probe: a row of the catalogue, with the data that row shows.
 *
 * Plain data, passed by value between threads; it owns nothing.
 */
#ifndef SLUICE_MODEL_VERDICT_H
#define SLUICE_MODEL_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/abi.h"

/* How far the probe came. */
enum stage { STAGE_NONE, STAGE_QUEUE, STAGE_CONNECT, STAGE_REQUEST, STAGE_HEADER, STAGE_BODY };

/* Stage times in microseconds; 0: the stage was not reached. */
struct timing {
	uint32_t connect_us; /* SYN to completed handshake */
	uint32_t first_byte_us; /* request sent to first byte of the answer */
	uint32_t total_us;
};

#define VERDICT_DETAIL_LEN 96

struct verdict {
	enum sl_message code;
	enum stage stage; /* where it ended */
	int os_errno; /* connect_failed, closed_early, local_resource: positive errno, or 0 */
	bool has_icmp; /* an ICMP error arrived for the connection: type and code as received */
	uint8_t icmp_type, icmp_code;
	uint16_t http_status; /* 0: none received */
	uint32_t elapsed_ms; /* of the whole probe */
	struct timing timing;
	char detail[VERDICT_DETAIL_LEN]; /* one more fact in words; printable ASCII; may be "" */
};

/* "connect", "request", … for people and JSON. */
const char *stage_name(enum stage stage);

/* The stable id of a code ("tcp_connect_failed"); NULL: no such code. */
const char *message_id(enum sl_message code);

/* Whether the code says that the endpoint works. */
bool message_passed(enum sl_message code);

/* Whether the code is the prober's own trouble: such a verdict never moves health. */
bool message_ours(enum sl_message code);

#endif
