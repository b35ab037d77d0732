/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chain_text - what is in certificates, as text that can be shown.
 *
 * A certificate may hold any bytes. What comes out is valid UTF-8 without control characters and
 * without those that reorder or hide text; each offending character becomes a '?'.
 */
#ifndef SLUICE_PROBE_CHAIN_TEXT_H
#define SLUICE_PROBE_CHAIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "model/certs.h"

/* What of a name is shown where several are. */
#define CHAIN_NAME_SHOWN 120

#define CHAIN_TEXT_LEN (CERT_TEXT_MAX + 1)
#define CHAIN_SHA256_LEN (2 * CERT_SHA256_LEN + 1)

/* Write what is printable of data[0..len), cut to whole characters, and return buf. */
const char *chain_text(char *buf, size_t size, const uint8_t *data, size_t len);

/* "CN=a.test,O=Example", RFC 2253; "" for an empty name. */
const char *chain_text_name(char buf[CHAIN_TEXT_LEN], const X509_NAME *name);

/* "DNS:a.test", "IP:10.0.0.5", "URI:...", "email:...", "DirName:...", "other". */
const char *chain_text_alt_name(char buf[CHAIN_TEXT_LEN], const GENERAL_NAME *name);

/* Where the issuer's certificate is to be had; false: the certificate does not say. */
bool chain_text_ca_issuers(char buf[CHAIN_TEXT_LEN], const X509 *x509);

/* Lower-case hexadecimal. */
const char *chain_text_sha256(char buf[CHAIN_SHA256_LEN], const uint8_t sha256[CERT_SHA256_LEN]);

/* Text that grows up to size and is cut there. */
struct chain_words {
	char *buf;
	size_t size, len;
};

void chain_words_add(struct chain_words *words, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A name in quotes, shortened; "(no name)" for an empty one. */
void chain_words_add_name(struct chain_words *words, const X509_NAME *name);

/* Undo what cutting may have left of a character. Returns the text. */
const char *chain_words_end(struct chain_words *words);

#endif
