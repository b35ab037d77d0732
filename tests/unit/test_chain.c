// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The truth table of the certificate diagnosis: what is sent, what is trusted, what it is called.
 * Every row runs with EC and with RSA keys.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "probe/chain.h"
#include "tests/unit/chain_certs.h"

#define SENT_MAX 6

/* --- the table -------------------------------------------------------------------------------- */

#define W_ORDER SL_WARN_CHAIN_ORDER
#define W_ROOT SL_WARN_ROOT_SENT_UNNEEDED
#define W_SOON SL_WARN_CERT_EXPIRES_SOON
#define W_NO_STAPLE SL_WARN_OCSP_STAPLE_MISSING

#define ALLOW_LIST 1
#define WELL_KNOWN 2
#define NO_CHAIN 4 /* validate_chain_and_expiry: false */
#define NO_NAME 8 /* validate_sni: false */
#define NO_REFERENCE 16
#define DEFAULT_HOST 32 /* 127.0.0.1, which nobody configured */
#define NO_SNI 64

static const struct row {
	enum id sent[SENT_MAX];
	enum id trusted;
	int code;
	int also[3];
	int x509, depth;
	uint16_t warnings;
	unsigned int how;
	const char *name; /* NULL: NAME */
	const char *fact, *hint; /* must be in it; NULL: whatever; "": there must be none */
} rows[] = {
	/* In order. */
	{ { LEAF, INT, ROOT }, ROOT, .code = 0, .warnings = W_ROOT, .fact = "", .hint = "" },
	{ { LEAF, INT }, ROOT, .code = 0, .fact = "", .hint = "" },
	{ { LEAF_BY_ROOT, ROOT }, ROOT, .code = 0, .warnings = W_ROOT },
	{ { LEAF_BY_ROOT }, ROOT, .code = 0 },
	{ { LEAF3, INT2, INT }, ROOT, .code = 0 },
	{ { LEAF4, INT3, INT2, INT }, ROOT, .code = 0 },
	{ { LEAF4, INT3, INT2, INT, ROOT }, ROOT, .code = 0, .warnings = W_ROOT },
	/* In no order. */
	{ { LEAF, ROOT, INT }, ROOT, .code = 0, .warnings = W_ROOT | W_ORDER },
	{ { LEAF, LEAF, INT }, ROOT, .code = 0, .warnings = W_ORDER },
	{ { LEAF, JUNK, INT }, ROOT, .code = 0, .warnings = W_ORDER },
	{ { LEAF, INT, INT }, ROOT, .code = 0, .warnings = W_ORDER },
	{ { LEAF, INT, JUNK }, ROOT, .code = 0, .warnings = W_ORDER },
	{ { LEAF, INT, ROOT, ROOT }, ROOT, .code = 0, .warnings = W_ORDER | W_ROOT },
	/* No way up. */
	{ { LEAF },
	  ROOT,
	  .code = 8,
	  .x509 = 20,
	  .fact = "'CN=Int' of 'CN=Leaf' was not sent and is not trusted; its certificate is "
		  "published at http://ca.test/int.crt",
	  .hint = "install the certificate of 'CN=Int' (published at http://ca.test/int.crt)" },
	{ { LEAF, ROOT }, ROOT, .code = 8, .x509 = 20 },
	{ { LEAF }, OTHER, .code = 8, .x509 = 20 },
	{ { LEAF, ROOT }, OTHER, .code = 8, .x509 = 20 },
	{ { LEAF, LEAF }, ROOT, .code = 8, .x509 = 20 },
	{ { LEAF, INT, ROOT },
	  OTHER,
	  .code = 13,
	  .x509 = 19,
	  .depth = 2,
	  .fact = "sent root 'CN=Root' (SHA-256 ",
	  .hint = "" },
	{ { LEAF, INT },
	  OTHER,
	  .code = 12,
	  .x509 = 20,
	  .depth = 1,
	  .fact = "the issuer 'CN=Root' of 'CN=Int' was not sent and is not trusted; trusted: "
		  "'CN=Other' (SHA-256 ",
	  .hint = "missing is the certificate of 'CN=Root'" },
	{ { LEAF_BY_ROOT, ROOT }, OTHER, .code = 13, .x509 = 19, .depth = 1 },
	{ { LEAF3, INT2 },
	  ROOT,
	  .code = 12,
	  .x509 = 20,
	  .depth = 1,
	  .fact = "'CN=Int' of 'CN=Int 2'" },
	{ { LEAF4, INT3, INT2 }, ROOT, .code = 12, .x509 = 20, .depth = 2 },
	{ { LEAF4, INT3, INT2, INT, ROOT }, OTHER, .code = 13, .x509 = 19, .depth = 4 },
	{ { LEAF, INT, ROOT },
	  SAMENAME,
	  .code = 13,
	  .x509 = 19,
	  .depth = 2,
	  .hint = "has the right name but another key" },
	{ { LEAF, INT },
	  SAMENAME,
	  .code = 12,
	  .x509 = 20,
	  .depth = 1,
	  .hint = "has the right name but another key" },
	{ { LEAF_BARE, INT_BARE, ROOT_BARE },
	  SAMENAME_BARE,
	  .code = 13,
	  .x509 = 7,
	  .depth = 1,
	  .fact = "sent root 'CN=Bare' (SHA-256 ",
	  .hint = "has the right name but another key" },
	{ { LEAF_BARE, INT_BARE },
	  SAMENAME_BARE,
	  .code = 12,
	  .x509 = 7,
	  .depth = 1,
	  .hint = "has the right name but another key" },
	{ { LEAF_BY_ROOT_BARE, ROOT_BARE }, SAMENAME_BARE, .code = 13, .x509 = 7 },
	{ { LEAF_FORGED_BARE }, ROOT_BARE, .code = 15, .x509 = 7 },
	{ { LEAF, INT, ROOT }, RENEWED, .code = 0 },
	{ { LEAF, INT }, RENEWED, .code = 0 },
	{ { LEAF, INT },
	  INT,
	  .code = 12,
	  .x509 = 2,
	  .depth = 1,
	  .hint = "an intermediate was uploaded" },
	{ { LEAF },
	  LEAF,
	  .code = 8,
	  .x509 = 20,
	  .hint = "the uploaded certificate is the server's own" },
	{ { LOOP_LEAF, LOOP_B }, ROOT, .code = 12, .x509 = 20, .depth = 1 },
	{ { LOOP_LEAF, LOOP_B, LOOP_END }, ROOT, .code = 12, .x509 = 20, .depth = 2 },
	/* The system's store. */
	{ { LEAF, INT, ROOT },
	  NONE,
	  .code = 10,
	  .x509 = 19,
	  .depth = 2,
	  .how = WELL_KNOWN,
	  .fact = "trusted: the system's store" },
	{ { LEAF, INT },
	  NONE,
	  .code = 11,
	  .x509 = 20,
	  .depth = 1,
	  .how = WELL_KNOWN,
	  .fact = "the issuer 'CN=Root' of 'CN=Int'" },
	{ { LEAF }, NONE, .code = 8, .x509 = 20, .how = WELL_KNOWN },
	{ { SYSTEM_LEAF }, NONE, .code = 0, .how = WELL_KNOWN },
	{ { SYSTEM_LEAF, SYSTEM }, NONE, .code = 0, .how = WELL_KNOWN, .warnings = W_ROOT },
	{ { SYSTEM_LEAF }, NONE, .code = 6, .x509 = 62, .how = WELL_KNOWN, .name = "b.test" },
	{ { SELF }, NONE, .code = 8, .x509 = 18, .how = WELL_KNOWN },
	{ { SELF_CA_DS }, NONE, .code = 10, .x509 = 18, .how = WELL_KNOWN },
	/* Shape. */
	{ { NONE }, ROOT, .code = 9, .fact = "no certificate was sent" },
	{ { INT, LEAF, ROOT },
	  ROOT,
	  .code = 14,
	  .warnings = W_ROOT,
	  .fact = "sent: 1. 'CN=Int' (CA), 2. 'CN=Leaf' (leaf), 3. 'CN=Root' (CA)" },
	{ { ROOT, INT, LEAF }, ROOT, .code = 14, .warnings = W_ROOT },
	{ { INT_DS, LEAF, ROOT }, ROOT, .code = 14, .warnings = W_ROOT },
	{ { SELF_CA_DS, LEAF }, SELF_CA_DS, .code = 14, .also = { 8 } },
	{ { SELF_CA_DS, LEAF_BY_ROOT }, ROOT, .code = 14 },
	{ { INT, LEAF_EXPIRED, ROOT }, ROOT, .code = 14, .also = { 7 }, .warnings = W_ROOT },
	{ { INT, ROOT }, ROOT, .code = 9, .fact = "sent: 1. 'CN=Int' (CA), 2. 'CN=Root' (CA)" },
	{ { INT }, ROOT, .code = 9 },
	{ { INT_DS, ROOT }, ROOT, .code = 9 },
	{ { ROOT }, ROOT, .code = 9 },
	{ { CA_NAMED }, ROOT, .code = 9 },
	{ { SELF_CA_DS, ROOT }, SELF_CA_DS, .code = 9 },
	{ { ROOT }, ROOT, .code = 9, .how = NO_REFERENCE },
	/* Signed by itself. */
	{ { SELF },
	  ROOT,
	  .code = 8,
	  .x509 = 18,
	  .fact = "signed itself and is not a CA",
	  .hint = "CA" },
	{ { SELF_BARE }, ROOT, .code = 8, .x509 = 18 },
	{ { SELF }, SELF, .code = 8 },
	{ { SELF_BARE }, SELF_BARE, .code = 8 },
	{ { SELF }, SELF, .code = 8, .also = { 6 }, .name = "b.test" },
	{ { SELF_CA },
	  SELF_CA,
	  .code = 15,
	  .x509 = 26,
	  .fact = "OpenSSL 26 at depth 0",
	  .hint = "add digitalSignature" },
	{ { SELF_CA_DS }, SELF_CA_DS, .code = 0 },
	{ { SELF_CA_DS }, SELF_CA_DS, .code = 0, .how = NO_REFERENCE },
	{ { SELF_CA_DS }, SELF_CA_DS, .code = 9, .name = "b.test" },
	{ { SELF_CA_DS }, ROOT, .code = 13, .x509 = 18 },
	{ { SELF_CA }, ROOT, .code = 13, .also = { 15 }, .x509 = 18 },
	/* Dates. */
	{ { LEAF_EXPIRED, INT },
	  ROOT,
	  .code = 7,
	  .x509 = 10,
	  .fact = "the leaf certificate 'CN=Leaf' has expired: it is valid from 20" },
	{ { LEAF_FUTURE, INT }, ROOT, .code = 7, .x509 = 9, .fact = "is not valid yet" },
	{ { LEAF_OF_EXPIRED, INT_EXPIRED },
	  ROOT,
	  .code = 7,
	  .x509 = 10,
	  .depth = 1,
	  .fact = "the intermediate certificate 'CN=Int old' has expired" },
	{ { LEAF_OF_EXPIRED_ROOT, INT_OF_EXPIRED },
	  ROOT_EXPIRED,
	  .code = 7,
	  .x509 = 10,
	  .depth = 2,
	  .fact = "the root certificate 'CN=Root old' has expired" },
	{ { LEAF_OF_EXPIRED_ROOT, INT_OF_EXPIRED, ROOT_EXPIRED },
	  ROOT_EXPIRED,
	  .code = 7,
	  .x509 = 10,
	  .depth = 2,
	  .warnings = W_ROOT },
	{ { LEAF_SOON, INT }, ROOT, .code = 0, .warnings = W_SOON },
	/* Several faults. */
	{ { LEAF_EXPIRED, INT, ROOT }, OTHER, .code = 13, .also = { 7 }, .x509 = 19, .depth = 2 },
	{ { LEAF_EXPIRED, INT }, OTHER, .code = 12, .also = { 7 }, .x509 = 20, .depth = 1 },
	{ { LEAF_EXPIRED, INT }, ROOT, .code = 6, .also = { 7 }, .x509 = 62, .name = "b.test" },
	{ { LEAF_EXPIRED }, ROOT, .code = 8, .also = { 6, 7 }, .x509 = 20, .name = "b.test" },
	{ { LEAF_EXPIRED, INT, ROOT },
	  NONE,
	  .code = 10,
	  .also = { 6, 7 },
	  .x509 = 19,
	  .depth = 2,
	  .how = WELL_KNOWN,
	  .name = "b.test" },
	/* Everything else. */
	{ { LEAF_CLIENT, INT }, ROOT, .code = 15, .x509 = 26 },
	{ { LEAF_CLIENT, INT }, ROOT, .code = 15, .also = { 6 }, .x509 = 26, .name = "b.test" },
	{ { LEAF_BELOW, INT_BELOW, INT_PATHLEN }, ROOT, .code = 15, .x509 = 25, .depth = 2 },
	{ { LEAF_LIMITED, INT_LIMITED }, ROOT, .code = 15, .x509 = 47 },
	{ { LEAF_LIMITED, INT_LIMITED },
	  ROOT,
	  .code = 6,
	  .also = { 15 },
	  .x509 = 62,
	  .name = "b.test" },
	{ { LEAF_WEAK, INT }, ROOT, .code = 15, .x509 = 66 },
	{ { LEAF_SHA1, INT }, ROOT, .code = 15, .x509 = 68 },
	{ { LEAF_STAPLE, INT }, ROOT, .code = 0, .warnings = W_NO_STAPLE },
	/* The name. */
	{ { LEAF, INT },
	  ROOT,
	  .code = 6,
	  .x509 = 62,
	  .name = "b.test",
	  .fact = "wanted is b.test, the certificate is for DNS:" NAME,
	  .hint = "" },
	{ { LEAF, INT },
	  ROOT,
	  .code = 6,
	  .x509 = 64,
	  .name = "127.0.0.1",
	  .how = DEFAULT_HOST,
	  .hint = "no host name is configured" },
	{ { LEAF, INT }, ROOT, .code = 6, .x509 = 62, .name = "Leaf" },
	{ { LEAF, INT }, ROOT, .code = 0, .name = NAME "." },
	{ { LEAF, INT }, ROOT, .code = 0, .name = "A.Probe.TEST" },
	/* The switches. */
	{ { LEAF_EXPIRED, INT }, ROOT, .code = 0, .how = NO_CHAIN },
	{ { LEAF_EXPIRED }, OTHER, .code = 6, .x509 = 62, .how = NO_CHAIN, .name = "b.test" },
	{ { LEAF, INT }, ROOT, .code = 0, .how = NO_NAME, .name = "b.test" },
	{ { LEAF_EXPIRED, INT }, ROOT, .code = 7, .x509 = 10, .how = NO_NAME, .name = "b.test" },
	{ { LEAF_EXPIRED }, OTHER, .code = 0, .how = NO_NAME | NO_CHAIN, .name = "b.test" },
	{ { INT, ROOT }, OTHER, .code = 0, .how = NO_NAME | NO_CHAIN },
	{ { NONE }, OTHER, .code = 9, .how = NO_CHAIN },
	{ { LEAF, INT }, ROOT, .code = 0, .how = NO_REFERENCE },
	/* Exact certificates. */
	{ { LEAF }, LEAF, .code = 0, .how = ALLOW_LIST },
	{ { LEAF, INT, ROOT }, LEAF, .code = 0, .how = ALLOW_LIST },
	{ { SELF }, SELF, .code = 0, .how = ALLOW_LIST },
	{ { LEAF },
	  SELF,
	  .code = 16,
	  .how = ALLOW_LIST,
	  .fact = NAME " was sent as SNI",
	  .hint = "" },
	{ { LEAF },
	  SELF,
	  .code = 16,
	  .how = ALLOW_LIST | NO_SNI,
	  .fact = "no SNI was sent",
	  .hint = "without SNI" },
	{ { NONE }, SELF, .code = 9, .how = ALLOW_LIST },
	{ { LEAF_EXPIRED }, LEAF_EXPIRED, .code = 7, .x509 = 10, .how = ALLOW_LIST },
	{ { LEAF_EXPIRED }, LEAF_EXPIRED, .code = 0, .how = ALLOW_LIST | NO_CHAIN },
	{ { LEAF }, LEAF, .code = 6, .x509 = 62, .how = ALLOW_LIST, .name = "b.test" },
	{ { LEAF_EXPIRED },
	  SELF,
	  .code = 16,
	  .also = { 6, 7 },
	  .how = ALLOW_LIST,
	  .name = "b.test" },
	{ { LEAF }, SELF, .code = 0, .how = ALLOW_LIST | NO_CHAIN | NO_NAME },
	{ { LEAF_SOON }, LEAF_SOON, .code = 0, .how = ALLOW_LIST, .warnings = W_SOON },
};

/* --- running it ------------------------------------------------------------------------------- */

static struct chain_input input_of(const struct row *row, STACK_OF(X509) * sent,
				   struct trust *trust)
{
	return (struct chain_input){
		.sent = sent,
		.trust = trust,
		.name = row->how & NO_REFERENCE ? NULL
			: row->name             ? row->name
						: NAME,
		.check_chain = !(row->how & NO_CHAIN),
		.check_name = !(row->how & NO_NAME),
		.name_configured = !(row->how & DEFAULT_HOST),
		.sni_sent = !(row->how & NO_SNI),
		.now_s = time(NULL),
	};
}

static void check_text(const char *what, const char *text, const char *part, const char *row)
{
	if (part && (part[0] ? !text || !strstr(text, part) : text != NULL))
		fail_msg("%s: %s is '%s', which lacks '%s'", row, what, text ? text : "", part);
}

static void check_row(const char *label, const struct row *row, enum sl_message code,
		      const struct tls_facts *facts)
{
	uint8_t n_also = 0;

	while (n_also < 3 && row->also[n_also])
		n_also++;
	if ((int)code != row->code || facts->x509_code != row->x509 ||
	    facts->x509_depth != row->depth || facts->warnings != row->warnings ||
	    facts->n_also != n_also)
		fail_msg("%s: code %d x509 %d@%d warnings %x also %d,%d,%d (%s)", label, code,
			 facts->x509_code, facts->x509_depth, facts->warnings, facts->also[0],
			 facts->also[1], facts->also[2],
			 facts->certs && facts->certs->fact ? facts->certs->fact : "");
	for (uint8_t i = 0; i < n_also; i++)
		assert_int_equal(facts->also[i], row->also[i]);
	assert_non_null(facts->certs);
	check_text("fact", facts->certs->fact, row->fact, label);
	check_text("hint", facts->certs->hint, row->hint, label);
	if (code != SL_MSG_OK)
		assert_non_null(facts->certs->fact);
}

static struct trust *trust_of(const struct row *row, struct trust_spec *spec)
{
	struct trust *trust = NULL;

	spec->mode = row->how & ALLOW_LIST   ? TRUST_ALLOW_LIST
		     : row->how & WELL_KNOWN ? TRUST_WELL_KNOWN
					     : TRUST_UPLOADED;
	if (row->trusted)
		test_trust_add(spec, certs[row->trusted]);
	assert_int_equal(trust_new(&trust, spec, NULL), 0);
	return trust;
}

static void run_row(const struct row *row)
{
	STACK_OF(X509) *sent = sk_X509_new_null();
	struct trust_spec spec = { 0 };
	CLEANUP(trust_free_p) struct trust *trust = trust_of(row, &spec);
	struct chain_input input;
	char label[64];

	for (int i = 0; i < SENT_MAX && row->sent[i]; i++)
		sk_X509_push(sent, certs[row->sent[i]]->x509);
	snprintf(label, sizeof(label), "row %td", row - rows);
	input = input_of(row, sent, trust);
	/* Judged, and recalled: both must say the same. */
	for (int i = 0; i < 2; i++) {
		struct tls_facts facts = { .version = 0x304, .alert = TLS_ALERT_NONE };
		enum sl_message code = chain_judge(&facts, &input);

		check_row(label, row, code, &facts);
		assert_int_equal(facts.version, 0x304);
		assert_int_equal(facts.alert, TLS_ALERT_NONE);
		certs_unref(facts.certs);
	}
	sk_X509_free(sent);
	test_trust_clear(&spec);
}

/* SYSTEM becomes the whole of the system's store. */
static void make_system_store(char *path)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	test_certs_write(path, (const struct test_cert *const[]){ certs[SYSTEM], NULL });
	setenv("SSL_CERT_FILE", path, 1);
	setenv("SSL_CERT_DIR", "/nonexistent", 1);
}

static void run_table(enum test_key key)
{
	char store[] = "/tmp/sluice-test-store-XXXXXX";

	make_certs(key);
	make_system_store(store);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		run_row(&rows[i]);
	unlink(store);
	free_certs();
}

static void test_table_ec(void **state)
{
	(void)state;
	run_table(TEST_KEY_EC);
}

static void test_table_rsa(void **state)
{
	(void)state;
	run_table(TEST_KEY_RSA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_ec),
		cmocka_unit_test(test_table_rsa),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
