// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include <openssl/x509v3.h>

#include "probe/chain_name.h"
#include "probe/chain_text.h"
#include "probe/chain_work.h"
#include "probe/x509_time.h"

DEFINE_CLEANUP(GENERAL_NAMES, GENERAL_NAMES_free)

/* Of longer lists the rest is counted. */
#define LISTED_MAX 6

typedef void fact_fn(struct chain_words *words, const struct chain_work *work,
		     const struct chain_complaint *complaint);

/* --- parts ------------------------------------------------------------------------------------ */

static void add_subject(struct chain_words *words, X509 *x509)
{
	chain_words_add_name(words, X509_get_subject_name(x509));
}

static void add_subject_and_hash(struct chain_words *words, X509 *x509)
{
	uint8_t sha256[CERT_SHA256_LEN];
	char hex[CHAIN_SHA256_LEN];
	unsigned int len;

	add_subject(words, x509);
	if (X509_digest(x509, EVP_sha256(), sha256, &len))
		chain_words_add(words, " (SHA-256 %s)", chain_text_sha256(hex, sha256));
}

/* The certificate at a depth of the path; where there is no path, the leaf. */
static X509 *at_depth(const struct chain_work *work, int depth)
{
	X509 *x509 = sk_X509_value(work->path, depth);

	return x509 ? x509 : work->leaf;
}

static const char *role_at(const struct chain_work *work, int depth)
{
	X509 *x509 = at_depth(work, depth);

	if (!depth)
		return "leaf";
	return x509 && X509_get_extension_flags(x509) & EXFLAG_SS ? "root" : "intermediate";
}

static void add_trusted(struct chain_words *words, const struct chain_work *work)
{
	const STACK_OF(X509) *certs = trust_certs(work->input->trust);
	int n = sk_X509_num(certs);

	if (trust_mode(work->input->trust) == TRUST_WELL_KNOWN) {
		chain_words_add(words, " the system's store");
		return;
	}
	if (n <= 0)
		chain_words_add(words, " nothing");
	for (int i = 0; i < n && i < LISTED_MAX; i++) {
		chain_words_add(words, i ? ", " : " ");
		add_subject_and_hash(words, sk_X509_value(certs, i));
	}
	if (n > LISTED_MAX)
		chain_words_add(words, " and %d more", n - LISTED_MAX);
}

static void add_sent(struct chain_words *words, const struct chain_work *work)
{
	chain_words_add(words, "sent:");
	for (uint32_t i = 0; i < work->n && i < LISTED_MAX; i++) {
		chain_words_add(words, "%s %u. ", i ? "," : "", i + 1);
		add_subject(words, work->sent[i]);
		chain_words_add(words, chain_is_ca(work->sent[i]) ? " (CA)" : " (leaf)");
	}
	if (work->n_sent > LISTED_MAX)
		chain_words_add(words, " and %u more", work->n_sent - LISTED_MAX);
}

static void add_missing_issuer(struct chain_words *words, X509 *x509)
{
	char url[CHAIN_TEXT_LEN];

	chain_words_add(words, "the issuer ");
	chain_words_add_name(words, X509_get_issuer_name(x509));
	chain_words_add(words, " of ");
	add_subject(words, x509);
	chain_words_add(words, " was not sent and is not trusted");
	if (chain_text_ca_issuers(url, x509))
		chain_words_add(words, "; its certificate is published at %s", url);
}

/* --- one for each class ----------------------------------------------------------------------- */

static void add_cn(struct chain_words *words, X509 *x509)
{
	X509_NAME *subject = X509_get_subject_name(x509);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	char buf[CHAIN_TEXT_LEN];
	const ASN1_STRING *cn;

	if (at < 0) {
		chain_words_add(words, "is for no name at all");
		return;
	}
	cn = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	chain_text(buf, sizeof(buf), ASN1_STRING_get0_data(cn), (size_t)ASN1_STRING_length(cn));
	chain_words_add(words, "has no alternative names, its CN is %s", buf);
}

static void name_fact(struct chain_words *words, const struct chain_work *work,
		      const struct chain_complaint *complaint)
{
	CLEANUP(GENERAL_NAMES_free_p)
	GENERAL_NAMES *names = X509_get_ext_d2i(work->leaf, NID_subject_alt_name, NULL, NULL);
	int n = sk_GENERAL_NAME_num(names);
	char buf[CHAIN_TEXT_LEN];

	(void)complaint;
	chain_text(buf, sizeof(buf), (const uint8_t *)work->input->name, strlen(work->input->name));
	chain_words_add(words, "wanted is %s, the certificate ", buf);
	if (n <= 0)
		add_cn(words, work->leaf);
	for (int i = 0; i < n && i < LISTED_MAX; i++)
		chain_words_add(words, "%s%s", i ? ", " : "is for ",
				chain_text_alt_name(buf, sk_GENERAL_NAME_value(names, i)));
	if (n > LISTED_MAX)
		chain_words_add(words, " and %d more", n - LISTED_MAX);
}

static void date_fact(struct chain_words *words, const struct chain_work *work,
		      const struct chain_complaint *complaint)
{
	X509 *x509 = at_depth(work, complaint->x509_depth);
	char from[X509_TIME_LEN], to[X509_TIME_LEN];

	chain_words_add(words, "the %s certificate ", role_at(work, complaint->x509_depth));
	add_subject(words, x509);
	chain_words_add(words, " %s: it is valid from %s to %s",
			complaint->x509_code == X509_V_ERR_CERT_HAS_EXPIRED ? "has expired"
									    : "is not valid yet",
			x509_time_format(from, x509_time(X509_get0_notBefore(x509))),
			x509_time_format(to, x509_time(X509_get0_notAfter(x509))));
}

static void intermediate_fact(struct chain_words *words, const struct chain_work *work,
			      const struct chain_complaint *complaint)
{
	if (complaint->x509_code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY) {
		add_missing_issuer(words, work->leaf);
		return;
	}
	add_subject(words, work->leaf);
	chain_words_add(words, " signed itself and is not a CA certificate");
}

static void sent_fact(struct chain_words *words, const struct chain_work *work,
		      const struct chain_complaint *complaint)
{
	(void)complaint;
	if (work->n)
		add_sent(words, work);
	else
		chain_words_add(words, "no certificate was sent");
}

static void root_sent_fact(struct chain_words *words, const struct chain_work *work,
			   const struct chain_complaint *complaint)
{
	X509 *at = at_depth(work, complaint->x509_depth);

	chain_words_add(words, "sent root ");
	add_subject_and_hash(words, complaint->x509_code == X509_V_ERR_CERT_SIGNATURE_FAILURE
					    ? chain_sent_signer(work, at)
					    : at);
	chain_words_add(words, "; trusted:");
	add_trusted(words, work);
}

static void root_absent_fact(struct chain_words *words, const struct chain_work *work,
			     const struct chain_complaint *complaint)
{
	add_missing_issuer(words, at_depth(work, complaint->x509_depth));
	chain_words_add(words, "; trusted:");
	add_trusted(words, work);
}

static void verify_fact(struct chain_words *words, const struct chain_work *work,
			const struct chain_complaint *complaint)
{
	chain_words_add(words, "%s (OpenSSL %d at depth %d): %s certificate ",
			work->staple_revoked && complaint->x509_code == X509_V_ERR_CERT_REVOKED
				? "revoked, says the stapled OCSP response"
				: X509_verify_cert_error_string(complaint->x509_code),
			complaint->x509_code, complaint->x509_depth,
			role_at(work, complaint->x509_depth));
	add_subject(words, at_depth(work, complaint->x509_depth));
}

static void list_fact(struct chain_words *words, const struct chain_work *work,
		      const struct chain_complaint *complaint)
{
	uint8_t sha256[CERT_SHA256_LEN];
	char hex[CHAIN_SHA256_LEN], name[CHAIN_TEXT_LEN];
	unsigned int len;

	(void)complaint;
	if (!X509_digest(work->leaf, EVP_sha256(), sha256, &len))
		return;
	chain_words_add(words, "the certificate shown has SHA-256 %s; ",
			chain_text_sha256(hex, sha256));
	if (work->input->sni_sent && work->input->name)
		chain_words_add(words, "%s was sent as SNI",
				chain_text(name, sizeof(name), (const uint8_t *)work->input->name,
					   strlen(work->input->name)));
	else
		chain_words_add(words, work->input->sni_sent ? "SNI was sent" : "no SNI was sent");
}

static void crl_fact(struct chain_words *words, const struct chain_work *work,
		     const struct chain_complaint *complaint)
{
	X509 *x509 = at_depth(work, complaint->x509_depth);

	chain_words_add(words, "%s (OpenSSL %d at depth %d), issuer ",
			X509_verify_cert_error_string(complaint->x509_code), complaint->x509_code,
			complaint->x509_depth);
	chain_words_add_name(words, X509_get_issuer_name(x509));
	if (work->crl_trouble[0])
		chain_words_add(words, "; %s", work->crl_trouble);
}

static const struct fact_row {
	enum sl_message code;
	fact_fn *fact;
} facts[] = {
	{ SL_MSG_CERT_NAME_MISMATCH, name_fact },
	{ SL_MSG_CERT_DATE_INVALID, date_fact },
	{ SL_MSG_CERT_INTERMEDIATE_MISSING, intermediate_fact },
	{ SL_MSG_CERT_LEAF_MISSING, sent_fact },
	{ SL_MSG_CERT_SERVER_NOT_WELL_KNOWN_CA, root_sent_fact },
	{ SL_MSG_CERT_INTERMEDIATE_NOT_WELL_KNOWN_CA, root_absent_fact },
	{ SL_MSG_CERT_ROOT_MISMATCH_ROOT_ABSENT, root_absent_fact },
	{ SL_MSG_CERT_ROOT_MISMATCH_ROOT_PRESENT, root_sent_fact },
	{ SL_MSG_CERT_LEAF_NOT_TOPMOST, sent_fact },
	{ SL_MSG_CERT_VERIFY_FAILED, verify_fact },
	{ SL_MSG_CERT_NOT_ALLOW_LISTED, list_fact },
	{ SL_MSG_UNKNOWN_CRL_UNREACHABLE, crl_fact },
};

const char *chain_fact(char buf[CHAIN_FACT_LEN], const struct chain_work *work)
{
	struct chain_words words = { .buf = buf, .size = CHAIN_FACT_LEN };

	for (size_t i = 0; work->n_found && i < sizeof(facts) / sizeof(facts[0]); i++)
		if (facts[i].code == work->found[0].code)
			facts[i].fact(&words, work, &work->found[0]);
	return chain_words_end(&words);
}
