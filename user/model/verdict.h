/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict - the outcome of one probe: a row of the catalogue, with the data that row shows.
 *
 * Plain data, passed by value between threads, but for one counted reference: whoever keeps a copy
 * beyond the call that gave it takes the reference with verdict_keep() and drops it with
 * verdict_done().
 */
#ifndef SLUICE_MODEL_VERDICT_H
#define SLUICE_MODEL_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/certs.h"
#include "sluice/abi.h"

/* How far the probe came. */
enum stage {
	STAGE_NONE,
	STAGE_QUEUE,
	STAGE_RESOLVE,
	STAGE_CONNECT,
	STAGE_TLS, /* handshake */
	STAGE_CERTIFICATE, /* judging what the server showed */
	STAGE_REQUEST,
	STAGE_HEADER,
	STAGE_BODY
};

/* Stage times in microseconds; 0: the stage was not reached. */
struct timing {
	uint32_t resolve_us; /* on demand only: resolving the name */
	uint32_t connect_us; /* SYN to completed handshake */
	uint32_t tls_us; /* ClientHello to the judged certificate */
	uint32_t first_byte_us; /* request sent to first byte of the answer */
	uint32_t total_us;
};

#define VERDICT_DETAIL_LEN 96
#define VERDICT_ALSO_MAX 6
#define TLS_ALERT_NONE (-1)

/* The facts of a TLS handshake; all zero in probes without one. */
struct tls_facts {
	uint16_t version; /* 0x0303: TLS 1.2, 0x0304: TLS 1.3; 0: no handshake was completed */
	bool resumed; /* by a ticket: the server showed no certificate, the last verdict on it holds */
	int16_t alert; /* tls_handshake_failed: the number of the peer's alert, or TLS_ALERT_NONE */
	int16_t x509_code; /* OpenSSL's code and depth behind the verdict; 0: none */
	int16_t x509_depth;
	int64_t not_after; /* Unix time: when the first certificate of the chain expires; 0: none */
	uint16_t warnings; /* SL_WARN_* */
	uint8_t n_also;
	uint8_t also
		[VERDICT_ALSO_MAX]; /* enum sl_message: what else is wrong, in order of finding */
	struct certs *certs; /* counted; NULL: none were shown */
};

struct verdict {
	enum sl_message code;
	enum stage stage; /* where it ended */
	int os_errno; /* connect_failed, closed_early, local_resource, udp: positive errno, or 0 */
	bool has_icmp; /* an ICMP error arrived for the connection: type and code as received */
	uint8_t icmp_type, icmp_code;
	uint16_t http_status; /* 0: none received */
	uint16_t grpc_status; /* grpc-status, or for grpc_not_serving with status 0 the service's */
	struct tls_facts tls;
	bool routine; /* passed, as the one before: nobody has to be woken for it */
	uint32_t generation; /* of the plan that was probed */
	uint32_t elapsed_ms; /* of the whole probe */
	struct timing timing;
	char detail[VERDICT_DETAIL_LEN]; /* one more fact in words; printable ASCII; may be "" */
};

/* Take a reference for a copy that is kept; returns the copy. */
struct verdict verdict_keep(const struct verdict *verdict);

/* Drop a kept copy's reference. */
void verdict_done(struct verdict *verdict);

/* "connect", "request", … for people and JSON. */
const char *stage_name(enum stage stage);

/* The stable id of a code ("tcp_connect_failed"); NULL: no such code. */
const char *message_id(enum sl_message code);

/* The code that has this id; false: none has. */
bool message_parse(enum sl_message *ret_code, const char *id);

/* The stable id of a warning ("chain_order"); NULL: no such warning. */
const char *warning_id(enum sl_warning warning);

/* Whether the code says that the endpoint works. */
bool message_passed(enum sl_message code);

/* Whether the code is the prober's own trouble: such a verdict never moves health. */
bool message_ours(enum sl_message code);

#endif
