/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tls_fault - why a TLS handshake failed, in words.
 *
 * Asked right after the call that failed: OpenSSL keeps its reasons per thread, until the next call.
 */
#ifndef SLUICE_PROBE_TLS_FAULT_H
#define SLUICE_PROBE_TLS_FAULT_H

#include "model/verdict.h"
#include "probe/stream.h"

/* In the detail of an alert, where it is true. */
#define TLS_FAULT_CERTIFICATE_ASKED "it asked for a client certificate"

/* The number of the server's alert that the last call failed with, or TLS_ALERT_NONE. */
int16_t tls_fault_alert(void);

/* "handshake_failure", or NULL: no alert has this number. */
const char *tls_alert_name(int16_t alert);

/* Fill in alert, os_errno and detail. r is what the call returned: see stream_recv(). */
void tls_fault_explain(const struct stream *stream, int r, struct verdict *ret_verdict);

#endif
