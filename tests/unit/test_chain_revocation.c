// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Revocation lists and stapled responses, and the time: what was true is not true for ever.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "probe/chain.h"
#include "probe/x509_time.h"
#include "tests/lib/certs.h"

#define NAME "a.probe.test"
#define HOUR_S 3600
#define W_BAD SL_WARN_OCSP_STAPLE_BAD

static struct test_cert *root, *inter, *leaf, *expired, *responder, *stranger, *client;
static char dir[] = "/tmp/sluice-test-crl-XXXXXX";
static char inter_crl[64], root_crl[64];
static int64_t now;

static int make_certs(void **state)
{
	(void)state;
	now = time(NULL);
	root = test_root("Root");
	inter = test_ca("Int", root);
	leaf = test_leaf(NAME, inter);
	expired = test_cert_new(&(struct test_cert_spec){ .cn = "Old",
							  .issuer = inter,
							  .san = "DNS:" NAME,
							  .not_before = now - 20 * TEST_DAY_S,
							  .not_after = now - 10 * TEST_DAY_S });
	responder = test_cert_new(&(struct test_cert_spec){
		.cn = "Responder", .issuer = inter, .eku = "OCSPSigning" });
	client = test_cert_new(
		&(struct test_cert_spec){ .cn = "Client", .issuer = inter, .eku = "clientAuth" });
	stranger = test_root("Stranger");
	if (!mkdtemp(dir))
		return -1;
	snprintf(inter_crl, sizeof(inter_crl), "%s/int.crl", dir);
	snprintf(root_crl, sizeof(root_crl), "%s/root.crl", dir);
	return 0;
}

static int free_certs(void **state)
{
	struct test_cert *all[] = { root, inter, leaf, expired, responder, stranger, client };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		test_cert_free(all[i]);
	unlink(inter_crl);
	unlink(root_crl);
	return rmdir(dir);
}

/* Leaf and int are sent; the caller says the rest. */
static enum sl_message judge(struct tls_facts *facts, struct chain_input input,
			     const struct test_cert *shown)
{
	STACK_OF(X509) *sent = sk_X509_new_null();
	enum sl_message code;

	sk_X509_push(sent, shown->x509);
	sk_X509_push(sent, inter->x509);
	input.sent = sent;
	input.check_chain = input.check_name = input.name_configured = input.sni_sent = true;
	if (!input.name)
		input.name = NAME;
	if (!input.now_s)
		input.now_s = now;
	*facts = (struct tls_facts){ 0 };
	code = chain_judge(facts, &input);
	sk_X509_free(sent);
	return code;
}

static struct trust *trust_in_root(struct trust_spec *spec, char **crls, uint32_t n_crls)
{
	struct trust *trust = NULL;

	*spec = (struct trust_spec){ .mode = TRUST_UPLOADED };
	test_trust_add(spec, root);
	spec->crls = crls;
	spec->n_crls = n_crls;
	assert_int_equal(trust_new(&trust, spec, NULL), 0);
	return trust;
}

/* --- lists ------------------------------------------------------------------------------------ */

enum list { NO_LIST, GOOD, REVOKED, OLD, FUTURE, GARBAGE, FOREIGN };

static const struct list_row {
	enum list of_inter, of_root; /* NO_LIST for the root: it is not configured either */
	bool shows_expired, other_name;
	int code, also[2], x509, depth;
	const char *fact;
} list_rows[] = {
	{ .of_inter = GOOD, .code = 0 },
	{ .of_inter = REVOKED, .code = 15, .x509 = 23, .fact = "revoked" },
	{ .of_inter = NO_LIST, .code = 19, .x509 = 3, .fact = "int.crl: No such file" },
	{ .of_inter = OLD, .code = 19, .x509 = 12, .fact = "CRL has expired" },
	{ .of_inter = FUTURE, .code = 19, .x509 = 11 },
	{ .of_inter = GARBAGE, .code = 19, .x509 = 3, .fact = "int.crl: not a revocation list" },
	{ .of_inter = FOREIGN, .code = 19, .x509 = 3, .fact = "issuer 'CN=Int'" },
	/* What is certain comes first. */
	{ .of_inter = NO_LIST, .shows_expired = true, .code = 7, .also = { 19 }, .x509 = 10 },
	{ .of_inter = NO_LIST, .other_name = true, .code = 6, .also = { 19 }, .x509 = 62 },
	{ .of_inter = OLD,
	  .shows_expired = true,
	  .other_name = true,
	  .code = 6,
	  .also = { 7, 19 },
	  .x509 = 62 },
	{ .of_inter = REVOKED, .other_name = true, .code = 6, .also = { 15 }, .x509 = 62 },
	/* Lists of CAs are used where there are any. */
	{ .of_inter = GOOD, .of_root = GOOD, .code = 0 },
	{ .of_inter = GOOD, .of_root = REVOKED, .code = 15, .x509 = 23, .depth = 1 },
	{ .of_inter = GOOD, .of_root = OLD, .code = 19, .x509 = 12, .depth = 1 },
	{ .of_inter = GOOD, .of_root = GARBAGE, .code = 19, .x509 = 3, .depth = 1 },
};

static void write_list(const char *path, enum list list, const struct test_cert *issuer,
		       const struct test_cert *revoked)
{
	X509_CRL *crl;
	FILE *file;

	unlink(path);
	if (list == NO_LIST)
		return;
	if (list == GARBAGE) {
		file = fopen(path, "w");
		assert_non_null(file);
		fputs("certainly nothing of the kind", file);
		fclose(file);
		return;
	}
	crl = test_crl(list == FOREIGN ? stranger : issuer, list == REVOKED ? revoked : NULL,
		       list == FUTURE ? now + HOUR_S : now - 2 * HOUR_S,
		       list == OLD ? now - HOUR_S : now + 2 * HOUR_S);
	test_crl_write(path, crl, list == GOOD);
	X509_CRL_free(crl);
}

static void run_list_row(const struct list_row *row)
{
	char *paths[] = { inter_crl, root_crl };
	struct trust_spec spec;
	CLEANUP(trust_free_p) struct trust *trust = NULL;
	struct tls_facts facts;
	enum sl_message code;

	write_list(inter_crl, row->of_inter, inter, leaf);
	write_list(root_crl, row->of_root, root, inter);
	trust = trust_in_root(&spec, paths, row->of_root ? 2 : 1);
	code = judge(
		&facts,
		(struct chain_input){ .trust = trust, .name = row->other_name ? "b.test" : NAME },
		row->shows_expired ? expired : leaf);
	if ((int)code != row->code || facts.x509_code != row->x509 ||
	    facts.x509_depth != row->depth || facts.also[0] != row->also[0] ||
	    facts.also[1] != row->also[1])
		fail_msg("row %td: code %d x509 %d@%d also %d,%d: %s", row - list_rows, code,
			 facts.x509_code, facts.x509_depth, facts.also[0], facts.also[1],
			 facts.certs->fact ? facts.certs->fact : "");
	if (row->fact && !strstr(facts.certs->fact, row->fact))
		fail_msg("row %td: %s", row - list_rows, facts.certs->fact);
	certs_unref(facts.certs);
	test_trust_clear(&spec);
}

static void test_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(list_rows) / sizeof(list_rows[0]); i++)
		run_list_row(&list_rows[i]);
}

/* --- stapled responses ------------------------------------------------------------------------ */

enum signer { ISSUER, DELEGATE, CLIENT, STRANGER };

static const struct staple_row {
	enum test_ocsp_status status;
	enum signer signer;
	bool other_cert, cut;
	int from_h, to_h; /* hours from now; 0: current */
	int code, x509;
	uint16_t warnings;
} staple_rows[] = {
	{ .status = TEST_OCSP_GOOD },
	{ .status = TEST_OCSP_GOOD, .signer = DELEGATE },
	{ .status = TEST_OCSP_REVOKED, .code = 15, .x509 = 23 },
	{ .status = TEST_OCSP_REVOKED, .signer = DELEGATE, .code = 15, .x509 = 23 },
	{ .status = TEST_OCSP_UNKNOWN, .warnings = W_BAD },
	{ .status = TEST_OCSP_GOOD, .signer = STRANGER, .warnings = W_BAD },
	{ .status = TEST_OCSP_REVOKED, .signer = STRANGER, .warnings = W_BAD },
	{ .status = TEST_OCSP_REVOKED, .signer = CLIENT, .warnings = W_BAD },
	{ .status = TEST_OCSP_GOOD, .other_cert = true, .warnings = W_BAD },
	{ .status = TEST_OCSP_REVOKED, .other_cert = true, .warnings = W_BAD },
	{ .status = TEST_OCSP_GOOD, .cut = true, .warnings = W_BAD },
	{ .status = TEST_OCSP_GOOD, .from_h = -4, .to_h = -2, .warnings = W_BAD },
	{ .status = TEST_OCSP_REVOKED, .from_h = -4, .to_h = -2, .warnings = W_BAD },
	{ .status = TEST_OCSP_GOOD, .from_h = 2, .to_h = 4, .warnings = W_BAD },
};

static void run_staple_row(const struct staple_row *row, struct trust *trust)
{
	const struct test_cert *signers[] = { inter, responder, client, stranger };
	struct test_ocsp_spec spec = {
		.cert = row->other_cert ? expired : leaf,
		.issuer = inter,
		.signer = signers[row->signer],
		.status = row->status,
		.this_update = row->from_h ? now + row->from_h * HOUR_S : 0,
		.next_update = row->to_h ? now + row->to_h * HOUR_S : 0,
	};
	struct tls_facts facts;
	enum sl_message code;
	size_t len;
	CLEANUP(free_p) uint8_t *staple = test_ocsp(&len, &spec);

	code = judge(&facts,
		     (struct chain_input){
			     .trust = trust, .ocsp = staple, .ocsp_len = row->cut ? len - 9 : len },
		     leaf);
	if ((int)code != row->code || facts.x509_code != row->x509 ||
	    facts.warnings != row->warnings)
		fail_msg("row %td: code %d x509 %d warnings %x", row - staple_rows, code,
			 facts.x509_code, facts.warnings);
	certs_unref(facts.certs);
}

static void test_staples(void **state)
{
	struct trust_spec spec;
	CLEANUP(trust_free_p) struct trust *trust = trust_in_root(&spec, NULL, 0);

	(void)state;
	for (size_t i = 0; i < sizeof(staple_rows) / sizeof(staple_rows[0]); i++)
		run_staple_row(&staple_rows[i], trust);
	test_trust_clear(&spec);
}

/* --- time ------------------------------------------------------------------------------------- */

/* One trust throughout: nothing that was found at one time may be said at another. */
static void test_time(void **state)
{
	static const struct {
		int64_t days, seconds;
		int code, x509;
		uint16_t warnings;
	} rows[] = {
		{ 0, 0, 0, 0, 0 },
		{ -1, -10, 7, 9, 0 },
		{ -1, 10, 0, 0, 0 },
		{ 365, 10, 7, 10, 0 },
		{ 364, 0, 0, 0, SL_WARN_CERT_EXPIRES_SOON },
		{ 335, -10, 0, 0, 0 },
		{ 335, 10, 0, 0, SL_WARN_CERT_EXPIRES_SOON },
		{ -400, 0, 7, 9, 0 },
		{ 0, 0, 0, 0, 0 },
		{ 10000, 0, 7, 10, 0 },
		{ 0, 5, 0, 0, 0 },
	};
	struct trust_spec spec;
	CLEANUP(trust_free_p) struct trust *trust = trust_in_root(&spec, NULL, 0);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct chain_input input = {
			.trust = trust, .now_s = now + rows[i].days * TEST_DAY_S + rows[i].seconds
		};
		struct tls_facts facts;
		enum sl_message code = judge(&facts, input, leaf);

		if ((int)code != rows[i].code || facts.x509_code != rows[i].x509 ||
		    facts.warnings != rows[i].warnings)
			fail_msg("row %zu: code %d x509 %d warnings %x", i, code, facts.x509_code,
				 facts.warnings);
		certs_unref(facts.certs);
	}
	test_trust_clear(&spec);
}

/* Judge the leaf by a trust at this time: what it is, and whether it expires soon. */
static void check_second(struct trust *trust, int64_t now_s, enum sl_message code,
			 uint16_t warnings, const char *what)
{
	struct tls_facts facts;
	enum sl_message got =
		judge(&facts, (struct chain_input){ .trust = trust, .now_s = now_s }, leaf);

	if (got != code || facts.warnings != warnings)
		fail_msg("%s: code %d, warnings %x", what, got, facts.warnings);
	/* Whoever shows the date says the same. */
	assert_int_equal(cert_has_expired(facts.certs->certs[0].not_after, now_s),
			 code == SL_MSG_CERT_DATE_INVALID);
	certs_unref(facts.certs);
}

/* OpenSSL's verifier, our own look at the dates, warnings and texts agree on the last second. */
static void test_last_second(void **state)
{
	struct trust_spec uploaded, listed = { .mode = TRUST_ALLOW_LIST };
	CLEANUP(trust_free_p) struct trust *by_root = trust_in_root(&uploaded, NULL, 0);
	CLEANUP(trust_free_p) struct trust *by_list = NULL;
	int64_t end = x509_time(X509_get0_notAfter(leaf->x509));

	(void)state;
	test_trust_add(&listed, leaf);
	assert_int_equal(trust_new(&by_list, &listed, NULL), 0);
	for (int i = 0; i < 2; i++) {
		struct trust *trust = i ? by_list : by_root;
		const char *what = i ? "allow list" : "chain";

		check_second(trust, end - 30 * TEST_DAY_S, SL_MSG_OK, 0, what);
		check_second(trust, end - 30 * TEST_DAY_S + 1, SL_MSG_OK, SL_WARN_CERT_EXPIRES_SOON,
			     what);
		check_second(trust, end - 1, SL_MSG_OK, SL_WARN_CERT_EXPIRES_SOON, what);
		check_second(trust, end, SL_MSG_CERT_DATE_INVALID, 0, what);
		check_second(trust, end + 1, SL_MSG_CERT_DATE_INVALID, 0, what);
	}
	test_trust_clear(&uploaded);
	test_trust_clear(&listed);
}

/* The same for a staple and for lists, which end earlier than certificates. */
static void test_time_of_others(void **state)
{
	char *paths[] = { inter_crl };
	struct trust_spec spec;
	CLEANUP(trust_free_p) struct trust *trust = NULL;
	size_t len;
	CLEANUP(free_p)
	uint8_t *staple =
		test_ocsp(&len, &(struct test_ocsp_spec){ .cert = leaf, .issuer = inter });
	struct chain_input input = { .ocsp = staple, .ocsp_len = len };
	struct tls_facts facts;

	(void)state;
	write_list(inter_crl, GOOD, inter, leaf);
	input.trust = trust = trust_in_root(&spec, paths, 1);
	for (int i = 0; i < 2; i++) {
		input.now_s = now;
		assert_int_equal(judge(&facts, input, leaf), SL_MSG_OK);
		assert_int_equal(facts.warnings, 0);
		certs_unref(facts.certs);
		input.now_s = now + 3 * HOUR_S;
		assert_int_equal(judge(&facts, input, leaf), SL_MSG_UNKNOWN_CRL_UNREACHABLE);
		assert_int_equal(facts.warnings, 0);
		certs_unref(facts.certs);
		input.now_s = now + 30 * HOUR_S;
		judge(&facts, input, leaf);
		assert_int_equal(facts.warnings, W_BAD);
		certs_unref(facts.certs);
	}
	test_trust_clear(&spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),          cmocka_unit_test(test_staples),
		cmocka_unit_test(test_time),           cmocka_unit_test(test_last_second),
		cmocka_unit_test(test_time_of_others),
	};

	return cmocka_run_group_tests(tests, make_certs, free_certs);
}
