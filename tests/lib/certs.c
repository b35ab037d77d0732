// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/certs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define YEAR_S (365 * TEST_DAY_S)
#define X509_VERSION_3_ 2
#define CRL_VERSION_2 1

/* RSA keys take long to make: a few are made once and handed out in turn. */
#define RSA_KEYS 6

static void must(bool truth, const char *what)
{
	if (truth)
		return;
	fprintf(stderr, "test certificates: %s\n", what);
	ERR_print_errors_fp(stderr);
	abort();
}

/* --- keys ------------------------------------------------------------------------------------- */

static EVP_PKEY *rsa_key(unsigned int bits)
{
	static EVP_PKEY *keys[2][RSA_KEYS];
	static unsigned int turn[2];
	unsigned int kind = bits == 1024;
	EVP_PKEY **key = &keys[kind][turn[kind]++ % RSA_KEYS];

	if (!*key)
		*key = EVP_RSA_gen(bits);
	must(*key && EVP_PKEY_up_ref(*key), "RSA key");
	return *key;
}

static EVP_PKEY *key_of(const struct test_cert_spec *spec)
{
	if (spec->same_key_as) {
		must(EVP_PKEY_up_ref(spec->same_key_as->key), "same key");
		return spec->same_key_as->key;
	}
	switch (spec->key) {
	case TEST_KEY_RSA:
		return rsa_key(2048);
	case TEST_KEY_RSA_1024:
		return rsa_key(1024);
	case TEST_KEY_ED25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case TEST_KEY_EC:
		break;
	}
	return EVP_EC_gen("P-256");
}

static const EVP_MD *digest_for(const EVP_PKEY *key, const char *name)
{
	if (EVP_PKEY_get_id(key) == EVP_PKEY_ED25519)
		return NULL;
	return name ? EVP_get_digestbyname(name) : EVP_sha256();
}

/* --- certificates ----------------------------------------------------------------------------- */

static void set_subject(X509 *x509, const struct test_cert_spec *spec)
{
	X509_NAME *name = X509_get_subject_name(x509);

	if (spec->raw_cn)
		must(X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING,
						(unsigned char *)(uintptr_t)spec->raw_cn,
						(int)spec->raw_cn_len, -1, 0),
		     "subject");
	else if (spec->cn)
		must(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
						(const unsigned char *)spec->cn, -1, -1, 0),
		     "subject");
}

static void set_dates(X509 *x509, const struct test_cert_spec *spec)
{
	int64_t now = time(NULL);

	must(ASN1_TIME_set(X509_getm_notBefore(x509),
			   spec->not_before ? spec->not_before : now - TEST_DAY_S) &&
		     ASN1_TIME_set(X509_getm_notAfter(x509),
				   spec->not_after ? spec->not_after : now + YEAR_S),
	     "dates");
}

static void add_extension(X509 *x509, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *extension;

	if (!value || !*value)
		return;
	extension = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
	must(extension && X509_add_ext(x509, extension, -1), value);
	X509_EXTENSION_free(extension);
}

static const char *basic_constraints(char *buf, size_t size, const struct test_cert_spec *spec)
{
	if (spec->no_basic_constraints)
		return NULL;
	if (!spec->ca)
		return "CA:FALSE";
	if (!spec->pathlen)
		return "critical,CA:TRUE";
	snprintf(buf, size, "critical,CA:TRUE,pathlen:%d", spec->pathlen - 1);
	return buf;
}

static void add_extensions(X509 *x509, X509 *issuer, const struct test_cert_spec *spec)
{
	char basic[64], access[256];
	const char *usage = spec->key_usage;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
	if (!usage && spec->ca)
		usage = "critical,keyCertSign,cRLSign";
	add_extension(x509, &ctx, NID_basic_constraints,
		      basic_constraints(basic, sizeof(basic), spec));
	add_extension(x509, &ctx, NID_key_usage, usage);
	add_extension(x509, &ctx, NID_ext_key_usage, spec->eku);
	add_extension(x509, &ctx, NID_subject_alt_name, spec->san);
	add_extension(x509, &ctx, NID_name_constraints, spec->name_constraints);
	add_extension(x509, &ctx, NID_tlsfeature, spec->must_staple ? "status_request" : NULL);
	if (spec->ca_issuers) {
		snprintf(access, sizeof(access), "caIssuers;URI:%s", spec->ca_issuers);
		add_extension(x509, &ctx, NID_info_access, access);
	}
	if (!spec->no_key_ids) {
		add_extension(x509, &ctx, NID_subject_key_identifier, "hash");
		add_extension(x509, &ctx, NID_authority_key_identifier, "keyid");
	}
}

struct test_cert *test_cert_new(const struct test_cert_spec *spec)
{
	static long serial = 0x1000;
	struct test_cert *cert = calloc(1, sizeof(*cert));
	const struct test_cert *issuer = spec->issuer ? spec->issuer : cert;

	must(cert, "memory");
	cert->key = key_of(spec);
	cert->x509 = X509_new();
	must(cert->key && cert->x509, "key");
	must(X509_set_version(cert->x509, X509_VERSION_3_) &&
		     ASN1_INTEGER_set(X509_get_serialNumber(cert->x509), ++serial) &&
		     X509_set_pubkey(cert->x509, cert->key),
	     "certificate");
	set_subject(cert->x509, spec);
	set_dates(cert->x509, spec);
	must(X509_set_issuer_name(cert->x509, X509_get_subject_name(issuer->x509)), "issuer");
	add_extensions(cert->x509, issuer->x509, spec);
	must(X509_sign(cert->x509, issuer->key, digest_for(issuer->key, spec->digest)) > 0, "sign");
	return cert;
}

void test_cert_free(struct test_cert *cert)
{
	if (!cert)
		return;
	X509_free(cert->x509);
	EVP_PKEY_free(cert->key);
	free(cert);
}

struct test_cert *test_root(const char *cn)
{
	return test_cert_new(&(struct test_cert_spec){ .cn = cn, .ca = true });
}

struct test_cert *test_ca(const char *cn, const struct test_cert *issuer)
{
	return test_cert_new(&(struct test_cert_spec){ .cn = cn, .issuer = issuer, .ca = true });
}

struct test_cert *test_leaf(const char *name, const struct test_cert *issuer)
{
	char san[300];

	snprintf(san, sizeof(san), "DNS:%s", name);
	return test_cert_new(&(struct test_cert_spec){
		.cn = name, .issuer = issuer, .san = san, .eku = "serverAuth" });
}

/* --- files ------------------------------------------------------------------------------------ */

static FILE *open_for_writing(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	must(file, path);
	return file;
}

void test_certs_write(const char *path, const struct test_cert *const *certs)
{
	FILE *file = open_for_writing(path, 0644);

	for (; *certs; certs++)
		must(PEM_write_X509(file, (*certs)->x509), path);
	must(!fclose(file), path);
}

void test_key_write(const char *path, const struct test_cert *cert)
{
	FILE *file = open_for_writing(path, 0600);

	must(PEM_write_PrivateKey(file, cert->key, NULL, NULL, 0, NULL, NULL), path);
	must(!fclose(file), path);
}

/* --- revocation ------------------------------------------------------------------------------- */

static void add_revoked(X509_CRL *crl, const struct test_cert *revoked, ASN1_TIME *at)
{
	X509_REVOKED *entry = X509_REVOKED_new();

	must(entry && X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked->x509)) &&
		     X509_REVOKED_set_revocationDate(entry, at) &&
		     X509_CRL_add0_revoked(crl, entry),
	     "revoke");
}

X509_CRL *test_crl(const struct test_cert *issuer, const struct test_cert *revoked,
		   int64_t last_update, int64_t next_update)
{
	ASN1_TIME *last = ASN1_TIME_set(NULL, last_update), *next = NULL;
	X509_CRL *crl = X509_CRL_new();

	next = ASN1_TIME_set(NULL, next_update);
	must(crl && last && next, "revocation list");
	must(X509_CRL_set_version(crl, CRL_VERSION_2) &&
		     X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->x509)) &&
		     X509_CRL_set1_lastUpdate(crl, last) && X509_CRL_set1_nextUpdate(crl, next),
	     "revocation list");
	if (revoked)
		add_revoked(crl, revoked, last);
	must(X509_CRL_sign(crl, issuer->key, digest_for(issuer->key, NULL)) > 0, "sign the list");
	ASN1_TIME_free(last);
	ASN1_TIME_free(next);
	return crl;
}

void test_crl_write(const char *path, X509_CRL *crl, bool pem)
{
	FILE *file = open_for_writing(path, 0644);

	must(pem ? PEM_write_X509_CRL(file, crl) : i2d_X509_CRL_fp(file, crl), path);
	must(!fclose(file), path);
}

/* --- what a trust is made from ---------------------------------------------------------------- */

void test_trust_add(struct trust_spec *spec, const struct test_cert *cert)
{
	struct cert_file file = { .path = strdup("test.pem") };
	int len = i2d_X509(cert->x509, &file.der);

	must(len > 0 && file.path, "DER");
	file.len = (uint32_t)len;
	spec->certs = realloc(spec->certs, (spec->n_certs + 1) * sizeof(*spec->certs));
	must(spec->certs, "memory");
	spec->certs[spec->n_certs++] = file;
}

void test_trust_clear(struct trust_spec *spec)
{
	for (uint32_t i = 0; i < spec->n_certs; i++) {
		OPENSSL_free(spec->certs[i].der);
		free(spec->certs[i].path);
	}
	free(spec->certs);
	*spec = (struct trust_spec){ .mode = spec->mode };
}
