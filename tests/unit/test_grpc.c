// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "probe/grpc.h"
#include "tests/lib/h2_talk.h"

#define TYPE "content-type: application/grpc\n"
#define HEAD ":status: 200\n" TYPE
#define BYTES(text) text, sizeof(text) - 1

/* A header, a message, trailers: what a health service answers with. */
static const struct row {
	const char *name;
	const char *header;
	const char *message; /* NULL: none, and the header ends the answer */
	size_t len;
	const char *trailers;
	enum sl_message code;
	uint16_t status, grpc_status;
	const char *detail;
} rows[] = {
	{ "serving", HEAD, BYTES("\0\0\0\0\x02\x08\x01"), "grpc-status: 0\n", SL_MSG_OK, 200, 0,
	  "" },
	{ "proto", ":status: 200\ncontent-type: application/grpc+proto\n",
	  BYTES("\0\0\0\0\x02\x08\x01"), "grpc-status: 0\n", SL_MSG_OK, 200, 0, "" },
	{ "unknown fields", HEAD,
	  BYTES("\0\0\0\0\x14\x12\x02zz\x08\x01\x19"
		"12345678"
		"\x25"
		"1234"),
	  "grpc-status: 0\n", SL_MSG_OK, 200, 0, "" },
	{ "the last one counts", HEAD, BYTES("\0\0\0\0\x04\x08\x02\x08\x01"), "grpc-status: 0\n",
	  SL_MSG_OK, 200, 0, "" },
	{ "not serving", HEAD, BYTES("\0\0\0\0\x02\x08\x02"), "grpc-status: 0\n",
	  SL_MSG_GRPC_NOT_SERVING, 200, 2, "the service is NOT_SERVING" },
	{ "unknown", HEAD, BYTES("\0\0\0\0\0"), "grpc-status: 0\n", SL_MSG_GRPC_NOT_SERVING, 200, 0,
	  "the service is UNKNOWN" },
	{ "a new health", HEAD, BYTES("\0\0\0\0\x03\x08\xac\x02"), "grpc-status: 0\n",
	  SL_MSG_GRPC_NOT_SERVING, 200, 300, "number without a name" },
	{ "not implemented",
	  ":status: 200\n" TYPE "grpc-status: 12\ngrpc-message: no \xc3\xa9 such\n", NULL, 0, NULL,
	  SL_MSG_GRPC_NOT_SERVING, 200, 12, "UNIMPLEMENTED" },
	{ "unknown service", HEAD "grpc-status: 5\ngrpc-message: unknown service\n", NULL, 0, NULL,
	  SL_MSG_GRPC_NOT_SERVING, 200, 5, "NOT_FOUND: unknown service" },
	{ "status in the trailers", HEAD, BYTES(""), "grpc-status: 14\n", SL_MSG_GRPC_NOT_SERVING,
	  200, 14, "UNAVAILABLE" },
	{ "no grpc-status", HEAD, BYTES("\0\0\0\0\x02\x08\x01"), "x: y\n", SL_MSG_HTTP_MALFORMED,
	  200, 0, "no grpc-status" },
	{ "grpc-status is no number", HEAD, BYTES("\0\0\0\0\x02\x08\x01"), "grpc-status: ok\n",
	  SL_MSG_HTTP_MALFORMED, 200, 0, "no grpc-status" },
	{ "HTTP status", ":status: 404\n" TYPE, BYTES("x"), NULL, SL_MSG_HTTP_STATUS_MISMATCH, 404,
	  0, "HTTP status 200" },
	{ "a web page", ":status: 200\ncontent-type: text/html\n", BYTES("<html>"), NULL,
	  SL_MSG_HTTP_MALFORMED, 200, 0, "content-type is not application/grpc: 'text/html'" },
	{ "grpc-web", ":status: 200\ncontent-type: application/grpcx\n", BYTES("x"), NULL,
	  SL_MSG_HTTP_MALFORMED, 200, 0, "application/grpcx" },
	{ "no type", ":status: 200\n", BYTES("x"), NULL, SL_MSG_HTTP_MALFORMED, 200, 0,
	  "no content-type" },
	{ "compressed", HEAD, BYTES("\1\0\0\0\x02\x08\x01"), "grpc-status: 0\n",
	  SL_MSG_HTTP_MALFORMED, 200, 0, "compressed" },
	{ "too short", HEAD, BYTES("\0\0"), "grpc-status: 0\n", SL_MSG_HTTP_MALFORMED, 200, 0,
	  "shorter" },
	{ "wrong length", HEAD, BYTES("\0\0\0\0\x03\x08\x01"), "grpc-status: 0\n",
	  SL_MSG_HTTP_MALFORMED, 200, 0, "not one gRPC message" },
	{ "two messages", HEAD, BYTES("\0\0\0\0\x02\x08\x01\0\0\0\0\x02\x08\x01"),
	  "grpc-status: 0\n", SL_MSG_HTTP_MALFORMED, 200, 0, "not one gRPC message" },
	{ "cut varint", HEAD, BYTES("\0\0\0\0\x02\x08\xff"), "grpc-status: 0\n",
	  SL_MSG_HTTP_MALFORMED, 200, 0, "not a protocol buffer" },
	{ "bytes too long", HEAD, BYTES("\0\0\0\0\x02\x12\x7f"), "grpc-status: 0\n",
	  SL_MSG_HTTP_MALFORMED, 200, 0, "not a protocol buffer" },
	{ "cut", HEAD, BYTES("\0\0\0"), NULL, SL_MSG_CONN_CLOSED_EARLY, 200, 0,
	  "its body incomplete" },
};

static struct frames frames;

static void serve(const struct row *row)
{
	frames.len = 0;
	frames_add(&frames, FRAME_SETTINGS, 0, 0, NULL, 0);
	frames_headers(&frames, row->message ? 0 : FRAME_END_STREAM, 1, row->header);
	if (row->len)
		frames_add(&frames, FRAME_DATA, 0, 1, row->message, row->len);
	if (row->trailers)
		frames_headers(&frames, FRAME_END_STREAM, 1, row->trailers);
}

static struct verdict judge(size_t piece)
{
	const struct plan plan = { .protocol = PROTO_GRPC, .host = "h", .path = "/" };

	return h2_talk(&plan, &frames, piece);
}

static void test_answers(void **state)
{
	static const size_t pieces[] = { 16384, 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		serve(&rows[i]);
		for (size_t k = 0; k < 2; k++) {
			struct verdict v = judge(pieces[k]);

			if (v.code != rows[i].code || !strstr(v.detail, rows[i].detail))
				print_message("# %s: %s '%s'\n", rows[i].name, message_id(v.code),
					      v.detail);
			assert_int_equal(v.code, rows[i].code);
			assert_int_equal(v.http_status, rows[i].status);
			assert_int_equal(v.grpc_status, rows[i].grpc_status);
			assert_non_null(strstr(v.detail, rows[i].detail));
		}
	}
}

/* An answer that never ends is given up when it is too long to be one. */
static void test_endless(void **state)
{
	static const uint8_t piece[16384];
	struct verdict v;

	(void)state;
	serve(&(struct row){ .header = HEAD, .message = "", .len = 0 });
	for (int i = 0; i < 200; i++)
		frames_add(&frames, FRAME_DATA, 0, 1, piece, sizeof(piece));
	v = judge(16384);
	assert_int_equal(v.code, SL_MSG_HTTP_MALFORMED);
	assert_non_null(strstr(v.detail, "longer than 256 bytes"));
}

static void test_request(void **state)
{
	char service[301];
	uint8_t buf[512];

	(void)state;
	assert_int_equal(grpc_write_request(buf, ""), 5);
	assert_memory_equal(buf, "\0\0\0\0\0", 5);
	assert_int_equal(grpc_write_request(buf, "a.B"), 10);
	assert_memory_equal(buf,
			    "\0\0\0\0\x05\x0a\x03"
			    "a.B",
			    10);
	memset(service, 's', 300);
	service[300] = '\0';
	assert_int_equal(grpc_write_request(buf, service), 5 + 3 + 300);
	assert_memory_equal(buf, "\0\0\0\x01\x2f\x0a\xac\x02s", 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
