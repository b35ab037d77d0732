/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trust - whom a probe trusts: an OpenSSL store with its roots, an allow list, revocation lists.
 *
 * One per trust configuration, shared by all endpoints and threads that use it. Revocation lists
 * are read again when their files change; lists behind URLs are fetched on a thread of their own
 * and kept until they expire. Everything that is read is bounded.
 */
#ifndef SLUICE_PROBE_TRUST_H
#define SLUICE_PROBE_TRUST_H

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "model/certs.h"
#include "model/model.h"
#include "util/cleanup.h"

struct chain_cache;
struct err;
struct trust;

/*
 * Make one; spec is borrowed for its life. -EINVAL: a certificate of it cannot be used; -ENOMEM.
 * A CRL that cannot be read is no error here: verdicts say so (unknown_crl_unreachable).
 */
int trust_new(struct trust **ret, const struct trust_spec *spec, struct err *err);
void trust_free(struct trust *trust);
DEFINE_CLEANUP(struct trust, trust_free)

enum trust_mode trust_mode(const struct trust *trust);

/*
 * The client context for handshakes: TLS 1.2 and 1.3, no verification of its own (chain.h judges),
 * OCSP stapling asked for, certificate lists bounded, no tickets kept by OpenSSL. Borrowed.
 */
SSL_CTX *trust_ssl_ctx(const struct trust *trust);

/*
 * The store to verify against now, with the revocation lists in force; the caller frees its
 * reference with X509_STORE_free().
 */
X509_STORE *trust_store(struct trust *trust);

/* Whether this certificate is allow-listed (TRUST_ALLOW_LIST). */
bool trust_lists(const struct trust *trust, const uint8_t sha256[CERT_SHA256_LEN]);

/* The uploaded certificates, borrowed; empty for TRUST_WELL_KNOWN. */
const STACK_OF(X509) * trust_certs(const struct trust *trust);

/* Whether revocation is checked, and if the lists cannot all be had, which and why (else ""). */
bool trust_checks_revocation(const struct trust *trust);
void trust_crl_trouble(struct trust *trust, char *buf, size_t size);

/* Call with every date on which a revocation list in force begins or ends to hold. */
void trust_crl_dates(struct trust *trust, void (*date)(void *arg, int64_t unix_s), void *arg);

/*
 * Wait until every URL has been tried once, but not longer than this: for a single probe, which
 * has no second chance. A daemon does not wait; its first verdicts say what is missing.
 */
void trust_settle(struct trust *trust, uint32_t timeout_ms);

/* Where chain.c remembers its findings. Borrowed. */
struct chain_cache *trust_cache(struct trust *trust);

/*
 * Grows whenever what is trusted or revoked changes: a verdict on a chain that was made under
 * another number is worth nothing.
 */
uint32_t trust_generation(struct trust *trust);

#endif
