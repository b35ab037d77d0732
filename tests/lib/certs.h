/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * certs - certificates, revocation lists and OCSP responses for tests, made while the test runs.
 *
 * Whatever goes wrong here is the test's own trouble and aborts it. Everything is valid from a day
 * ago for a year unless said otherwise; a spec of all zeros is an EC leaf that signed itself.
 */
#ifndef SLUICE_TESTS_CERTS_H
#define SLUICE_TESTS_CERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "model/model.h"

#define TEST_DAY_S ((int64_t)86400)

enum test_key { TEST_KEY_EC, TEST_KEY_RSA, TEST_KEY_RSA_1024, TEST_KEY_ED25519 };

struct test_cert {
	X509 *x509;
	EVP_PKEY *key;
};

struct test_cert_spec {
	const char *cn; /* common name; NULL: an empty subject */
	const struct test_cert *issuer; /* NULL: it signs itself */
	const struct test_cert *same_key_as; /* take that key instead of a new one */
	enum test_key key;
	bool ca; /* basicConstraints CA:TRUE, keyUsage keyCertSign and cRLSign */
	bool no_basic_constraints, no_key_ids;
	bool must_staple; /* TLS feature status_request */
	int pathlen; /* of a CA: n + 1 for a pathlen of n; 0: none */
	const char *digest; /* NULL: SHA256 */
	int64_t not_before, not_after; /* Unix time; 0: a day ago, in a year */
	/* Values as in openssl.cnf; NULL: the extension is left out (key_usage: CAs have one). */
	const char *san; /* "DNS:a.test,IP:10.0.0.5" */
	const char *key_usage; /* "critical,digitalSignature"; "": none in a CA either */
	const char *eku; /* "serverAuth" */
	const char *name_constraints; /* "critical,permitted;DNS:.a.test" */
	const char *ca_issuers; /* the URL */
	/* A subject of other bytes than a C string can hold. */
	const uint8_t *raw_cn;
	size_t raw_cn_len;
};

struct test_cert *test_cert_new(const struct test_cert_spec *spec);

/* NULL is fine. */
void test_cert_free(struct test_cert *cert);
DEFINE_CLEANUP(struct test_cert, test_cert_free)

/* Shorthands: a root, a CA below issuer, and a server's certificate for DNS:name below issuer. */
struct test_cert *test_root(const char *cn);
struct test_cert *test_ca(const char *cn, const struct test_cert *issuer);
struct test_cert *test_leaf(const char *name, const struct test_cert *issuer);

/* Write certificates as PEM, in this order; the list ends with NULL. */
void test_certs_write(const char *path, const struct test_cert *const *certs);

/* Write the private key as PEM, readable by the owner only. */
void test_key_write(const char *path, const struct test_cert *cert);

/* A revocation list of issuer's; revoked may be NULL. Free with X509_CRL_free(). */
X509_CRL *test_crl(const struct test_cert *issuer, const struct test_cert *revoked,
		   int64_t last_update, int64_t next_update);
void test_crl_write(const char *path, X509_CRL *crl, bool pem);

enum test_ocsp_status { TEST_OCSP_GOOD, TEST_OCSP_REVOKED, TEST_OCSP_UNKNOWN };

struct test_ocsp_spec {
	const struct test_cert *cert, *issuer;
	const struct test_cert *signer; /* NULL: the issuer itself */
	enum test_ocsp_status status;
	int64_t this_update, next_update; /* Unix time; 0: an hour ago, in a day */
};

/* DER; free with free(). */
uint8_t *test_ocsp(size_t *ret_len, const struct test_ocsp_spec *spec);

/* Append a copy of the certificate to spec->certs, as the configuration's loader would. */
void test_trust_add(struct trust_spec *spec, const struct test_cert *cert);

/* Free what test_trust_add() appended. */
void test_trust_clear(struct trust_spec *spec);

#endif
