/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sentence - a sentence about a verdict while it is put together; for probe/message*.c only.
 *
 * It grows to MESSAGE_LEN and is cut there. What comes from outside goes in through
 * sentence_foreign() only.
 */
#ifndef SLUICE_PROBE_SENTENCE_H
#define SLUICE_PROBE_SENTENCE_H

#include "model/plan.h"
#include "model/verdict.h"

struct sentence {
	char *buf; /* MESSAGE_LEN bytes, NUL-terminated */
	size_t len;
};

void sentence_add(struct sentence *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* At most max bytes of text, and '?' for what is not printable ASCII. */
void sentence_foreign(struct sentence *s, const char *text, size_t max);

/* A host, path or text that was looked for, cut to what is worth showing. */
void sentence_shown(struct sentence *s, const char *text);

/* The same of a path, without its query. */
void sentence_path(struct sentence *s, const char *path);

/* "10.0.0.5:443"; sentence_backend: the backend's name, where it has one. */
void sentence_endpoint(struct sentence *s, const struct plan *plan);
void sentence_backend(struct sentence *s, const struct plan *plan);

/* " (DETAIL)", if the verdict has one. */
void sentence_detail(struct sentence *s, const struct verdict *verdict);

/* "2026-12-03" */
void sentence_date(struct sentence *s, int64_t unix_s);

/* What the tables of probe/words.c say. */
const char *words_icmp(bool v4, uint8_t type, uint8_t code);
const char *words_errno(int os_errno);

/* The whole sentence for a row: one function per kind, in probe/message_tls.c. */
void sentence_certificate(struct sentence *s, const struct plan *plan, const struct verdict *v);
void sentence_handshake(struct sentence *s, const struct plan *plan, const struct verdict *v);
void sentence_revocation(struct sentence *s, const struct plan *plan, const struct verdict *v);

/* ", over TLS 1.3; certificate valid until 2026-12-03" behind a sentence about success. */
void sentence_session(struct sentence *s, const struct verdict *v);

#endif
