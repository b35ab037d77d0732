/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream - bytes to and from a server, plain or through TLS, without ever blocking.
 *
 * What is to be sent is collected and goes out with one system call where it can: a PROXY header
 * with the ClientHello, the end of a TLS handshake with the request. What comes in is read as long
 * as the poller has not been told otherwise; an edge-triggered poller tells once.
 *
 * Everything is bounded: what one stream takes in, what waits to be sent, and the system calls that
 * one turn of the loop may spend on it.
 */
#ifndef SLUICE_PROBE_STREAM_H
#define SLUICE_PROBE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ssl_st;

/* Of a stream, TLS records and all: an answer of the largest size in the smallest pieces is less. */
#define STREAM_IN_MAX (8u << 20)
#define STREAM_OUT_MAX (64u << 10)
#define STREAM_READS_PER_TURN 16
#define STREAM_FIRST_LEN 32

struct stream {
	int fd; /* -1: none */
	int pending_errno; /* an error of the socket that was taken from it: the end, when it comes */
	int os_errno; /* the error that ended the stream, below TLS; 0: none */
	bool readable; /* there may be something to read */
	bool hung_up; /* the end is near: a short read does not mean that there is nothing more */
	bool eof; /* the peer's FIN has been read */
	bool starved; /* something was left unread in this turn: see poller_again() */
	uint8_t reads_left; /* in this turn */
	uint8_t n_first;
	uint8_t first[STREAM_FIRST_LEN]; /* the first bytes that came, below TLS */
	uint64_t n_in; /* bytes that came, below TLS */
	struct ssl_st *ssl; /* NULL: plain; see tls.h */
	const void *offered_session; /* to tell it from a new one; never looked into */
	uint32_t trust_generation; /* when the TLS handshake began */
	bool certificate_asked; /* the server wants one of ours, which does not exist */
	bool renegotiation_asked; /* it wants to start over, which is refused */
	uint32_t n_messages; /* of TLS handshakes that came, see TLS_MESSAGES_MAX */
	uint8_t *out;
	uint32_t out_len, out_sent, out_room;
};

void stream_init(struct stream *stream, int fd);

/* Close the descriptor and release the rest. reset: with RST instead of FIN. */
void stream_done(struct stream *stream, bool reset);

/* A new turn, with what the poller said (EPOLL*). */
void stream_turn(struct stream *stream, uint32_t events);

/* Put bytes behind those that wait to be sent. -ENOBUFS: too many; -ENOMEM; -EPROTO: TLS broke. */
int stream_put(struct stream *stream, const void *data, size_t len);

/* Whether anything waits to be sent. */
bool stream_has_output(const struct stream *stream);

/* Send what waits. -EAGAIN: not all of it, wait for the socket; else -errno. */
int stream_flush(struct stream *stream);

/*
 * The next bytes, or 0: the peer ended in good order. -EAGAIN: none now; -ENODATA: TLS was cut off
 * without the peer's word that this is the end; -EPROTO: TLS broke, see tls_fault.h; -EMSGSIZE:
 * more than STREAM_IN_MAX came; -EOVERFLOW: more than TLS_MESSAGES_MAX; else -errno of the socket.
 */
ssize_t stream_recv(struct stream *stream, void *buf, size_t size);

/* The same below TLS, for tls.h. */
int stream_put_raw(struct stream *stream, const void *data, size_t len);
ssize_t stream_recv_raw(struct stream *stream, void *buf, size_t size);

#endif
