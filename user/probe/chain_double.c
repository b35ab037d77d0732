// SPDX-License-Identifier: GPL-2.0-or-later
/* Stand-ins until trust and chain are here. */
#include "probe/chain.h"
#include "util/err.h"
#include <errno.h>
#include <openssl/x509v3.h>
#define WEAK __attribute__((weak))
struct trust {
	SSL_CTX *ctx;
	X509_STORE *store;
	enum trust_mode mode;
	uint32_t generation;
};
WEAK int trust_new(struct trust **ret, const struct trust_spec *spec, struct err *err)
{
	struct trust *t = calloc(1, sizeof(*t));
	(void)err;
	t->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
	SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_NONE, NULL);
	t->store = X509_STORE_new();
	t->mode = spec->mode;
	for (uint32_t i = 0; i < spec->n_certs; i++) {
		const uint8_t *at = spec->certs[i].der;
		X509 *x = d2i_X509(NULL, &at, (long)spec->certs[i].len);
		X509_STORE_add_cert(t->store, x);
		X509_free(x);
	}
	*ret = t;
	return 0;
}
WEAK void trust_free(struct trust *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->ctx);
	X509_STORE_free(t->store);
	free(t);
}
WEAK SSL_CTX *trust_ssl_ctx(const struct trust *t)
{
	return t->ctx;
}
WEAK uint32_t trust_generation(struct trust *t)
{
	return t->generation;
}
WEAK enum sl_message chain_judge(struct tls_facts *f, const struct chain_input *in)
{
	X509 *leaf = sk_X509_num(in->sent) > 0 ? sk_X509_value(in->sent, 0) : NULL;
	X509_STORE_CTX *c = X509_STORE_CTX_new();
	struct tm tm;
	int ok;
	f->certs = certs_new(1);
	if (!leaf) {
		X509_STORE_CTX_free(c);
		return SL_MSG_CERT_LEAF_MISSING;
	}
	ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &tm);
	f->not_after = (int64_t)timegm(&tm);
	X509_STORE_CTX_init(c, in->trust->store, leaf, (STACK_OF(X509) *)(uintptr_t)in->sent);
	ok = X509_verify_cert(c) == 1;
	f->x509_code = (int16_t)X509_STORE_CTX_get_error(c);
	X509_STORE_CTX_free(c);
	if (in->check_chain && !ok)
		return f->x509_code == X509_V_ERR_CERT_HAS_EXPIRED ? SL_MSG_CERT_DATE_INVALID
		       : sk_X509_num(in->sent) > 1 ? SL_MSG_CERT_ROOT_MISMATCH_ROOT_ABSENT
						   : SL_MSG_CERT_INTERMEDIATE_MISSING;
	if (in->check_name && in->name && X509_check_host(leaf, in->name, 0, 0, NULL) != 1)
		return SL_MSG_CERT_NAME_MISMATCH;
	return SL_MSG_OK;
}
