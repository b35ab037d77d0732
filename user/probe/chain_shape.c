// SPDX-License-Identifier: GPL-2.0-or-later
#include <openssl/x509v3.h>

#include "probe/chain_name.h"
#include "probe/chain_work.h"
#include "probe/x509_time.h"

static X509 *first_leaf(const struct chain_work *work)
{
	for (uint32_t i = 0; i < work->n; i++)
		if (!chain_is_ca(work->sent[i]))
			return work->sent[i];
	return NULL;
}

/*
 * A lone CA certificate that signed itself is either meant to serve, or a bundle that lost its
 * leaf. It is meant to serve if it is for the name; without a name, if it is for any.
 */
static bool meant_to_serve(const struct chain_work *work)
{
	X509 *only = work->sent[0];

	if (work->n_sent != 1 || !chain_signed_itself(only))
		return false;
	if (!work->input->name)
		return chain_name_has_alternatives(only);
	return chain_name_check(only, work->input->name) == X509_V_OK;
}

void chain_shape(struct chain_work *work)
{
	work->leaf = first_leaf(work);
	if (work->leaf && work->leaf != work->sent[0]) {
		chain_complain(work, SL_MSG_CERT_LEAF_NOT_TOPMOST, X509_V_OK, 0);
		return;
	}
	if (work->leaf)
		return;
	if (work->n && meant_to_serve(work)) {
		work->leaf = work->sent[0];
		work->alone = true;
		return;
	}
	chain_complain(work, SL_MSG_CERT_LEAF_MISSING, X509_V_OK, 0);
}

/* --- warnings --------------------------------------------------------------------------------- */

/* Each certificate certifies the one before it, and nothing follows a root. */
static bool in_order(const struct chain_work *work)
{
	for (uint32_t i = 0; i + 1 < work->n; i++) {
		X509 *cert = work->sent[i];

		if ((X509_get_extension_flags(cert) & EXFLAG_SS) ||
		    X509_check_issued(work->sent[i + 1], cert) != X509_V_OK)
			return false;
	}
	return work->n == work->n_sent;
}

static bool root_was_sent(const struct chain_work *work)
{
	const X509 *root = sk_X509_value(work->path, sk_X509_num(work->path) - 1);

	for (uint32_t i = 0; i < work->n; i++)
		if (work->sent[i] != work->leaf && !X509_cmp(work->sent[i], root))
			return true;
	return false;
}

static bool expires_soon(struct chain_work *work, const X509 *x509)
{
	int64_t not_after = x509_time(X509_get0_notAfter(x509));

	if (not_after == X509_TIME_BAD)
		return false;
	chain_note_date(work, not_after - CERT_EXPIRES_SOON_S);
	return cert_expires_soon(not_after, work->input->now_s);
}

static bool must_staple(const X509 *x509)
{
	TLS_FEATURE *features = X509_get_ext_d2i(x509, NID_tlsfeature, NULL, NULL);
	bool must = false;

	for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++)
		if (ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) ==
		    TLSEXT_TYPE_status_request)
			must = true;
	TLS_FEATURE_free(features);
	return must;
}

void chain_warn(struct chain_work *work)
{
	/* A gap in the list is no wrong order, and is complained about. */
	if (work->complete && work->leaf == work->sent[0] && !in_order(work))
		work->warnings |= SL_WARN_CHAIN_ORDER;
	if (work->complete && root_was_sent(work))
		work->warnings |= SL_WARN_ROOT_SENT_UNNEEDED;
	for (int i = 0; i < sk_X509_num(work->path); i++)
		if (expires_soon(work, sk_X509_value(work->path, i)))
			work->warnings |= SL_WARN_CERT_EXPIRES_SOON;
	if (work->leaf && !work->input->ocsp && must_staple(work->leaf))
		work->warnings |= SL_WARN_OCSP_STAPLE_MISSING;
}
