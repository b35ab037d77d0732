/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chain_name - whether a certificate is for a name.
 *
 * An address is compared with the IP alternative names only. A DNS name is compared with the DNS
 * alternative names, and with the CN only if the certificate has no alternative names at all. A
 * wildcard is a whole first label and stands for exactly one.
 */
#ifndef SLUICE_PROBE_CHAIN_NAME_H
#define SLUICE_PROBE_CHAIN_NAME_H

#include <stdbool.h>

#include <openssl/x509.h>

/* What OpenSSL calls a mismatch with this kind of name, or X509_V_OK: the certificate is for it. */
int chain_name_check(X509 *x509, const char *name);

bool chain_name_is_address(const char *name);

bool chain_name_has_alternatives(const X509 *x509);

#endif
