// SPDX-License-Identifier: GPL-2.0-or-later
/* Question and answer over HTTP/1.1, and what a probe makes of every kind of answer. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/probe_run.h"

#define MAX_STEPS 5

static const struct exchange {
	const char *name;
	struct peer_step script[MAX_STEPS];
	const char *body; /* match.body */
	enum sl_message code;
	uint16_t status;
	enum stage stage;
	const char *detail; /* part of it */
	int os_errno;
} exchanges[] = {
	{ "content-length",
	  { DO(PEER_AWAIT), { .action = PEER_SEND, .text = OK "Content-Length: 2\r\n\r\nok" } },
	  NULL,
	  SL_MSG_OK,
	  200,
	  STAGE_BODY,
	  .detail = "" },
	{ "header only is enough",
	  { DO(PEER_AWAIT), { .action = PEER_SEND, .text = OK "Content-Length: 999\r\n\r\n" } },
	  NULL,
	  SL_MSG_OK,
	  200,
	  STAGE_BODY,
	  .detail = "" },
	{ "byte by byte",
	  { DO(PEER_AWAIT),
	    { .action = PEER_DRIBBLE, .text = OK "Content-Length: 5\r\n\r\nready" } },
	  "ready",
	  SL_MSG_OK,
	  200,
	  STAGE_BODY,
	  .detail = "" },
	{ "chunks byte by byte",
	  { DO(PEER_AWAIT),
	    { .action = PEER_DRIBBLE,
	      .text = CHUNKED "4;x=y\r\nnot \r\n3\r\nrea\r\n2\r\ndy\r\n0\r\nT: v\r\n\r\n" } },
	  "not ready",
	  SL_MSG_OK,
	  200,
	  STAGE_BODY,
	  .detail = "" },
	{ "found before the end",
	  { DO(PEER_AWAIT), { .action = PEER_SEND, .text = CHUNKED "5\r\nready\r\n" } },
	  "ready",
	  SL_MSG_OK,
	  200,
	  STAGE_BODY,
	  .detail = "" },
	{ "not found in chunks",
	  { DO(PEER_AWAIT), { .action = PEER_SEND, .text = CHUNKED "5\r\nReady\r\n0\r\n\r\n" } },
	  "ready",
	  SL_MSG_HTTP_BODY_MISMATCH,
	  200,
	  STAGE_BODY,
	  .detail = "not in the 5 bytes of the body" },
	{ "close-delimited",
	  { DO(PEER_AWAIT),
	    { .action = PEER_SEND, .text = OK "\r\nrea" },
	    { .action = PEER_SEND, .text = "dy" },
	    DO(PEER_CLOSE) },
	  "ready",
	  SL_MSG_OK,
	  200,
	  STAGE_BODY,
	  .detail = "" },
	{ "close-delimited, not found",
	  { DO(PEER_AWAIT), { .action = PEER_SEND, .text = OK "\r\nread" }, DO(PEER_CLOSE) },
	  "ready",
	  SL_MSG_HTTP_BODY_MISMATCH,
	  200,
	  STAGE_BODY,
	  .detail = "not in the 4 bytes" },
	{ "1.0",
	  { DO(PEER_AWAIT),
	    { .action = PEER_SEND, .text = "HTTP/1.0 200 OK\r\n\r\nready" },
	    DO(PEER_CLOSE) },
	  "ready",
	  SL_MSG_OK,
	  200,
	  STAGE_BODY,
	  .detail = "" },
	{ "interim",
	  { DO(PEER_AWAIT),
	    { .action = PEER_SEND, .text = "HTTP/1.1 100 Continue\r\n\r\n" },
	    { .action = PEER_SEND, .text = OK "Content-Length: 0\r\n\r\n" } },
	  NULL,
	  SL_MSG_OK,
	  200,
	  STAGE_BODY,
	  .detail = "" },
	{ "204",
	  { DO(PEER_AWAIT), { .action = PEER_SEND, .text = "HTTP/1.1 204 No Content\r\n\r\n" } },
	  NULL,
	  SL_MSG_OK,
	  204,
	  STAGE_BODY,
	  .detail = "" },
	{ "204 has no body to match",
	  { DO(PEER_AWAIT), { .action = PEER_SEND, .text = "HTTP/1.1 204 No Content\r\n\r\n" } },
	  "ready",
	  SL_MSG_HTTP_BODY_MISMATCH,
	  204,
	  STAGE_BODY,
	  .detail = "not in the 0 bytes" },
	{ "a redirect is an answer",
	  { DO(PEER_AWAIT),
	    { .action = PEER_SEND, .text = "HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n" } },
	  NULL,
	  SL_MSG_OK,
	  302,
	  STAGE_BODY,
	  .detail = "" },
	{ "answer before the request is read",
	  { { .action = PEER_SEND, .text = OK "\r\n" }, DO(PEER_CLOSE) },
	  NULL,
	  SL_MSG_OK,
	  200,
	  STAGE_BODY,
	  .detail = "" },
	/* Failures of the server. */
	{ "503",
	  { DO(PEER_AWAIT),
	    { .action = PEER_SEND, .text = "HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\n" } },
	  "ready",
	  SL_MSG_HTTP_STATUS_MISMATCH,
	  503,
	  STAGE_BODY,
	  .detail = "" },
	{ "status decides before a broken body",
	  { DO(PEER_AWAIT),
	    { .action = PEER_SEND,
	      .text = "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\nx" } },
	  "ready",
	  SL_MSG_HTTP_STATUS_MISMATCH,
	  404,
	  STAGE_BODY,
	  .detail = "" },
	{ "broken body that nobody needs",
	  { DO(PEER_AWAIT), { .action = PEER_SEND, .text = CHUNKED "x" } },
	  NULL,
	  SL_MSG_OK,
	  200,
	  STAGE_BODY,
	  .detail = "" },
	{ "broken body that is needed",
	  { DO(PEER_AWAIT), { .action = PEER_SEND, .text = CHUNKED "x" } },
	  "ready",
	  SL_MSG_HTTP_MALFORMED,
	  200,
	  STAGE_BODY,
	  .detail = "chunk size is not hexadecimal" },
	{ "another protocol",
	  { { .action = PEER_SEND, .text = "SSH-2.0-Open\x01SSH\r\n" } },
	  NULL,
	  SL_MSG_HTTP_MALFORMED,
	  0,
	  STAGE_HEADER,
	  .detail = "status line is not HTTP/1.x: 'SSH-2.0-Open.SSH'" },
	{ "TLS",
	  { DO(PEER_AWAIT), { .action = PEER_SEND, .text = "\x15\x03\x01\0\x02\x02\x46", 7 } },
	  NULL,
	  SL_MSG_HTTP_MALFORMED,
	  0,
	  STAGE_HEADER,
	  .detail = "the port speaks TLS" },
	{ "HTTP/2",
	  { DO(PEER_AWAIT), { .action = PEER_SEND, .text = "\0\0\0\x04\0\0\0\0\0", 9 } },
	  NULL,
	  SL_MSG_HTTP_MALFORMED,
	  0,
	  STAGE_HEADER,
	  .detail = "the port speaks HTTP/2 only" },
	{ "no colon",
	  { DO(PEER_AWAIT), { .action = PEER_SEND, .text = OK "nocolon\r\n\r\n" } },
	  NULL,
	  SL_MSG_HTTP_MALFORMED,
	  0,
	  STAGE_HEADER,
	  .detail = "header field without colon" },
	{ "upgrade",
	  { DO(PEER_AWAIT),
	    { .action = PEER_SEND, .text = "HTTP/1.1 101 Switching Protocols\r\n\r\n" } },
	  NULL,
	  SL_MSG_HTTP_MALFORMED,
	  0,
	  STAGE_HEADER,
	  .detail = "101 switching protocols" },
	{ "closed without a word",
	  { DO(PEER_AWAIT), DO(PEER_CLOSE) },
	  NULL,
	  SL_MSG_CONN_CLOSED_EARLY,
	  0,
	  STAGE_HEADER,
	  .detail = "after 0 bytes of the answer, its header" },
	{ "closed in the status line",
	  { DO(PEER_AWAIT), { .action = PEER_SEND, .text = "HTTP/1.1 2" }, DO(PEER_CLOSE) },
	  NULL,
	  SL_MSG_CONN_CLOSED_EARLY,
	  0,
	  STAGE_HEADER,
	  .detail = "after 10 bytes" },
	{ "closed in the header",
	  { DO(PEER_AWAIT), { .action = PEER_SEND, .text = OK "X: y\r\n" }, DO(PEER_CLOSE) },
	  NULL,
	  SL_MSG_CONN_CLOSED_EARLY,
	  0,
	  STAGE_HEADER,
	  .detail = "after 23 bytes" },
	{ "closed after an interim answer",
	  { DO(PEER_AWAIT),
	    { .action = PEER_SEND, .text = "HTTP/1.1 100 Continue\r\n\r\n" },
	    DO(PEER_CLOSE) },
	  NULL,
	  SL_MSG_CONN_CLOSED_EARLY,
	  0,
	  STAGE_HEADER,
	  .detail = "after 25 bytes" },
	{ "closed in a body that is needed",
	  { DO(PEER_AWAIT),
	    { .action = PEER_SEND, .text = OK "Content-Length: 9\r\n\r\nread" },
	    DO(PEER_CLOSE) },
	  "ready",
	  SL_MSG_CONN_CLOSED_EARLY,
	  200,
	  STAGE_BODY,
	  .detail = "after 42 bytes of the answer, its body" },
	{ "closed in a chunk",
	  { DO(PEER_AWAIT), { .action = PEER_SEND, .text = CHUNKED "9\r\nread" }, DO(PEER_CLOSE) },
	  "ready",
	  SL_MSG_CONN_CLOSED_EARLY,
	  200,
	  STAGE_BODY,
	  .detail = "its body incomplete" },
	{ "reset without a word",
	  { DO(PEER_AWAIT), DO(PEER_RESET) },
	  NULL,
	  SL_MSG_CONN_CLOSED_EARLY,
	  0,
	  STAGE_HEADER,
	  .detail = "after 0 bytes",
	  ECONNRESET },
	{ "reset in a close-delimited body",
	  { DO(PEER_AWAIT), { .action = PEER_DRIBBLE, .text = OK "\r\nread" }, DO(PEER_RESET) },
	  "ready",
	  SL_MSG_CONN_CLOSED_EARLY,
	  200,
	  STAGE_BODY,
	  .detail = "after 23 bytes",
	  ECONNRESET },
};

static void check_exchange(const struct exchange *e, const char *address)
{
	struct probe_match match = match_default;
	struct plan plan = plan_to(PROTO_HTTP, address, 0);
	struct verdict v;

	match.body = (char *)(uintptr_t)e->body;
	plan.match = &match;
	v = run_against(address, e->script, &plan);
	if (v.code != e->code || v.stage != e->stage || !strstr(v.detail, e->detail))
		print_message("# %s: %s, stage %s, detail '%s'\n", e->name, message_id(v.code),
			      stage_name(v.stage), v.detail);
	assert_int_equal(v.code, e->code);
	assert_int_equal(v.http_status, e->status);
	assert_int_equal(v.stage, e->stage);
	assert_int_equal(v.os_errno, e->os_errno);
	assert_non_null(strstr(v.detail, e->detail));
	assert_false(v.has_icmp);
	assert_true(v.timing.connect_us > 0);
	assert_true(v.timing.total_us >= v.timing.connect_us);
	assert_true(v.elapsed_ms < PATIENT_MS);
	assert_int_equal(v.timing.first_byte_us > 0, !strstr(v.detail, "after 0 bytes"));
}

static void test_exchanges_v4(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++)
		check_exchange(&exchanges[i], "127.0.0.1");
}

static void test_exchanges_v6(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++)
		check_exchange(&exchanges[i], "::1");
}

static void test_request(void **state)
{
	static const struct peer_step script[] = { DO(PEER_AWAIT),
						   { .action = PEER_SEND, .text = OK "\r\n" },
						   { 0 } };
	struct plan plan = plan_to(PROTO_HTTP, "127.0.0.1", 0);
	struct result result;
	struct peer *peer;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	result = (struct result){ .loop = &loop };
	peer = peer_new(&loop, "127.0.0.1", 0, script);
	plan.port = peer_port(peer);
	assert_non_null(probe_start(&loop, &plan, NULL, on_done, &result));
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_string_equal(peer_request(peer), "GET /healthz?a=b HTTP/1.1\r\n"
						"Host: www.example.test\r\n"
						"User-Agent: sluice/" SLUICE_VERSION "\r\n"
						"Accept: */*\r\n"
						"Accept-Encoding: identity\r\n"
						"Connection: close\r\n\r\n");
	peer_free(peer);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_status_ranges(void **state)
{
	static const struct peer_step script[] = {
		DO(PEER_AWAIT), { .action = PEER_SEND, .text = "HTTP/1.1 401 No\r\n\r\n" }, { 0 }
	};
	static const struct {
		struct probe_match match;
		enum sl_message code;
	} rows[] = {
		{ { .status = { { 200, 399 }, { 401, 401 } }, .n_status = 2 }, SL_MSG_OK },
		{ { .status = { { 401, 402 } }, .n_status = 1 }, SL_MSG_OK },
		{ { .status = { { 400, 401 } }, .n_status = 1 }, SL_MSG_OK },
		{ { .status = { { 402, 500 } }, .n_status = 1 }, SL_MSG_HTTP_STATUS_MISMATCH },
		{ { .status = { { 200, 400 } }, .n_status = 1 }, SL_MSG_HTTP_STATUS_MISMATCH },
		{ { .n_status = 0 }, SL_MSG_HTTP_STATUS_MISMATCH },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan plan = plan_to(PROTO_HTTP, "127.0.0.1", 0);

		plan.match = &rows[i].match;
		assert_int_equal(run_against("127.0.0.1", script, &plan).code, rows[i].code);
	}
}

/* A body that never ends is read up to the bound and no further. */
static void test_body_bound(void **state)
{
	static char answer[LIMIT_HTTP_BODY_BYTES + 4096];
	struct peer_step script[] = { DO(PEER_AWAIT),
				      { .action = PEER_SEND, .text = answer, sizeof(answer) },
				      { 0 } };
	struct probe_match match = match_default;
	struct plan plan = plan_to(PROTO_HTTP, "127.0.0.1", 0);
	struct verdict v;
	char text[] = "ready";

	(void)state;
	memset(answer, 'a', sizeof(answer));
	memcpy(answer, OK "\r\n", strlen(OK "\r\n"));
	memcpy(answer + sizeof(answer) - strlen(text), text, strlen(text));
	match.body = text;
	plan.match = &match;
	v = run_against("127.0.0.1", script, &plan);
	assert_int_equal(v.code, SL_MSG_HTTP_BODY_MISMATCH);
	assert_string_equal(v.detail, "not in the first 1048576 bytes of the body");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchanges_v4), cmocka_unit_test(test_exchanges_v6),
		cmocka_unit_test(test_request),      cmocka_unit_test(test_status_ranges),
		cmocka_unit_test(test_body_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
