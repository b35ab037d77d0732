/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * certs - what a server showed of itself: its certificates, as people read them.
 *
 * Immutable and counted: a verdict refers to one, and many may refer to the same. Any thread may
 * read, take and drop references.
 *
 * Every string came from the server: valid UTF-8 without control characters, cut to
 * CERT_TEXT_MAX bytes, but to be treated as hostile by whoever embeds it in something else.
 */
#ifndef SLUICE_MODEL_CERTS_H
#define SLUICE_MODEL_CERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"

#define CERTS_MAX 16 /* certificates of a chain that are kept; n_sent says how many there were */
#define CERT_SANS_MAX 16 /* alternative names of a certificate that are kept */
#define CERT_TEXT_MAX 255
#define CERT_SHA256_LEN 32
#define CERT_CN_MAX 64 /* bytes of a common name that are kept */

struct cert {
	char *subject, *issuer; /* RFC 2253 */
	char *common_name; /* the subject's; "" for one without */
	char *serial; /* hexadecimal */
	char *key; /* "RSA 2048", "EC P-256", "Ed25519" */
	char *signature; /* "sha256WithRSAEncryption" */
	char *ca_issuers; /* AIA: where the issuer's certificate is; NULL: not said */
	char **sans; /* "DNS:a.test", "IP:10.0.0.5", ... */
	uint32_t n_sans, n_sans_sent;
	int64_t not_before, not_after; /* Unix time, seconds */
	bool ca, self_signed;
	uint8_t sha256[CERT_SHA256_LEN]; /* of the DER */
};

/*
 * The only place that says when a certificate ends: with the second of its notAfter, as OpenSSL and
 * with it most clients have it. Whoever is asked about that second answers the same.
 */
static inline bool cert_has_expired(int64_t not_after_s, int64_t now_s)
{
	return now_s >= not_after_s;
}

#define CERT_EXPIRES_SOON_S (30 * 86400)

/* Within thirty days, and not yet. */
static inline bool cert_expires_soon(int64_t not_after_s, int64_t now_s)
{
	return !cert_has_expired(not_after_s, now_s) && now_s > not_after_s - CERT_EXPIRES_SOON_S;
}

struct certs {
	uint32_t n, n_sent;
	struct cert *certs; /* as sent, the first is certs[0] */
	char *fact; /* the finding's data in words ("expired on ..., subject ..."); NULL: none */
	char *hint; /* a remedy that fits this chain only; NULL: none */
};

/* An empty list with one reference, or NULL: out of memory. The maker fills it before sharing it. */
struct certs *certs_new(uint32_t n);

/* Another reference. NULL is fine. */
struct certs *certs_ref(struct certs *certs);
void certs_unref(struct certs *certs);
DEFINE_CLEANUP(struct certs, certs_unref)

#endif
