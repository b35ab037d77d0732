// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "probe/message.h"

static char match_body[] = "ready";

static const struct probe_match match = {
	.status = { { 200, 399 }, { 401, 401 } },
	.n_status = 2,
	.body = match_body,
};

static struct plan plan_to(enum protocol protocol, const char *address)
{
	struct plan plan = {
		.protocol = protocol,
		.port = 80,
		.host = "127.0.0.1",
		.path = "/",
		.match = &match,
		.timeout_ms = 30000,
	};

	assert_int_equal(addr_parse(&plan.addr, address), 0);
	return plan;
}

#define GET "GET / (Host: 127.0.0.1)"

static const struct {
	struct verdict verdict;
	const char *address;
	enum protocol protocol;
	const char *message;
} rows[] = {
	{ { .code = SL_MSG_OK, .elapsed_ms = 3 },
	  "10.0.0.5",
	  PROTO_TCP,
	  "10.0.0.5:80 accepted a TCP connection in 3ms." },
	{ { .code = SL_MSG_OK, .http_status = 204, .elapsed_ms = 3 },
	  "fd00::5",
	  PROTO_HTTP,
	  "[fd00::5]:80 answered " GET " with status 204 in 3ms." },
	{ { .code = SL_MSG_BACKEND_TIMEOUT, .stage = STAGE_HEADER, .elapsed_ms = 30001 },
	  "10.0.0.5",
	  PROTO_HTTP,
	  "10.0.0.5:80 accepted the connection, but gave no complete answer to " GET
	  " in time: the "
	  "header of its answer did not arrive within 30s (timeout 30s, stage header)." },
	{ { .code = SL_MSG_TCP_CONNECT_FAILED, .os_errno = ECONNREFUSED, .stage = STAGE_CONNECT },
	  "10.0.0.5",
	  PROTO_TCP,
	  "TCP connection to 10.0.0.5:80 was refused (RST): nothing listens on that port, or a "
	  "firewall rejects it." },
	{ { .code = SL_MSG_TCP_CONNECT_FAILED, .os_errno = ETIMEDOUT, .elapsed_ms = 1500 },
	  "10.0.0.5",
	  PROTO_TCP,
	  "TCP connection to 10.0.0.5:80 got no answer within 1.5s: the host is down, or a filter "
	  "drops the packets." },
	{ { .code = SL_MSG_TCP_CONNECT_FAILED, .os_errno = ENOPROTOOPT },
	  "10.0.0.5",
	  PROTO_TCP,
	  "TCP connection to 10.0.0.5:80 failed: Protocol not available." },
	{ { .code = SL_MSG_TCP_CONNECT_FAILED,
	    .os_errno = EHOSTUNREACH,
	    .has_icmp = true,
	    .icmp_type = 3,
	    .icmp_code = 13 },
	  "10.0.0.5",
	  PROTO_TCP,
	  "TCP connection to 10.0.0.5:80 was declared impossible by ICMP type 3 code 13 "
	  "(administratively prohibited)." },
	{ { .code = SL_MSG_TCP_CONNECT_FAILED, .has_icmp = true, .icmp_type = 1, .icmp_code = 3 },
	  "fd00::5",
	  PROTO_TCP,
	  "TCP connection to [fd00::5]:80 was declared impossible by ICMPv6 type 1 code 3 (address "
	  "unreachable)." },
	{ { .code = SL_MSG_TCP_CONNECT_FAILED, .has_icmp = true, .icmp_type = 3, .icmp_code = 99 },
	  "10.0.0.5",
	  PROTO_TCP,
	  "TCP connection to 10.0.0.5:80 was declared impossible by ICMP type 3 code 99 (destination "
	  "unreachable)." },
	{ { .code = SL_MSG_HTTP_STATUS_MISMATCH, .http_status = 503 },
	  "10.0.0.5",
	  PROTO_HTTP,
	  "10.0.0.5:80 answered " GET " with status 503; expected one of 200-399,401." },
	{ { .code = SL_MSG_HTTP_BODY_MISMATCH,
	    .http_status = 200,
	    .detail = "not in the 4 bytes of the body" },
	  "10.0.0.5",
	  PROTO_HTTP,
	  "10.0.0.5:80 answered " GET
	  " with status 200, but without the text 'ready' in the body (not "
	  "in the 4 bytes of the body)." },
	{ { .code = SL_MSG_HTTP_MALFORMED, .detail = "status line is not HTTP/1.x: 'SSH-2.0'" },
	  "10.0.0.5",
	  PROTO_HTTP,
	  "10.0.0.5:80 answered " GET
	  " with something that is not legal HTTP (status line is not HTTP/1.x: 'SSH-2.0')." },
	{ { .code = SL_MSG_CONN_CLOSED_EARLY, .detail = "after 0 bytes of the answer" },
	  "10.0.0.5",
	  PROTO_HTTP,
	  "10.0.0.5:80 closed the connection before it had answered " GET " (after 0 bytes of the "
	  "answer)." },
	{ { .code = SL_MSG_CONN_CLOSED_EARLY, .os_errno = ECONNRESET },
	  "10.0.0.5",
	  PROTO_HTTP,
	  "10.0.0.5:80 reset the connection before it had answered " GET "." },
	{ { .code = SL_MSG_PROBER_OVERLOADED, .detail = "waited 6000 ms" },
	  "10.0.0.5",
	  PROTO_HTTP,
	  "The prober is overloaded and says nothing about 10.0.0.5:80 (waited 6000 ms)." },
	{ { .code = SL_MSG_LOCAL_RESOURCE, .os_errno = EMFILE, .detail = "socket" },
	  "10.0.0.5",
	  PROTO_HTTP,
	  "This host could not probe 10.0.0.5:80: Too many open files (socket)." },
	{ { .code = SL_MSG_PROBE_PENDING },
	  "10.0.0.5",
	  PROTO_HTTP,
	  "No probe of 10.0.0.5:80 has ended yet." },
};

static void test_sentences(void **state)
{
	char buf[MESSAGE_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan plan = plan_to(rows[i].protocol, rows[i].address);

		assert_string_equal(message_format(buf, &plan, &rows[i].verdict), rows[i].message);
	}
}

#define CODE(NAME, code, id, passed, ours) SL_MSG_##NAME,

/* Every row says something, whatever the stage, and a sentence ends as one. */
static void test_every_row(void **state)
{
	static const enum sl_message codes[] = { SL_MESSAGES(CODE) };
	struct plan plan = plan_to(PROTO_HTTP, "10.0.0.5");
	char buf[MESSAGE_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		for (enum stage stage = STAGE_NONE; stage <= STAGE_BODY; stage++) {
			struct verdict v = { .code = codes[i], .stage = stage };

			message_format(buf, &plan, &v);
			assert_non_null(strstr(buf, "10.0.0.5:80"));
			assert_int_equal(buf[strlen(buf) - 1], '.');
		}
	}
}

/* Long and hostile text is cut, made printable, and never runs over. */
static void test_hostile(void **state)
{
	struct verdict v = { .code = SL_MSG_HTTP_MALFORMED };
	struct plan plan = plan_to(PROTO_HTTP, "10.0.0.5");
	char path[LIMIT_PATH_BYTES + 1], buf[MESSAGE_LEN];

	(void)state;
	memset(path, '/', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	memcpy(path, "/\x1b[31m\xff\n", 8);
	plan.path = path;
	plan.host = path;
	memset(v.detail, '\x1b', sizeof(v.detail) - 1);
	for (int code = 0; code < 110; code++) {
		v.code = (enum sl_message)code;
		message_format(buf, &plan, &v);
		assert_true(strlen(buf) < MESSAGE_LEN);
		for (const char *c = buf; *c; c++)
			assert_true(*c >= ' ' && *c <= '~');
	}
	v.code = SL_MSG_HTTP_STATUS_MISMATCH;
	assert_non_null(strstr(message_format(buf, &plan, &v), "GET /?[31m?"
							       "?////"));
	assert_non_null(strstr(buf, "///... (Host: "));
}

static void test_hints(void **state)
{
	static const struct {
		enum sl_message code;
		int value;
		const char *part; /* NULL: no hint */
	} hints[] = {
		{ SL_MSG_HTTP_STATUS_MISMATCH, 401, "credentials" },
		{ SL_MSG_HTTP_STATUS_MISMATCH, 403, "forbidden" },
		{ SL_MSG_HTTP_STATUS_MISMATCH, 404, "path" },
		{ SL_MSG_HTTP_STATUS_MISMATCH, 405, "GET" },
		{ SL_MSG_HTTP_STATUS_MISMATCH, 500, "log" },
		{ SL_MSG_HTTP_STATUS_MISMATCH, 503, "unavailable" },
		{ SL_MSG_HTTP_STATUS_MISMATCH, 418, NULL },
		{ SL_MSG_TCP_CONNECT_FAILED, ECONNREFUSED, "ss -ltn" },
		{ SL_MSG_TCP_CONNECT_FAILED, ETIMEDOUT, "drop" },
		{ SL_MSG_TCP_CONNECT_FAILED, ENETUNREACH, "route" },
		{ SL_MSG_LOCAL_RESOURCE, EMFILE, "LimitNOFILE" },
		{ SL_MSG_LOCAL_RESOURCE, EPERM, "CAP_NET_ADMIN" },
		{ SL_MSG_OK, 0, NULL },
		{ SL_MSG_PROBE_PENDING, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		struct verdict v = { .code = hints[i].code };
		const char *hint;

		if (v.code == SL_MSG_HTTP_STATUS_MISMATCH)
			v.http_status = (uint16_t)hints[i].value;
		else
			v.os_errno = hints[i].value;
		hint = message_hint(&v);
		if (hints[i].part)
			assert_non_null(strstr(hint ?: "", hints[i].part));
		else
			assert_null(hint);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_every_row),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_hints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
