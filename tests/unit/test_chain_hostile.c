// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a server may send that is no honest chain: too much, too strange, without end. And what
 * thousands of honest ones have in common.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <openssl/x509v3.h>

#include "probe/chain.h"
#include "tests/lib/certs.h"
#include "tests/lib/fault.h"

#define NAME "a.probe.test"

static struct test_cert *root, *inter, *leaf;
static struct trust_spec spec;
static struct trust *trust;

static int set_up(void **state)
{
	(void)state;
	root = test_root("Root");
	inter = test_ca("Int", root);
	leaf = test_leaf(NAME, inter);
	spec.mode = TRUST_UPLOADED;
	test_trust_add(&spec, root);
	return trust_new(&trust, &spec, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	trust_free(trust);
	test_trust_clear(&spec);
	test_cert_free(root);
	test_cert_free(inter);
	test_cert_free(leaf);
	return 0;
}

static enum sl_message judge(struct tls_facts *facts, const STACK_OF(X509) * sent, const char *name)
{
	struct chain_input input = {
		.sent = sent,
		.trust = trust,
		.name = name,
		.check_chain = true,
		.check_name = true,
		.name_configured = true,
		.now_s = time(NULL),
	};

	*facts = (struct tls_facts){ 0 };
	return chain_judge(facts, &input);
}

static enum sl_message judge_one(struct tls_facts *facts, const struct test_cert *cert)
{
	STACK_OF(X509) *sent = sk_X509_new_null();
	enum sl_message code;

	sk_X509_push(sent, cert->x509);
	code = judge(facts, sent, NAME);
	sk_X509_free(sent);
	return code;
}

/* --- too much --------------------------------------------------------------------------------- */

/* The one certificate that matters is the last; beyond what is judged it does not count. */
static void many(int n, enum sl_message expected)
{
	STACK_OF(X509) *sent = sk_X509_new_null();
	struct tls_facts facts;

	sk_X509_push(sent, leaf->x509);
	while (sk_X509_num(sent) < n - 1)
		sk_X509_push(sent, root->x509);
	sk_X509_push(sent, inter->x509);
	assert_int_equal(judge(&facts, sent, NAME), expected);
	assert_int_equal(facts.certs->n, CERTS_MAX);
	assert_int_equal(facts.certs->n_sent, n);
	certs_unref(facts.certs);
	sk_X509_free(sent);
}

static void test_many(void **state)
{
	(void)state;
	many(100, SL_MSG_OK);
	many(101, SL_MSG_CERT_INTERMEDIATE_MISSING);
	many(5000, SL_MSG_CERT_INTERMEDIATE_MISSING);
}

static void test_deep(void **state)
{
	struct test_cert *cas[40];
	STACK_OF(X509) *sent = sk_X509_new_null();
	const size_t n = sizeof(cas) / sizeof(cas[0]);
	struct test_cert *end;
	struct tls_facts facts;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		char cn[16];

		snprintf(cn, sizeof(cn), "CA %zu", i);
		cas[i] = test_ca(cn, i ? cas[i - 1] : root);
	}
	end = test_leaf(NAME, cas[n - 1]);
	sk_X509_push(sent, end->x509);
	for (size_t i = n; i--;)
		sk_X509_push(sent, cas[i]->x509);
	assert_int_equal(judge(&facts, sent, NAME), SL_MSG_CERT_VERIFY_FAILED);
	assert_int_equal(facts.x509_code, X509_V_ERR_CERT_CHAIN_TOO_LONG);
	certs_unref(facts.certs);
	sk_X509_free(sent);
	test_cert_free(end);
	for (size_t i = 0; i < n; i++)
		test_cert_free(cas[i]);
}

/* A signs B signs A. */
static void test_loop(void **state)
{
	struct test_cert *first = test_root("A");
	struct test_cert *b = test_ca("B", first);
	struct test_cert *a = test_cert_new(&(struct test_cert_spec){
		.cn = "A", .issuer = b, .same_key_as = first, .ca = true });
	struct test_cert *end = test_leaf(NAME, b);
	STACK_OF(X509) *sent = sk_X509_new_null();
	struct tls_facts facts;

	(void)state;
	sk_X509_push(sent, end->x509);
	sk_X509_push(sent, b->x509);
	sk_X509_push(sent, a->x509);
	sk_X509_push(sent, b->x509);
	assert_int_equal(judge(&facts, sent, NAME), SL_MSG_CERT_ROOT_MISMATCH_ROOT_ABSENT);
	certs_unref(facts.certs);
	sk_X509_free(sent);
	test_cert_free(end);
	test_cert_free(a);
	test_cert_free(b);
	test_cert_free(first);
}

static void test_many_names(void **state)
{
	enum { NAMES = 3000, LEN = 32 };
	char *san = calloc(NAMES, LEN), *end = san;
	struct test_cert *cert;
	struct tls_facts facts;

	(void)state;
	assert_non_null(san);
	for (int i = 0; i < NAMES; i++)
		end += snprintf(end, LEN, "%sDNS:n%d.test", i ? "," : "", i);
	cert = test_cert_new(&(struct test_cert_spec){ .cn = "Many", .issuer = root, .san = san });
	assert_int_equal(judge_one(&facts, cert), SL_MSG_CERT_NAME_MISMATCH);
	assert_int_equal(facts.certs->certs[0].n_sans, CERT_SANS_MAX);
	assert_int_equal(facts.certs->certs[0].n_sans_sent, NAMES);
	assert_string_equal(facts.certs->certs[0].sans[15], "DNS:n15.test");
	assert_non_null(strstr(facts.certs->fact, "DNS:n5.test and 2994 more"));
	certs_unref(facts.certs);
	test_cert_free(cert);
	free(san);
}

/* --- too strange ------------------------------------------------------------------------------ */

static const struct {
	const char *cn;
	size_t len;
	const char *shown; /* "CN=" follows */
} names[] = {
	{ "plain", 5, "plain" },
	{ "a\0b", 3, "a\\00b" },
	{ "a\nb\x1b[31m", 8, "a\\0Ab\\1B[31m" },
	{ "b\xc3\xbc"
	  "cher",
	  7,
	  "b\xc3\xbc"
	  "cher" },
	{ "\xe2\x80\xae"
	  "abc",
	  6, "?abc" }, /* right-to-left override */
	{ "\xc2\x9b"
	  "abc",
	  5, "?abc" }, /* C1 control */
	{ "a,b=c", 5, "a\\,b=c" },
};

static bool is_clean(const char *text)
{
	for (const uint8_t *c = (const uint8_t *)text; text && *c; c++)
		if (*c < ' ' || *c == 0x7f)
			return false;
	return !text || strlen(text) <= 1024;
}

static void test_strange_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct test_cert *cert = test_cert_new(
			&(struct test_cert_spec){ .raw_cn = (const uint8_t *)names[i].cn,
						  .raw_cn_len = names[i].len,
						  .issuer = root });
		struct tls_facts facts;

		judge_one(&facts, cert);
		if (strcmp(facts.certs->certs[0].subject + strlen("CN="), names[i].shown) != 0)
			fail_msg("row %zu: %s", i, facts.certs->certs[0].subject);
		assert_true(is_clean(facts.certs->fact));
		certs_unref(facts.certs);
		test_cert_free(cert);
	}
}

/* Wherever the cut falls, it does not leave half a character. */
static void test_long_names(void **state)
{
	(void)state;
	for (size_t pad = 0; pad < 3; pad++) {
		uint8_t cn[64];
		char san[4000] = "URI:http://", *end = san + strlen(san);
		struct test_cert *cert;
		struct tls_facts facts;
		const char *subject;

		memset(cn, 'x', pad);
		for (size_t i = pad; i + 1 < sizeof(cn); i += 2)
			memcpy(cn + i, "\xc3\xbc", 2);
		memset(end, 'u', 3900);
		cert = test_cert_new(
			&(struct test_cert_spec){ .raw_cn = cn,
						  .raw_cn_len = pad + (sizeof(cn) - pad) / 2 * 2,
						  .issuer = root,
						  .san = san });
		judge_one(&facts, cert);
		subject = facts.certs->certs[0].subject;
		assert_true(strlen(subject) <= CERT_TEXT_MAX);
		assert_int_equal(strlen(facts.certs->certs[0].sans[0]), CERT_TEXT_MAX);
		assert_true(is_clean(facts.certs->fact));
		certs_unref(facts.certs);
		test_cert_free(cert);
	}
}

/* Extensions that are no extensions. */
static void test_damaged_extensions(void **state)
{
	static const int nids[] = { NID_basic_constraints, NID_subject_alt_name,
				    NID_info_access,       NID_tlsfeature,
				    NID_ext_key_usage,     NID_name_constraints };

	(void)state;
	for (size_t i = 0; i < sizeof(nids) / sizeof(nids[0]); i++) {
		struct test_cert *cert = test_cert_new(&(struct test_cert_spec){
			.cn = NAME, .issuer = root, .no_basic_constraints = true });
		ASN1_OCTET_STRING *junk = ASN1_OCTET_STRING_new();
		X509_EXTENSION *extension;
		struct tls_facts facts;

		ASN1_OCTET_STRING_set(junk, (const unsigned char *)"\x30\x80\xff", 3);
		extension = X509_EXTENSION_create_by_NID(NULL, nids[i], 0, junk);
		assert_true(X509_add_ext(cert->x509, extension, -1));
		assert_true(X509_sign(cert->x509, root->key, EVP_sha256()) > 0);
		assert_int_not_equal(judge_one(&facts, cert), SL_MSG_LOCAL_RESOURCE);
		assert_non_null(facts.certs);
		certs_unref(facts.certs);
		X509_EXTENSION_free(extension);
		ASN1_OCTET_STRING_free(junk);
		test_cert_free(cert);
	}
}

/* --- in common -------------------------------------------------------------------------------- */

static void test_shared(void **state)
{
	STACK_OF(X509) *sent = sk_X509_new_null();
	struct tls_facts a, b, c;

	(void)state;
	sk_X509_push(sent, leaf->x509);
	sk_X509_push(sent, inter->x509);
	assert_int_equal(judge(&a, sent, NAME), SL_MSG_OK);
	assert_int_equal(judge(&b, sent, NAME "."), SL_MSG_OK);
	assert_int_equal(judge(&c, sent, "b.test"), SL_MSG_CERT_NAME_MISMATCH);
	assert_ptr_equal(a.certs, b.certs);
	assert_ptr_not_equal(a.certs, c.certs);
	certs_unref(a.certs);
	certs_unref(b.certs);
	certs_unref(c.certs);

	/* More findings than are remembered. */
	for (int i = 0; i < 3000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%d.test", i);
		assert_int_equal(judge(&c, sent, name), SL_MSG_CERT_NAME_MISMATCH);
		assert_non_null(strstr(c.certs->fact, name));
		certs_unref(c.certs);
	}
	sk_X509_free(sent);
}

static void test_described(void **state)
{
	struct test_cert *rsa =
		test_cert_new(&(struct test_cert_spec){ .cn = "R",
							.issuer = inter,
							.key = TEST_KEY_RSA,
							.ca_issuers = "http://ca.test/i" });
	struct test_cert *ed = test_cert_new(&(struct test_cert_spec){
		.cn = "E", .key = TEST_KEY_ED25519, .san = "DNS:e.test,IP:10.0.0.5,IP:fd00::5" });
	struct tls_facts facts;
	const struct cert *cert;

	(void)state;
	judge_one(&facts, rsa);
	cert = &facts.certs->certs[0];
	assert_string_equal(cert->subject, "CN=R");
	assert_string_equal(cert->common_name, "R");
	assert_string_equal(cert->issuer, "CN=Int");
	assert_string_equal(cert->key, "RSA 2048");
	assert_string_equal(cert->signature, "ecdsa-with-SHA256");
	assert_string_equal(cert->ca_issuers, "http://ca.test/i");
	assert_false(cert->ca || cert->self_signed);
	assert_int_equal(cert->not_after, facts.not_after);
	certs_unref(facts.certs);
	judge_one(&facts, ed);
	cert = &facts.certs->certs[0];
	assert_string_equal(cert->key, "Ed25519");
	assert_int_equal(cert->n_sans, 3);
	assert_string_equal(cert->sans[1], "IP:10.0.0.5");
	assert_string_equal(cert->sans[2], "IP:fd00::5");
	assert_true(cert->self_signed);
	certs_unref(facts.certs);
	judge_one(&facts, root);
	assert_string_equal(facts.certs->certs[0].key, "EC P-256");
	assert_true(facts.certs->certs[0].ca);
	certs_unref(facts.certs);
	test_cert_free(rsa);
	test_cert_free(ed);
}

/* Whatever allocation fails, the verdict is the prober's own trouble or the truth. */
static void test_no_memory(void **state)
{
	(void)state;
	for (int n = 0;; n++) {
		struct test_cert *cert = test_leaf("b.test", inter);
		struct tls_facts facts;
		enum sl_message code;
		bool failed;

		fault_after(FAULT_MEMORY, n, ENOMEM);
		code = judge_one(&facts, cert);
		failed = fault_clear(FAULT_MEMORY);
		if (code == SL_MSG_LOCAL_RESOURCE)
			assert_null(facts.certs);
		else
			assert_int_equal(code, SL_MSG_CERT_INTERMEDIATE_MISSING);
		certs_unref(facts.certs);
		test_cert_free(cert);
		if (!failed)
			break;
		assert_true(n < 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_strange_names),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_damaged_extensions),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_described),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
