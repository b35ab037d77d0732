/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tls_peer - a TLS server on loopback, on a thread of its own, that does as it is told, for tests.
 *
 * Serves one connection at a time, with blocking sockets: shake hands, read a request, answer,
 * end in the way that was asked for.
 */
#ifndef SLUICE_TESTS_TLS_PEER_H
#define SLUICE_TESTS_TLS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lib/certs.h"

enum tls_peer_end {
	TLS_END_NOTIFY, /* close_notify and FIN */
	TLS_END_FIN, /* FIN alone */
	TLS_END_RESET,
	TLS_END_HOLD /* until the client closes */
};

#define TLS_PEER_CHAIN_MAX 512

struct tls_peer_options {
	int version; /* TLS1_2_VERSION, TLS1_3_VERSION; 0: either */
	const struct test_cert *leaf;
	const struct test_cert
		*chain[TLS_PEER_CHAIN_MAX]; /* behind the leaf, up to the first NULL */
	const char *alpn; /* the one protocol that is spoken; NULL: none is chosen */
	const char *sni_required; /* unrecognized_name for all others; NULL: any */
	bool want_client_cert, require_client_cert;
	bool no_tickets; /* nothing can be resumed */
	size_t tickets; /* TLS 1.3: so many; 0: as many as usual */
	size_t key_updates; /* TLS 1.3: so many before the answer, each wants one in return */
	const char *ciphers; /* of TLS 1.2; NULL: the usual ones */
	bool renegotiate; /* TLS 1.2: ask for it instead of answering */
	bool no_handshake; /* raw: send answer at once, without TLS */
	bool read_first; /* raw: after the first bytes have come */
	const void *answer;
	size_t answer_len; /* 0: strlen */
	size_t repeat; /* send the answer so many times more */
	bool dribble; /* byte by byte, a millisecond apart */
	bool silent; /* read the request and answer nothing */
	enum tls_peer_end end;
};

struct tls_peer;

/* Listen on 127.0.0.1. options is borrowed. */
struct tls_peer *tls_peer_new(const struct tls_peer_options *options);
void tls_peer_free(struct tls_peer *peer);

uint16_t tls_peer_port(const struct tls_peer *peer);

/* These may be asked while it runs. */
uint32_t tls_peer_handshakes(const struct tls_peer *peer); /* completed */
uint32_t tls_peer_resumed(const struct tls_peer *peer); /* of them */
uint32_t tls_peer_requests(const struct tls_peer *peer);

/* What came before the handshake (a PROXY header, up to its line end) and the last request. */
const char *tls_peer_prologue(const struct tls_peer *peer);
const char *tls_peer_request(const struct tls_peer *peer);
const char *tls_peer_sni(const struct tls_peer *peer);

#endif
