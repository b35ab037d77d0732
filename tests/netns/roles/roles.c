// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/netns/roles/roles.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BOMB_MAX (1024 * 1024)
#define FLOOD 100000 /* of small things: more than any client should take */
#define TICKETS 100
#define FOUR_GB "4294967296"

#define OK_LINE "HTTP/1.1 200 OK\r\n"
#define MORE_THAN_NEEDED "x-padding: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"

/* --- silence and noise -------------------------------------------------------------------------- */

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

/* --- answers ------------------------------------------------------------------------------------ */

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

static char bomb[BOMB_MAX];
static size_t bomb_len;

static void prepare_bomb(const char *directory)
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

/* --- resets ------------------------------------------------------------------------------------- */

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

/* --- TLS and HTTP/2 beyond the handshake ---------------------------------------------------------- */

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
	{ .name = "bomb", .play = play_bomb, .prepare = prepare_bomb },
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

const struct role *find_role(const char *name)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (!strcmp(roles[i].name, name))
			return &roles[i];
	return NULL;
}
