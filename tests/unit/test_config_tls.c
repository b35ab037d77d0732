// SPDX-License-Identifier: GPL-2.0-or-later
/* What settings trust: files of certificates, and keys that do not go together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/escape.h"
#include "config/report.h"
#include "model/model.h"
#include "tests/lib/certs.h"
#include "tests/lib/fault.h"

#define GATE "gateway: { interfaces: [ { name: eth0 } ] }\n"
#define HTTPS(keys) GATE "settings: [ { name: w, protocol: https, port: 443, " keys " } ]\n"
#define TCP(keys) GATE "settings: [ { name: w, protocol: tcp, port: 80, " keys " } ]\n"
#define POOL "pools: [ { name: p, backends: [ { address: 10.0.0.5 } ] } ]\n"

static char directory[] = "/tmp/sluice-config-XXXXXX";

static const char *path_to(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static int setup(void **state)
{
	CLEANUP(test_cert_free_p) struct test_cert *root = test_root("Root");
	CLEANUP(test_cert_free_p) struct test_cert *other = test_root("Other");
	const struct test_cert *const one[] = { root, NULL }, *const two[] = { root, other, NULL };

	(void)state;
	assert_non_null(mkdtemp(directory));
	test_certs_write(path_to("root.pem"), one);
	test_certs_write(path_to("two.pem"), two);
	test_key_write(path_to("key.pem"), root);
	fclose(fopen(path_to("empty.pem"), "w"));
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "root.pem", "two.pem", "key.pem", "empty.pem" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(path_to(names[i]));
	return rmdir(directory);
}

static int parse(struct model **ret, const char *yaml, struct report *report)
{
	char name[128];

	snprintf(name, sizeof(name), "%s/t.yaml", directory);
	return config_parse(ret, yaml, strlen(yaml), name, report);
}

static const struct good {
	const char *yaml;
	enum trust_mode mode;
	uint32_t n_certs, n_crls;
} goods[] = {
	{ HTTPS("trusted_roots: [ root.pem ]"), TRUST_UPLOADED, 1, 0 },
	{ HTTPS("trusted_roots: [ two.pem, root.pem ]"), TRUST_UPLOADED, 3, 0 },
	{ HTTPS("allow_listed: [ two.pem ]"), TRUST_ALLOW_LIST, 2, 0 },
	{ HTTPS("trusted_roots: [ ], allow_listed: [ root.pem ]"), TRUST_ALLOW_LIST, 1, 0 },
	{ HTTPS("trusted_roots: [ root.pem ], allow_listed: [ ]"), TRUST_UPLOADED, 1, 0 },
	{ HTTPS("trusted_roots: [ ], allow_listed: [ ], crl: [ ]"), TRUST_WELL_KNOWN, 0, 0 },
	{ HTTPS("trusted_roots: [ root.pem ], crl: [ a.crl, \"http://a.test/b\" ]"), TRUST_UPLOADED,
	  1, 2 },
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(goods) / sizeof(goods[0]); i++) {
		CLEANUP(model_free_p) struct model *model = NULL;
		const struct trust_spec *trust;
		struct report report;

		if (parse(&model, goods[i].yaml, &report) < 0)
			fail_msg("%s%s: %s", goods[i].yaml, report.items[0].key,
				 report.items[0].message);
		trust = &model->settings[0].trust;
		assert_int_equal(trust->mode, goods[i].mode);
		assert_int_equal(trust->n_certs, goods[i].n_certs);
		assert_int_equal(trust->n_crls, goods[i].n_crls);
		for (uint32_t c = 0; c < trust->n_certs; c++)
			assert_true(trust->certs[c].len > 100 && trust->certs[c].path[0] == '/');
		if (trust->n_crls) {
			assert_string_equal(trust->crls[0], path_to("a.crl"));
			assert_string_equal(trust->crls[1], "http://a.test/b");
		}
	}
}

static const struct bad {
	const char *yaml, *key, *value;
	const char *message; /* a part of it */
	unsigned int n_errors;
} bads[] = {
	{ HTTPS("trusted_roots: [ none.pem ]"), "settings[0].trusted_roots[0]", "none.pem",
	  "/none.pem: No such file or directory; allowed: a file of certificates, PEM or DER", 1 },
	{ HTTPS("trusted_roots: [ root.pem, key.pem ]"), "settings[0].trusted_roots[1]", "key.pem",
	  "is a private key, not a certificate; allowed: a file", 1 },
	{ HTTPS("allow_listed: [ empty.pem ]"), "settings[0].allow_listed[0]", "empty.pem",
	  "is empty; allowed: a file", 1 },
	{ HTTPS("allow_listed: [ . ]"), "settings[0].allow_listed[0]", ".", "not a regular file",
	  1 },
	{ HTTPS("allow_listed: [ root.pem ], trusted_roots: [ two.pem ]"),
	  "settings[0].allow_listed", "",
	  "conflicts with trusted_roots on line 2; allowed: one of the two", 1 },
	{ HTTPS("crl: [ \"https://a.test/b\" ]"), "settings[0].crl[0]", "https://a.test/b",
	  "is a URL of another scheme than http: revocation lists are signed themselves; allowed: "
	  "a file or URL of http://, 1..4095 bytes",
	  1 },
	{ HTTPS("crl: [ \"ftp://a.test/b\" ]"), "settings[0].crl[0]", "ftp://a.test/b",
	  "another scheme", 1 },
	{ HTTPS("crl: [ \"http://\" ]"), "settings[0].crl[0]", "http://", "without a proper host",
	  1 },
	{ HTTPS("crl: [ \"http://a b/\" ]"), "settings[0].crl[0]", "http://a b/", "proper host",
	  1 },
	{ HTTPS("crl: [ \"http://u@a.test/\" ]"), "settings[0].crl[0]", "http://u@a.test/",
	  "proper host", 1 },
	{ HTTPS("crl: [ \"http://a.test:0/\" ]"), "settings[0].crl[0]", "http://a.test:0/",
	  "whose port is not a number from 1 to 65535", 1 },
	{ HTTPS("crl: [ \"http://a.test/b c\" ]"), "settings[0].crl[0]", "http://a.test/b c",
	  "has blanks", 1 },
	{ HTTPS("crl: [ \"http://a.test/b#c\" ]"), "settings[0].crl[0]", "http://a.test/b#c",
	  "a URL with a fragment", 1 },
	{ HTTPS("crl: [ \"a\\nb\" ]"), "settings[0].crl[0]", "a?b", "has control characters", 1 },
	{ HTTPS("crl: [ \"\" ]"), "settings[0].crl[0]", "", "is empty", 1 },
	{ HTTPS("full_handshake_every: 0"), "settings[0].full_handshake_every", "0",
	  "is out of range; allowed: 1..1000", 1 },
	{ HTTPS("full_handshake_every: 1001"), "settings[0].full_handshake_every", "1001",
	  "is out of range; allowed: 1..1000", 1 },
	{ HTTPS("sni_name: \"a b\""), "settings[0].sni_name", "a b", "is neither a host name", 1 },
	{ HTTPS("host_name: a.test, host_name_from_backend: true"),
	  "settings[0].host_name_from_backend", "true", "conflicts with host_name on line 2", 1 },
	/* TLS keys where nothing speaks TLS. */
	{ TCP("trusted_roots: [ root.pem ]"), "settings[0].trusted_roots", "",
	  "is for TLS, which neither these settings (protocol tcp) nor their probe (tcp) speak",
	  1 },
	{ TCP("allow_listed: [ root.pem ], crl: [ a ], sni_name: a.test, validate_sni: false, "
	      "validate_chain_and_expiry: false, full_handshake_every: 2"),
	  "settings[0].allow_listed", "", "is for TLS", 6 },
	/* Backends without a name of their own. */
	{ HTTPS("host_name_from_backend: true") POOL
	  "services: [ { name: s, pool: p, settings: w } ]\n",
	  "services[0].settings", "w",
	  "take the host from the backend's name (host_name_from_backend), but backend 10.0.0.5 of "
	  "pool 'p' is an IP address; allowed: host names in the pool, or host_name in the "
	  "settings",
	  1 },
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		CLEANUP(model_free_p) struct model *model = NULL;
		struct report report;

		if (parse(&model, bads[i].yaml, &report) != -EINVAL)
			fail_msg("accepted: %s", bads[i].yaml);
		if (strcmp(report.items[0].key, bads[i].key) != 0 ||
		    strcmp(report.items[0].value, bads[i].value) != 0 ||
		    !strstr(report.items[0].message, bads[i].message) ||
		    report.n_errors != bads[i].n_errors)
			fail_msg("%s%zu errors, the first: %s: '%s': %s", bads[i].yaml,
				 report.n_errors, report.items[0].key, report.items[0].value,
				 report.items[0].message);
		assert_int_equal(report.items[0].line, strstr(bads[i].key, "services") ? 4 : 2);
	}
}

/* Settings that no service uses may ask for names that nobody has. */
static void test_unused(void **state)
{
	static const char yaml[] =
		HTTPS("host_name_from_backend: true") POOL "services: [ ]\n"
							   "probes: [ { name: f, protocol: https, "
							   "host_from_settings: true } ]\n";
	CLEANUP(model_free_p) struct model *model = NULL;
	struct report report;

	(void)state;
	assert_int_equal(parse(&model, yaml, &report), 0);
}

static void print_list(char *buf, size_t size, int n)
{
	size_t len = (size_t)snprintf(
		buf, size, GATE "settings: [ { name: w, protocol: https, port: 1, crl: [ ");

	for (int i = 0; i < n; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%d.crl", i ? ", " : "", i);
	snprintf(buf + len, size - len, " ] } ]\n");
}

static void test_limit(void **state)
{
	CLEANUP(model_free_p) struct model *model = NULL;
	char yaml[2048];
	struct report report;

	(void)state;
	print_list(yaml, sizeof(yaml), LIMIT_LIST_ITEMS);
	assert_int_equal(parse(&model, yaml, &report), 0);
	assert_int_equal(model->settings[0].trust.n_crls, LIMIT_LIST_ITEMS);
	model_free(take_ptr(model));
	print_list(yaml, sizeof(yaml), LIMIT_LIST_ITEMS + 1);
	assert_int_equal(parse(&model, yaml, &report), -EINVAL);
	assert_string_equal(report.items[0].message, "has 101 entries; allowed: at most 100");
}

#define EVERYTHING                                                                    \
	GATE "probes: [ { name: u, protocol: udp, send: '\\x00' } ]\n"                \
	     "settings: [ { name: w, protocol: https, port: 443, sni_name: a.test,\n" \
	     "              trusted_roots: [ two.pem ], crl: [ a.crl, /b.crl ] },\n"  \
	     "            { name: v, protocol: udp, port: 53, probe: u } ]\n"

/* Fail the n-th allocation, for every n until none fails any more. */
static void test_memory(void **state)
{
	CLEANUP(model_free_p) struct model *model = NULL;
	struct report report;
	int n = 0, r;

	(void)state;
	for (;; n++) {
		fault_after(FAULT_MEMORY, n, ENOMEM);
		r = parse(&model, EVERYTHING, &report);
		if (!fault_clear(FAULT_MEMORY))
			break;
		assert_int_equal(r, -ENOMEM);
		assert_null(model);
		assert_int_equal(report.n_errors, 0);
	}
	assert_int_equal(r, 0);
	assert_true(n > 20);
}

static void test_escapes(void **state)
{
	static const struct {
		const char *text;
		int len; /* or -errno */
		uint8_t bytes[4];
	} rows[] = {
		{ "", 0, { 0 } },
		{ "abcd", 4, "abcd" },
		{ "abcde", -ENOSPC, { 0 } },
		{ "\\n\\r\\t\\\\", 4, "\n\r\t\\" },
		{ "\\x00\\xfF\\x0a1", 4, { 0, 0xff, '\n', '1' } },
		{ "\\x00\\x00\\x00\\x00\\x00", -ENOSPC, { 0 } },
		{ "\xc3\xa4", 2, { 0xc3, 0xa4 } },
		{ "\\", -EINVAL, { 0 } },
		{ "\\x", -EINVAL, { 0 } },
		{ "\\x1", -EINVAL, { 0 } },
		{ "\\x1g", -EINVAL, { 0 } },
		{ "\\xg1", -EINVAL, { 0 } },
		{ "\\N", -EINVAL, { 0 } },
		{ "\\0", -EINVAL, { 0 } },
	};
	uint8_t buf[4];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int len = escape_resolve(buf, sizeof(buf), rows[i].text);

		if (len != rows[i].len)
			fail_msg("'%s': %d", rows[i].text, len);
		if (len > 0)
			assert_memory_equal(buf, rows[i].bytes, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),   cmocka_unit_test(test_bad),
		cmocka_unit_test(test_unused), cmocka_unit_test(test_limit),
		cmocka_unit_test(test_memory), cmocka_unit_test(test_escapes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
