/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trust_ctx - the SSL_CTX of probes: asks for everything, refuses nothing, keeps nothing.
 *
 * A handshake must come to its end whatever certificate is shown, or there is nothing to judge.
 * So this context neither verifies nor insists on strong keys and digests: chain.c does, and says
 * which certificate is at fault.
 */
#ifndef SLUICE_PROBE_TRUST_CTX_H
#define SLUICE_PROBE_TRUST_CTX_H

#include <openssl/ssl.h>

/*
 * What a server may send of certificates: a hundred of usual size, which are judged, but not a
 * megabyte of them, which OpenSSL refuses as an excessive message before it takes it in.
 */
#define TRUST_CTX_CERT_LIST_BYTES (128 * 1024)

/* NULL: out of memory. */
SSL_CTX *trust_ctx_new(void);

#endif
