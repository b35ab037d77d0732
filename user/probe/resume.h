/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resume - what a probe of an endpoint leaves behind for the next one: a TLS session and the last
 * judgement of the certificates that stand behind it.
 *
 * A resumed handshake proves that the server still holds the session's secret, and costs a fraction
 * of a full one; it shows no certificate, so the last judgement holds, as long as nothing that it
 * was made from has changed. The session is kept serialized and without the server's certificate:
 * a few hundred bytes instead of ten thousand.
 *
 * Belongs to whoever probes the endpoint: one probe at a time, one thread.
 */
#ifndef SLUICE_PROBE_RESUME_H
#define SLUICE_PROBE_RESUME_H

#include <openssl/ssl.h>

#include "model/plan.h"
#include "model/verdict.h"
#include "util/cleanup.h"

/* Sessions whose tickets make them larger are not kept: every handshake is a full one. */
#define RESUME_SESSION_MAX 2048

struct probe_state;

/* Nothing known yet. NULL: out of memory. */
struct probe_state *probe_state_new(void);
void probe_state_free(struct probe_state *state);
DEFINE_CLEANUP(struct probe_state, probe_state_free)

/* Forget everything: the next handshake is a full one. NULL is fine. */
void probe_state_reset(struct probe_state *state);

/*
 * The session to resume, which the caller frees with SSL_SESSION_free(), or NULL: a full handshake
 * is due. state may be NULL. now_s is Unix time.
 */
SSL_SESSION *resume_session(const struct probe_state *state, const struct plan *plan,
			    int64_t now_s);

/* The last judgement, with a reference of the caller's. */
struct tls_facts resume_facts(const struct probe_state *state, int64_t now_s);

/*
 * Keep a session that passed (NULL: the old one still serves) and the judgement behind it, which
 * was made under this trust_generation(). A full handshake starts the count again.
 */
void resume_keep(struct probe_state *state, SSL_SESSION *session, const struct tls_facts *facts,
		 uint32_t generation);

#endif
