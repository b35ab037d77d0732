// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/x509_vfy.h>

#include "probe/chain_name.h"
#include "tests/lib/certs.h"

#define MATCH X509_V_OK
#define NO_HOST X509_V_ERR_HOSTNAME_MISMATCH
#define NO_IP X509_V_ERR_IP_ADDRESS_MISMATCH
#define LABEL_63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"
#define HOST_251 LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63

static const struct {
	const char *san, *cn; /* NULL: none */
	const char *name;
	int result;
} rows[] = {
	/* DNS names. */
	{ "DNS:a.test", "x", "a.test", MATCH },
	{ "DNS:a.test", "x", "A.Test", MATCH },
	{ "DNS:A.TEST", "x", "a.test", MATCH },
	{ "DNS:a.test", "x", "a.test.", MATCH },
	{ "DNS:a.test", "x", "a.test..", NO_HOST },
	{ "DNS:a.test", "x", "b.test", NO_HOST },
	{ "DNS:a.test", "x", ".test", NO_HOST },
	{ "DNS:a.test", "x", "", NO_HOST },
	{ "DNS:a.test", "x", ".", NO_HOST },
	{ "DNS:a.test", "x", HOST_251 ".test", NO_HOST },
	{ "DNS:a.test,DNS:b.test,IP:10.0.0.5", "x", "b.test", MATCH },
	{ "DNS:xn--bcher-kva.test", "x", "xn--bcher-kva.test", MATCH },
	/* Wildcards. */
	{ "DNS:*.probe.test", "x", "a.probe.test", MATCH },
	{ "DNS:*.probe.test", "x", "A.PROBE.test", MATCH },
	{ "DNS:*.probe.test", "x", "a.b.probe.test", NO_HOST },
	{ "DNS:*.probe.test", "x", "probe.test", NO_HOST },
	{ "DNS:*.probe.test", "x", ".probe.test", NO_HOST },
	{ "DNS:a*.probe.test", "x", "ab.probe.test", NO_HOST },
	{ "DNS:*a.probe.test", "x", "ba.probe.test", NO_HOST },
	{ "DNS:a.*.test", "x", "a.probe.test", NO_HOST },
	{ "DNS:*", "x", "test", NO_HOST },
	{ "DNS:*.test", "x", "a.test", NO_HOST },
	{ "DNS:*.0.0.5", "x", "10.0.0.5", NO_IP },
	/* The CN counts only where there are no alternative names. */
	{ NULL, "a.test", "a.test", MATCH },
	{ NULL, "*.probe.test", "a.probe.test", MATCH },
	{ NULL, NULL, "a.test", NO_HOST },
	{ "DNS:b.test", "a.test", "a.test", NO_HOST },
	{ "IP:10.0.0.5", "a.test", "a.test", NO_HOST },
	{ "email:a@b.test", "a.test", "a.test", NO_HOST },
	{ "URI:https://a.test/", "a.test", "a.test", NO_HOST },
	/* Addresses. */
	{ "IP:10.0.0.5", "x", "10.0.0.5", MATCH },
	{ "IP:10.0.0.5", "x", "10.0.0.6", NO_IP },
	{ "DNS:10.0.0.5", "x", "10.0.0.5", NO_IP },
	{ NULL, "10.0.0.5", "10.0.0.5", NO_IP },
	{ "DNS:a.test", "10.0.0.5", "10.0.0.5", NO_IP },
	{ "IP:fd00::5", "x", "fd00::5", MATCH },
	{ "IP:fd00::5", "x", "[fd00::5]", MATCH },
	{ "IP:fd00::5", "x", "FD00:0::5", MATCH },
	{ "IP:fd00::5", "x", "[fd00::6]", NO_IP },
	{ "IP:10.0.0.5", "x", "::ffff:10.0.0.5", NO_IP },
	{ "DNS:a.test", "x", "[a.test]", MATCH },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(test_cert_free_p)
		struct test_cert *cert = test_cert_new(
			&(struct test_cert_spec){ .cn = rows[i].cn, .san = rows[i].san });
		int result = chain_name_check(cert->x509, rows[i].name);

		if (result != rows[i].result)
			fail_msg("san %s cn %s name %s: %d", rows[i].san, rows[i].cn, rows[i].name,
				 result);
	}
}

/* "a.test\0.evil.test" is not a.test. */
static void test_nul(void **state)
{
	static const uint8_t cn[] = "a.test\0.evil.test";
	CLEANUP(test_cert_free_p)
	struct test_cert *cert = test_cert_new(
		&(struct test_cert_spec){ .raw_cn = cn, .raw_cn_len = sizeof(cn) - 1 });

	(void)state;
	assert_int_equal(chain_name_check(cert->x509, "a.test"), NO_HOST);
}

static void test_questions(void **state)
{
	CLEANUP(test_cert_free_p)
	struct test_cert *with = test_cert_new(&(struct test_cert_spec){ .san = "IP:10.0.0.5" });
	CLEANUP(test_cert_free_p)
	struct test_cert *without = test_cert_new(&(struct test_cert_spec){ .cn = "a.test" });

	(void)state;
	assert_true(chain_name_has_alternatives(with->x509));
	assert_false(chain_name_has_alternatives(without->x509));
	assert_true(chain_name_is_address("10.0.0.5"));
	assert_true(chain_name_is_address("[fd00::5]"));
	assert_false(chain_name_is_address("a.test"));
	assert_false(chain_name_is_address("10.0.0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
