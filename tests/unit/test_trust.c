// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/sha.h>

#include "probe/chain.h"
#include "probe/trust_ctx.h"
#include "tests/lib/certs.h"
#include "tests/lib/fault.h"
#include "util/clock.h"
#include "util/err.h"

#define NAME "a.probe.test"
#define EVENTUALLY_MS 10000
#define HOUR_S 3600

static struct test_cert *root, *leaf;
static int64_t now;

static int set_up(void **state)
{
	(void)state;
	now = time(NULL);
	root = test_root("Root");
	leaf = test_leaf(NAME, root);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	test_cert_free(root);
	test_cert_free(leaf);
	return 0;
}

/* --- what is trusted -------------------------------------------------------------------------- */

static void test_modes(void **state)
{
	uint8_t sha256[CERT_SHA256_LEN], *der = NULL;
	int len = i2d_X509(leaf->x509, &der);

	(void)state;
	SHA256(der, (size_t)len, sha256);
	OPENSSL_free(der);
	for (int mode = TRUST_WELL_KNOWN; mode <= TRUST_ALLOW_LIST; mode++) {
		struct trust_spec spec = { .mode = (enum trust_mode)mode };
		CLEANUP(trust_free_p) struct trust *trust = NULL;
		char trouble[64] = "x";
		X509_STORE *store;

		if (mode != TRUST_WELL_KNOWN)
			test_trust_add(&spec, leaf);
		assert_int_equal(trust_new(&trust, &spec, NULL), 0);
		assert_int_equal(trust_mode(trust), mode);
		assert_int_equal(trust_lists(trust, sha256), mode == TRUST_ALLOW_LIST);
		assert_int_equal(sk_X509_num(trust_certs(trust)), mode != TRUST_WELL_KNOWN);
		assert_false(trust_checks_revocation(trust));
		trust_crl_trouble(trust, trouble, sizeof(trouble));
		assert_string_equal(trouble, "");
		assert_int_equal(trust_generation(trust), trust_generation(trust));
		store = trust_store(trust);
		assert_non_null(store);
		trust_free(take_ptr(trust));
		X509_STORE_free(store);
		test_trust_clear(&spec);
	}
}

static void test_bad_certificate(void **state)
{
	char path[] = "junk.pem";
	uint8_t junk[] = { 0x30, 0x03, 1, 2, 3 };
	struct cert_file file = { .path = path, .der = junk, .len = sizeof(junk) };
	struct trust_spec spec = { .certs = &file, .n_certs = 1, .mode = TRUST_UPLOADED };
	struct trust *trust = NULL;
	struct err err;

	(void)state;
	assert_int_equal(trust_new(&trust, &spec, &err), -EINVAL);
	assert_string_equal(err.text, "junk.pem: not a certificate");
	assert_null(trust);
}

static void test_no_memory(void **state)
{
	char missing[] = "/nonexistent.crl";
	char *crls[] = { missing };
	struct trust_spec spec = { .mode = TRUST_UPLOADED };

	(void)state;
	test_trust_add(&spec, root);
	spec.crls = crls;
	spec.n_crls = 1;
	for (int n = 0;; n++) {
		struct trust *trust = NULL;
		bool failed;
		int r;

		fault_after(FAULT_MEMORY, n, ENOMEM);
		r = trust_new(&trust, &spec, NULL);
		failed = fault_clear(FAULT_MEMORY);
		assert_true(failed ? r == -ENOMEM && !trust : !r);
		trust_free(trust);
		if (!failed)
			break;
	}
	test_trust_clear(&spec);
}

/* --- handshakes ------------------------------------------------------------------------------- */

/* A client with the trust's context against a server that shows cert and n more. */
static bool handshake(struct trust *trust, const struct test_cert *cert, int n, int version,
		      int *ret_sent)
{
	SSL_CTX *server_ctx = SSL_CTX_new(TLS_server_method());
	BIO *a = NULL, *b = NULL;
	SSL *client = SSL_new(trust_ssl_ctx(trust)), *server;
	bool done = false;

	SSL_CTX_set_security_level(server_ctx, 0);
	/* This server shows nothing that the client did not say it takes. */
	SSL_CTX_set_cert_flags(server_ctx, SSL_CERT_FLAG_TLS_STRICT);
	SSL_CTX_set_max_proto_version(server_ctx, version);
	SSL_CTX_use_certificate(server_ctx, cert->x509);
	SSL_CTX_use_PrivateKey(server_ctx, cert->key);
	for (int i = 0; i < n; i++)
		SSL_CTX_add1_chain_cert(server_ctx, root->x509);
	server = SSL_new(server_ctx);
	assert_int_equal(BIO_new_bio_pair(&a, 0, &b, 0), 1);
	SSL_set_bio(client, a, a);
	SSL_set_bio(server, b, b);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	for (int i = 0; i < 2000 && !done; i++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
		done = SSL_is_init_finished(client);
	}
	*ret_sent = sk_X509_num(SSL_get_peer_cert_chain(client));
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(server_ctx);
	return done;
}

static void test_handshakes(void **state)
{
	struct trust_spec spec = { .mode = TRUST_UPLOADED };
	CLEANUP(trust_free_p) struct trust *trust = NULL;
	struct test_cert *weak = test_cert_new(&(struct test_cert_spec){
		.cn = "Weak", .key = TEST_KEY_RSA_1024, .digest = "SHA1", .issuer = root });
	int size = i2d_X509(root->x509, NULL), sent;

	(void)state;
	assert_int_equal(trust_new(&trust, &spec, NULL), 0);
	/* Nothing here is trusted, and weak besides: for the handshake that is all the same. */
	assert_true(handshake(trust, leaf, 0, TLS1_3_VERSION, &sent));
	assert_int_equal(sent, 1);
	assert_true(handshake(trust, weak, 0, TLS1_2_VERSION, &sent));
	assert_true(handshake(trust, weak, 0, TLS1_3_VERSION, &sent));
	assert_true(handshake(trust, leaf, 99, TLS1_3_VERSION, &sent));
	assert_int_equal(sent, 100);
	assert_false(handshake(trust, leaf, 1 + TRUST_CTX_CERT_LIST_BYTES / size, TLS1_3_VERSION,
			       &sent));
	test_cert_free(weak);
}

/* --- lists in files --------------------------------------------------------------------------- */

static enum sl_message judge(struct trust *trust)
{
	STACK_OF(X509) *sent = sk_X509_new_null();
	struct chain_input input = {
		.sent = sent,
		.trust = trust,
		.name = NAME,
		.check_chain = true,
		.check_name = true,
		.name_configured = true,
		.sni_sent = true,
		.now_s = now,
	};
	struct tls_facts facts = { 0 };
	enum sl_message code;

	sk_X509_push(sent, leaf->x509);
	code = chain_judge(&facts, &input);
	certs_unref(facts.certs);
	sk_X509_free(sent);
	return code;
}

/* Ask as probes do, until the answer is this one. */
static bool eventually(struct trust *trust, enum sl_message code)
{
	const struct timespec pause = { .tv_nsec = 10 * NS_PER_MS };
	uint64_t until_ms = clock_mono_ms() + EVENTUALLY_MS;

	while (judge(trust) != code) {
		if (clock_mono_ms() > until_ms)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

static void write_crl(const char *path, const struct test_cert *revoked)
{
	X509_CRL *crl = test_crl(root, revoked, now - HOUR_S, now + HOUR_S);

	test_crl_write(path, crl, true);
	X509_CRL_free(crl);
}

static void test_file_changes(void **state)
{
	char path[] = "/tmp/sluice-test-list-XXXXXX", next[sizeof(path) + 4];
	char *crls[] = { path };
	struct trust_spec spec = { .mode = TRUST_UPLOADED };
	CLEANUP(trust_free_p) struct trust *trust = NULL;
	char trouble[128];
	uint32_t generation;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	snprintf(next, sizeof(next), "%s.new", path);
	test_trust_add(&spec, root);
	spec.crls = crls;
	spec.n_crls = 1;
	assert_int_equal(trust_new(&trust, &spec, NULL), 0);
	assert_true(trust_checks_revocation(trust));
	trust_crl_trouble(trust, trouble, sizeof(trouble));
	assert_non_null(strstr(trouble, "not a revocation list"));
	assert_int_equal(judge(trust), SL_MSG_UNKNOWN_CRL_UNREACHABLE);

	generation = trust_generation(trust);
	write_crl(path, NULL);
	assert_true(eventually(trust, SL_MSG_OK));
	assert_true(trust_generation(trust) > generation);
	trust_crl_trouble(trust, trouble, sizeof(trouble));
	assert_string_equal(trouble, "");

	/* As one replaces files: by renaming. */
	write_crl(next, leaf);
	assert_int_equal(rename(next, path), 0);
	assert_true(eventually(trust, SL_MSG_CERT_VERIFY_FAILED));

	/* The last good list stays, also when its file goes. */
	generation = trust_generation(trust);
	unlink(path);
	for (uint64_t until_ms = clock_mono_ms() + 1500; clock_mono_ms() < until_ms;)
		assert_int_equal(judge(trust), SL_MSG_CERT_VERIFY_FAILED);
	assert_int_equal(trust_generation(trust), generation);
	test_trust_clear(&spec);
}

/* --- lists behind URLs ------------------------------------------------------------------------ */

/* An HTTP server of one thread: every answer is what was set last. */
struct web {
	int fd;
	uint16_t port;
	pthread_t thread;
	pthread_mutex_t lock;
	char head[256];
	uint8_t *body;
	size_t len, repeat;
	atomic_uint requests;
};

static void send_all(int fd, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		at += n;
		len -= (size_t)n;
	}
}

static void *serve(void *arg)
{
	struct web *web = arg;
	int fd;

	while ((fd = accept(web->fd, NULL, NULL)) >= 0) {
		char request[1024];

		if (recv(fd, request, sizeof(request), 0) > 0) {
			atomic_fetch_add(&web->requests, 1);
			pthread_mutex_lock(&web->lock);
			send_all(fd, web->head, strlen(web->head));
			for (size_t i = 0; i < web->repeat; i++)
				send_all(fd, web->body, web->len);
			pthread_mutex_unlock(&web->lock);
		}
		close(fd);
	}
	return NULL;
}

static void web_set(struct web *web, const char *head, X509_CRL *crl)
{
	pthread_mutex_lock(&web->lock);
	OPENSSL_free(web->body);
	web->body = NULL;
	web->len = 0;
	web->repeat = 1;
	if (crl)
		web->len = (size_t)i2d_X509_CRL(crl, &web->body);
	snprintf(web->head, sizeof(web->head), "%s\r\nConnection: close\r\n\r\n", head);
	pthread_mutex_unlock(&web->lock);
}

static void web_start(struct web *web)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	*web = (struct web){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	pthread_mutex_init(&web->lock, NULL);
	assert_int_equal(bind(web->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(web->fd, 16), 0);
	assert_int_equal(getsockname(web->fd, (struct sockaddr *)&at, &len), 0);
	web->port = ntohs(at.sin_port);
	assert_int_equal(pthread_create(&web->thread, NULL, serve, web), 0);
}

static void web_stop(struct web *web)
{
	shutdown(web->fd, SHUT_RDWR);
	pthread_join(web->thread, NULL);
	close(web->fd);
	OPENSSL_free(web->body);
	pthread_mutex_destroy(&web->lock);
}

static struct trust *trust_in_web(struct trust_spec *spec, char **crls)
{
	struct trust *trust = NULL;

	*spec = (struct trust_spec){ .mode = TRUST_UPLOADED };
	test_trust_add(spec, root);
	spec->crls = crls;
	spec->n_crls = 1;
	assert_int_equal(trust_new(&trust, spec, NULL), 0);
	return trust;
}

static void test_url(void **state)
{
	X509_CRL *good = test_crl(root, NULL, now - HOUR_S, now + HOUR_S);
	X509_CRL *revoking = test_crl(root, leaf, now - HOUR_S, now + HOUR_S);
	struct trust_spec spec;
	struct trust *trust;
	struct web web;
	char url[64], trouble[200];
	char *crls[] = { url };

	(void)state;
	web_start(&web);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/list.crl", web.port);

	/* Refused, then had: the retry comes by itself. */
	web_set(&web, "HTTP/1.1 404 Not Found", NULL);
	trust = trust_in_web(&spec, crls);
	trust_settle(trust, EVENTUALLY_MS);
	trust_crl_trouble(trust, trouble, sizeof(trouble));
	assert_non_null(strstr(trouble, url));
	assert_non_null(strstr(trouble, "404"));
	assert_int_equal(judge(trust), SL_MSG_UNKNOWN_CRL_UNREACHABLE);
	web_set(&web, "HTTP/1.1 200 OK", good);
	assert_true(eventually(trust, SL_MSG_OK));
	trust_crl_trouble(trust, trouble, sizeof(trouble));
	assert_string_equal(trouble, "");
	trust_free(trust);
	test_trust_clear(&spec);

	/* Had at once, by whoever waits for it. */
	web_set(&web, "HTTP/1.1 200 OK", revoking);
	trust = trust_in_web(&spec, crls);
	trust_settle(trust, EVENTUALLY_MS);
	assert_int_equal(judge(trust), SL_MSG_CERT_VERIFY_FAILED);
	trust_free(trust);
	test_trust_clear(&spec);
	web_stop(&web);
	X509_CRL_free(good);
	X509_CRL_free(revoking);
}

/* A list that ends soon is fetched again before it does. */
static void test_url_renewed(void **state)
{
	X509_CRL *brief = test_crl(root, NULL, now - HOUR_S, time(NULL) + 3);
	X509_CRL *next = test_crl(root, leaf, now, now + HOUR_S);
	struct trust_spec spec;
	struct trust *trust;
	struct web web;
	char url[64];
	char *crls[] = { url };

	(void)state;
	web_start(&web);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", web.port);
	web_set(&web, "HTTP/1.1 200 OK", brief);
	trust = trust_in_web(&spec, crls);
	trust_settle(trust, EVENTUALLY_MS);
	assert_int_equal(judge(trust), SL_MSG_OK);
	web_set(&web, "HTTP/1.1 200 OK", next);
	assert_true(eventually(trust, SL_MSG_CERT_VERIFY_FAILED));
	trust_free(trust);
	test_trust_clear(&spec);
	web_stop(&web);
	X509_CRL_free(brief);
	X509_CRL_free(next);
}

static const struct {
	const char *head;
	bool endless; /* more than may be kept */
	const char *trouble;
} bad_answers[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 0", false, "empty" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 999999999", false, "too large" },
	{ "HTTP/1.1 200 OK", true, "too large" },
	{ "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd", false, "rotocol" },
	{ "HTTP/1.1 302 Found\r\nLocation: /again", false, "redirect" },
	{ "SSH-2.0-OpenSSH", false, "HTTP/0.9" },
};

static void test_bad_answers(void **state)
{
	X509_CRL *good = test_crl(root, NULL, now - HOUR_S, now + HOUR_S);
	struct web web;
	char url[64];
	char *crls[] = { url };

	(void)state;
	web_start(&web);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", web.port);
	for (size_t i = 0; i < sizeof(bad_answers) / sizeof(bad_answers[0]); i++) {
		struct trust_spec spec;
		struct trust *trust;
		char trouble[200];

		web_set(&web, bad_answers[i].head, bad_answers[i].endless ? good : NULL);
		pthread_mutex_lock(&web.lock);
		if (bad_answers[i].endless)
			web.repeat = (17u << 20) / web.len;
		pthread_mutex_unlock(&web.lock);
		trust = trust_in_web(&spec, crls);
		trust_settle(trust, EVENTUALLY_MS);
		trust_crl_trouble(trust, trouble, sizeof(trouble));
		if (!strstr(trouble, bad_answers[i].trouble))
			fail_msg("row %zu: %s", i, trouble);
		trust_free(trust);
		test_trust_clear(&spec);
	}
	web_stop(&web);
	X509_CRL_free(good);
}

/* A server that says nothing: nobody waits for it, neither for a verdict nor at the end. */
static void test_silence(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	CLEANUP(close_p) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct trust_spec spec;
	struct trust *trust;
	uint64_t start_ms;
	char url[64], trouble[200];
	char *crls[] = { url };

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(at.sin_port));
	start_ms = clock_mono_ms();
	trust = trust_in_web(&spec, crls);
	assert_int_equal(judge(trust), SL_MSG_UNKNOWN_CRL_UNREACHABLE);
	trust_settle(trust, 100);
	trust_crl_trouble(trust, trouble, sizeof(trouble));
	assert_non_null(strstr(trouble, "not fetched yet"));
	trust_free(trust);
	assert_true(clock_mono_ms() - start_ms < 2000);
	test_trust_clear(&spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),        cmocka_unit_test(test_bad_certificate),
		cmocka_unit_test(test_no_memory),    cmocka_unit_test(test_handshakes),
		cmocka_unit_test(test_file_changes), cmocka_unit_test(test_url),
		cmocka_unit_test(test_url_renewed),  cmocka_unit_test(test_bad_answers),
		cmocka_unit_test(test_silence),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
