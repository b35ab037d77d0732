/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crl_list - the revocation lists that one file or one answer holds.
 *
 * PEM with any number of lists, or a single list as DER. Nothing is verified here: whoever uses a
 * list against a certificate does that.
 */
#ifndef SLUICE_PROBE_CRL_LIST_H
#define SLUICE_PROBE_CRL_LIST_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "util/cleanup.h"

#define CRL_BYTES_MAX (16u << 20)
#define CRL_LISTS_MAX 64 /* in one file or answer */

struct err;

/* Empty is an error too. -EINVAL: not revocation lists; -ENOMEM. */
int crl_list_parse(STACK_OF(X509_CRL) * *ret, const uint8_t *data, size_t len, struct err *err);

/* Read a file of at most CRL_BYTES_MAX: -errno, -EFBIG, or as above. err does not name the file. */
int crl_list_read(STACK_OF(X509_CRL) * *ret, const char *path, struct err *err);

/* NULL is fine. */
void crl_list_free(STACK_OF(X509_CRL) * list);

/* When the first of the lists ends to hold: Unix time; INT64_MAX: none of them says so. */
int64_t crl_list_next_update(const STACK_OF(X509_CRL) * list);

#endif
