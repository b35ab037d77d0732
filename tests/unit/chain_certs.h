/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chain_certs - the certificates that the table of test_chain is about; included by its .c.
 */
#ifndef SLUICE_TESTS_CHAIN_CERTS_H
#define SLUICE_TESTS_CHAIN_CERTS_H

#include <string.h>
#include <time.h>

#include "tests/lib/certs.h"

#define NAME "a.probe.test"

enum id {
	NONE,
	ROOT, /* root - int - leaf, and what is made of it */
	RENEWED, /* root's name and key, other dates */
	SAMENAME, /* root's name, other key */
	ROOT_BARE, /* without key identifiers, as the next ones */
	SAMENAME_BARE,
	INT_BARE,
	LEAF_BARE,
	LEAF_BY_ROOT_BARE,
	LEAF_FORGED_BARE, /* says to be signed by ROOT_BARE */
	OTHER,
	INT,
	INT_DS, /* int with digitalSignature */
	LEAF,
	LEAF_BY_ROOT,
	LEAF_EXPIRED,
	LEAF_FUTURE,
	LEAF_CLIENT,
	LEAF_SHA1,
	LEAF_WEAK,
	LEAF_SOON,
	LEAF_STAPLE,
	INT_EXPIRED,
	LEAF_OF_EXPIRED,
	ROOT_EXPIRED,
	INT_OF_EXPIRED,
	LEAF_OF_EXPIRED_ROOT,
	INT_PATHLEN, /* allows no CA below */
	INT_BELOW,
	LEAF_BELOW,
	INT_LIMITED, /* name constraints */
	LEAF_LIMITED,
	INT2, /* root - int - int2 - int3 - leaf4 */
	INT3,
	LEAF3,
	LEAF4,
	JUNK, /* a CA that has nothing to do with anything */
	SELF, /* signed itself, CA:FALSE */
	SELF_BARE, /* ... no basic constraints */
	SELF_CA, /* a CA for NAME: may sign certificates only */
	SELF_CA_DS, /* ... and digitalSignature */
	SYSTEM, /* in the system's store */
	SYSTEM_LEAF,
	CA_NAMED, /* a CA below root that is for NAME */
	LOOP_A, /* A signs B signs A */
	LOOP_B,
	LOOP_END, /* A's name and key, signed by B */
	LOOP_LEAF,
	IDS
};

/* In this order: an issuer comes before what it signs. */
static const struct made {
	enum id issuer;
	struct test_cert_spec spec;
	enum id same_key_as;
	int from_days, to_days; /* 0: a day ago, in a year */
} made[IDS] = {
	[ROOT] = { .spec = { .cn = "Root", .ca = true } },
	[RENEWED] = { .spec = { .cn = "Root", .ca = true }, .same_key_as = ROOT, .to_days = 700 },
	[SAMENAME] = { .spec = { .cn = "Root", .ca = true } },
	[ROOT_BARE] = { .spec = { .cn = "Bare", .ca = true, .no_key_ids = true } },
	[SAMENAME_BARE] = { .spec = { .cn = "Bare", .ca = true, .no_key_ids = true } },
	[INT_BARE] = { ROOT_BARE, { .cn = "Int bare", .ca = true, .no_key_ids = true } },
	[LEAF_BARE] = { INT_BARE, { .cn = "Leaf", .san = "DNS:" NAME, .no_key_ids = true } },
	[LEAF_BY_ROOT_BARE] = { ROOT_BARE,
				{ .cn = "Leaf", .san = "DNS:" NAME, .no_key_ids = true } },
	[LEAF_FORGED_BARE] = { SAMENAME_BARE,
			       { .cn = "Leaf", .san = "DNS:" NAME, .no_key_ids = true } },
	[OTHER] = { .spec = { .cn = "Other", .ca = true } },
	[INT] = { ROOT, { .cn = "Int", .ca = true } },
	[INT_DS] = { ROOT,
		     { .cn = "Int",
		       .ca = true,
		       .key_usage = "critical,keyCertSign,cRLSign,digitalSignature" },
		     .same_key_as = INT },
	[LEAF] = { INT,
		   { .cn = "Leaf",
		     .san = "DNS:" NAME,
		     .eku = "serverAuth",
		     .ca_issuers = "http://ca.test/int.crt" } },
	[LEAF_BY_ROOT] = { ROOT, { .cn = "Leaf", .san = "DNS:" NAME } },
	[LEAF_EXPIRED] = { INT,
			   { .cn = "Leaf", .san = "DNS:" NAME },
			   .from_days = -20,
			   .to_days = -10 },
	[LEAF_FUTURE] = { INT,
			  { .cn = "Leaf", .san = "DNS:" NAME },
			  .from_days = 10,
			  .to_days = 100 },
	[LEAF_CLIENT] = { INT, { .cn = "Leaf", .san = "DNS:" NAME, .eku = "clientAuth" } },
	[LEAF_SHA1] = { INT, { .cn = "Leaf", .san = "DNS:" NAME, .digest = "SHA1" } },
	[LEAF_WEAK] = { INT, { .cn = "Leaf", .san = "DNS:" NAME, .key = TEST_KEY_RSA_1024 } },
	[LEAF_SOON] = { INT, { .cn = "Leaf", .san = "DNS:" NAME }, .to_days = 5 },
	[LEAF_STAPLE] = { INT, { .cn = "Leaf", .san = "DNS:" NAME, .must_staple = true } },
	[INT_EXPIRED] = { ROOT, { .cn = "Int old", .ca = true }, .from_days = -20, .to_days = -10 },
	[LEAF_OF_EXPIRED] = { INT_EXPIRED, { .cn = "Leaf", .san = "DNS:" NAME } },
	[ROOT_EXPIRED] = { .spec = { .cn = "Root old", .ca = true },
			   .from_days = -20,
			   .to_days = -10 },
	[INT_OF_EXPIRED] = { ROOT_EXPIRED, { .cn = "Int young", .ca = true } },
	[LEAF_OF_EXPIRED_ROOT] = { INT_OF_EXPIRED, { .cn = "Leaf", .san = "DNS:" NAME } },
	[INT_PATHLEN] = { ROOT, { .cn = "Int short", .ca = true, .pathlen = 1 } },
	[INT_BELOW] = { INT_PATHLEN, { .cn = "Int below", .ca = true } },
	[LEAF_BELOW] = { INT_BELOW, { .cn = "Leaf", .san = "DNS:" NAME } },
	[INT_LIMITED] = { ROOT,
			  { .cn = "Int limited",
			    .ca = true,
			    .name_constraints = "critical,permitted;DNS:b.test" } },
	[LEAF_LIMITED] = { INT_LIMITED, { .cn = "Leaf", .san = "DNS:" NAME } },
	[INT2] = { INT, { .cn = "Int 2", .ca = true } },
	[INT3] = { INT2, { .cn = "Int 3", .ca = true } },
	[LEAF3] = { INT2, { .cn = "Leaf", .san = "DNS:" NAME } },
	[LEAF4] = { INT3, { .cn = "Leaf", .san = "DNS:" NAME } },
	[JUNK] = { .spec = { .cn = "Junk", .ca = true } },
	[SELF] = { .spec = { .cn = "Self", .san = "DNS:" NAME } },
	[SELF_BARE] = { .spec = { .cn = "Self",
				  .san = "DNS:" NAME,
				  .no_basic_constraints = true } },
	[SELF_CA] = { .spec = { .cn = "Self", .san = "DNS:" NAME, .ca = true } },
	[SELF_CA_DS] = { .spec = { .cn = "Self",
				   .san = "DNS:" NAME,
				   .ca = true,
				   .key_usage = "critical,keyCertSign,cRLSign,digitalSignature" } },
	[SYSTEM] = { .spec = { .cn = "System", .ca = true } },
	[SYSTEM_LEAF] = { SYSTEM, { .cn = "Leaf", .san = "DNS:" NAME } },
	[CA_NAMED] = { ROOT, { .cn = "Named", .san = "DNS:" NAME, .ca = true } },
	[LOOP_A] = { .spec = { .cn = "Loop A", .ca = true } },
	[LOOP_B] = { LOOP_A, { .cn = "Loop B", .ca = true } },
	[LOOP_END] = { LOOP_B, { .cn = "Loop A", .ca = true }, .same_key_as = LOOP_A },
	[LOOP_LEAF] = { LOOP_B, { .cn = "Leaf", .san = "DNS:" NAME } },
};

static struct test_cert *certs[IDS];

static inline void make_certs(enum test_key key)
{
	int64_t now = time(NULL);

	for (enum id id = ROOT; id < IDS; id++) {
		struct test_cert_spec spec = made[id].spec;

		spec.issuer = certs[made[id].issuer];
		spec.same_key_as = certs[made[id].same_key_as];
		if (!spec.key)
			spec.key = key;
		if (made[id].from_days)
			spec.not_before = now + made[id].from_days * TEST_DAY_S;
		if (made[id].to_days)
			spec.not_after = now + made[id].to_days * TEST_DAY_S;
		certs[id] = test_cert_new(&spec);
	}
}

static inline void free_certs(void)
{
	for (enum id id = ROOT; id < IDS; id++)
		test_cert_free(certs[id]);
	memset(certs, 0, sizeof(certs));
}

#endif
