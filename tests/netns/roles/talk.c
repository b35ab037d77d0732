// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/netns/roles/talk.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void die(const char *fmt, ...)
{
	va_list args;

	fputs("hostile: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

SSL *open_tls(const struct conn *conn)
{
	SSL *ssl = SSL_new(conn->ctx);

	if (!ssl || SSL_set_fd(ssl, conn->fd) != 1 ||
	    SSL_set_min_proto_version(ssl, conn->version) != 1 ||
	    SSL_set_max_proto_version(ssl, conn->version) != 1)
		die("cannot set up TLS");
	return ssl;
}

bool say(struct conn *conn, const void *data, size_t len)
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

bool say_text(struct conn *conn, const char *text)
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

void say_for_ever(struct conn *conn, const void *unit, size_t len)
{
	uint8_t block[BLOCK_BYTES];
	size_t n = fill(block, unit, len);

	while (say(conn, block, n))
		;
}

void say_slowly(struct conn *conn, const void *data, size_t len)
{
	for (size_t i = 0; i < len && say(conn, (const uint8_t *)data + i, 1); i++)
		sleep(1);
}

void hear(struct conn *conn)
{
	char text[TEXT_MAX];

	if (conn->ssl)
		SSL_read(conn->ssl, text, sizeof(text));
	else if (recv(conn->fd, text, sizeof(text), 0) < 0)
		return;
}

void hold(struct conn *conn)
{
	char sink[TEXT_MAX];

	while (recv(conn->fd, sink, sizeof(sink), 0) > 0)
		;
}

void reset(struct conn *conn)
{
	struct linger at_once = { .l_onoff = 1 };

	setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}
