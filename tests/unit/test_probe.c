// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "probe/probe.h"
#include "tests/lib/fault.h"
#include "tests/lib/peer.h"
#include "util/clock.h"

/* Long enough for a slow machine where the probe must not time out, short where it must. */
#define PATIENT_MS 20000
#define BRIEF_MS 100

#define OK "HTTP/1.1 200 OK\r\n"
#define DO(what)                 \
	{                        \
		.action = (what) \
	}

#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

static const struct probe_match match_default = { .status = { { 200, 399 } }, .n_status = 1 };

static struct plan plan_to(enum protocol protocol, const char *address, uint16_t port)
{
	struct plan plan = {
		.protocol = protocol,
		.port = port,
		.host = "www.example.test",
		.path = "/healthz?a=b",
		.match = &match_default,
		.interval_ms = PATIENT_MS,
		.timeout_ms = PATIENT_MS,
		.unhealthy_threshold = 3,
		.healthy_threshold = 1,
		.mark = SL_PROBE_MARK,
	};

	assert_int_equal(addr_parse(&plan.addr, address), 0);
	return plan;
}

/* --- one probe on a loop of its own ------------------------------------------------------------ */

struct result {
	uv_loop_t *loop;
	int n_done;
	struct verdict verdict;
};

static void on_done(void *arg, const struct verdict *verdict)
{
	struct result *result = arg;

	result->n_done++;
	result->verdict = *verdict;
	uv_stop(result->loop);
}

static void check_printable(const char *text)
{
	for (; *text; text++)
		assert_true(*text >= ' ' && *text <= '~');
}

/* Run the probe to its end, and then the loop until nothing is left on it. */
static struct verdict run(uv_loop_t *loop, struct peer *peer, const struct plan *plan)
{
	struct result result = { .loop = loop };

	assert_non_null(probe_start(loop, plan, NULL, on_done, &result));
	assert_int_equal(result.n_done, 0);
	uv_run(loop, UV_RUN_DEFAULT);
	if (peer)
		peer_free(peer);
	assert_int_equal(uv_run(loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(loop), 0);
	assert_int_equal(result.n_done, 1);
	check_printable(result.verdict.detail);
	return result.verdict;
}

static struct verdict run_against(const char *address, const struct peer_step *script,
				  struct plan *plan)
{
	uv_loop_t loop;
	struct peer *peer;

	assert_int_equal(uv_loop_init(&loop), 0);
	peer = peer_new(&loop, address, 0, script);
	plan->port = peer_port(peer);
	return run(&loop, peer, plan);
}

/* --- the exchange ----------------------------------------------------------------------------- */

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

/* --- connecting ------------------------------------------------------------------------------- */

static void test_tcp(void **state)
{
	static const struct peer_step script[] = { DO(PEER_HOLD) };
	static const char *const addresses[] = { "127.0.0.1", "::1" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct plan plan = plan_to(PROTO_TCP, addresses[i], 0);
		struct verdict v = run_against(addresses[i], script, &plan);

		assert_int_equal(v.code, SL_MSG_OK);
		assert_int_equal(v.stage, STAGE_CONNECT);
		assert_int_equal(v.http_status, 0);
		assert_true(v.timing.connect_us > 0);
		assert_int_equal(v.timing.first_byte_us, 0);
	}
}

/*
 * The handshake's last packet never goes out: a server that was only asked whether it listens has
 * nothing to accept.
 */
static void test_tcp_is_not_accepted(void **state)
{
	static const struct peer_step script[] = { DO(PEER_HOLD) };
	struct plan plan = plan_to(PROTO_TCP, "127.0.0.1", 0);
	struct result result;
	struct peer *peer;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	result = (struct result){ .loop = &loop };
	peer = peer_new(&loop, "127.0.0.1", 0, script);
	plan.port = peer_port(peer);
	assert_non_null(probe_start(&loop, &plan, NULL, on_done, &result));
	while (!result.n_done)
		uv_run(&loop, UV_RUN_ONCE);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(result.verdict.code, SL_MSG_OK);
	assert_int_equal(peer_accepted(peer), 0);
	peer_free(peer);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* A port that is bound, so that nobody else takes it, and does not listen. */
static int bound_socket(const char *address, uint16_t *ret_port)
{
	struct sockaddr_storage ss;
	struct addr addr;
	socklen_t len;
	int fd;

	assert_int_equal(addr_parse(&addr, address), 0);
	len = addr_to_sockaddr(&ss, &addr, 0);
	fd = socket(ss.ss_family, SOCK_STREAM, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	*ret_port = ntohs(((struct sockaddr_in *)&ss)->sin_port);
	return fd;
}

static void test_refused(void **state)
{
	static const char *const addresses[] = { "127.0.0.1", "::1" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct plan plan = plan_to(i < 2 ? PROTO_TCP : PROTO_HTTP, addresses[i % 2], 0);
		CLEANUP(close_p) int fd = bound_socket(addresses[i % 2], &plan.port);
		struct verdict v;
		uv_loop_t loop;

		assert_int_equal(uv_loop_init(&loop), 0);
		v = run(&loop, NULL, &plan);
		assert_int_equal(v.code, SL_MSG_TCP_CONNECT_FAILED);
		assert_int_equal(v.stage, STAGE_CONNECT);
		assert_int_equal(v.os_errno, ECONNREFUSED);
		assert_false(v.has_icmp);
		assert_int_equal(v.timing.connect_us, 0);
	}
}

/*
 * A listener whose queue is full drops further SYNs: nobody answers. The queue of a backlog of 0
 * takes one connection.
 */
static void test_connect_timeout(void **state)
{
	struct plan plan = plan_to(PROTO_TCP, "127.0.0.1", 0);
	CLEANUP(close_p) int fd = bound_socket("127.0.0.1", &plan.port);
	CLEANUP(close_p) int filler = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&ss, &plan.addr, plan.port);
	struct verdict v;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(connect(filler, (struct sockaddr *)&ss, len), 0);

	plan.timeout_ms = BRIEF_MS;
	assert_int_equal(uv_loop_init(&loop), 0);
	v = run(&loop, NULL, &plan);
	assert_int_equal(v.code, SL_MSG_TCP_CONNECT_FAILED);
	assert_int_equal(v.stage, STAGE_CONNECT);
	assert_int_equal(v.os_errno, ETIMEDOUT);
	assert_true(v.elapsed_ms >= BRIEF_MS);
}

/* The clock runs over the whole probe: an answer that trickles does not wind it up again. */
static void test_answer_timeout(void **state)
{
	static const struct {
		struct peer_step script[3];
		const char *body;
		enum stage stage;
		uint16_t status;
	} rows[] = {
		{ { DO(PEER_HOLD) }, NULL, STAGE_HEADER, 0 },
		{ { DO(PEER_AWAIT), { .action = PEER_SEND, .text = OK "X: y" } },
		  NULL,
		  STAGE_HEADER,
		  0 },
		{ { DO(PEER_AWAIT), { .action = PEER_SEND, .text = OK "\r\nrea" } },
		  "ready",
		  STAGE_BODY,
		  200 },
		{ { DO(PEER_AWAIT), { .action = PEER_SEND, .text = CHUNKED "5\r\nr" } },
		  "ready",
		  STAGE_BODY,
		  200 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan plan = plan_to(PROTO_HTTP, "127.0.0.1", 0);
		struct probe_match match = match_default;
		struct verdict v;

		match.body = (char *)(uintptr_t)rows[i].body;
		plan.match = &match;
		plan.timeout_ms = BRIEF_MS;
		v = run_against("127.0.0.1", rows[i].script, &plan);
		assert_int_equal(v.code, SL_MSG_BACKEND_TIMEOUT);
		assert_int_equal(v.stage, rows[i].stage);
		assert_int_equal(v.http_status, rows[i].status);
		assert_int_equal(v.os_errno, 0);
		assert_true(v.elapsed_ms >= BRIEF_MS);
	}
}

/* A loop that was away when the answer came must still see it before it looks at the clock. */
static void test_late_loop(void **state)
{
	static const struct peer_step script[] = { DO(PEER_HOLD) };
	struct plan plan = plan_to(PROTO_TCP, "127.0.0.1", 0);
	struct result result;
	struct peer *peer;
	uint64_t until_ms;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	result = (struct result){ .loop = &loop };
	peer = peer_new(&loop, "127.0.0.1", 0, script);
	plan.port = peer_port(peer);
	plan.timeout_ms = BRIEF_MS;
	assert_non_null(probe_start(&loop, &plan, NULL, on_done, &result));
	until_ms = clock_mono_ms() + 2 * BRIEF_MS;
	while (clock_mono_ms() < until_ms)
		; /* the loop is busy with something else */
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(result.verdict.code, SL_MSG_OK);
	peer_free(peer);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* A connection that was made and reset before anybody looked was made: that is the next stage's. */
static void test_reset_at_once(void **state)
{
	static const enum protocol protocols[] = { PROTO_TCP, PROTO_HTTP };
	static const enum sl_message codes[] = { SL_MSG_OK, SL_MSG_CONN_CLOSED_EARLY };
	struct linger linger = { 1, 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct plan plan = plan_to(protocols[i], "127.0.0.1", 0);
		CLEANUP(close_p) int fd = bound_socket("127.0.0.1", &plan.port);
		struct result result;
		uv_loop_t loop;
		int client;

		assert_int_equal(listen(fd, 1), 0);
		assert_int_equal(uv_loop_init(&loop), 0);
		result = (struct result){ .loop = &loop };
		assert_non_null(probe_start(&loop, &plan, NULL, on_done, &result));
		client = accept(fd, NULL, NULL);
		assert_true(client >= 0);
		assert_int_equal(setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)),
				 0);
		close(client);
		uv_run(&loop, UV_RUN_DEFAULT);
		assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
		assert_int_equal(uv_loop_close(&loop), 0);
		assert_int_equal(result.verdict.code, codes[i]);
		assert_int_equal(result.verdict.os_errno, i ? ECONNRESET : 0);
	}
}

/* --- our own trouble --------------------------------------------------------------------------- */

static void test_socket_fails(void **state)
{
	static const int errnos[] = { EMFILE, ENFILE, ENOBUFS, ENOMEM, EAFNOSUPPORT, EPERM };

	(void)state;
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++) {
		struct plan plan = plan_to(PROTO_HTTP, "127.0.0.1", 9);
		struct result result;
		uv_loop_t loop;

		assert_int_equal(uv_loop_init(&loop), 0);
		result = (struct result){ .loop = &loop };
		fault_after(FAULT_SOCKET, 0, errnos[i]);
		assert_non_null(probe_start(&loop, &plan, NULL, on_done, &result));
		assert_true(fault_clear(FAULT_SOCKET));
		assert_int_equal(result.n_done, 0);
		assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
		assert_int_equal(uv_loop_close(&loop), 0);

		assert_int_equal(result.n_done, 1);
		assert_int_equal(result.verdict.code, SL_MSG_LOCAL_RESOURCE);
		assert_int_equal(result.verdict.os_errno, errnos[i]);
		assert_string_equal(result.verdict.detail, "socket");
	}
}

static void test_no_descriptor(void **state)
{
	struct plan plan = plan_to(PROTO_TCP, "127.0.0.1", 9);
	struct rlimit before, none;
	struct verdict v;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	v = run(&loop, NULL, &plan);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(v.code, SL_MSG_LOCAL_RESOURCE);
	assert_int_equal(v.os_errno, EMFILE);
}

static void test_no_memory(void **state)
{
	struct plan plan = plan_to(PROTO_HTTP, "127.0.0.1", 9);
	struct probe_match match = match_default;
	char text[] = "ready";
	struct result result;
	uv_loop_t loop;

	(void)state;
	match.body = text;
	plan.match = &match;
	assert_int_equal(uv_loop_init(&loop), 0);
	result = (struct result){ .loop = &loop };
	fault_after(FAULT_MEMORY, 0, ENOMEM);
	assert_null(probe_start(&loop, &plan, NULL, on_done, &result));
	assert_true(fault_clear(FAULT_MEMORY));
	fault_after(FAULT_MEMORY, 1, ENOMEM);
	assert_non_null(probe_start(&loop, &plan, NULL, on_done, &result));
	assert_true(fault_clear(FAULT_MEMORY));
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(result.n_done, 1);
	assert_int_equal(result.verdict.code, SL_MSG_LOCAL_RESOURCE);
	assert_int_equal(result.verdict.os_errno, ENOMEM);
}

/* Neither configuration nor command line lets these through; nothing must be sent if they did. */
static void test_unsendable(void **state)
{
	static const struct peer_step script[] = { DO(PEER_HOLD) };
	static const struct {
		const char *host, *path;
	} rows[] = {
		{ "a", "/ HTTP/1.1\r\nX: y" }, { "a", "no-slash" }, { "a", "" },
		{ "a\r\nX: y", "/" },          { "a b", "/" },      { "a", "/\x7f" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan plan = plan_to(PROTO_HTTP, "127.0.0.1", 0);
		struct verdict v;

		plan.host = rows[i].host;
		plan.path = rows[i].path;
		v = run_against("127.0.0.1", script, &plan);
		assert_int_equal(v.code, SL_MSG_LOCAL_RESOURCE);
		assert_int_equal(v.os_errno, EINVAL);
	}
}

/* --- cancelling -------------------------------------------------------------------------------- */

static void never(void *arg, const struct verdict *verdict)
{
	(void)arg;
	(void)verdict;
	fail_msg("a cancelled probe reported");
}

static void test_cancel(void **state)
{
	static const struct peer_step script[] = { DO(PEER_HOLD) };
	struct plan plan = plan_to(PROTO_HTTP, "127.0.0.1", 0);
	struct probe_match match = match_default;
	struct probe *probe;
	char text[] = "ready";
	struct peer *peer;
	uv_loop_t loop;

	(void)state;
	match.body = text;
	plan.match = &match;
	assert_int_equal(uv_loop_init(&loop), 0);
	peer = peer_new(&loop, "127.0.0.1", 0, script);
	plan.port = peer_port(peer);

	/* At once, and with the request on its way. */
	probe = probe_start(&loop, &plan, NULL, never, NULL);
	assert_non_null(probe);
	probe_cancel(probe);
	probe = probe_start(&loop, &plan, NULL, never, NULL);
	assert_non_null(probe);
	while (!strlen(peer_request(peer)))
		uv_run(&loop, UV_RUN_ONCE);
	probe_cancel(probe);

	/* One that had failed already and only waits to say so. */
	fault_after(FAULT_SOCKET, 0, EMFILE);
	probe = probe_start(&loop, &plan, NULL, never, NULL);
	assert_true(fault_clear(FAULT_SOCKET));
	assert_non_null(probe);
	probe_cancel(probe);

	peer_free(peer);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchanges_v4),
		cmocka_unit_test(test_exchanges_v6),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_status_ranges),
		cmocka_unit_test(test_body_bound),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_tcp_is_not_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_connect_timeout),
		cmocka_unit_test(test_answer_timeout),
		cmocka_unit_test(test_late_loop),
		cmocka_unit_test(test_socket_fails),
		cmocka_unit_test(test_no_descriptor),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_reset_at_once),
		cmocka_unit_test(test_unsendable),
		cmocka_unit_test(test_cancel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
