// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/resume.h"

#include <string.h>

#include <openssl/asn1.h>
#include <openssl/err.h>

#include "probe/chain.h"
#include "probe/trust.h"

/* In a serialized session, the server's certificate has this context tag. */
#define SESSION_TAG_PEER 3

struct probe_state {
	uint8_t *session; /* serialized; NULL: none */
	uint32_t session_len;
	uint32_t n_resumed; /* since the last full handshake */
	uint32_t generation; /* of what is trusted, when the certificates were judged */
	struct tls_facts facts; /* of the last full handshake; certs is this state's reference */
};

struct probe_state *probe_state_new(void)
{
	return calloc(1, sizeof(struct probe_state));
}

void probe_state_reset(struct probe_state *state)
{
	if (!state)
		return;
	free(state->session);
	certs_unref(state->facts.certs);
	*state = (struct probe_state){ .session = NULL };
}

void probe_state_free(struct probe_state *state)
{
	probe_state_reset(state);
	free(state);
}

static bool still_holds(const struct probe_state *state, const struct plan *plan, int64_t now_s)
{
	const struct tls_facts *facts = &state->facts;

	if (state->n_resumed + 1 >= plan->tls.full_every)
		return false;
	if (state->generation != trust_generation(plan->tls.trust))
		return false;
	return !plan->tls.check_chain || !facts->not_after ||
	       !cert_has_expired(facts->not_after, now_s);
}

SSL_SESSION *resume_session(const struct probe_state *state, const struct plan *plan, int64_t now_s)
{
	const uint8_t *at;

	if (!state || !state->session || !still_holds(state, plan, now_s))
		return NULL;
	at = state->session;
	return d2i_SSL_SESSION(NULL, &at, (long)state->session_len);
}

struct tls_facts resume_facts(const struct probe_state *state, int64_t now_s)
{
	struct tls_facts facts = state->facts;

	certs_ref(facts.certs);
	facts.resumed = true;
	/* Time passes for a judgement that is kept, too. */
	if (facts.not_after && cert_expires_soon(facts.not_after, now_s))
		facts.warnings |= SL_WARN_CERT_EXPIRES_SOON;
	return facts;
}

/* --- serializing ------------------------------------------------------------------------------ */

/* One element at *at, which then points behind it. false: not DER. */
static bool next_element(const uint8_t **at, const uint8_t *end, int *ret_tag, int *ret_class)
{
	const uint8_t *content = *at;
	long len;

	if (ASN1_get_object(&content, &len, ret_tag, ret_class, end - *at) & 0x80)
		return false;
	if (len > end - content)
		return false;
	*at = content + len;
	return true;
}

/*
 * Take the server's certificate out of a serialized session, in place: a sequence of elements, of
 * which that one is optional. Returns the new length, or 0.
 */
static size_t strip_certificate(uint8_t *der, size_t len)
{
	const uint8_t *content = der, *at, *before;
	const uint8_t *end = der + len;
	int tag, class;
	size_t body, cut = 0;
	uint8_t *to;
	long n;

	if (ASN1_get_object(&content, &n, &tag, &class, (long)len) & 0x80 || tag != V_ASN1_SEQUENCE)
		return 0;
	for (at = content; at < end;) {
		before = at;
		if (!next_element(&at, end, &tag, &class))
			return 0;
		if (class != V_ASN1_CONTEXT_SPECIFIC || tag != SESSION_TAG_PEER)
			continue;
		cut = (size_t)(at - before);
		memmove(der + (before - der), at, (size_t)(end - at));
		break;
	}

	/* The sequence's own header becomes shorter with its content. */
	body = (size_t)(end - content) - cut;
	n = ASN1_object_size(1, (int)body, V_ASN1_SEQUENCE);
	memmove(der + ((size_t)n - body), content, body);
	to = der;
	ASN1_put_object(&to, 1, (int)body, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	return (size_t)n;
}

/* Sets *ret to malloc'd bytes. 0: the session cannot be kept. */
static size_t serialize(uint8_t **ret, SSL_SESSION *session)
{
	CLEANUP(free_p) uint8_t *der = NULL;
	uint8_t *at, *kept;
	int len = i2d_SSL_SESSION(session, NULL);
	size_t n;

	if (len <= 0)
		return 0;
	der = malloc((size_t)len);
	if (!der)
		return 0;
	at = der;
	i2d_SSL_SESSION(session, &at);
	n = strip_certificate(der, (size_t)len);
	if (!n || n > RESUME_SESSION_MAX)
		return 0;

	kept = realloc(der, n);
	if (!kept)
		return 0;
	der = NULL;
	*ret = kept;
	return n;
}

void resume_keep(struct probe_state *state, SSL_SESSION *session, const struct tls_facts *facts,
		 uint32_t generation)
{
	uint8_t *der = NULL;
	size_t len;

	if (facts->resumed) {
		state->n_resumed++;
	} else {
		probe_state_reset(state);
		state->facts = *facts;
		certs_ref(state->facts.certs);
		state->generation = generation;
	}
	/* A server that gave no new ticket may take the old one once more. */
	if (!session)
		return;
	len = SSL_SESSION_is_resumable(session) ? serialize(&der, session) : 0;
	free(state->session);
	state->session = der;
	state->session_len = (uint32_t)len;
}
