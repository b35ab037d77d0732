// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hostile - servers that mean no good, each on a port of its own:
 *
 *   hostile ADDRESS DIRECTORY [tls:|tls1.2:]ROLE=PORT...
 *
 * With "tls:" the role is played behind a handshake, as far as it gets that far, of TLS 1.3. The certificates
 * are made now, for a.probe.test; DIRECTORY/root.crt appears when everything listens. The role
 * "bomb" sends DIRECTORY/bomb.gz, which has to be there.
 *
 * One thread per connection with blocking sockets: what is played reads from top to bottom. A
 * role that is told to go on for ever ends when the client has gone.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "tests/lib/certs.h"
#include "util/addr.h"

#define NAME "a.probe.test"
#define BACKLOG 128
#define SERVERS_MAX 128
#define TEXT_MAX 8192
#define BLOCK_BYTES 16384 /* a record's worth at once: this is about the client, not about us */
#define DEEP_CAS 99 /* below the root; the leaf makes a hundred */
#define MEGABYTE (1024 * 1024)
#define FLOOD 100000 /* of small things: more than any client should take */
#define TICKETS 100
#define FOUR_GB "4294967296"

#define OK_LINE "HTTP/1.1 200 OK\r\n"
#define MORE_THAN_NEEDED "x-padding: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"

struct conn {
	int fd;
	SSL *ssl; /* NULL: plain, or not yet */
	SSL_CTX *ctx; /* NULL: plain */
	int version; /* of TLS */
};

enum chain { CHAIN_FINE, CHAIN_DEEP, CHAIN_WIDE, CHAIN_MEGABYTE, CHAINS };

struct role {
	const char *name;
	void (*play)(struct conn *conn);
	bool raw; /* before any handshake, also with TLS */
	enum chain chain;
};

struct server {
	int fd;
	const struct role *role;
	SSL_CTX *ctx;
	int version;
};

static void die(const char *fmt, ...)
{
	va_list args;

	fputs("hostile: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

/* --- what roles are made of --------------------------------------------------------------------- */

/* All of it; false: the client has gone. */
static bool say(struct conn *conn, const void *data, size_t len)
{
	const uint8_t *at = data;
	size_t done;
	ssize_t n;

	if (conn->ssl)
		return SSL_write_ex(conn->ssl, data, len, &done) == 1;
	for (; len; at += n, len -= (size_t)n) {
		n = send(conn->fd, at, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
	}
	return true;
}

static bool say_text(struct conn *conn, const char *text)
{
	return say(conn, text, strlen(text));
}

static size_t fill(uint8_t block[BLOCK_BYTES], const void *unit, size_t len)
{
	size_t n;

	for (n = 0; n + len <= BLOCK_BYTES; n += len)
		memcpy(block + n, unit, len);
	return n;
}

static void say_for_ever(struct conn *conn, const void *unit, size_t len)
{
	uint8_t block[BLOCK_BYTES];
	size_t n = fill(block, unit, len);

	while (say(conn, block, n))
		;
}

static void say_slowly(struct conn *conn, const void *data, size_t len)
{
	for (size_t i = 0; i < len && say(conn, (const uint8_t *)data + i, 1); i++)
		sleep(1);
}

/* What the client sends first. */
static void hear(struct conn *conn)
{
	char text[TEXT_MAX];

	if (conn->ssl)
		SSL_read(conn->ssl, text, sizeof(text));
	else if (recv(conn->fd, text, sizeof(text), 0) < 0)
		return;
}

/* Until the client has had enough. */
static void hold(struct conn *conn)
{
	char sink[TEXT_MAX];

	while (recv(conn->fd, sink, sizeof(sink), 0) > 0)
		;
}

static void reset(struct conn *conn)
{
	struct linger at_once = { .l_onoff = 1 };

	setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

static SSL *open_tls(const struct conn *conn)
{
	SSL *ssl = SSL_new(conn->ctx);

	if (!ssl || SSL_set_fd(ssl, conn->fd) != 1 ||
	    SSL_set_min_proto_version(ssl, conn->version) != 1 ||
	    SSL_set_max_proto_version(ssl, conn->version) != 1)
		die("cannot set up TLS");
	return ssl;
}

/* --- roles: silence and noise ------------------------------------------------------------------- */

static void play_silent(struct conn *conn)
{
	hear(conn);
	hold(conn);
}

static void play_garbage(struct conn *conn)
{
	uint8_t noise[BLOCK_BYTES];
	unsigned int seed = 1;

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)(rand_r(&seed) | 0x80);
	hear(conn);
	say_for_ever(conn, noise, sizeof(noise));
}

/* Records of a handshake in form, and nothing that makes sense within. */
static void play_garbage_records(struct conn *conn)
{
	static const uint8_t record[] = { 0x16, 0x03, 0x03, 0x00, 0x08, 0xee, 0x00,
					  0x00, 0x04, 0xff, 0xff, 0xff, 0xff };

	hear(conn);
	say_for_ever(conn, record, sizeof(record));
}

/* A ServerHello of sixteen megabytes. */
static void play_endless_hello(struct conn *conn)
{
	static const uint8_t head[] = { 0x16, 0x03, 0x03, 0x40, 0x00, 0x02, 0xff, 0xff, 0xff };
	static const uint8_t record[5 + 16384] = { 0x16, 0x03, 0x03, 0x40, 0x00 };

	hear(conn);
	say(conn, head, sizeof(head));
	say(conn, record + 5, sizeof(record) - sizeof(head));
	while (say(conn, record, sizeof(record)))
		;
}

/* Warnings, of which none ends anything. */
static void play_alerts(struct conn *conn)
{
	static const uint8_t alert[] = { 0x15, 0x03, 0x03, 0x00, 0x02, 0x01, 0x5a };

	hear(conn);
	say_for_ever(conn, alert, sizeof(alert));
}

static void play_slow_handshake(struct conn *conn)
{
	static const uint8_t record[] = { 0x16, 0x03, 0x03, 0x00, 0x5a, 0x02, 0x00, 0x00, 0x56,
					  0x03, 0x03, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa };

	hear(conn);
	say_slowly(conn, record, sizeof(record));
	hold(conn);
}

/* --- roles: answers ----------------------------------------------------------------------------- */

static void play_fine(struct conn *conn)
{
	hear(conn);
	say_text(conn, OK_LINE "Content-Length: 6\r\n\r\nneedle");
	hold(conn);
}

static void play_endless_status(struct conn *conn)
{
	hear(conn);
	say_text(conn, "HTTP/1.1 200 ");
	say_for_ever(conn, "very ", 5);
}

static void play_endless_line(struct conn *conn)
{
	hear(conn);
	say_text(conn, OK_LINE "x-endless: ");
	say_for_ever(conn, "and so on, ", 11);
}

static void play_endless_header(struct conn *conn)
{
	hear(conn);
	say_text(conn, OK_LINE);
	say_for_ever(conn, MORE_THAN_NEEDED, strlen(MORE_THAN_NEEDED));
}

static void play_slow_header(struct conn *conn)
{
	hear(conn);
	say_slowly(conn, OK_LINE, strlen(OK_LINE));
	hold(conn);
}

static void play_interim(struct conn *conn)
{
	static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";

	hear(conn);
	for (int i = 0; i < FLOOD && say_text(conn, interim); i++)
		;
	say_text(conn, OK_LINE "Content-Length: 0\r\n\r\n");
	hold(conn);
}

static void play_endless_body(struct conn *conn)
{
	hear(conn);
	say_text(conn, OK_LINE "\r\n");
	say_for_ever(conn, "hay ", 4);
}

static void play_endless_chunks(struct conn *conn)
{
	hear(conn);
	say_text(conn, OK_LINE "Transfer-Encoding: chunked\r\n\r\n");
	say_for_ever(conn, "1\r\nh\r\n", 6);
}

/* A chunk whose size fills the line and then never comes. */
static void play_huge_chunk(struct conn *conn)
{
	hear(conn);
	say_text(conn, OK_LINE "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n");
	say_for_ever(conn, "hay ", 4);
}

static void play_slow_body(struct conn *conn)
{
	hear(conn);
	say_text(conn, OK_LINE "Content-Length: 60\r\n\r\n");
	say_slowly(conn, "hayhayhayhayhayhayhayhayhayhayhayhayhayhayhayhayhayhayhayhay", 60);
	hold(conn);
}

static void play_4gb_promised(struct conn *conn)
{
	hear(conn);
	say_text(conn, OK_LINE "Content-Length: " FOUR_GB "\r\n\r\nhay");
	hold(conn);
}

static void play_4gb_sent(struct conn *conn)
{
	hear(conn);
	say_text(conn, OK_LINE "Content-Length: " FOUR_GB "\r\n\r\n");
	say_for_ever(conn, "hay ", 4);
}

static char bomb[MEGABYTE];
static size_t bomb_len;

static void load_bomb(const char *directory)
{
	char path[TEXT_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/bomb.gz", directory);
	file = fopen(path, "r");
	if (!file)
		die("%s: %s", path, strerror(errno));
	bomb_len = fread(bomb, 1, sizeof(bomb), file);
	if (!bomb_len || !feof(file))
		die("%s: empty, or larger than %zu bytes", path, sizeof(bomb));
	fclose(file);
}

static void play_bomb(struct conn *conn)
{
	char head[256];

	hear(conn);
	snprintf(head, sizeof(head),
		 OK_LINE "Content-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", bomb_len);
	say_text(conn, head);
	say(conn, bomb, bomb_len);
	hold(conn);
}

/* --- roles: resets ------------------------------------------------------------------------------ */

/* After the ClientHello, or the request. */
static void play_reset_first(struct conn *conn)
{
	hear(conn);
	reset(conn);
}

static void play_reset_record(struct conn *conn)
{
	static const uint8_t half[] = { 0x16, 0x03, 0x03, 0x00, 0x5a, 0x02, 0x00, 0x00 };

	hear(conn);
	say(conn, half, sizeof(half));
	reset(conn);
}

/*
 * The server has said all of its handshake and does not wait for the client's last word: what comes
 * after the ClientHello is not read.
 */
static void play_reset_flight(struct conn *conn)
{
	char hello[TEXT_MAX];
	ssize_t n = recv(conn->fd, hello, sizeof(hello), 0);
	SSL *ssl = open_tls(conn);
	BIO *in = BIO_new_mem_buf(hello, n > 0 ? (int)n : 0);

	BIO_set_mem_eof_return(in, -1);
	SSL_set0_rbio(ssl, in);
	SSL_accept(ssl);
	SSL_free(ssl);
	reset(conn);
}

static void play_reset_header(struct conn *conn)
{
	hear(conn);
	say_text(conn, OK_LINE "Content-Le");
	reset(conn);
}

static void play_reset_body(struct conn *conn)
{
	hear(conn);
	say_text(conn, OK_LINE "Content-Length: 60\r\n\r\nhayhay");
	reset(conn);
}

/* --- roles: TLS and HTTP/2 beyond the handshake --------------------------------------------------- */

/* TLS 1.3: one ticket behind the other, and no answer. */
static void play_tickets(struct conn *conn)
{
	hear(conn);
	for (int i = 0; i < TICKETS && SSL_new_session_ticket(conn->ssl) == 1; i++)
		if (SSL_do_handshake(conn->ssl) != 1)
			return;
	hold(conn);
}

/* TLS 1.3: new keys without end, and every time an answer is due. */
static void play_key_updates(struct conn *conn)
{
	hear(conn);
	for (int i = 0; i < FLOOD; i++)
		if (SSL_key_update(conn->ssl, SSL_KEY_UPDATE_REQUESTED) != 1 ||
		    SSL_do_handshake(conn->ssl) != 1)
			return;
	hold(conn);
}

/* TLS 1.2: let us start over, and over. */
static void play_hello_requests(struct conn *conn)
{
	hear(conn);
	for (int i = 0; i < FLOOD; i++)
		if (SSL_renegotiate(conn->ssl) != 1 || SSL_do_handshake(conn->ssl) != 1)
			return;
	hold(conn);
}

#define H2_SETTINGS "\0\0\0\4\0\0\0\0\0"

static void play_h2_settings(struct conn *conn)
{
	hear(conn);
	say_for_ever(conn, H2_SETTINGS, 9);
}

static void play_h2_pings(struct conn *conn)
{
	hear(conn);
	say(conn, H2_SETTINGS, 9);
	say_for_ever(conn, "\0\0\x8\6\0\0\0\0\0pingping", 17);
}

/* A header that goes on and on: an indexed field, repeated. */
static void play_h2_continuation(struct conn *conn)
{
	hear(conn);
	say(conn, H2_SETTINGS, 9);
	say(conn, "\0\0\1\1\0\0\0\0\1\x88", 10); /* :status 200 */
	say_for_ever(conn, "\0\0\1\x9\0\0\0\0\1\x90", 10); /* accept-encoding */
}

static const struct role roles[] = {
	{ .name = "silent", .play = play_silent },
	{ .name = "silent-raw", .play = play_silent, .raw = true },
	{ .name = "garbage", .play = play_garbage },
	{ .name = "garbage-raw", .play = play_garbage, .raw = true },
	{ .name = "garbage-records", .play = play_garbage_records, .raw = true },
	{ .name = "endless-hello", .play = play_endless_hello, .raw = true },
	{ .name = "alerts", .play = play_alerts, .raw = true },
	{ .name = "slow-handshake", .play = play_slow_handshake, .raw = true },
	{ .name = "fine", .play = play_fine },
	{ .name = "chain-100", .play = play_fine, .chain = CHAIN_DEEP },
	{ .name = "list-100", .play = play_fine, .chain = CHAIN_WIDE },
	{ .name = "chain-1mb", .play = play_fine, .chain = CHAIN_MEGABYTE },
	{ .name = "endless-status", .play = play_endless_status },
	{ .name = "endless-line", .play = play_endless_line },
	{ .name = "endless-header", .play = play_endless_header },
	{ .name = "slow-header", .play = play_slow_header },
	{ .name = "interim", .play = play_interim },
	{ .name = "endless-body", .play = play_endless_body },
	{ .name = "endless-chunks", .play = play_endless_chunks },
	{ .name = "huge-chunk", .play = play_huge_chunk },
	{ .name = "slow-body", .play = play_slow_body },
	{ .name = "4gb-promised", .play = play_4gb_promised },
	{ .name = "4gb-sent", .play = play_4gb_sent },
	{ .name = "bomb", .play = play_bomb },
	{ .name = "reset-accept", .play = reset, .raw = true },
	{ .name = "reset-first", .play = play_reset_first, .raw = true },
	{ .name = "reset-record", .play = play_reset_record, .raw = true },
	{ .name = "reset-flight", .play = play_reset_flight, .raw = true },
	{ .name = "reset-handshake", .play = reset },
	{ .name = "reset-request", .play = play_reset_first },
	{ .name = "reset-header", .play = play_reset_header },
	{ .name = "reset-body", .play = play_reset_body },
	{ .name = "tickets", .play = play_tickets },
	{ .name = "key-updates", .play = play_key_updates },
	{ .name = "hello-requests", .play = play_hello_requests },
	{ .name = "h2-settings", .play = play_h2_settings },
	{ .name = "h2-pings", .play = play_h2_pings },
	{ .name = "h2-continuation", .play = play_h2_continuation },
};

static const struct role *find_role(const char *name)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (!strcmp(roles[i].name, name))
			return &roles[i];
	die("there is no role %s", name);
	return NULL;
}

/* --- certificates --------------------------------------------------------------------------------- */

static SSL_CTX *ctx_of(const struct test_cert *leaf)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (!ctx || SSL_CTX_use_certificate(ctx, leaf->x509) != 1 ||
	    SSL_CTX_use_PrivateKey(ctx, leaf->key) != 1)
		die("cannot set up TLS");
	SSL_CTX_set_num_tickets(ctx, 0);
	return ctx;
}

static void add(SSL_CTX *ctx, const struct test_cert *cert, size_t times)
{
	while (times--)
		if (SSL_CTX_add1_chain_cert(ctx, cert->x509) != 1)
			die("cannot add a certificate");
}

/* Everything that was made stays for the life of the process. */
static void make_chains(SSL_CTX *chains[CHAINS], const struct test_cert *root)
{
	const struct test_cert *inter = test_ca("Int", root), *junk = test_root("Junk");
	const struct test_cert *leaf = test_leaf(NAME, inter), *ca = root;
	const struct test_cert *cas[DEEP_CAS];
	char cn[32];

	for (int i = 0; i < DEEP_CAS; i++) {
		snprintf(cn, sizeof(cn), "CA %d", i + 1);
		cas[i] = ca = test_ca(cn, ca);
	}
	chains[CHAIN_FINE] = ctx_of(leaf);
	add(chains[CHAIN_FINE], inter, 1);
	chains[CHAIN_DEEP] = ctx_of(test_leaf(NAME, ca));
	for (int i = DEEP_CAS; i--;)
		add(chains[CHAIN_DEEP], cas[i], 1);
	chains[CHAIN_WIDE] = ctx_of(leaf);
	add(chains[CHAIN_WIDE], junk, DEEP_CAS - 1);
	add(chains[CHAIN_WIDE], inter, 1);
	chains[CHAIN_MEGABYTE] = ctx_of(leaf);
	add(chains[CHAIN_MEGABYTE], inter, 1);
	add(chains[CHAIN_MEGABYTE], junk, MEGABYTE / (size_t)i2d_X509(junk->x509, NULL));
}

/* --- serving -------------------------------------------------------------------------------------- */

struct visit {
	const struct server *server;
	int fd;
};

static void *serve(void *arg)
{
	struct visit visit = *(struct visit *)arg;
	const struct server *server = visit.server;
	struct conn conn = { .fd = visit.fd, .ctx = server->ctx, .version = server->version };
	bool ready = true;
	int on = 1;

	free(arg);
	setsockopt(conn.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (server->ctx && !server->role->raw) {
		conn.ssl = open_tls(&conn);
		ready = SSL_accept(conn.ssl) == 1;
	}
	if (ready)
		server->role->play(&conn);
	SSL_free(conn.ssl);
	close(conn.fd);
	return NULL;
}

static void take(const struct server *server)
{
	struct visit *visit = malloc(sizeof(*visit));
	pthread_t thread;

	if (!visit)
		die("out of memory");
	*visit = (struct visit){ server, accept(server->fd, NULL, NULL) };
	if (visit->fd < 0 || pthread_create(&thread, NULL, serve, visit) != 0) {
		free(visit);
		return;
	}
	pthread_detach(thread);
}

static int listen_on(const char *address, const char *port)
{
	struct sockaddr_storage ss;
	struct addr addr;
	socklen_t len;
	int fd, on = 1;

	if (addr_parse(&addr, address) < 0)
		die("%s is no address", address);
	len = addr_to_sockaddr(&ss, &addr, (uint16_t)strtoul(port, NULL, 10));
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&ss, len) < 0 || listen(fd, BACKLOG) < 0)
		die("%s port %s: %s", address, port, strerror(errno));
	return fd;
}

static bool take_prefix(const char **text, const char *prefix)
{
	if (strncmp(*text, prefix, strlen(prefix)) != 0)
		return false;
	*text += strlen(prefix);
	return true;
}

static struct server open_server(const char *text, char **argv, SSL_CTX *const chains[CHAINS])
{
	bool tls = take_prefix(&text, "tls:"), tls_1_2 = take_prefix(&text, "tls1.2:");
	const char *port = strchr(text, '=');
	struct server server = { 0 };
	char name[64];

	if (!port)
		die("%s has no port", text);
	snprintf(name, sizeof(name), "%.*s", (int)(port - text), text);
	server.role = find_role(name);
	if (tls || tls_1_2)
		server.ctx = chains[server.role->chain];
	server.version = tls_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
	server.fd = listen_on(argv[1], port + 1);
	if (server.role->play == play_bomb)
		load_bomb(argv[2]);
	return server;
}

int main(int argc, char **argv)
{
	const struct test_cert *root = test_root("Root"), *list[] = { root, NULL };
	static struct server servers[SERVERS_MAX];
	static struct pollfd fds[SERVERS_MAX];
	SSL_CTX *chains[CHAINS];
	char path[TEXT_MAX];
	int n = argc - 3;

	if (n < 1 || n > SERVERS_MAX)
		die("usage: hostile ADDRESS DIRECTORY [tls:]ROLE=PORT...");
	signal(SIGPIPE, SIG_IGN);
	make_chains(chains, root);
	for (int i = 0; i < n; i++) {
		servers[i] = open_server(argv[3 + i], argv, chains);
		fds[i] = (struct pollfd){ .fd = servers[i].fd, .events = POLLIN };
	}
	snprintf(path, sizeof(path), "%s/root.crt", argv[2]);
	test_certs_write(path, list);

	while (poll(fds, (nfds_t)n, -1) > 0)
		for (int i = 0; i < n; i++)
			if (fds[i].revents)
				take(&servers[i]);
	return EXIT_FAILURE;
}
