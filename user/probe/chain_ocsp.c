// SPDX-License-Identifier: GPL-2.0-or-later
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "probe/chain_work.h"
#include "probe/x509_time.h"

DEFINE_CLEANUP(OCSP_RESPONSE, OCSP_RESPONSE_free)
DEFINE_CLEANUP(OCSP_BASICRESP, OCSP_BASICRESP_free)
DEFINE_CLEANUP(OCSP_CERTID, OCSP_CERTID_free)

/* Real responses have a few kilobytes and one status. */
#define RESPONSE_BYTES_MAX 65536
#define STATUSES_MAX 32

/* How far the clocks of responder and gateway may differ. */
#define SKEW_S 300

static OCSP_BASICRESP *parse(const struct chain_input *input)
{
	const uint8_t *end = input->ocsp;
	CLEANUP(OCSP_RESPONSE_free_p) OCSP_RESPONSE *response = NULL;

	if (input->ocsp_len > RESPONSE_BYTES_MAX)
		return NULL;
	response = d2i_OCSP_RESPONSE(NULL, &end, (long)input->ocsp_len);
	if (!response || OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
		return NULL;
	return OCSP_response_get1_basic(response);
}

/*
 * Only the issuer itself may answer, or whom it gave a certificate for just that. The signer's
 * path to a root is the issuer's, which is verified.
 */
static bool may_answer(X509 *signer, X509 *issuer, int64_t now_s)
{
	EVP_PKEY *key;

	if (!X509_cmp(signer, issuer))
		return true;
	key = X509_get0_pubkey(issuer);
	return key && X509_check_issued(issuer, signer) == X509_V_OK &&
	       (X509_get_extended_key_usage(signer) & XKU_OCSP_SIGN) &&
	       (X509_get_extension_flags(signer) & EXFLAG_XKUSAGE) &&
	       chain_check_dates(signer, now_s) == X509_V_OK && X509_verify(signer, key) == 1;
}

static bool well_signed(OCSP_BASICRESP *basic, X509 *issuer, int64_t now_s)
{
	STACK_OF(X509) *known = sk_X509_new_null();
	X509 *signer = NULL;
	bool good;

	good = known && sk_X509_push(known, issuer) &&
	       OCSP_resp_get0_signer(basic, &signer, known) == 1 &&
	       may_answer(signer, issuer, now_s) &&
	       OCSP_basic_verify(basic, known, NULL, OCSP_NOVERIFY) == 1;
	sk_X509_free(known);
	return good;
}

static bool is_about(OCSP_SINGLERESP *single, X509 *leaf, X509 *issuer)
{
	/* OpenSSL keeps no const here, but does not change what it looks into. */
	OCSP_CERTID *said = (OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(single);
	CLEANUP(OCSP_CERTID_free_p) OCSP_CERTID *id = NULL;
	ASN1_OBJECT *digest = NULL;
	const EVP_MD *md;

	if (!OCSP_id_get0_info(NULL, &digest, NULL, NULL, said))
		return false;
	md = EVP_get_digestbyobj(digest);
	id = md ? OCSP_cert_to_id(md, leaf, issuer) : NULL;
	return id && !OCSP_id_cmp(id, said);
}

static bool is_current(struct chain_work *work, const ASN1_GENERALIZEDTIME *from,
		       const ASN1_GENERALIZEDTIME *to)
{
	int64_t from_s = x509_time(from), to_s = x509_time(to), now_s = work->input->now_s;

	if (from_s == X509_TIME_BAD || (to && to_s == X509_TIME_BAD))
		return false;
	chain_note_date(work, from_s - SKEW_S);
	if (to)
		chain_note_date(work, to_s + SKEW_S);
	return now_s >= from_s - SKEW_S && (!to || now_s <= to_s + SKEW_S);
}

/* Returns whether the response has a current status of the leaf; sets staple_revoked. */
static bool find_status(struct chain_work *work, OCSP_BASICRESP *basic, X509 *issuer)
{
	int n = OCSP_resp_count(basic);

	for (int i = 0; i < n && i < STATUSES_MAX; i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
		ASN1_GENERALIZEDTIME *from = NULL, *to = NULL;
		int reason, status;

		if (!is_about(single, work->leaf, issuer))
			continue;
		status = OCSP_single_get0_status(single, &reason, NULL, &from, &to);
		if (!is_current(work, from, to))
			continue;
		work->staple_revoked = status == V_OCSP_CERTSTATUS_REVOKED;
		return status != V_OCSP_CERTSTATUS_UNKNOWN;
	}
	return false;
}

void chain_ocsp(struct chain_work *work)
{
	CLEANUP(OCSP_BASICRESP_free_p) OCSP_BASICRESP *basic = NULL;
	X509 *issuer = sk_X509_value(work->path, 1);

	if (!work->input->ocsp)
		return;
	basic = parse(work->input);
	if (!basic) {
		work->warnings |= SL_WARN_OCSP_STAPLE_BAD;
		return;
	}
	/* Without the issuer nobody can tell whose signature this should be. */
	if (!issuer)
		return;
	if (!well_signed(basic, issuer, work->input->now_s) || !find_status(work, basic, issuer))
		work->warnings |= SL_WARN_OCSP_STAPLE_BAD;
}
