// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * certs - the certificates of test_certificates.sh, made now: certs DIRECTORY
 *
 * Writes NAME.crt and NAME.key for every row of the table, and NAME.crl for every list; expired.ocsp,
 * an answer of OCSP that the openssl command cannot make.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/lib/certs.h"

#define HOST "a.probe.test"
#define SAN "DNS:" HOST
#define SIGNS "critical,keyCertSign,cRLSign"
#define CERTS (sizeof(rows) / sizeof(rows[0]))
#define FILE_LEN 4096

/* An issuer, and whose key is the same, come before whom they are named by. */
static const struct row {
	const char *name, *issuer, *same_key_as;
	struct test_cert_spec spec;
	int from_days, to_days; /* from now; 0: a day ago, in a year */
} rows[] = {
	{ "root", .spec = { .cn = "Root", .ca = true } },
	{ "renewed", .same_key_as = "root", .spec = { .cn = "Root", .ca = true }, .to_days = 700 },
	{ "samename", .spec = { .cn = "Root", .ca = true } },
	{ "other", .spec = { .cn = "Other", .ca = true } },
	{ "junk", .spec = { .cn = "Junk", .ca = true } },
	{ "int", "root", .spec = { .cn = "Int", .ca = true } },
	{ "int_ds", "root", "int",
	  .spec = { .cn = "Int", .ca = true, .key_usage = SIGNS ",digitalSignature" } },
	{ "int2", "int", .spec = { .cn = "Int 2", .ca = true } },
	{ "int3", "int2", .spec = { .cn = "Int 3", .ca = true } },
	{ "leaf", "int",
	  .spec = { .cn = "Leaf",
		    .san = SAN,
		    .eku = "serverAuth",
		    .ca_issuers = "http://ca.test/int.crt" } },
	{ "leaf_root", "root", .spec = { .cn = "Leaf", .san = SAN } },
	{ "leaf3", "int2", .spec = { .cn = "Leaf", .san = SAN } },
	{ "leaf4", "int3", .spec = { .cn = "Leaf", .san = SAN } },
	/* RSA from the root to the leaf. */
	{ "rsa_root", .spec = { .cn = "RSA Root", .key = TEST_KEY_RSA, .ca = true } },
	{ "rsa_int", "rsa_root", .spec = { .cn = "RSA Int", .key = TEST_KEY_RSA, .ca = true } },
	{ "rsa_leaf", "rsa_int", .spec = { .cn = "Leaf", .key = TEST_KEY_RSA, .san = SAN } },
	/* Dates. */
	{ "expired", "int", .spec = { .cn = "Leaf", .san = SAN }, .from_days = -20,
	  .to_days = -10 },
	{ "future", "int", .spec = { .cn = "Leaf", .san = SAN }, .from_days = 10, .to_days = 100 },
	{ "soon", "int", .spec = { .cn = "Leaf", .san = SAN }, .to_days = 5 },
	{ "int_old", "root", .spec = { .cn = "Int old", .ca = true }, .from_days = -20,
	  .to_days = -10 },
	{ "of_int_old", "int_old", .spec = { .cn = "Leaf", .san = SAN } },
	{ "root_old", .spec = { .cn = "Root old", .ca = true }, .from_days = -20, .to_days = -10 },
	{ "int_of_old", "root_old", .spec = { .cn = "Int young", .ca = true } },
	{ "of_root_old", "int_of_old", .spec = { .cn = "Leaf", .san = SAN } },
	/* Signed by themselves: no CA, nothing said of CAs, a CA, a CA that may also serve. */
	{ "self", .spec = { .cn = "Self", .san = SAN } },
	{ "self_bare", .spec = { .cn = "Self", .san = SAN, .no_basic_constraints = true } },
	{ "self_ca", .spec = { .cn = "Self", .san = SAN, .ca = true } },
	{ "self_ca_ds", .spec = { .cn = "Self",
				  .san = SAN,
				  .ca = true,
				  .key_usage = SIGNS ",digitalSignature" } },
	/* What the verifier refuses. */
	{ "client", "int", .spec = { .cn = "Leaf", .san = SAN, .eku = "clientAuth" } },
	{ "weak", "int", .spec = { .cn = "Leaf", .san = SAN, .key = TEST_KEY_RSA_1024 } },
	{ "sha1", "int", .spec = { .cn = "Leaf", .san = SAN, .digest = "SHA1" } },
	{ "int_sha1", "root", "int", .spec = { .cn = "Int", .ca = true, .digest = "SHA1" } },
	{ "short", "root", .spec = { .cn = "Int short", .ca = true, .pathlen = 1 } },
	{ "below_short", "short", .spec = { .cn = "Int below", .ca = true } },
	{ "of_short", "below_short", .spec = { .cn = "Leaf", .san = SAN } },
	{ "limited", "root",
	  .spec = { .cn = "Int limited",
		    .ca = true,
		    .name_constraints = "critical,permitted;DNS:b.test" } },
	{ "of_limited", "limited", .spec = { .cn = "Leaf", .san = SAN } },
	{ "staple", "int", .spec = { .cn = "Leaf", .san = SAN, .must_staple = true } },
	{ "responder", "int", .spec = { .cn = "Responder", .eku = "OCSPSigning" } },
	/* Names. */
	{ "ip", "int", .spec = { .cn = "Leaf", .san = "IP:10.2.1.2" } },
	{ "loopback", "int", .spec = { .cn = "Leaf", .san = "IP:127.0.0.1" } },
	{ "ip_in_dns", "int", .spec = { .cn = "10.2.1.2", .san = "DNS:10.2.1.2" } },
	{ "ip_in_cn", "int", .spec = { .cn = "10.2.1.2" } },
	{ "cn", "int", .spec = { .cn = HOST } },
	{ "cn_and_dns", "int", .spec = { .cn = HOST, .san = "DNS:b.test" } },
	{ "cn_and_ip", "int", .spec = { .cn = HOST, .san = "IP:10.9.9.9" } },
	{ "cn_and_mail", "int", .spec = { .cn = HOST, .san = "email:me@probe.test" } },
	{ "wild", "int", .spec = { .cn = "Leaf", .san = "DNS:*.probe.test" } },
	{ "partly_wild", "int", .spec = { .cn = "Leaf", .san = "DNS:a*.probe.test" } },
};

/* The intermediate's word on its leaves; from and to in days. */
static const struct list {
	const char *name, *issuer, *revoked;
	int from_days, to_days;
} lists[] = {
	{ "fresh", "int", NULL, -1, 10 },     { "revoked", "int", "leaf", -1, 10 },
	{ "stale", "int", NULL, -20, -10 },   { "early", "int", NULL, 10, 20 },
	{ "foreign", "other", NULL, -1, 10 },
};

static struct test_cert *made[CERTS];

static const struct test_cert *find(const char *name)
{
	for (size_t i = 0; name && i < CERTS && made[i]; i++)
		if (!strcmp(rows[i].name, name))
			return made[i];
	if (!name)
		return NULL;
	fprintf(stderr, "certs: there is no %s yet\n", name);
	exit(EXIT_FAILURE);
}

static int64_t in_days(int days)
{
	return days ? time(NULL) + days * TEST_DAY_S : 0;
}

static const char *file(char buf[FILE_LEN], const char *directory, const char *name,
			const char *end)
{
	snprintf(buf, FILE_LEN, "%s/%s.%s", directory, name, end);
	return buf;
}

static void make(const char *directory, size_t i)
{
	struct test_cert_spec spec = rows[i].spec;
	const struct test_cert *alone[2] = { NULL };
	char path[FILE_LEN];

	spec.issuer = find(rows[i].issuer);
	spec.same_key_as = find(rows[i].same_key_as);
	spec.not_before = in_days(rows[i].from_days);
	spec.not_after = in_days(rows[i].to_days);
	made[i] = test_cert_new(&spec);
	alone[0] = made[i];
	test_certs_write(file(path, directory, rows[i].name, "crt"), alone);
	test_key_write(file(path, directory, rows[i].name, "key"), made[i]);
}

static void make_list(const char *directory, const struct list *list)
{
	char path[FILE_LEN];
	X509_CRL *crl = test_crl(find(list->issuer), find(list->revoked), in_days(list->from_days),
				 in_days(list->to_days));

	test_crl_write(file(path, directory, list->name, "crl"), crl, true);
	X509_CRL_free(crl);
}

static void make_expired_answer(const char *directory)
{
	const struct test_ocsp_spec spec = { .cert = find("leaf"),
					     .issuer = find("int"),
					     .this_update = in_days(-3),
					     .next_update = in_days(-1) };
	char path[FILE_LEN];
	size_t len;
	uint8_t *der = test_ocsp(&len, &spec);
	FILE *out = fopen(file(path, directory, "expired", "ocsp"), "w");

	if (!out || fwrite(der, 1, len, out) != len || fclose(out)) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	free(der);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: certs DIRECTORY\n", stderr);
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < CERTS; i++)
		make(argv[1], i);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		make_list(argv[1], &lists[i]);
	make_expired_answer(argv[1]);
	for (size_t i = 0; i < CERTS; i++)
		test_cert_free(made[i]);
	return EXIT_SUCCESS;
}
