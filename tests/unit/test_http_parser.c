// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/limits.h"
#include "probe/http_parser.h"

#define BODY_KEPT 256

#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

/* eof: the state after the peer closed behind the input, where that differs. */
static const struct answer {
	const char *input;
	enum http_state state;
	uint16_t status;
	const char *body;
	const char *error;
	enum http_state eof;
} answers[] = {
	/* No body. */
	{ OK "Content-Length: 0\r\n\r\n", HTTP_DONE, 200, "", NULL, HTTP_DONE },
	{ "HTTP/1.1 204 No Content\r\n\r\n", HTTP_DONE, 204, "", NULL, HTTP_DONE },
	{ "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", HTTP_DONE, 204, "", NULL,
	  HTTP_DONE },
	{ "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", HTTP_DONE, 304, "", NULL,
	  HTTP_DONE },
	/* Content-Length. */
	{ OK "Content-Length: 5\r\n\r\nhello", HTTP_DONE, 200, "hello", NULL, HTTP_DONE },
	{ OK "cOnTeNt-LeNgTh:5\r\n\r\nhello, there is more", HTTP_DONE, 200, "hello", NULL,
	  HTTP_DONE },
	{ OK "Content-Length: \t 5 \t \r\n\r\nhello", HTTP_DONE, 200, "hello", NULL, HTTP_DONE },
	{ OK "Content-Length: 5\r\n\r\nhell", HTTP_BODY, 200, "hell", NULL, HTTP_BODY },
	{ OK "Content-Length: 5, 5\r\n\r\nhello", HTTP_DONE, 200, "hello", NULL, HTTP_DONE },
	{ OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", HTTP_DONE, 200, "hello", NULL,
	  HTTP_DONE },
	{ OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", HTTP_BAD, 0, "",
	  "conflicting Content-Length", HTTP_BAD },
	{ OK "Content-Length: 5, 6\r\n\r\n", HTTP_BAD, 0, "", "conflicting Content-Length",
	  HTTP_BAD },
	{ OK "Content-Length: -5\r\n\r\n", HTTP_BAD, 0, "", "Content-Length is not a number",
	  HTTP_BAD },
	{ OK "Content-Length: 5x\r\n\r\n", HTTP_BAD, 0, "", "Content-Length is not a number",
	  HTTP_BAD },
	{ OK "Content-Length:\r\n\r\n", HTTP_BAD, 0, "", "Content-Length is not a number",
	  HTTP_BAD },
	{ OK "Content-Length: 5 5\r\n\r\n", HTTP_BAD, 0, "", "Content-Length is not a number",
	  HTTP_BAD },
	{ OK "Content-Length: 18446744073709551615\r\n\r\nx", HTTP_BODY, 200, "x", NULL,
	  HTTP_BODY },
	{ OK "Content-Length: 18446744073709551616\r\n\r\n", HTTP_BAD, 0, "",
	  "Content-Length is not a number", HTTP_BAD },
	{ OK "Content-Length: 5555555555555555555555555555555555555555555555555555555555555555555\r"
	     "\n\r\n",
	  HTTP_BAD, 0, "", "Content-Length is not a number", HTTP_BAD },
	/* A name of which a field of interest is only the beginning. */
	{ OK "Content-Length-Of-Something-Else: 7\r\nContent-Length: 1\r\n\r\na", HTTP_DONE, 200,
	  "a", NULL, HTTP_DONE },
	/* Until the connection closes. */
	{ OK "\r\nhello", HTTP_BODY, 200, "hello", NULL, HTTP_DONE },
	{ "HTTP/1.0 200 OK\r\n\r\nhello", HTTP_BODY, 200, "hello", NULL, HTTP_DONE },
	{ OK "\r\n", HTTP_BODY, 200, "", NULL, HTTP_DONE },
	/* Chunks. */
	{ CHUNKED "5\r\nhello\r\n0\r\n\r\n", HTTP_DONE, 200, "hello", NULL, HTTP_DONE },
	{ CHUNKED "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\nrest", HTTP_DONE, 200, "hello", NULL,
	  HTTP_DONE },
	{ CHUNKED "5;a=b;c=\"d;e\";f\r\nhello\r\n0;x\r\n\r\n", HTTP_DONE, 200, "hello", NULL,
	  HTTP_DONE },
	{ CHUNKED "0005 ;a\r\nhello\r\n000 \t\r\n\r\n", HTTP_DONE, 200, "hello", NULL, HTTP_DONE },
	{ CHUNKED "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", HTTP_DONE, 200,
	  "01234567890123456789", NULL, HTTP_DONE },
	{ CHUNKED "5\r\nhello\r\n0\r\nTrailer: x\r\nContent-Length: 9\r\n\r\n", HTTP_DONE, 200,
	  "hello", NULL, HTTP_DONE },
	{ OK "Transfer-Encoding: , Chunked ,\r\n\r\n1\r\na\r\n0\r\n\r\n", HTTP_DONE, 200, "a", NULL,
	  HTTP_DONE },
	{ CHUNKED "5\r\nhello\r\n0\r\n", HTTP_BODY, 200, "hello", NULL, HTTP_BODY },
	{ CHUNKED "5\r\nhello", HTTP_BODY, 200, "hello", NULL, HTTP_BODY },
	{ CHUNKED "\r\n", HTTP_BAD, 200, "", "chunk size is not hexadecimal", HTTP_BAD },
	{ CHUNKED "g\r\n", HTTP_BAD, 200, "", "chunk size is not hexadecimal", HTTP_BAD },
	{ CHUNKED "0x5\r\n", HTTP_BAD, 200, "", "chunk size is not hexadecimal", HTTP_BAD },
	{ CHUNKED "-5\r\n", HTTP_BAD, 200, "", "chunk size is not hexadecimal", HTTP_BAD },
	{ CHUNKED " 5\r\n", HTTP_BAD, 200, "", "chunk size is not hexadecimal", HTTP_BAD },
	{ CHUNKED "5 5\r\n", HTTP_BAD, 200, "", "chunk size is not hexadecimal", HTTP_BAD },
	{ CHUNKED ";a\r\n", HTTP_BAD, 200, "", "chunk size is not hexadecimal", HTTP_BAD },
	{ CHUNKED "ffffffffffffffff\r\nx", HTTP_BODY, 200, "x", NULL, HTTP_BODY },
	{ CHUNKED "10000000000000000\r\n", HTTP_BAD, 200, "", "chunk size has more than 64 bits",
	  HTTP_BAD },
	{ CHUNKED "5\nhello", HTTP_BAD, 200, "", "chunk line ends without carriage return",
	  HTTP_BAD },
	{ CHUNKED "5\rx", HTTP_BAD, 200, "", "carriage return without line feed", HTTP_BAD },
	{ CHUNKED "5;a\x01\r\n", HTTP_BAD, 200, "", "control character in a chunk extension",
	  HTTP_BAD },
	{ CHUNKED "5\r\nhello!\r\n", HTTP_BAD, 200, "hello", "chunk is longer than its size",
	  HTTP_BAD },
	{ CHUNKED "5\r\nhello\n", HTTP_BAD, 200, "hello", "chunk line ends without carriage return",
	  HTTP_BAD },
	{ CHUNKED "0\r\nno colon\r\n\r\n", HTTP_BAD, 200, "", "header field name is not a token",
	  HTTP_BAD },
	{ CHUNKED "0\r\n folded\r\n\r\n", HTTP_BAD, 200, "",
	  "white space before the first header field", HTTP_BAD },
	/* Other codings, and framing that contradicts itself. */
	{ OK "Transfer-Encoding: gzip\r\n\r\n", HTTP_BAD, 0, "", "transfer coding is not chunked",
	  HTTP_BAD },
	{ OK "Transfer-Encoding: gzip, chunked\r\n\r\n", HTTP_BAD, 0, "",
	  "transfer coding is not chunked", HTTP_BAD },
	{ OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_BAD, 0, "",
	  "transfer coding is not chunked", HTTP_BAD },
	{ OK "Transfer-Encoding: chunkedx\r\n\r\n", HTTP_BAD, 0, "",
	  "transfer coding is not chunked", HTTP_BAD },
	{ OK "Transfer-Encoding:\r\n\r\n", HTTP_BAD, 0, "", "transfer coding is not chunked",
	  HTTP_BAD },
	{ OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", HTTP_BAD, 0, "",
	  "both Transfer-Encoding and Content-Length", HTTP_BAD },
	{ OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_BAD, 0, "",
	  "both Transfer-Encoding and Content-Length", HTTP_BAD },
	{ "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_BAD, 0, "",
	  "Transfer-Encoding in an HTTP/1.0 answer", HTTP_BAD },
	/* Interim answers. */
	{ "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 1\r\n\r\na", HTTP_DONE, 200, "a",
	  NULL, HTTP_DONE },
	{ "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 7\r\n\r\n" OK
	  "Content-Length: 1\r\n\r\na",
	  HTTP_DONE, 200, "a", NULL, HTTP_DONE },
	{ "HTTP/1.1 100 Continue\r\n\r\n", HTTP_HEADER, 0, "", NULL, HTTP_HEADER },
	{ "HTTP/1.1 101 Switching\r\n\r\n", HTTP_BAD, 0, "", "101 switching protocols", HTTP_BAD },
	/* Status lines. */
	{ "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", HTTP_DONE, 200, "", NULL, HTTP_DONE },
	{ "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", HTTP_DONE, 200, "", NULL, HTTP_DONE },
	{ "HTTP/1.9 418 T\xc3\xa9\r\nContent-Length: 0\r\n\r\n", HTTP_DONE, 418, "", NULL,
	  HTTP_DONE },
	{ "HTTP/1.1 999 x\r\nContent-Length: 0\r\n\r\n", HTTP_DONE, 999, "", NULL, HTTP_DONE },
	{ "HTTP/1.1 099 x\r\n\r\n", HTTP_BAD, 0, "", "status line is not HTTP/1.x", HTTP_BAD },
	{ "HTTP/1.1 20 x\r\n\r\n", HTTP_BAD, 0, "", "status line is not HTTP/1.x", HTTP_BAD },
	{ "HTTP/1.1 2000 x\r\n\r\n", HTTP_BAD, 0, "", "status line is not HTTP/1.x", HTTP_BAD },
	{ "HTTP/1.1  200 x\r\n\r\n", HTTP_BAD, 0, "", "status line is not HTTP/1.x", HTTP_BAD },
	{ "HTTP/1.x 200 x\r\n\r\n", HTTP_BAD, 0, "", "status line is not HTTP/1.x", HTTP_BAD },
	{ "HTTP/1.1\r\n\r\n", HTTP_BAD, 0, "", "status line is not HTTP/1.x", HTTP_BAD },
	{ "HTTP/2.0 200 x\r\n\r\n", HTTP_BAD, 0, "", "status line is not HTTP/1.x", HTTP_BAD },
	{ "http/1.1 200 x\r\n\r\n", HTTP_BAD, 0, "", "status line is not HTTP/1.x", HTTP_BAD },
	{ "\r\n" OK "\r\n", HTTP_BAD, 0, "", "status line is not HTTP/1.x", HTTP_BAD },
	{ "SSH-2.0-OpenSSH_9.2\r\n", HTTP_BAD, 0, "", "status line is not HTTP/1.x", HTTP_BAD },
	{ "HTTP/1.1 200 O\x01K\r\n\r\n", HTTP_BAD, 0, "", "status line is not HTTP/1.x", HTTP_BAD },
	{ "", HTTP_HEADER, 0, "", NULL, HTTP_HEADER },
	{ "HTTP/1.1 2", HTTP_HEADER, 0, "", NULL, HTTP_HEADER },
	/* Fields. */
	{ OK "X: \xff\xfe\t\r\nContent-Length: 0\r\n\r\n", HTTP_DONE, 200, "", NULL, HTTP_DONE },
	{ OK "!#$%&'*+-.^_`|~09azAZ:\r\nContent-Length: 0\r\n\r\n", HTTP_DONE, 200, "", NULL,
	  HTTP_DONE },
	{ OK "X: a\r\n  b\r\n\tc\r\nContent-Length: 0\r\n\r\n", HTTP_DONE, 200, "", NULL,
	  HTTP_DONE },
	{ OK "Content-Length:\r\n 5\r\n\r\nhello", HTTP_DONE, 200, "hello", NULL, HTTP_DONE },
	{ OK "Content-Length: 1\r\n 5\r\n\r\nhello", HTTP_BAD, 0, "",
	  "Content-Length is not a number", HTTP_BAD },
	{ OK "X: a\r\n \r\nContent-Length: 0\r\n\r\n", HTTP_DONE, 200, "", NULL, HTTP_DONE },
	{ OK " X: a\r\n\r\n", HTTP_BAD, 0, "", "white space before the first header field",
	  HTTP_BAD },
	{ OK "X : a\r\n\r\n", HTTP_BAD, 0, "", "header field name is not a token", HTTP_BAD },
	{ OK ": a\r\n\r\n", HTTP_BAD, 0, "", "header field name is not a token", HTTP_BAD },
	{ OK "X\xe9: a\r\n\r\n", HTTP_BAD, 0, "", "header field name is not a token", HTTP_BAD },
	{ OK "nocolon\r\n\r\n", HTTP_BAD, 0, "", "header field without colon", HTTP_BAD },
	{ OK "X: \x7f\r\n\r\n", HTTP_BAD, 0, "", "control character in a header field", HTTP_BAD },
	{ OK "X: a\rb\r\n\r\n", HTTP_BAD, 0, "", "carriage return without line feed", HTTP_BAD },
	{ OK "X: a\r\r\n\r\n", HTTP_BAD, 0, "", "carriage return without line feed", HTTP_BAD },
	/* Bare line feeds. */
	{ "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", HTTP_DONE, 200, "hello", NULL, HTTP_DONE },
	{ "HTTP/1.1 200 OK\n\r\nhello", HTTP_BODY, 200, "hello", NULL, HTTP_DONE },
};

#define N_ANSWERS (sizeof(answers) / sizeof(answers[0]))

struct body {
	char text[BODY_KEPT];
	size_t len;
};

static void keep_body(void *arg, const uint8_t *data, size_t len)
{
	struct body *body = arg;

	if (len > sizeof(body->text) - body->len)
		len = sizeof(body->text) - body->len;
	memcpy(body->text + body->len, data, len);
	body->len += len;
}

static void check(const struct answer *a, const struct http_parser *p, const struct body *body)
{
	if (p->state != a->state || p->status != a->status || body->len != strlen(a->body) ||
	    memcmp(body->text, a->body, body->len) != 0)
		print_message("# answer: %s\n# state %d, status %u, error %s\n", a->input, p->state,
			      p->status, p->error ? p->error : "none");
	assert_int_equal(p->state, a->state);
	assert_int_equal(p->status, a->status);
	assert_int_equal(body->len, strlen(a->body));
	assert_memory_equal(body->text, a->body, body->len);
	if (a->error)
		assert_string_equal(p->error ? p->error : "no error", a->error);
	else
		assert_null(p->error);
}

/* Feed an answer in heap copies of exactly the pieces' sizes, so that an overread is seen. */
static void feed(struct http_parser *p, const char *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, data, len);
	http_parser_feed(p, copy, len);
	free(copy);
}

static void test_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ANSWERS; i++) {
		struct body body = { .len = 0 };
		struct http_parser p;

		http_parser_init(&p, keep_body, &body);
		feed(&p, answers[i].input, strlen(answers[i].input));
		check(&answers[i], &p, &body);
		assert_int_equal(http_parser_end(&p), answers[i].eof);
	}
}

static void test_split_in_two(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ANSWERS; i++) {
		size_t len = strlen(answers[i].input);

		for (size_t cut = 0; cut <= len; cut++) {
			struct body body = { .len = 0 };
			struct http_parser p;

			http_parser_init(&p, keep_body, &body);
			feed(&p, answers[i].input, cut);
			feed(&p, answers[i].input + cut, len - cut);
			check(&answers[i], &p, &body);
		}
	}
}

static void test_byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ANSWERS; i++) {
		struct body body = { .len = 0 };
		struct http_parser p;

		http_parser_init(&p, keep_body, &body);
		for (const char *c = answers[i].input; *c; c++)
			feed(&p, c, 1);
		check(&answers[i], &p, &body);
	}
}

static void test_nul_in_field(void **state)
{
	static const char input[] = OK "X: a\0b\r\n\r\n";
	struct http_parser p;

	(void)state;
	http_parser_init(&p, NULL, NULL);
	feed(&p, input, sizeof(input) - 1);
	assert_int_equal(p.state, HTTP_BAD);
	assert_string_equal(p.error, "control character in a header field");
}

/* Header of exactly total bytes, in fields of a hundred. */
static char *header_of(size_t total)
{
	char *text = malloc(total + 1);
	size_t len = strlen(OK);

	assert_non_null(text);
	memset(text, 'a', total);
	text[total] = '\0';
	memcpy(text, OK, len);
	for (; len + 100 < total - 4; len += 100)
		memcpy(text + len, "\r\nX:", 4);
	memcpy(text + strlen(OK) - 2, "\r\nX:", 4);
	memcpy(text + total - 4, "\r\n\r\n", 4);
	return text;
}

static void test_header_limit(void **state)
{
	char *fits = header_of(LIMIT_HTTP_HEADER_BYTES);
	char *exceeds = header_of(LIMIT_HTTP_HEADER_BYTES + 1);
	struct http_parser p;

	(void)state;
	http_parser_init(&p, NULL, NULL);
	feed(&p, fits, strlen(fits));
	assert_int_equal(p.state, HTTP_BODY);
	assert_int_equal(p.status, 200);

	http_parser_init(&p, NULL, NULL);
	feed(&p, exceeds, strlen(exceeds));
	assert_int_equal(p.state, HTTP_BAD);
	assert_string_equal(p.error, "header larger than 65536 bytes");
	free(fits);
	free(exceeds);
}

static void test_one_endless_line(void **state)
{
	struct http_parser p;
	int i = 0;

	(void)state;
	http_parser_init(&p, NULL, NULL);
	feed(&p, OK "X:", strlen(OK "X:"));
	while (http_parser_feed(&p, (const uint8_t *)"a", 1) == HTTP_HEADER)
		assert_true(i++ < LIMIT_HTTP_HEADER_BYTES);
	assert_string_equal(p.error, "header larger than 65536 bytes");
}

static void test_trailer_limit(void **state)
{
	struct http_parser p;
	int i = 0;

	(void)state;
	http_parser_init(&p, NULL, NULL);
	feed(&p, CHUNKED "0\r\n", strlen(CHUNKED "0\r\n"));
	while (http_parser_feed(&p, (const uint8_t *)"X:a\r\n", 5) == HTTP_BODY)
		assert_true(i++ < LIMIT_HTTP_HEADER_BYTES);
	assert_string_equal(p.error, "header larger than 65536 bytes");
}

static void test_interim_limit(void **state)
{
	static const char interim[] = "HTTP/1.1 102 Processing\r\n\r\n";
	struct http_parser p;

	(void)state;
	http_parser_init(&p, NULL, NULL);
	for (int i = 0; i < HTTP_INTERIM_MAX; i++)
		feed(&p, interim, strlen(interim));
	assert_int_equal(p.state, HTTP_HEADER);
	feed(&p, interim, strlen(interim));
	assert_int_equal(p.state, HTTP_BAD);
	assert_string_equal(p.error, "more than 16 interim answers");
}

static void test_chunk_line_limit(void **state)
{
	struct http_parser p;

	(void)state;
	http_parser_init(&p, NULL, NULL);
	feed(&p, CHUNKED "5;", strlen(CHUNKED "5;"));
	for (int i = 2; i < HTTP_CHUNK_LINE_MAX; i++)
		feed(&p, "a", 1);
	assert_int_equal(p.state, HTTP_BODY);
	feed(&p, "a", 1);
	assert_int_equal(p.state, HTTP_BAD);
	assert_string_equal(p.error, "chunk size line longer than 4096 bytes");
}

static void count_body(void *arg, const uint8_t *data, size_t len)
{
	(void)data;
	*(size_t *)arg += len;
}

/* The bound holds for every kind of framing, and exactly the bound is still complete. */
static void test_body_limit(void **state)
{
	char *body = calloc(1, LIMIT_HTTP_BODY_BYTES + 1);
	struct http_parser p;
	size_t n = 0;

	(void)state;
	assert_non_null(body);
	http_parser_init(&p, count_body, &n);
	feed(&p, OK "\r\n", strlen(OK "\r\n"));
	feed(&p, body, LIMIT_HTTP_BODY_BYTES);
	assert_int_equal(p.state, HTTP_BODY);
	feed(&p, body, 1);
	assert_int_equal(p.state, HTTP_CUT);
	assert_int_equal(n, LIMIT_HTTP_BODY_BYTES);

	http_parser_init(&p, NULL, NULL);
	feed(&p, OK "Content-Length: 1048576\r\n\r\n",
	     strlen(OK "Content-Length: 1048576\r\n\r\n"));
	feed(&p, body, LIMIT_HTTP_BODY_BYTES);
	assert_int_equal(p.state, HTTP_DONE);

	http_parser_init(&p, NULL, NULL);
	feed(&p, CHUNKED "ffffffff\r\n", strlen(CHUNKED "ffffffff\r\n"));
	feed(&p, body, LIMIT_HTTP_BODY_BYTES);
	assert_int_equal(p.state, HTTP_CUT);
	free(body);
}

/* Chunks of one byte: framing counts, so that the bound is one on what is read. */
static void test_framing_counts(void **state)
{
	struct http_parser p;
	size_t n = 0;

	(void)state;
	http_parser_init(&p, count_body, &n);
	feed(&p, CHUNKED, strlen(CHUNKED));
	while (http_parser_feed(&p, (const uint8_t *)"1\r\na\r\n", 6) == HTTP_BODY)
		assert_true(n < LIMIT_HTTP_BODY_BYTES);
	assert_int_equal(p.state, HTTP_CUT);
	assert_int_equal(p.body_bytes, LIMIT_HTTP_BODY_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_split_in_two),
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_nul_in_field),
		cmocka_unit_test(test_header_limit),
		cmocka_unit_test(test_one_endless_line),
		cmocka_unit_test(test_trailer_limit),
		cmocka_unit_test(test_interim_limit),
		cmocka_unit_test(test_chunk_line_limit),
		cmocka_unit_test(test_body_limit),
		cmocka_unit_test(test_framing_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
