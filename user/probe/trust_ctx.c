// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/trust_ctx.h"

#include "util/cleanup.h"

DEFINE_CLEANUP(SSL_CTX, SSL_CTX_free)

/* Level 0 lets 1024-bit keys and SHA-1 through; anonymous and null ciphers stay out by default. */
#define LEVEL_NO_LIMITS 0

/* OpenSSL verifies even when nobody asks for the result; this spares it the work. */
static int accept_any(X509_STORE_CTX *ctx, void *arg)
{
	(void)ctx;
	(void)arg;
	return 1;
}

SSL_CTX *trust_ctx_new(void)
{
	CLEANUP(SSL_CTX_free_p) SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
	    !SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) ||
	    !SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp))
		return NULL;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, accept_any, NULL);
	SSL_CTX_set_security_level(ctx, LEVEL_NO_LIMITS);
	SSL_CTX_set_max_cert_list(ctx, TRUST_CTX_CERT_LIST_BYTES);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	return take_ptr(ctx);
}
