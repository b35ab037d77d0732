// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/tls.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "probe/chain.h"
#include "probe/tls_fault.h"
#include "probe/trust.h"
#include "util/clock.h"

/* One record and its header: with read-ahead, most flights and answers take one system call. */
#define READ_AHEAD_BYTES (16384 + 512)

/* What ALPN says: each name behind its length. */
#define ALPN_H2 "\x02h2"
#define ALPN_HTTP_1_1 "\x08http/1.1"

static int64_t now_s(void)
{
	return (int64_t)(clock_wall_ms() / MS_PER_SEC);
}

/* --- OpenSSL's idea of a transport ------------------------------------------------------------- */

static int bio_write(BIO *bio, const char *data, size_t len, size_t *ret_n)
{
	struct stream *stream = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (stream_put_raw(stream, data, len) < 0)
		return 0;
	*ret_n = len;
	return 1;
}

static int bio_read(BIO *bio, char *buf, size_t size, size_t *ret_n)
{
	struct stream *stream = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	if (stream->n_messages > TLS_MESSAGES_MAX)
		return 0;
	n = stream_recv_raw(stream, buf, size);
	if (n == -EAGAIN)
		BIO_set_retry_read(bio);
	if (n <= 0)
		return 0;
	*ret_n = (size_t)n;
	return 1;
}

/* A flush is the stream's business: OpenSSL flushes more often than there is something complete. */
static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	const struct stream *stream = BIO_get_data(bio);

	(void)number;
	(void)pointer;
	switch (command) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_EOF:
		return stream->eof;
	default:
		return 0;
	}
}

/* Made once and kept for the life of the process: it holds nothing but function pointers. */
static BIO_METHOD *bio_method;

static void make_bio_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");

	if (!method)
		return;
	BIO_meth_set_write_ex(method, bio_write);
	BIO_meth_set_read_ex(method, bio_read);
	BIO_meth_set_ctrl(method, bio_ctrl);
	bio_method = method;
}

static BIO *bio_of(struct stream *stream)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	BIO *bio;

	pthread_once(&once, make_bio_method);
	bio = bio_method ? BIO_new(bio_method) : NULL;
	if (!bio)
		return NULL;
	BIO_set_data(bio, stream);
	BIO_set_init(bio, 1);
	return bio;
}

/* --- start and end ---------------------------------------------------------------------------- */

/* HTTP/1.1 is asked for first; a server that insists on HTTP/2 gets it. */
static const char *alpn_of(enum protocol protocol)
{
	switch (protocol) {
	case PROTO_HTTPS:
		return ALPN_HTTP_1_1 ALPN_H2;
	case PROTO_GRPC:
		return ALPN_H2;
	case PROTO_HTTP:
	case PROTO_TCP:
	case PROTO_TLS:
	case PROTO_UDP:
		break;
	}
	return NULL;
}

/* There is none to give: the handshake goes on without, and the server decides. */
static int on_certificate_asked(SSL *ssl, void *arg)
{
	struct stream *stream = arg;

	(void)ssl;
	stream->certificate_asked = true;
	return 1;
}

static void on_message(int sent, int version, int type, const void *data, size_t len, SSL *ssl,
		       void *arg)
{
	struct stream *stream = arg;

	(void)version;
	(void)data;
	(void)len;
	(void)ssl;
	if (!sent && type == SSL3_RT_HANDSHAKE)
		stream->n_messages++;
}

static int configure(SSL *ssl, const struct plan *plan)
{
	const char *alpn = alpn_of(plan->protocol);

	SSL_set_connect_state(ssl);
	SSL_set_read_ahead(ssl, 1);
	SSL_set_default_read_buffer_len(ssl, READ_AHEAD_BYTES);
	/* A server that wants to start over, for a client certificate as a rule, says so by failing. */
	SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
	if (plan->tls.full_every > 1)
		SSL_clear_options(ssl, SSL_OP_NO_TICKET);
	if (plan->tls.sni && SSL_set_tlsext_host_name(ssl, plan->tls.sni) != 1)
		return -EINVAL;
	if (alpn &&
	    SSL_set_alpn_protos(ssl, (const uint8_t *)alpn, (unsigned int)strlen(alpn)) != 0)
		return -ENOMEM;
	return 0;
}

int tls_start(struct stream *stream, const struct plan *plan, const struct probe_state *state)
{
	SSL *ssl = SSL_new(trust_ssl_ctx(plan->tls.trust));
	SSL_SESSION *session;
	BIO *bio;
	int r;

	if (!ssl)
		return -ENOMEM;
	stream->ssl = ssl;
	stream->trust_generation = trust_generation(plan->tls.trust);
	bio = bio_of(stream);
	if (!bio)
		return -ENOMEM;
	SSL_set_bio(ssl, bio, bio);
	SSL_set_cert_cb(ssl, on_certificate_asked, stream);
	SSL_set_msg_callback(ssl, on_message);
	SSL_set_msg_callback_arg(ssl, stream);
	r = configure(ssl, plan);
	if (r < 0)
		return r;

	session = resume_session(state, plan, now_s());
	stream->offered_session = session;
	if (session) {
		/* A session that cannot be used makes a full handshake, which is as good. */
		(void)SSL_set_session(ssl, session);
		SSL_SESSION_free(session);
	}
	return 0;
}

void tls_done(struct stream *stream)
{
	/* Otherwise a connection that ends without a word takes its session along. */
	SSL_set_shutdown(stream->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(stream->ssl);
	stream->ssl = NULL;
}

/* --- bytes ------------------------------------------------------------------------------------ */

/* What a call that did not succeed means; OpenSSL's queue of errors is left to tls_explain(). */
static int failure(const struct stream *stream, int ret)
{
	switch (SSL_get_error(stream->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		break;
	}
	if (stream->os_errno)
		return -stream->os_errno;
	if (stream->n_in >= STREAM_IN_MAX)
		return -EMSGSIZE;
	if (stream->n_messages > TLS_MESSAGES_MAX)
		return -EOVERFLOW;
	return stream->eof && tls_fault_alert() == TLS_ALERT_NONE ? -ENODATA : -EPROTO;
}

int tls_handshake(struct stream *stream)
{
	int r, ret;

	ERR_clear_error();
	ret = SSL_do_handshake(stream->ssl);
	if (ret == 1)
		return 0;
	r = failure(stream, ret);
	/* A handshake that ends in good order ends all the same. */
	return r ? r : -ENODATA;
}

int tls_put(struct stream *stream, const void *data, size_t len)
{
	size_t n;
	int ret;

	ERR_clear_error();
	ret = SSL_write_ex(stream->ssl, data, len, &n);
	if (ret == 1)
		return 0;
	return stream->out_len + len > STREAM_OUT_MAX ? -ENOBUFS : -EPROTO;
}

ssize_t tls_recv(struct stream *stream, void *buf, size_t size)
{
	uint32_t out_len = stream->out_len;
	size_t n;
	ssize_t r;
	int ret;

	ERR_clear_error();
	ret = SSL_read_ex(stream->ssl, buf, size, &n);
	r = ret == 1 ? (ssize_t)n : failure(stream, ret);
	/* All that reading with TLS 1.2 makes OpenSSL say, errors aside, is no_renegotiation. */
	if (r != -EPROTO && stream->out_len > out_len && SSL_version(stream->ssl) == TLS1_2_VERSION)
		stream->renegotiation_asked = true;
	return r;
}

void tls_close_notify(struct stream *stream)
{
	ERR_clear_error();
	(void)SSL_shutdown(stream->ssl);
}

/* --- what the server showed -------------------------------------------------------------------- */

static enum sl_message judge_chain(const struct stream *stream, const struct plan *plan,
				   struct tls_facts *facts)
{
	struct chain_input input = {
		.sent = SSL_get_peer_cert_chain(stream->ssl),
		.trust = plan->tls.trust,
		.name = plan->tls.name,
		.check_chain = plan->tls.check_chain,
		.check_name = plan->tls.check_name,
		.name_configured = plan->tls.name_configured,
		.sni_sent = plan->tls.sni,
		.now_s = now_s(),
	};
	const uint8_t *ocsp;
	long len = SSL_get_tlsext_status_ocsp_resp(stream->ssl, &ocsp);

	if (len > 0) {
		input.ocsp = ocsp;
		input.ocsp_len = (size_t)len;
	}
	return chain_judge(facts, &input);
}

enum sl_message tls_judge(const struct stream *stream, const struct plan *plan,
			  const struct probe_state *state, struct tls_facts *ret_facts)
{
	enum sl_message code = SL_MSG_OK;
	struct tls_facts facts = { 0 };

	if (SSL_session_reused(stream->ssl))
		facts = resume_facts(state, now_s());
	else
		code = judge_chain(stream, plan, &facts);
	facts.version = (uint16_t)SSL_version(stream->ssl);
	facts.alert = TLS_ALERT_NONE;
	*ret_facts = facts;
	return code;
}

void tls_save(const struct stream *stream, const struct plan *plan, struct probe_state *state,
	      const struct tls_facts *facts)
{
	SSL_SESSION *session = SSL_get0_session(stream->ssl);

	if (plan->tls.full_every <= 1)
		return;
	if (facts->resumed && session == stream->offered_session)
		session = NULL;
	resume_keep(state, session, facts, stream->trust_generation);
}

bool tls_chose_h2(const struct stream *stream)
{
	const uint8_t *name;
	unsigned int len;

	SSL_get0_alpn_selected(stream->ssl, &name, &len);
	return len == strlen(ALPN_H2) - 1 && !memcmp(name, &ALPN_H2[1], len);
}

bool tls_awaits_word(const struct stream *stream, bool for_ticket)
{
	const SSL *ssl = stream->ssl;

	if (SSL_version(ssl) != TLS1_3_VERSION)
		return false;
	return stream->certificate_asked ||
	       (for_ticket && !SSL_SESSION_is_resumable(SSL_get0_session(ssl)));
}
