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
		.tls = { .enabled = protocol == PROTO_HTTPS || protocol == PROTO_TLS,
			 .sni = "shop.test",
			 .name = "shop.test" },
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
	{ { .code = SL_MSG_OK,
	    .http_status = 200,
	    .elapsed_ms = 3,
	    .tls = { .version = 0x0304, .not_after = 1796256000 } },
	  "10.0.0.5",
	  PROTO_HTTPS,
	  "10.0.0.5:80 answered " GET
	  " with status 200 in 3ms, over TLS 1.3; certificate valid until 2026-12-03." },
	{ { .code = SL_MSG_OK, .elapsed_ms = 3, .tls = { .version = 0x0303, .resumed = true } },
	  "10.0.0.5",
	  PROTO_TLS,
	  "10.0.0.5:80 completed a TLS handshake in 3ms, over TLS 1.2 (session resumed)." },
	{ { .code = SL_MSG_OK, .elapsed_ms = 3 },
	  "10.0.0.5",
	  PROTO_GRPC,
	  "10.0.0.5:80 answered the gRPC health check with SERVING in 3ms." },
	{ { .code = SL_MSG_OK, .elapsed_ms = 3 },
	  "10.0.0.5",
	  PROTO_UDP,
	  "10.0.0.5:80 took the datagram without an error in 3ms." },
	{ { .code = SL_MSG_OK, .elapsed_ms = 3, .timing = { .first_byte_us = 1 } },
	  "10.0.0.5",
	  PROTO_UDP,
	  "10.0.0.5:80 answered the datagram in 3ms." },
	{ { .code = SL_MSG_BACKEND_TIMEOUT, .stage = STAGE_HEADER, .elapsed_ms = 30001 },
	  "10.0.0.5",
	  PROTO_UDP,
	  "10.0.0.5:80 gave no answer to the datagram within 30s (timeout 30s, stage header)." },
	{ { .code = SL_MSG_DNS_RESOLUTION_FAILED, .detail = "NXDOMAIN; asked 10.0.0.53" },
	  "10.0.0.5",
	  PROTO_HTTP,
	  "The name of the backend at 10.0.0.5:80 cannot be resolved, and no address of it was ever "
	  "known (NXDOMAIN; asked 10.0.0.53)." },
	{ { .code = SL_MSG_UNKNOWN_DNS_CACHE_FLUSHED },
	  "10.0.0.5",
	  PROTO_HTTP,
	  "The addresses of 10.0.0.5:80 are not known any more: the configuration was put in force "
	  "while DNS gave no answer." },
	{ { .code = SL_MSG_UNKNOWN_GATEWAY_UNHEALTHY, .detail = "starting" },
	  "10.0.0.5",
	  PROTO_HTTP,
	  "The gateway itself is not well and says nothing about 10.0.0.5:80 (starting)." },
	{ { .code = SL_MSG_TLS_HANDSHAKE_FAILED, .tls = { .alert = 40 } },
	  "10.0.0.5",
	  PROTO_HTTPS,
	  "TLS handshake with 10.0.0.5:80 failed: the server sent alert 40 (handshake_failure): no "
	  "cipher suite, group or signature algorithm in common, or a client certificate is "
	  "demanded; name sent (SNI): shop.test." },
	{ { .code = SL_MSG_TLS_HANDSHAKE_FAILED,
	    .tls = { .alert = 116 },
	    .detail = "alert 116 certificate_required: it asked for a client certificate" },
	  "10.0.0.5",
	  PROTO_HTTPS,
	  "TLS handshake with 10.0.0.5:80 failed: the server sent alert 116 "
	  "(certificate_required): the server demands a client certificate (it asked for a client "
	  "certificate); name sent (SNI): shop.test." },
	{ { .code = SL_MSG_TLS_HANDSHAKE_FAILED,
	    .tls = { .alert = 112 },
	    .detail = "alert 112 unrecognized_name: it does not serve the name in SNI" },
	  "10.0.0.5",
	  PROTO_HTTPS,
	  "TLS handshake with 10.0.0.5:80 failed: the server sent alert 112 (unrecognized_name): "
	  "the server does not know the name sent as SNI; name sent (SNI): shop.test." },
	{ { .code = SL_MSG_TCP_CONNECT_FAILED, .os_errno = EINVAL },
	  "10.0.0.5",
	  PROTO_TCP,
	  "TCP connection to 10.0.0.5:80 failed: a route of this host (blackhole) drops the "
	  "packets." },
	{ { .code = SL_MSG_OK },
	  "10.0.0.5",
	  PROTO_TCP,
	  "10.0.0.5:80 accepted a TCP connection in under 1ms." },
	{ { .code = SL_MSG_TLS_HANDSHAKE_FAILED, .tls = { .alert = 200 } },
	  "10.0.0.5",
	  PROTO_TLS,
	  "TLS handshake with 10.0.0.5:80 failed: the server sent alert 200; name sent (SNI): "
	  "shop.test." },
	{ { .code = SL_MSG_TLS_HANDSHAKE_FAILED,
	    .tls = { .alert = TLS_ALERT_NONE },
	    .detail = "the answer is not TLS: 'HTTP/1.1 400'" },
	  "10.0.0.5",
	  PROTO_TLS,
	  "TLS handshake with 10.0.0.5:80 failed (the answer is not TLS: 'HTTP/1.1 400'); name sent "
	  "(SNI): shop.test." },
	{ { .code = SL_MSG_TLS_HANDSHAKE_FAILED,
	    .tls = { .alert = TLS_ALERT_NONE },
	    .os_errno = ETIMEDOUT,
	    .elapsed_ms = 2000 },
	  "10.0.0.5",
	  PROTO_TLS,
	  "TLS handshake with 10.0.0.5:80 failed: it was not finished within 2.0s; name sent (SNI): "
	  "shop.test." },
	{ { .code = SL_MSG_CERT_NAME_MISMATCH },
	  "10.0.0.5",
	  PROTO_HTTPS,
	  "10.0.0.5:80 shows a certificate that is for another name than 'shop.test'." },
	{ { .code = SL_MSG_CERT_VERIFY_FAILED, .tls = { .x509_code = 26 } },
	  "10.0.0.5",
	  PROTO_HTTPS,
	  "10.0.0.5:80 shows a certificate chain that does not verify (OpenSSL 26 at depth 0, "
	  "unsuitable certificate purpose)." },
	{ { .code = SL_MSG_UNKNOWN_CRL_UNREACHABLE, .tls = { .x509_code = 3 } },
	  "10.0.0.5",
	  PROTO_HTTPS,
	  "Whether the certificate of 10.0.0.5:80 was revoked cannot be found out (unable to get "
	  "certificate CRL)." },
	{ { .code = SL_MSG_GRPC_NOT_SERVING, .grpc_status = 12, .detail = "no such service" },
	  "10.0.0.5",
	  PROTO_GRPC,
	  "10.0.0.5:80 answered the gRPC health check, but not with SERVING (no such "
	  "service)." },
	{ { .code = SL_MSG_GRPC_NOT_SERVING, .grpc_status = 12 },
	  "10.0.0.5",
	  PROTO_GRPC,
	  "10.0.0.5:80 answered the gRPC health check, but not with SERVING (status 12)." },
	{ { .code = SL_MSG_HTTP_STATUS_MISMATCH, .http_status = 204 },
	  "10.0.0.5",
	  PROTO_GRPC,
	  "10.0.0.5:80 answered the gRPC health check with status 204; expected 200, as with every "
	  "gRPC answer." },
	{ { .code = SL_MSG_UDP_UNREACHABLE, .has_icmp = true, .icmp_type = 3, .icmp_code = 3 },
	  "10.0.0.5",
	  PROTO_UDP,
	  "The datagram to 10.0.0.5:80 could not be delivered: ICMP type 3 code 3 (port "
	  "unreachable)." },
	{ { .code = SL_MSG_UDP_ANSWER_MISMATCH },
	  "10.0.0.5",
	  PROTO_UDP,
	  "10.0.0.5:80 answered the datagram, but without the text 'ready'." },
	{ { .code = (enum sl_message)99 },
	  "10.0.0.5",
	  PROTO_UDP,
	  "Verdict 99, which this version does not know." },
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

/* A query may hold a key: what is said of a verdict is read by more than may read the configuration. */
static void test_query(void **state)
{
	struct verdict v = { .code = SL_MSG_OK, .http_status = 204, .elapsed_ms = 3 };
	struct plan plan = plan_to(PROTO_HTTP, "10.0.0.5");
	char path[200], buf[MESSAGE_LEN];

	(void)state;
	plan.path = "/up?key=s3cret";
	message_format(buf, &plan, &v);
	assert_string_equal(buf,
			    "10.0.0.5:80 answered GET /up?... (Host: 127.0.0.1) with status 204 "
			    "in 3ms.");
	memset(path, 'x', sizeof(path));
	snprintf(path + 80, sizeof(path) - 80, "?key=s3cret");
	plan.path = path;
	message_format(buf, &plan, &v);
	assert_null(strstr(buf, "s3cret"));
	assert_non_null(strstr(buf, "xxxx?... (Host"));
	memset(path, 'x', 100);
	path[100] = '\0';
	message_format(buf, &plan, &v);
	assert_non_null(strstr(buf, "xxxx... (Host"));
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
	plan.tls.sni = path;
	plan.tls.name = path;
	v.tls.certs = certs_new(1);
	v.tls.certs->fact = strdup(path);
	for (int code = 0; code < 220; code++) {
		v.code = (enum sl_message)(code % 110);
		/* Without a fact the certificate's own names are shown. */
		if (code == 110) {
			free(take_ptr(v.tls.certs->fact));
			v.tls.certs->certs[0].subject = strdup(path);
			v.tls.certs->certs[0].issuer = strdup(path);
		}
		message_format(buf, &plan, &v);
		assert_true(strlen(buf) < MESSAGE_LEN);
		for (const char *c = buf; *c; c++)
			assert_true(*c >= ' ' && *c <= '~');
	}
	verdict_done(&v);
	v.code = SL_MSG_HTTP_STATUS_MISMATCH;
	assert_non_null(strstr(message_format(buf, &plan, &v), "GET /?[31m?"
							       "?////"));
	assert_non_null(strstr(buf, "///... (Host: "));
}

/* Sentences with the data of a chain: its fact, or what is known of the first certificate. */
static void test_certificates(void **state)
{
	struct plan plan = plan_to(PROTO_HTTPS, "10.0.0.5");
	struct verdict v = { .code = SL_MSG_CERT_INTERMEDIATE_MISSING };
	char buf[MESSAGE_LEN];

	(void)state;
	v.tls.certs = certs_new(1);
	assert_non_null(v.tls.certs);
	v.tls.certs->certs[0].subject = strdup("CN=a.test");
	v.tls.certs->certs[0].issuer = strdup("CN=Int");
	assert_string_equal(message_format(buf, &plan, &v),
			    "10.0.0.5:80 shows a certificate chain without the issuer of the "
			    "server's certificate: subject CN=a.test, issuer CN=Int.");
	v.tls.certs->certs[0].self_signed = true;
	assert_non_null(strstr(message_format(buf, &plan, &v), "signs itself without being"));
	v.tls.certs->certs[0].ca = true;
	assert_non_null(strstr(message_format(buf, &plan, &v), "without the issuer"));

	v.tls.certs->fact = strdup("the fact");
	v.tls.certs->hint = strdup("the hint");
	v.code = SL_MSG_CERT_NAME_MISMATCH;
	assert_string_equal(message_format(buf, &plan, &v),
			    "10.0.0.5:80 shows a certificate that is for another name: the fact.");
	assert_string_equal(message_chain_hint(&v), "the hint");
	v.code = SL_MSG_CERT_NOT_ALLOW_LISTED;
	assert_string_equal(message_format(buf, &plan, &v),
			    "10.0.0.5:80 shows a certificate that is not allow-listed: the fact.");
	free(take_ptr(v.tls.certs->fact));
	v.tls.certs->certs[0].sha256[0] = 0xab;
	assert_non_null(strstr(message_format(buf, &plan, &v), "(SHA-256 ab0000"));
	verdict_done(&v);
	assert_null(message_chain_hint(&v));
}

/* Names that are not resolved have no address that could be named. */
static void test_backend_names(void **state)
{
	struct plan plan = plan_to(PROTO_HTTP, "10.0.0.5");
	struct verdict v = { .code = SL_MSG_DNS_RESOLUTION_FAILED };
	char buf[MESSAGE_LEN];

	(void)state;
	plan.backend = "app.test";
	assert_string_equal(message_format(buf, &plan, &v),
			    "The name app.test cannot be resolved, and no address of it was ever "
			    "known.");
	v.code = SL_MSG_TCP_CONNECT_FAILED;
	assert_non_null(strstr(message_format(buf, &plan, &v), "10.0.0.5:80"));
}

#define DAY_S 86400

static void test_dates(void **state)
{
	static const struct {
		int64_t distance_s;
		const char *text;
	} rows_when[] = {
		{ 12 * DAY_S, "in 12 days" },
		{ 2 * DAY_S, "in 2 days" },
		{ 2 * DAY_S - 1, "in 47 hours" },
		{ 7200, "in 2 hours" },
		{ 7199, "in 119 minutes" },
		{ 60, "in 1 minute" },
		{ 1, "in 0 minutes" },
		{ 0, "0 minutes ago" },
		{ -1, "0 minutes ago" },
		{ -3 * DAY_S, "3 days ago" },
		{ INT64_MAX - 1000000, "in 106751991167289 days" },
	};
	char when[MESSAGE_WHEN_LEN], text[MESSAGE_WARNING_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(rows_when) / sizeof(rows_when[0]); i++)
		assert_string_equal(message_when(when, 1000 + rows_when[i].distance_s, 1000),
				    rows_when[i].text);
	message_when(when, INT64_MIN, INT64_MAX);
	assert_string_equal(message_warning(text, SL_WARN_CERT_EXPIRES_SOON, 1796256000,
					    1796256000 - 12 * DAY_S),
			    "certificate expires in 12 days (2026-12-03)");
	assert_string_equal(message_warning(text, SL_WARN_CERT_EXPIRES_SOON, 1796256000,
					    1796256000 + 3 * DAY_S),
			    "certificate expired 3 days ago (2026-12-03)");
	assert_string_equal(
		message_warning(text, SL_WARN_CERT_EXPIRES_SOON, 1796256000, 1796255999),
		"certificate expires in 0 minutes (2026-12-03)");
	assert_string_equal(
		message_warning(text, SL_WARN_CERT_EXPIRES_SOON, 1796256000, 1796256000),
		"certificate expired 0 minutes ago (2026-12-03)");
	assert_string_equal(message_warning(text, SL_WARN_CERT_EXPIRES_SOON, 0, 0),
			    "certificate expires soon");
#define CHECK_WARNING(NAME, bit, id)                                           \
	assert_true(strlen(message_warning(text, SL_WARN_##NAME, 1, 2)) > 10); \
	assert_null(strstr(text, "unknown"));
	SL_WARNINGS(CHECK_WARNING)
}

static void test_alerts(void **state)
{
	(void)state;
	assert_string_equal(message_alert_name(70), "protocol_version");
	assert_string_equal(message_alert_name(116), "certificate_required");
	assert_null(message_alert_name(1));
	assert_null(message_alert_meaning(-1));
	for (int i = 0; i < 256; i++)
		assert_true(!message_alert_name(i) == !message_alert_meaning(i));
	assert_string_equal(message_x509_text(23), "certificate revoked");
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
		{ SL_MSG_TLS_HANDSHAKE_FAILED, 112, "SNI" },
		{ SL_MSG_TLS_HANDSHAKE_FAILED, 116, "client certificate" },
		{ SL_MSG_TLS_HANDSHAKE_FAILED, TLS_ALERT_NONE, NULL },
		{ SL_MSG_GRPC_NOT_SERVING, 12, "health service" },
		{ SL_MSG_UDP_UNREACHABLE, ECONNREFUSED, "ss -lnu" },
		{ SL_MSG_OK, 0, NULL },
		{ SL_MSG_PROBE_PENDING, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		struct verdict v = { .code = hints[i].code };
		const char *hint;

		if (v.code == SL_MSG_HTTP_STATUS_MISMATCH)
			v.http_status = (uint16_t)hints[i].value;
		else if (v.code == SL_MSG_TLS_HANDSHAKE_FAILED)
			v.tls.alert = (int16_t)hints[i].value;
		else if (v.code == SL_MSG_GRPC_NOT_SERVING)
			v.grpc_status = (uint16_t)hints[i].value;
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
		cmocka_unit_test(test_sentences),     cmocka_unit_test(test_every_row),
		cmocka_unit_test(test_hostile),       cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_backend_names), cmocka_unit_test(test_dates),
		cmocka_unit_test(test_alerts),        cmocka_unit_test(test_hints),
		cmocka_unit_test(test_query),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
