/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x509_time - the dates of certificates, lists and responses as numbers and as people read them.
 */
#ifndef SLUICE_PROBE_X509_TIME_H
#define SLUICE_PROBE_X509_TIME_H

#include <stdint.h>

#include <openssl/asn1.h>

#define X509_TIME_LEN 32

/* What x509_time() makes of a date that is missing or no date. */
#define X509_TIME_BAD INT64_MIN

/* Unix time, seconds. time may be NULL. */
int64_t x509_time(const ASN1_TIME *time);

/* Write "2026-01-31 23:59:59 UTC", or "an invalid date", and return buf. */
const char *x509_time_format(char buf[X509_TIME_LEN], int64_t unix_s);

#endif
