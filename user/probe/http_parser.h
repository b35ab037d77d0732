/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_parser - reads an HTTP/1.x answer piece by piece, as a client that trusts nobody.
 *
 * Plain data in the caller's memory, no I/O, no allocation, a few hundred bytes whatever arrives.
 * How the input is cut into pieces makes no difference. Where RFC 9112 leaves a client a choice:
 *   - what makes the framing ambiguous is malformed: Transfer-Encoding beside Content-Length or in
 *     an HTTP/1.0 answer (6.1), differing Content-Lengths (6.3), a bare CR (2.2), a bare LF in
 *     chunk framing, blanks before a field's colon (5.1) or before the first field (2.2);
 *   - what cannot mislead anybody on a connection that carries one answer is taken as every client
 *     takes it: a bare LF as the end of a status or field line (2.2), a missing reason phrase (4),
 *     a folded field value (5.2, which obliges user agents to take it);
 *   - transfer codings other than chunked were not offered (7.4) and are malformed, and so is
 *     101, because no upgrade was asked for.
 */
#ifndef SLUICE_PROBE_HTTP_PARSER_H
#define SLUICE_PROBE_HTTP_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_INTERIM_MAX 16 /* 1xx answers before the final one */
#define HTTP_CHUNK_LINE_MAX 4096 /* bytes of a chunk's size and extensions */

#define HTTP_NAME_KEPT 20 /* "transfer-encoding" is the longest name of interest */
#define HTTP_VALUE_KEPT 64

enum http_state {
	HTTP_HEADER, /* the final header is not complete */
	HTTP_BODY, /* it is, and the body is not */
	HTTP_DONE, /* the answer is complete */
	HTTP_CUT, /* LIMIT_HTTP_BODY_BYTES of the body were read, and there is more */
	HTTP_BAD, /* not a legal answer; error says why */
	HTTP_ENDED_EARLY, /* HTTP/2 only: the server gave the answer up; error says how */
};

/* Called from http_parser_feed() with body bytes, framing removed. */
typedef void http_body_fn(void *arg, const uint8_t *data, size_t len);

enum http_section {
	HTTP_START_LINE,
	HTTP_FIELDS,
	HTTP_DATA_LENGTH,
	HTTP_DATA_UNTIL_CLOSE,
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK_DATA,
	HTTP_CHUNK_END,
	HTTP_TRAILERS,
};

struct http_parser {
	/* For the caller. */
	enum http_state state;
	const char *error; /* HTTP_BAD: static string, printable ASCII */
	uint16_t status; /* of the final answer, once its header is complete; else 0 */
	uint64_t body_bytes; /* read after the final header, framing included */
	uint64_t data_bytes; /* of these, given to on_body */

	/* The parser's own. */
	http_body_fn *on_body;
	void *arg;
	enum http_section section;
	uint32_t header_bytes, line_pos;
	bool seen_cr;
	uint16_t line_status;
	uint8_t minor, n_interim;
	bool in_value, has_field, has_length, has_coding;
	uint64_t length; /* Content-Length, then what is left of the body or chunk */
	uint8_t chunk_step;
	uint8_t name_len, value_len;
	bool name_long, value_long;
	char name[HTTP_NAME_KEPT], value[HTTP_VALUE_KEPT];
};

/* Ready for the first byte of an answer to a GET. on_body may be NULL. */
void http_parser_init(struct http_parser *parser, http_body_fn *on_body, void *arg);

/* Take in the next bytes. What follows a state other than HTTP_HEADER and HTTP_BODY is ignored. */
enum http_state http_parser_feed(struct http_parser *parser, const uint8_t *data, size_t len);

/* The peer closed in good order: HTTP_DONE if that ends the body, else the state is as before. */
enum http_state http_parser_end(struct http_parser *parser);

#endif
