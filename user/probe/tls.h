/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tls - the client's side of TLS on a stream: handshake, what the server showed, why it failed.
 *
 * Certificates are judged by chain.h, after the handshake and before anything else is sent: the
 * last flight of the handshake itself waits for that judgement, so that it leaves together with the
 * request, or not at all.
 */
#ifndef SLUICE_PROBE_TLS_H
#define SLUICE_PROBE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "model/plan.h"
#include "model/verdict.h"
#include "probe/resume.h"
#include "probe/stream.h"

/*
 * Of a handshake's messages that one connection takes in, tickets and new keys after it included:
 * less than ten are usual. They cost the client much and the server little, and without a bound one
 * server keeps the loop from everybody else's probes.
 */
#define TLS_MESSAGES_MAX 64

/* Put TLS on a connected stream. state may be NULL. -ENOMEM, -EINVAL: the plan's names. */
int tls_start(struct stream *stream, const struct plan *plan, const struct probe_state *state);

/* Release it; the descriptor stays. */
void tls_done(struct stream *stream);

/* Go on. 0: complete; -EAGAIN: the server's turn; else as stream_recv(). */
int tls_handshake(struct stream *stream);

/*
 * Judge what the server showed, or take over the last judgement when the session was resumed.
 * Fills ret_facts, with a reference of the caller's, and returns the verdict.
 */
enum sl_message tls_judge(const struct stream *stream, const struct plan *plan,
			  const struct probe_state *state, struct tls_facts *ret_facts);

/* What the connection is worth to the next one, now that the probe passed. */
void tls_save(const struct stream *stream, const struct plan *plan, struct probe_state *state,
	      const struct tls_facts *facts);

/* Whether the server chose HTTP/2. */
bool tls_chose_h2(const struct stream *stream);

/*
 * Whether something of interest still comes after the handshake: with TLS 1.3, the server's word on
 * the client certificate that it asked for, or the ticket for a resumption.
 */
bool tls_awaits_word(const struct stream *stream, bool for_ticket);

/* Say goodbye: queue close_notify. */
void tls_close_notify(struct stream *stream);

/* For stream.h. */
int tls_put(struct stream *stream, const void *data, size_t len);
ssize_t tls_recv(struct stream *stream, void *buf, size_t size);

#endif
