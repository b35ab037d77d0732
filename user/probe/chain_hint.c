// SPDX-License-Identifier: GPL-2.0-or-later
#include <openssl/x509v3.h>

#include "probe/chain_text.h"
#include "probe/chain_work.h"

/* --- what was uploaded ------------------------------------------------------------------------ */

static bool leaf_was_uploaded(const struct chain_work *work)
{
	const STACK_OF(X509) *certs = trust_certs(work->input->trust);

	for (int i = 0; work->leaf && i < sk_X509_num(certs); i++)
		if (!X509_cmp(sk_X509_value(certs, i), work->leaf))
			return true;
	return false;
}

static bool name_was_uploaded(const struct chain_work *work, const X509_NAME *name)
{
	const STACK_OF(X509) *certs = trust_certs(work->input->trust);

	for (int i = 0; i < sk_X509_num(certs); i++)
		if (!X509_NAME_cmp(X509_get_subject_name(sk_X509_value(certs, i)), name))
			return true;
	return false;
}

/* The last certificate that was found on the way to a root. */
static X509 *last_of(const struct chain_work *work)
{
	X509 *last = sk_X509_value(work->path, sk_X509_num(work->path) - 1);

	return last ? last : work->leaf;
}

/* --- hints ------------------------------------------------------------------------------------ */

static void add_published(struct chain_words *words, const X509 *x509)
{
	char url[CHAIN_TEXT_LEN];

	if (chain_text_ca_issuers(url, x509))
		chain_words_add(words, " (published at %s)", url);
}

static void leaf_hint(struct chain_words *words)
{
	chain_words_add(words,
			"the uploaded certificate is the server's own: upload the root certificate "
			"of its issuer instead");
}

static void same_name_hint(struct chain_words *words, const X509_NAME *name)
{
	chain_words_add(words, "the uploaded certificate ");
	chain_words_add_name(words, name);
	chain_words_add(words, " has the right name but another key: it is an older, newer or "
			       "foreign certificate; upload the one that signed this chain");
}

static void intermediate_hint(struct chain_words *words, const struct chain_work *work,
			      const struct chain_complaint *complaint)
{
	if (complaint->x509_code != X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY) {
		chain_words_add(words, "make a CA, let it sign a certificate for the server, and "
				       "upload the CA's certificate");
		return;
	}
	if (leaf_was_uploaded(work)) {
		leaf_hint(words);
		return;
	}
	chain_words_add(words, "install the certificate of ");
	chain_words_add_name(words, X509_get_issuer_name(work->leaf));
	add_published(words, work->leaf);
	chain_words_add(words, " on the server, below the server's own");
}

static void root_absent_hint(struct chain_words *words, const struct chain_work *work,
			     const struct chain_complaint *complaint)
{
	X509 *last = last_of(work);

	if (complaint->x509_code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT) {
		chain_words_add(words, "an intermediate was uploaded, not a root: upload the "
				       "certificate of ");
		chain_words_add_name(words, X509_get_issuer_name(last));
		return;
	}
	if (leaf_was_uploaded(work)) {
		leaf_hint(words);
		return;
	}
	if (name_was_uploaded(work, X509_get_issuer_name(last))) {
		same_name_hint(words, X509_get_issuer_name(last));
		return;
	}
	chain_words_add(words, "missing is the certificate of ");
	chain_words_add_name(words, X509_get_issuer_name(last));
	add_published(words, last);
	chain_words_add(words, ": upload it if it is the root, or install it on the server if it "
			       "is one more intermediate");
}

static void root_present_hint(struct chain_words *words, const struct chain_work *work,
			      const struct chain_complaint *complaint)
{
	const X509_NAME *name = X509_get_subject_name(last_of(work));

	(void)complaint;
	if (name_was_uploaded(work, name))
		same_name_hint(words, name);
	else if (leaf_was_uploaded(work))
		leaf_hint(words);
}

static void name_hint(struct chain_words *words, const struct chain_work *work,
		      const struct chain_complaint *complaint)
{
	(void)complaint;
	if (!work->input->name_configured)
		chain_words_add(words, "no host name is configured, so the default was compared: "
				       "set host in the probe or host_name in the settings");
}

static bool lacks_digital_signature(X509 *x509)
{
	return (X509_get_extension_flags(x509) & EXFLAG_KUSAGE) &&
	       !(X509_get_key_usage(x509) & KU_DIGITAL_SIGNATURE);
}

static void verify_hint(struct chain_words *words, const struct chain_work *work,
			const struct chain_complaint *complaint)
{
	X509 *at = sk_X509_value(work->path, complaint->x509_depth);

	if (complaint->x509_code == X509_V_ERR_INVALID_PURPOSE && work->alone &&
	    lacks_digital_signature(work->leaf))
		chain_words_add(words, "the self-signed certificate may sign certificates only: "
				       "add digitalSignature to its keyUsage, or drop keyUsage");
	else if (complaint->x509_code == X509_V_ERR_CERT_SIGNATURE_FAILURE && at &&
		 name_was_uploaded(work, X509_get_issuer_name(at)))
		same_name_hint(words, X509_get_issuer_name(at));
}

static void list_hint(struct chain_words *words, const struct chain_work *work,
		      const struct chain_complaint *complaint)
{
	(void)complaint;
	if (!work->input->sni_sent)
		chain_words_add(words, "without SNI a server shows its default certificate: name "
				       "the host, or list that certificate");
}

static const struct hint_row {
	enum sl_message code;
	void (*hint)(struct chain_words *words, const struct chain_work *work,
		     const struct chain_complaint *complaint);
} hints[] = {
	{ SL_MSG_CERT_NAME_MISMATCH, name_hint },
	{ SL_MSG_CERT_INTERMEDIATE_MISSING, intermediate_hint },
	{ SL_MSG_CERT_INTERMEDIATE_NOT_WELL_KNOWN_CA, root_absent_hint },
	{ SL_MSG_CERT_ROOT_MISMATCH_ROOT_ABSENT, root_absent_hint },
	{ SL_MSG_CERT_ROOT_MISMATCH_ROOT_PRESENT, root_present_hint },
	{ SL_MSG_CERT_VERIFY_FAILED, verify_hint },
	{ SL_MSG_CERT_NOT_ALLOW_LISTED, list_hint },
};

const char *chain_hint(char buf[CHAIN_HINT_LEN], const struct chain_work *work)
{
	struct chain_words words = { .buf = buf, .size = CHAIN_HINT_LEN };

	for (size_t i = 0; work->n_found && i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].code == work->found[0].code)
			hints[i].hint(&words, work, &work->found[0]);
	return chain_words_end(&words);
}
