// SPDX-License-Identifier: GPL-2.0-or-later
#include <openssl/x509_vfy.h>

#include "probe/chain_work.h"
#include "probe/x509_time.h"

DEFINE_CLEANUP(X509_STORE, X509_STORE_free)
DEFINE_CLEANUP(X509_STORE_CTX, X509_STORE_CTX_free)

/* 112 bits: RSA from 2048 bits, digests from SHA-224. */
#define STRENGTH_LEVEL 2

/* Record everything and go on: which complaint counts is decided when all are known. */
static int on_error(int ok, X509_STORE_CTX *ctx)
{
	struct chain_work *work = X509_STORE_CTX_get_app_data(ctx);
	struct chain_error error = { X509_STORE_CTX_get_error(ctx),
				     X509_STORE_CTX_get_error_depth(ctx) };

	if (ok)
		return ok;
	if (error.code == X509_V_ERR_OUT_OF_MEM)
		work->no_memory = true;
	if (work->n_errors < CHAIN_COMPLAINTS_MAX)
		work->errors[work->n_errors++] = error;
	return 1;
}

/* The stack borrows its certificates, and X509_verify_cert() only reads it. */
static STACK_OF(X509) * stack_of_sent(const struct chain_work *work)
{
	STACK_OF(X509) *stack = sk_X509_new_reserve(NULL, (int)work->n);

	for (uint32_t i = 0; stack && i < work->n; i++)
		sk_X509_push(stack, work->sent[i]);
	return stack;
}

static int prepare(X509_STORE_CTX *ctx, X509_STORE *store, struct chain_work *work,
		   STACK_OF(X509) * untrusted)
{
	X509_VERIFY_PARAM *param;

	if (!X509_STORE_CTX_init(ctx, store, work->leaf, untrusted) ||
	    !X509_STORE_CTX_set_default(ctx, "ssl_server"))
		return 0;
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)work->input->now_s);
	X509_VERIFY_PARAM_set_depth(param, CHAIN_DEPTH_MAX);
	X509_VERIFY_PARAM_set_auth_level(param, STRENGTH_LEVEL);
	if (trust_checks_revocation(work->input->trust) &&
	    !X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL))
		return 0;
	X509_STORE_CTX_set_verify_cb(ctx, on_error);
	return X509_STORE_CTX_set_app_data(ctx, work);
}

static bool ends_early(const struct chain_error *error)
{
	switch (error->code) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_CHAIN_TOO_LONG:
	case X509_V_ERR_CERT_UNTRUSTED:
	case X509_V_ERR_CERT_REJECTED:
		return true;
	default:
		return false;
	}
}

static void take_result(struct chain_work *work, X509_STORE_CTX *ctx)
{
	work->path = X509_STORE_CTX_get1_chain(ctx);
	if (!work->path)
		work->no_memory = true;
	work->complete = work->path;
	for (uint32_t i = 0; i < work->n_errors; i++)
		if (ends_early(&work->errors[i]))
			work->complete = false;
	for (int i = 0; i < sk_X509_num(work->path); i++) {
		const X509 *x509 = sk_X509_value(work->path, i);

		chain_note_date(work, x509_time(X509_get0_notBefore(x509)));
		chain_note_date(work, x509_time(X509_get0_notAfter(x509)));
	}
}

void chain_verify(struct chain_work *work)
{
	CLEANUP(X509_STORE_free_p) X509_STORE *store = trust_store(work->input->trust);
	CLEANUP(X509_STORE_CTX_free_p) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *untrusted = stack_of_sent(work);

	if (!store || !ctx || !untrusted || !prepare(ctx, store, work, untrusted))
		work->no_memory = true;
	else if (X509_verify_cert(ctx) <= 0 && !work->n_errors)
		work->no_memory = true;
	else
		take_result(work, ctx);
	sk_X509_free(untrusted);
}
