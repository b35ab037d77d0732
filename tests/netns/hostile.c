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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/certs.h"
#include "tests/netns/roles/roles.h"
#include "util/addr.h"

#define NAME "a.probe.test"
#define BACKLOG 128
#define SERVERS_MAX 128
#define DEEP_CAS 99 /* below the root; the leaf makes a hundred */
#define MEGABYTE (1024 * 1024)

struct server {
	int fd;
	const struct role *role;
	SSL_CTX *ctx;
	int version;
};

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
	if (!server.role)
		die("there is no role %s", name);
	if (tls || tls_1_2)
		server.ctx = chains[server.role->chain];
	server.version = tls_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
	server.fd = listen_on(argv[1], port + 1);
	if (server.role->prepare)
		server.role->prepare(argv[2]);
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
