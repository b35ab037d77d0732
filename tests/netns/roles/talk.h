/* SPDX-License-Identifier: GPL-2.0-or-later */
/* talk - what the roles of a hostile server are made of. Blocking: what is played reads from top to bottom. */
#ifndef SLUICE_TESTS_ROLES_TALK_H
#define SLUICE_TESTS_ROLES_TALK_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

#define TEXT_MAX 8192
#define BLOCK_BYTES 16384 /* a record's worth at once: this is about the client, not about us */

struct conn {
	int fd;
	SSL *ssl; /* NULL: plain, or not yet */
	SSL_CTX *ctx; /* NULL: plain */
	int version; /* of TLS */
};

/* Ends the process, saying why. */
__attribute__((format(printf, 1, 2), noreturn)) void die(const char *fmt, ...);

/* For one handshake on this connection, as its server. Never NULL; for the caller to free. */
SSL *open_tls(const struct conn *conn);

/* All of it; false: the client has gone. */
bool say(struct conn *conn, const void *data, size_t len);
bool say_text(struct conn *conn, const char *text);

/* This over and over, until the client has gone. */
void say_for_ever(struct conn *conn, const void *unit, size_t len);

/* A byte a second. */
void say_slowly(struct conn *conn, const void *data, size_t len);

/* What the client sends first. */
void hear(struct conn *conn);

/* Until the client has had enough. */
void hold(struct conn *conn);

/* The connection will end with a reset. */
void reset(struct conn *conn);

#endif
