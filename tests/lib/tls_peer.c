// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/tls_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#define TEXT_MAX 4096
#define BACKLOG 64
#define DRIBBLE_US 1000

struct tls_peer {
	const struct tls_peer_options *options;
	SSL_CTX *ctx;
	pthread_t thread;
	int fd, stop[2];
	uint16_t port;
	atomic_uint handshakes, resumed, requests;
	char prologue[TEXT_MAX], request[TEXT_MAX], sni[TEXT_MAX];
};

static void must(bool truth)
{
	if (!truth)
		abort();
}

static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		       const unsigned char *in, unsigned int in_len, void *arg)
{
	const struct tls_peer *peer = arg;
	const char *alpn = peer->options->alpn;

	(void)ssl;
	for (unsigned int i = 0; alpn && i < in_len; i += in[i] + 1u) {
		if (in[i] != strlen(alpn) || memcmp(in + i + 1, alpn, in[i]) != 0)
			continue;
		*out = in + i + 1;
		*out_len = in[i];
		return SSL_TLSEXT_ERR_OK;
	}
	return alpn ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK;
}

static int on_sni(SSL *ssl, int *alert, void *arg)
{
	struct tls_peer *peer = arg;
	const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const char *required = peer->options->sni_required;

	snprintf(peer->sni, sizeof(peer->sni), "%s", sni ? sni : "");
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return required && strcmp(required, peer->sni) != 0 ? SSL_TLSEXT_ERR_ALERT_FATAL
							    : SSL_TLSEXT_ERR_OK;
}

static int accept_any(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

static SSL_CTX *make_ctx(struct tls_peer *peer)
{
	const struct tls_peer_options *o = peer->options;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	must(ctx);
	if (o->version) {
		SSL_CTX_set_min_proto_version(ctx, o->version);
		SSL_CTX_set_max_proto_version(ctx, o->version);
	}
	if (o->ciphers)
		must(SSL_CTX_set_cipher_list(ctx, o->ciphers) == 1);
	must(SSL_CTX_use_certificate(ctx, o->leaf->x509) == 1);
	must(SSL_CTX_use_PrivateKey(ctx, o->leaf->key) == 1);
	for (size_t i = 0; i < TLS_PEER_CHAIN_MAX && o->chain[i]; i++)
		must(SSL_CTX_add1_chain_cert(ctx, o->chain[i]->x509) == 1);
	SSL_CTX_set_alpn_select_cb(ctx, select_alpn, peer);
	SSL_CTX_set_tlsext_servername_callback(ctx, on_sni);
	SSL_CTX_set_tlsext_servername_arg(ctx, peer);
	if (o->want_client_cert || o->require_client_cert)
		SSL_CTX_set_verify(
			ctx,
			SSL_VERIFY_PEER |
				(o->require_client_cert ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
			accept_any);
	must(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"t", 1) == 1);
	if (o->no_tickets) {
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(ctx, 0);
	}
	if (o->tickets)
		SSL_CTX_set_num_tickets(ctx, o->tickets);
	return ctx;
}

/* A line before the ClientHello is a PROXY header; it is looked at before it is taken. */
static void take_prologue(struct tls_peer *peer, int fd)
{
	char c;
	size_t n = 0;

	if (recv(fd, &c, 1, MSG_PEEK) != 1 || c != 'P')
		return;
	while (n < TEXT_MAX - 1 && recv(fd, &c, 1, 0) == 1) {
		peer->prologue[n++] = c;
		if (c == '\n')
			break;
	}
	peer->prologue[n] = '\0';
}

static size_t answer_len(const struct tls_peer_options *o)
{
	if (!o->answer)
		return 0;
	return o->answer_len ? o->answer_len : strlen(o->answer);
}

static void send_answer(const struct tls_peer_options *o, SSL *ssl, int fd)
{
	size_t len = answer_len(o), piece = o->dribble ? 1 : len;

	for (size_t k = 0; len && k <= o->repeat; k++)
		for (size_t at = 0; at < len; at += piece) {
			const char *from = (const char *)o->answer + at;

			if (ssl ? SSL_write(ssl, from, (int)piece) <= 0
				: send(fd, from, piece, MSG_NOSIGNAL) <= 0)
				return;
			if (o->dribble)
				usleep(DRIBBLE_US);
		}
}

static void end(const struct tls_peer_options *o, SSL *ssl, int fd)
{
	struct linger linger = { 1, 0 };
	char sink[TEXT_MAX];

	switch (o->end) {
	case TLS_END_NOTIFY:
		if (ssl)
			SSL_shutdown(ssl);
		break;
	case TLS_END_FIN:
		break;
	case TLS_END_RESET:
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		return;
	case TLS_END_HOLD:
		break;
	}
	if (o->end != TLS_END_HOLD)
		shutdown(fd, SHUT_WR);
	/* Reading on keeps what was sent from being lost to a reset. */
	while (recv(fd, sink, sizeof(sink), 0) > 0)
		;
}

static void update_keys(SSL *ssl, size_t times)
{
	while (times-- && SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) == 1 &&
	       SSL_do_handshake(ssl) == 1)
		;
}

static void serve_tls(struct tls_peer *peer, int fd)
{
	const struct tls_peer_options *o = peer->options;
	SSL *ssl = SSL_new(peer->ctx);
	int n;

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		atomic_fetch_add(&peer->handshakes, 1);
		if (SSL_session_reused(ssl))
			atomic_fetch_add(&peer->resumed, 1);
		n = SSL_read(ssl, peer->request, TEXT_MAX - 1);
		peer->request[n > 0 ? n : 0] = '\0';
		if (n > 0) {
			atomic_fetch_add(&peer->requests, 1);
			update_keys(ssl, o->key_updates);
			if (o->renegotiate) {
				SSL_renegotiate(ssl);
				SSL_do_handshake(ssl);
				SSL_read(ssl, peer->request, TEXT_MAX - 1);
			} else if (!o->silent) {
				send_answer(o, ssl, fd);
			}
		}
		end(o, n > 0 ? ssl : NULL, fd);
	} else {
		end(&(struct tls_peer_options){ .end = TLS_END_FIN }, NULL, fd);
	}
	SSL_free(ssl);
}

static void serve_raw(struct tls_peer *peer, int fd)
{
	const struct tls_peer_options *o = peer->options;
	char sink[TEXT_MAX];

	if (o->read_first && recv(fd, sink, sizeof(sink), 0) <= 0)
		return;
	send_answer(o, NULL, fd);
	end(o, NULL, fd);
}

static void *run(void *arg)
{
	struct tls_peer *peer = arg;
	struct pollfd fds[] = { { .fd = peer->fd, .events = POLLIN },
				{ .fd = peer->stop[0], .events = POLLIN } };
	int fd, on = 1;

	while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
		fd = accept(peer->fd, NULL, NULL);
		if (fd < 0)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		take_prologue(peer, fd);
		if (peer->options->no_handshake)
			serve_raw(peer, fd);
		else
			serve_tls(peer, fd);
		close(fd);
	}
	return NULL;
}

struct tls_peer *tls_peer_new(const struct tls_peer_options *options)
{
	struct tls_peer *peer = calloc(1, sizeof(*peer));
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);

	must(peer);
	signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to whoever has gone */
	peer->options = options;
	if (options->leaf)
		peer->ctx = make_ctx(peer);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(!bind(peer->fd, (struct sockaddr *)&in, sizeof(in)));
	must(!listen(peer->fd, BACKLOG));
	must(!getsockname(peer->fd, (struct sockaddr *)&in, &len));
	peer->port = ntohs(in.sin_port);
	must(!pipe(peer->stop));
	must(!pthread_create(&peer->thread, NULL, run, peer));
	return peer;
}

void tls_peer_free(struct tls_peer *peer)
{
	if (!peer)
		return;
	must(write(peer->stop[1], "x", 1) == 1);
	pthread_join(peer->thread, NULL);
	close(peer->stop[0]);
	close(peer->stop[1]);
	close(peer->fd);
	SSL_CTX_free(peer->ctx);
	free(peer);
}

uint16_t tls_peer_port(const struct tls_peer *peer)
{
	return peer->port;
}

uint32_t tls_peer_handshakes(const struct tls_peer *peer)
{
	return atomic_load(&peer->handshakes);
}

uint32_t tls_peer_resumed(const struct tls_peer *peer)
{
	return atomic_load(&peer->resumed);
}

uint32_t tls_peer_requests(const struct tls_peer *peer)
{
	return atomic_load(&peer->requests);
}

const char *tls_peer_prologue(const struct tls_peer *peer)
{
	return peer->prologue;
}

const char *tls_peer_request(const struct tls_peer *peer)
{
	return peer->request;
}

const char *tls_peer_sni(const struct tls_peer *peer)
{
	return peer->sni;
}
