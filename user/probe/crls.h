/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crls - the revocation lists of one trust: which are in force now, and why others are not.
 *
 * A source is a file or an http:// URL. Files are looked at by whoever asks, at most once a
 * second, and read again when they are others; URLs are fetched by crl_fetch. A source that fails
 * keeps the last good list that it gave. Any thread may call anything.
 */
#ifndef SLUICE_PROBE_CRLS_H
#define SLUICE_PROBE_CRLS_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "util/cleanup.h"

struct crls;
struct err;

/*
 * The names of the sources are borrowed. Files are read before this returns; that one cannot be
 * read is trouble, and no error. -ENOMEM, or what creating a thread returned.
 */
int crls_new(struct crls **ret, char *const *sources, uint32_t n, struct err *err);
void crls_free(struct crls *crls);
DEFINE_CLEANUP(struct crls, crls_free)

/* Look at the files if a second has passed. Returns a number that grows with every change. */
uint32_t crls_refresh(struct crls *crls);

/* Put the lists in force into a store. -ENOMEM. */
int crls_add_to(struct crls *crls, X509_STORE *store);

/* The first source without a valid list and why, or "". */
void crls_trouble(struct crls *crls, char *buf, size_t size);

/* Call with every date on which a list begins or ends to hold. */
void crls_dates(struct crls *crls, void (*date)(void *arg, int64_t unix_s), void *arg);

/* Wait until every URL has been tried once, but not longer than this. */
void crls_settle(struct crls *crls, uint32_t timeout_ms);

#endif
