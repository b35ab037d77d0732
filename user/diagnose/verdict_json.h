/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict_json - a verdict and its data as JSON, in one form for the daemon and for `sluice probe`.
 *
 * See json.h for what happens when memory runs out.
 */
#ifndef SLUICE_DIAGNOSE_VERDICT_JSON_H
#define SLUICE_DIAGNOSE_VERDICT_JSON_H

#include "diagnose/json.h"
#include "model/plan.h"
#include "model/verdict.h"

/* "code", "id", "message" */
void verdict_json_message(json_t **object, const struct plan *plan, const struct verdict *verdict);

/* "also" and "warnings"; "openssl", "tls", "http" and "grpc" where there is something to tell. */
void verdict_json_facts(json_t **object, const struct plan *plan, const struct verdict *verdict);

/* The stages that were reached, in microseconds. */
json_t *verdict_json_timing(const struct timing *timing);

/* The certificates as sent; certs may be NULL: an empty array. */
json_t *verdict_json_chain(const struct certs *certs);

/* "200-399,401"; returns buf. */
#define VERDICT_EXPECTED_LEN (LIMIT_STATUS_RANGES * sizeof("200-399,"))
const char *verdict_expected(char buf[VERDICT_EXPECTED_LEN], const struct probe_match *match);

/* "AB:CD:…" with a separator, or "abcd…" with '\0'; returns buf. */
#define VERDICT_FINGERPRINT_LEN (3 * CERT_SHA256_LEN + 1)
const char *verdict_fingerprint(char buf[VERDICT_FINGERPRINT_LEN],
				const uint8_t sha256[CERT_SHA256_LEN], char separator);

#endif
