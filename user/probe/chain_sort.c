// SPDX-License-Identifier: GPL-2.0-or-later
#include <openssl/x509v3.h>

#include "probe/chain_name.h"
#include "probe/chain_work.h"

/* --- OpenSSL's codes to classes --------------------------------------------------------------- */

/*
 * The verifier checks in this order: trust and strength, extensions and purpose, name, revocation,
 * signatures and dates, name constraints and policies. The name is compared here and not by the
 * verifier, so its place among the complaints is before the first of these.
 */
static const int after_name[] = {
	X509_V_ERR_UNABLE_TO_GET_CRL,
	X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE,
	X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE,
	X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY,
	X509_V_ERR_CERT_SIGNATURE_FAILURE,
	X509_V_ERR_CRL_SIGNATURE_FAILURE,
	X509_V_ERR_CERT_NOT_YET_VALID,
	X509_V_ERR_CERT_HAS_EXPIRED,
	X509_V_ERR_CRL_NOT_YET_VALID,
	X509_V_ERR_CRL_HAS_EXPIRED,
	X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD,
	X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD,
	X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD,
	X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD,
	X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
	X509_V_ERR_CERT_REVOKED,
	X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER,
	X509_V_ERR_KEYUSAGE_NO_CRL_SIGN,
	X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION,
	X509_V_ERR_INVALID_POLICY_EXTENSION,
	X509_V_ERR_NO_EXPLICIT_POLICY,
	X509_V_ERR_DIFFERENT_CRL_SCOPE,
	X509_V_ERR_UNNESTED_RESOURCE,
	X509_V_ERR_PERMITTED_VIOLATION,
	X509_V_ERR_EXCLUDED_VIOLATION,
	X509_V_ERR_SUBTREE_MINMAX,
	X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE,
	X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX,
	X509_V_ERR_UNSUPPORTED_NAME_SYNTAX,
	X509_V_ERR_CRL_PATH_VALIDATION_ERROR,
};

/*
 * Revocation data that cannot be used. Whatever is wrong with a list says nothing about the
 * certificate.
 */
static const int unusable_list[] = {
	X509_V_ERR_UNABLE_TO_GET_CRL,
	X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE,
	X509_V_ERR_CRL_SIGNATURE_FAILURE,
	X509_V_ERR_CRL_NOT_YET_VALID,
	X509_V_ERR_CRL_HAS_EXPIRED,
	X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD,
	X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD,
	X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER,
	X509_V_ERR_KEYUSAGE_NO_CRL_SIGN,
	X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION,
	X509_V_ERR_DIFFERENT_CRL_SCOPE,
	X509_V_ERR_CRL_PATH_VALIDATION_ERROR,
};

static bool is_one_of(int code, const int *codes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (codes[i] == code)
			return true;
	return false;
}

#define IS_ONE_OF(code, codes) is_one_of(code, codes, sizeof(codes) / sizeof((codes)[0]))

static enum sl_message root_not_trusted(const struct chain_work *work)
{
	return trust_mode(work->input->trust) == TRUST_WELL_KNOWN
		       ? SL_MSG_CERT_SERVER_NOT_WELL_KNOWN_CA
		       : SL_MSG_CERT_ROOT_MISMATCH_ROOT_PRESENT;
}

static enum sl_message root_not_found(const struct chain_work *work)
{
	return trust_mode(work->input->trust) == TRUST_WELL_KNOWN
		       ? SL_MSG_CERT_INTERMEDIATE_NOT_WELL_KNOWN_CA
		       : SL_MSG_CERT_ROOT_MISMATCH_ROOT_ABSENT;
}

X509 *chain_sent_signer(const struct chain_work *work, X509 *x509)
{
	for (uint32_t i = 0; i < work->n; i++)
		if (X509_check_issued(work->sent[i], x509) == X509_V_OK &&
		    chain_signed_itself(work->sent[i]) &&
		    X509_verify(x509, X509_get0_pubkey(work->sent[i])) == 1)
			return work->sent[i];
	return NULL;
}

/*
 * Without key identifiers the verifier takes the trusted root of the right name for the issuer, and
 * finds out by the signature that it is another one.
 */
static enum sl_message class_of_bad_signature(const struct chain_work *work, int depth)
{
	X509 *x509 = sk_X509_value(work->path, depth);

	if (!work->complete || !x509 || depth + 2 != sk_X509_num(work->path))
		return SL_MSG_CERT_VERIFY_FAILED;
	if (chain_sent_signer(work, x509))
		return root_not_trusted(work);
	if (trust_mode(work->input->trust) == TRUST_UPLOADED && depth &&
	    !X509_get0_authority_key_id(x509))
		return root_not_found(work);
	return SL_MSG_CERT_VERIFY_FAILED;
}

static enum sl_message class_of(const struct chain_work *work, const struct chain_error *error)
{
	switch (error->code) {
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return chain_is_ca(work->leaf) ? root_not_trusted(work)
					       : SL_MSG_CERT_INTERMEDIATE_MISSING;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return root_not_trusted(work);
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
		return error->depth ? root_not_found(work) : SL_MSG_CERT_INTERMEDIATE_MISSING;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
		return root_not_found(work);
	case X509_V_ERR_CERT_NOT_YET_VALID:
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return SL_MSG_CERT_DATE_INVALID;
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		return class_of_bad_signature(work, error->depth);
	default:
		return IS_ONE_OF(error->code, unusable_list) ? SL_MSG_UNKNOWN_CRL_UNREACHABLE
							     : SL_MSG_CERT_VERIFY_FAILED;
	}
}

/* --- sorting ---------------------------------------------------------------------------------- */

/*
 * A list for the leaf's issuer is demanded; lists for the CAs above are used where there are any,
 * and missed only if one that was configured cannot be had.
 */
static bool not_missed(const struct chain_work *work, const struct chain_error *error)
{
	return error->code == X509_V_ERR_UNABLE_TO_GET_CRL && error->depth && !work->crl_trouble[0];
}

/* OpenSSL says twice that the leaf's issuer is missing. */
static bool is_echo(const struct chain_work *work, const struct chain_error *error)
{
	return error->code == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE && !work->complete;
}

/* A certificate that signed itself and is no CA is refused even where it was uploaded itself. */
static void sort_self_signed_leaf(struct chain_work *work)
{
	if (work->complete && sk_X509_num(work->path) == 1 && !chain_is_ca(work->leaf))
		chain_complain(work, SL_MSG_CERT_INTERMEDIATE_MISSING, X509_V_OK, 0);
}

static void sort_name(struct chain_work *work)
{
	const struct chain_input *input = work->input;
	int code;

	if (!input->check_name || !input->name || !work->leaf)
		return;
	code = chain_name_check(work->leaf, input->name);
	if (code != X509_V_OK)
		chain_complain(work, SL_MSG_CERT_NAME_MISMATCH, code, 0);
}

static void sort_middle(struct chain_work *work)
{
	sort_name(work);
	if (work->staple_revoked)
		chain_complain(work, SL_MSG_CERT_VERIFY_FAILED, X509_V_ERR_CERT_REVOKED, 0);
}

/* Doubts about revocation come after what is certain. */
static void put_unknown_last(struct chain_work *work)
{
	struct chain_complaint sorted[CHAIN_COMPLAINTS_MAX];
	uint32_t n = 0;

	for (int unknown = 0; unknown <= 1; unknown++)
		for (uint32_t i = 0; i < work->n_found; i++)
			if ((work->found[i].code == SL_MSG_UNKNOWN_CRL_UNREACHABLE) == unknown)
				sorted[n++] = work->found[i];
	for (uint32_t i = 0; i < n; i++)
		work->found[i] = sorted[i];
}

void chain_sort(struct chain_work *work)
{
	bool passed_name = false;

	sort_self_signed_leaf(work);
	for (uint32_t i = 0; i < work->n_errors; i++) {
		const struct chain_error *error = &work->errors[i];

		if (is_echo(work, error) || not_missed(work, error))
			continue;
		if (!passed_name && IS_ONE_OF(error->code, after_name)) {
			sort_middle(work);
			passed_name = true;
		}
		chain_complain(work, class_of(work, error), error->code, error->depth);
	}
	if (!passed_name)
		sort_middle(work);
	put_unknown_last(work);
}
