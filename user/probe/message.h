/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * message - a verdict as one sentence for the operator, with the data of its catalogue row.
 *
 * "The backend refused the TCP connection to 10.0.0.5:80 (connection refused, RST received)."
 */
#ifndef SLUICE_PROBE_MESSAGE_H
#define SLUICE_PROBE_MESSAGE_H

#include <stddef.h>

#include "model/plan.h"
#include "model/verdict.h"

#define MESSAGE_LEN 768

/* Write the sentence and return buf. Everything a backend sent is made printable. */
const char *message_format(char buf[MESSAGE_LEN], const struct plan *plan,
			   const struct verdict *verdict);

/* A remedy that depends on the verdict's data (HTTP status, alert, errno), or NULL. Static. */
const char *message_hint(const struct verdict *verdict);

/*
 * A remedy that fits the verdict's certificates only, or NULL. It is theirs: it lives as long as
 * the verdict's reference to them, and holds what the server sent.
 */
const char *message_chain_hint(const struct verdict *verdict);

/*
 * A warning in a few words, "certificate expires in 12 days (2026-12-03)". not_after: of the first
 * certificate to expire, 0: not known. Times are Unix times. Returns buf.
 */
#define MESSAGE_WARNING_LEN 96
const char *message_warning(char buf[MESSAGE_WARNING_LEN], enum sl_warning warning,
			    int64_t not_after_s, int64_t now_s);

/* "in 12 days", "in 5 hours", "3 days ago"; returns buf. */
#define MESSAGE_WHEN_LEN 48
const char *message_when(char buf[MESSAGE_WHEN_LEN], int64_t at_s, int64_t now_s);

/* "TLS 1.3"; NULL: no handshake was completed. */
const char *message_tls_version(const struct tls_facts *facts);

/* "handshake_failure" and what it says, of an alert's number; NULL: not in the registry. */
const char *message_alert_name(int number);
const char *message_alert_meaning(int number);

/* OpenSSL's text for a code of its verifier. Static. */
const char *message_x509_text(int code);

#endif
