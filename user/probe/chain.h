/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chain - what is wrong with the certificates that a server showed: shape, trust, dates, name.
 *
 * OpenSSL's first error does not tell: a list in the wrong order shows as "unsuitable purpose", a
 * leaf without its issuer the same way whether the root is known or not. So the shape of the list
 * is judged first, then all of the verifier's complaints are collected, then the name is compared;
 * the finding is the first in that order, and the others go beside it. No network, no clock.
 */
#ifndef SLUICE_PROBE_CHAIN_H
#define SLUICE_PROBE_CHAIN_H

#include <openssl/x509.h>

#include "model/verdict.h"
#include "probe/trust.h"

struct chain_input {
	const STACK_OF(X509) *
		sent; /* as the server sent them, leaf included; may be NULL or empty */
	struct trust *trust;
	const char *name; /* reference name; brackets and a final dot are ignored; NULL: none */
	bool check_chain, check_name; /* validate_chain_and_expiry, validate_sni */
	bool name_configured; /* false: the name is only the default host 127.0.0.1 */
	bool sni_sent;
	int64_t now_s; /* Unix time */
	const uint8_t *ocsp; /* stapled response; NULL: none came */
	size_t ocsp_len;
};

/*
 * Judge. Fills ret_facts->certs (one reference for the caller), not_after, x509_*, warnings, also;
 * leaves version, resumed and alert alone. Returns the verdict: SL_MSG_OK or a certificate's, or
 * SL_MSG_LOCAL_RESOURCE when out of memory.
 */
enum sl_message chain_judge(struct tls_facts *ret_facts, const struct chain_input *input);

#endif
