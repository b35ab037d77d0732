// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_chain - any bytes as the certificates and the staple of a server.
 *
 * The first byte says what is asked for. Then come pieces, each behind two bytes of length: every
 * one is a certificate if it can be parsed, and the last is the staple if the first byte says so.
 * What is found must be found again, and be fit to be shown.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/x509v3.h>

#include "probe/chain.h"

#define NOW_S 1800000000 /* in January 2027 */
#define SENT_MAX 120

#define ASK_CHAIN 1
#define ASK_NAME 2
#define ASK_ADDRESS 4
#define ASK_STAPLE 8
#define ASK_LIST 16
#define ASK_OWN 32 /* the trusted root comes after the rest */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth)
{
	if (!truth)
		abort();
}

/* A root that is the same in every run but for its key. */
static X509 *make_root(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *root = X509_new();
	X509_NAME *name = X509_get_subject_name(root);
	X509_EXTENSION *ca = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "CA:TRUE");

	must(key && root && ca);
	X509_set_version(root, X509_VERSION_3);
	X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC,
				   (const unsigned char *)"Root", -1, -1, 0);
	X509_set_issuer_name(root, name);
	ASN1_TIME_set(X509_getm_notBefore(root), NOW_S - 1000);
	ASN1_TIME_set(X509_getm_notAfter(root), NOW_S + 1000);
	X509_set_pubkey(root, key);
	X509_add_ext(root, ca, -1);
	must(X509_sign(root, key, EVP_sha256()) > 0);
	X509_EXTENSION_free(ca);
	EVP_PKEY_free(key);
	return root;
}

static struct trust *make_trust(enum trust_mode mode)
{
	struct cert_file file = { 0 };
	struct trust_spec spec = { .certs = &file, .n_certs = 1, .mode = mode };
	X509 *root = make_root();
	struct trust *trust = NULL;

	file.len = (uint32_t)i2d_X509(root, &file.der);
	must(!trust_new(&trust, &spec, NULL));
	OPENSSL_free(file.der);
	X509_free(root);
	return trust;
}

static void must_be_clean(const char *text)
{
	for (; text && *text; text++)
		must((uint8_t)*text >= ' ' && *text != 0x7f);
}

static void check(const struct tls_facts *facts, enum sl_message code)
{
	const struct certs *certs = facts->certs;

	must(message_id(code) != NULL && code != SL_MSG_LOCAL_RESOURCE);
	must(certs && certs->n <= CERTS_MAX && facts->n_also <= VERDICT_ALSO_MAX);
	must_be_clean(certs->fact);
	must_be_clean(certs->hint);
	must(code == SL_MSG_OK || certs->fact);
	for (uint32_t i = 0; i < certs->n; i++) {
		must_be_clean(certs->certs[i].subject);
		must_be_clean(certs->certs[i].issuer);
		must_be_clean(certs->certs[i].ca_issuers);
		for (uint32_t k = 0; k < certs->certs[i].n_sans; k++)
			must_be_clean(certs->certs[i].sans[k]);
	}
	for (uint8_t i = 0; i < facts->n_also; i++)
		must(facts->also[i] != code);
}

static void judge_twice(const struct chain_input *input)
{
	struct tls_facts first = { 0 }, again = { 0 };
	enum sl_message code = chain_judge(&first, input);

	check(&first, code);
	must(chain_judge(&again, input) == code);
	must(first.warnings == again.warnings && first.n_also == again.n_also &&
	     first.x509_code == again.x509_code);
	certs_unref(first.certs);
	certs_unref(again.certs);
}

/* Cut the next piece off. */
static size_t take(const uint8_t **piece, const uint8_t **data, size_t *size)
{
	size_t len;

	if (*size < 2)
		return 0;
	len = (size_t)(*data)[0] << 8 | (*data)[1];
	*piece = *data + 2;
	*size -= 2;
	if (len > *size)
		len = *size;
	*data = *piece + len;
	*size -= len;
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct trust *roots, *list;
	STACK_OF(X509) *sent = sk_X509_new_null();
	const uint8_t *piece = NULL, *end;
	struct chain_input input = { .sent = sent, .now_s = NOW_S };
	uint8_t ask = size ? data[0] : 0;
	size_t len;

	if (!roots) {
		roots = make_trust(TRUST_UPLOADED);
		list = make_trust(TRUST_ALLOW_LIST);
	}
	if (size) {
		data++;
		size--;
	}
	while (sk_X509_num(sent) < SENT_MAX && (len = take(&piece, &data, &size))) {
		X509 *x509 = d2i_X509(NULL, (end = piece, &end), (long)len);

		if (x509)
			sk_X509_push(sent, x509);
		if (ask & ASK_STAPLE) {
			input.ocsp = piece;
			input.ocsp_len = len;
		}
	}
	if (ask & ASK_OWN && sk_X509_num(sent))
		sk_X509_push(sent, X509_dup(sk_X509_value(trust_certs(roots), 0)));
	input.trust = ask & ASK_LIST ? list : roots;
	input.check_chain = ask & ASK_CHAIN;
	input.check_name = ask & ASK_NAME;
	input.name = ask & ASK_ADDRESS ? "127.0.0.1" : "a.test";
	judge_twice(&input);
	sk_X509_pop_free(sent, X509_free);
	return 0;
}
