/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chain_work - what the steps of one judgement share: chain.c runs them in the order below.
 *
 * Lives for one call of chain_judge(), on its stack. Internal to chain*.c.
 */
#ifndef SLUICE_PROBE_CHAIN_WORK_H
#define SLUICE_PROBE_CHAIN_WORK_H

#include "probe/chain.h"

/* Certificates of a list that are looked at; what comes after them is junk. */
#define CHAIN_JUDGED_MAX 100

/* Certificates between a leaf and its root. */
#define CHAIN_DEPTH_MAX 16

#define CHAIN_COMPLAINTS_MAX 32
#define CHAIN_TROUBLE_LEN 256

/* Words about a finding. */
#define CHAIN_FACT_LEN 1024
#define CHAIN_HINT_LEN 512

/* One thing that is wrong: a class, and OpenSSL's code and depth behind it (0: none). */
struct chain_complaint {
	enum sl_message code;
	int x509_code, x509_depth;
};

/* One complaint of OpenSSL's verifier. */
struct chain_error {
	int code, depth;
};

struct chain_work {
	const struct chain_input *input;
	X509 *sent[CHAIN_JUDGED_MAX]; /* borrowed */
	uint32_t n, n_sent;
	X509 *leaf; /* of sent: whose chain is verified; NULL: there is none */
	bool alone; /* sent is one CA certificate that signed itself and serves as the leaf */

	/* By the verifier. */
	struct chain_error errors[CHAIN_COMPLAINTS_MAX];
	uint32_t n_errors;
	STACK_OF(X509) * path; /* leaf first; NULL: not verified */
	bool complete; /* the path ends at a trusted root */
	char crl_trouble[CHAIN_TROUBLE_LEN];
	bool staple_revoked;

	/* What is wrong, in the order of finding. */
	struct chain_complaint found[CHAIN_COMPLAINTS_MAX];
	uint32_t n_found;
	uint16_t warnings;
	bool no_memory;

	/* The time for which the outcome holds: from_s <= now < until_s. */
	int64_t from_s, until_s;
};

/* Something is wrong. */
void chain_complain(struct chain_work *work, enum sl_message code, int x509_code, int x509_depth);

/* At this moment, and again a second later, the outcome could become another one. */
void chain_note_date(struct chain_work *work, int64_t unix_s);

/* Whether basic constraints say so: version 1 certificates and the like are no CAs. */
bool chain_is_ca(X509 *x509);

/* Whether it signed itself: names, key and signature. */
bool chain_signed_itself(X509 *x509);

/* Whether dates are of today: X509_V_OK, or OpenSSL's code for what is wrong. */
int chain_check_dates(const X509 *x509, int64_t now_s);

/* chain_shape.c: find the leaf, or complain. */
void chain_shape(struct chain_work *work);

/* chain_shape.c: warn about what was sent in another order, or needlessly. */
void chain_warn(struct chain_work *work);

/* chain_verify.c: build and check the path from the leaf, filling path, complete and errors. */
void chain_verify(struct chain_work *work);

/* chain_ocsp.c: judge the stapled response; sets staple_revoked and warnings. */
void chain_ocsp(struct chain_work *work);

/* chain_sort.c: the root among what was sent that really signed it; NULL: none. */
X509 *chain_sent_signer(const struct chain_work *work, X509 *x509);

/* chain_sort.c: make complaints of the verifier's errors, the name and the staple. */
void chain_sort(struct chain_work *work);

/* chain_fact.c: the data of the first complaint in words. "": there is none. */
const char *chain_fact(char buf[CHAIN_FACT_LEN], const struct chain_work *work);

/* chain_hint.c: a remedy that fits this chain only. "": there is none. */
const char *chain_hint(char buf[CHAIN_HINT_LEN], const struct chain_work *work);

#endif
