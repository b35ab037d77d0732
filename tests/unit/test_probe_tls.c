// SPDX-License-Identifier: GPL-2.0-or-later
/* What TLS servers do, and what a probe makes of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probe/tls.h"
#include "tests/unit/tls_run.h"
#include "util/clock.h"

enum leaf { LEAF_EC, LEAF_RSA };

struct row {
	const char *name;
	struct tls_peer_options peer;
	const char *body;
	const char *detail; /* part of it */
	enum protocol protocol;
	enum sl_message code;
	enum stage stage;
	uint16_t status;
	int16_t alert;
	int os_errno;
	bool brief; /* the timeout is what is tested */
};

#define HANDSHAKE(alert_number, text)                                                     \
	.code = SL_MSG_TLS_HANDSHAKE_FAILED, .stage = STAGE_TLS, .alert = (alert_number), \
	.detail = (text)
#define HTTPS(message, where, http)                                                     \
	.protocol = PROTO_HTTPS, .code = (message), .stage = (where), .status = (http), \
	.alert = TLS_ALERT_NONE

static const struct row rows[] = {
	{ "answer",
	  { .answer = OK "Content-Length: 5\r\n\r\nready" },
	  .body = "ready",
	  HTTPS(SL_MSG_OK, STAGE_BODY, 200) },
	{ "byte by byte",
	  { .answer = OK "Content-Length: 5\r\n\r\nready", .dribble = true },
	  .body = "ready",
	  HTTPS(SL_MSG_OK, STAGE_BODY, 200) },
	{ "asked for HTTP/1.1",
	  { .alpn = "http/1.1", .answer = OK "\r\n" },
	  HTTPS(SL_MSG_OK, STAGE_BODY, 200) },
	{ "status",
	  { .answer = "HTTP/1.1 503 No\r\n\r\n" },
	  HTTPS(SL_MSG_HTTP_STATUS_MISMATCH, STAGE_BODY, 503) },
	{ "body ends with close_notify",
	  { .answer = OK "\r\nread" },
	  .body = "ready",
	  .detail = "not in the 4 bytes",
	  HTTPS(SL_MSG_HTTP_BODY_MISMATCH, STAGE_BODY, 200) },
	{ "body ends without close_notify",
	  { .answer = OK "\r\nread", .end = TLS_END_FIN },
	  .body = "ready",
	  .detail = "no close_notify",
	  HTTPS(SL_MSG_CONN_CLOSED_EARLY, STAGE_BODY, 200) },
	{ "closed without an answer",
	  { .answer = NULL },
	  .detail = "after 0 bytes",
	  HTTPS(SL_MSG_CONN_CLOSED_EARLY, STAGE_HEADER, 0) },
	{ "reset in the answer",
	  { .answer = OK, .end = TLS_END_RESET },
	  .detail = "after 17 bytes",
	  .os_errno = ECONNRESET,
	  HTTPS(SL_MSG_CONN_CLOSED_EARLY, STAGE_HEADER, 0) },
	{ "endless header",
	  { .answer = OK, .repeat = 100000, .end = TLS_END_HOLD },
	  .detail = "",
	  HTTPS(SL_MSG_HTTP_MALFORMED, STAGE_HEADER, 0) },
	{ "silent",
	  { .silent = true, .end = TLS_END_HOLD },
	  .brief = true,
	  HTTPS(SL_MSG_BACKEND_TIMEOUT, STAGE_HEADER, 0) },
	/* No certificate's fault. */
	{ "client certificate required",
	  { .require_client_cert = true },
	  .protocol = PROTO_HTTPS,
	  HANDSHAKE(116, "client certificate") },
	{ "the same for a probe that sends nothing",
	  { .require_client_cert = true },
	  .protocol = PROTO_TLS,
	  HANDSHAKE(116, "client certificate") },
	{ "name not served",
	  { .sni_required = "another.test" },
	  .protocol = PROTO_HTTPS,
	  HANDSHAKE(112, "unrecognized_name") },
	{ "no common protocol",
	  { .alpn = "spdy/3" },
	  .protocol = PROTO_HTTPS,
	  HANDSHAKE(120, "no_application_protocol") },
	{ "too old",
	  { .version = TLS1_1_VERSION, .ciphers = "DEFAULT@SECLEVEL=0" },
	  .protocol = PROTO_HTTPS,
	  HANDSHAKE(70, "protocol_version") },
	{ "plain text",
	  { .no_handshake = true,
	    .read_first = true,
	    .answer = "HTTP/1.1 400 Bad Request\r\n\r\n" },
	  .protocol = PROTO_HTTPS,
	  HANDSHAKE(TLS_ALERT_NONE, "does not speak TLS, it answered 'HTTP/1.1 400 Bad Request'") },
	{ "a greeting",
	  { .no_handshake = true, .answer = "SSH-2.0-x\r\n", .end = TLS_END_HOLD },
	  .protocol = PROTO_TLS,
	  HANDSHAKE(TLS_ALERT_NONE, "'SSH-2.0-x'") },
	{ "less than a record of plain text",
	  { .no_handshake = true, .read_first = true, .answer = "no" },
	  .protocol = PROTO_TLS,
	  HANDSHAKE(TLS_ALERT_NONE, "'no'") },
	{ "an alert",
	  { .no_handshake = true,
	    .read_first = true,
	    .answer = BYTES("\x15\x03\x03\0\x02\x02\x28") },
	  .protocol = PROTO_HTTPS,
	  HANDSHAKE(40, "alert 40 handshake_failure") },
	{ "an alert without a name",
	  { .no_handshake = true,
	    .read_first = true,
	    .answer = BYTES("\x15\x03\x03\0\x02\x02\xc8") },
	  .protocol = PROTO_HTTPS,
	  HANDSHAKE(200, "alert 200") },
	{ "garbage in a record",
	  { .no_handshake = true,
	    .read_first = true,
	    .answer = BYTES("\x16\x03\x03\0\x05\xff\xff\xff\xff\xff") },
	  .protocol = PROTO_HTTPS,
	  HANDSHAKE(TLS_ALERT_NONE, "") },
	{ "closed at once",
	  { .no_handshake = true, .read_first = true },
	  .protocol = PROTO_HTTPS,
	  HANDSHAKE(TLS_ALERT_NONE, "closed without an answer") },
	{ "closed in a record",
	  { .no_handshake = true, .read_first = true, .answer = BYTES("\x16\x03\x03\x40") },
	  .protocol = PROTO_HTTPS,
	  HANDSHAKE(TLS_ALERT_NONE, "closed after 4 bytes") },
	{ "reset at once",
	  { .no_handshake = true, .read_first = true, .end = TLS_END_RESET },
	  .protocol = PROTO_HTTPS,
	  .os_errno = ECONNRESET,
	  HANDSHAKE(TLS_ALERT_NONE, "after 0 bytes") },
	{ "reset in a record",
	  { .no_handshake = true,
	    .read_first = true,
	    .answer = BYTES("\x16\x03\x03\x40"),
	    .end = TLS_END_RESET },
	  .protocol = PROTO_TLS,
	  .os_errno = ECONNRESET,
	  HANDSHAKE(TLS_ALERT_NONE, "after 4 bytes") },
	{ "half open",
	  { .no_handshake = true, .end = TLS_END_HOLD },
	  .protocol = PROTO_HTTPS,
	  .os_errno = ETIMEDOUT,
	  .brief = true,
	  HANDSHAKE(TLS_ALERT_NONE, "after 0 bytes") },
	{ "a record that never ends",
	  { .no_handshake = true,
	    .answer = BYTES("\x16\x03\x03\x40\0\x02\0\0\0"),
	    .dribble = true,
	    .end = TLS_END_HOLD },
	  .protocol = PROTO_TLS,
	  .os_errno = ETIMEDOUT,
	  .brief = true,
	  HANDSHAKE(TLS_ALERT_NONE, "after 9 bytes") },
	/* Handshake and certificate are all. */
	{ "tls",
	  { .end = TLS_END_HOLD },
	  .protocol = PROTO_TLS,
	  .code = SL_MSG_OK,
	  .stage = STAGE_CERTIFICATE,
	  .alert = TLS_ALERT_NONE },
	{ "tls, a certificate would be welcome",
	  { .want_client_cert = true, .end = TLS_END_HOLD },
	  .protocol = PROTO_TLS,
	  .code = SL_MSG_OK,
	  .stage = STAGE_CERTIFICATE,
	  .alert = TLS_ALERT_NONE },
};

static bool needs_no_tls(const struct row *row)
{
	return row->peer.no_handshake;
}

static void check_row(const struct row *row, int version, enum leaf leaf)
{
	struct tls_peer_options options = row->peer;
	struct probe_match match = match_default;
	struct plan plan = plan_of(row->protocol);
	struct verdict v;
	int16_t alert = row->alert;

	if (!options.version)
		options.version = version;
	options.leaf = leaf == LEAF_EC ? world.leaf : world.rsa_leaf;
	options.chain[0] = world.ca;
	match.body = (char *)(uintptr_t)row->body;
	plan.match = &match;
	if (row->brief)
		plan.timeout_ms = BRIEF_MS;
	/* TLS 1.2 has no alert of its own for this. */
	if (alert == 116 && version == TLS1_2_VERSION)
		alert = 40;

	v = probe_peer(&plan, &options);
	if (v.code != row->code || v.stage != row->stage || v.tls.alert != alert ||
	    !strstr(v.detail, row->detail ? row->detail : ""))
		print_message("# %s, %x: %s, stage %s, alert %d, detail '%s'\n", row->name, version,
			      message_id(v.code), stage_name(v.stage), v.tls.alert, v.detail);
	assert_int_equal(v.code, row->code);
	assert_int_equal(v.stage, row->stage);
	assert_int_equal(v.tls.alert, alert);
	assert_int_equal(v.http_status, row->status);
	assert_int_equal(v.os_errno, row->os_errno);
	assert_non_null(strstr(v.detail, row->detail ? row->detail : ""));
	assert_true(row->brief ? v.elapsed_ms >= BRIEF_MS : v.elapsed_ms < PATIENT_MS);
	if (v.code == SL_MSG_OK) {
		assert_int_equal(v.tls.version, version);
		assert_non_null(v.tls.certs);
		assert_true(v.timing.tls_us > 0 && v.tls.not_after > 0);
	}
	verdict_done(&v);
}

static void check_rows(int version, enum leaf leaf)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (leaf == LEAF_EC || !needs_no_tls(&rows[i]))
			check_row(&rows[i], version, leaf);
}

static void test_tls_1_3(void **state)
{
	(void)state;
	check_rows(TLS1_3_VERSION, LEAF_EC);
}

static void test_tls_1_2(void **state)
{
	(void)state;
	check_rows(TLS1_2_VERSION, LEAF_EC);
}

static void test_rsa(void **state)
{
	(void)state;
	check_rows(TLS1_2_VERSION, LEAF_RSA);
	check_rows(TLS1_3_VERSION, LEAF_RSA);
}

/* A server that wants to start over gets no answer to that, and says what it thinks of it. */
static void test_renegotiation(void **state)
{
	struct tls_peer_options options = { .version = TLS1_2_VERSION,
					    .leaf = world.leaf,
					    .chain = { world.ca },
					    .renegotiate = true,
					    .end = TLS_END_FIN };
	struct plan plan = plan_of(PROTO_HTTPS);
	struct verdict v = probe_peer(&plan, &options);

	(void)state;
	assert_int_equal(v.code, SL_MSG_TLS_HANDSHAKE_FAILED);
	assert_int_equal(v.stage, STAGE_TLS);
	assert_non_null(strstr(v.detail, "wants to renegotiate"));
	assert_true(v.elapsed_ms < PATIENT_MS);
	verdict_done(&v);
}

#define FLOOD (10 * TLS_MESSAGES_MAX)

/* With TLS 1.3 a server may go on with the handshake after it; it may not do that for ever. */
static void test_flood(void **state)
{
	static const struct {
		struct tls_peer_options peer;
		enum sl_message code;
		enum stage stage;
		const char *detail;
	} cases[] = {
		{ { .tickets = 8, .key_updates = 8 }, SL_MSG_OK, STAGE_BODY, "" },
		{ { .tickets = FLOOD },
		  SL_MSG_TLS_HANDSHAKE_FAILED,
		  STAGE_TLS,
		  "more than 64 messages of it" },
		{ { .key_updates = FLOOD },
		  SL_MSG_TLS_HANDSHAKE_FAILED,
		  STAGE_TLS,
		  "more than 64 messages of it" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tls_peer_options options = cases[i].peer;
		struct plan plan = plan_of(PROTO_HTTPS);
		struct verdict v;

		options.version = TLS1_3_VERSION;
		options.leaf = world.leaf;
		options.chain[0] = world.ca;
		options.answer = OK "Content-Length: 0\r\n\r\n";
		options.end = TLS_END_FIN;
		v = probe_peer(&plan, &options);
		if (v.code != cases[i].code)
			print_message("# case %zu: %s, '%s'\n", i, message_id(v.code), v.detail);
		assert_int_equal(v.code, cases[i].code);
		assert_int_equal(v.stage, cases[i].stage);
		assert_non_null(strstr(v.detail, cases[i].detail));
		verdict_done(&v);
	}
}

/* A certificate that is no good ends the probe: the server never gets to see a request. */
static void test_certificate(void **state)
{
	static const struct {
		bool other_trust, check_chain, check_name;
		const char *name;
		enum sl_message code;
	} cases[] = {
		{ false, true, true, NAME, SL_MSG_OK },
		{ false, true, true, "other.test", SL_MSG_CERT_NAME_MISMATCH },
		{ false, true, false, "other.test", SL_MSG_OK },
		{ true, true, true, NAME, SL_MSG_CERT_ROOT_MISMATCH_ROOT_ABSENT },
		{ true, false, true, NAME, SL_MSG_OK },
	};
	struct tls_peer_options options = { .leaf = world.leaf,
					    .chain = { world.ca },
					    .answer = OK "\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tls_peer *peer = tls_peer_new(&options);
		struct plan plan = plan_of(PROTO_HTTPS);
		struct verdict v;

		plan.tls.trust = cases[i].other_trust ? world.other_trust : world.trust;
		plan.tls.name = cases[i].name;
		plan.tls.check_chain = cases[i].check_chain;
		plan.tls.check_name = cases[i].check_name;
		v = probe_port(&plan, NULL, tls_peer_port(peer));
		assert_int_equal(v.code, cases[i].code);
		assert_string_equal(tls_peer_sni(peer), NAME);
		assert_non_null(v.tls.certs);
		if (v.code != SL_MSG_OK) {
			assert_int_equal(v.stage, STAGE_CERTIFICATE);
			assert_int_equal(v.http_status, 0);
		}
		verdict_done(&v);
		tls_peer_free(peer);
	}
}

static void test_no_sni(void **state)
{
	struct tls_peer_options options = { .leaf = world.leaf,
					    .chain = { world.ca },
					    .answer = OK "\r\n" };
	struct tls_peer *peer = tls_peer_new(&options);
	struct plan plan = plan_of(PROTO_HTTPS);
	struct verdict v;

	(void)state;
	plan.tls.sni = NULL;
	v = probe_port(&plan, NULL, tls_peer_port(peer));
	assert_int_equal(v.code, SL_MSG_OK);
	assert_string_equal(tls_peer_sni(peer), "");
	verdict_done(&v);
	tls_peer_free(peer);
}

/* A megabyte of certificates is not read to its end. */
static void test_huge_chain(void **state)
{
	static struct tls_peer_options options;
	struct plan plan = plan_of(PROTO_HTTPS);
	struct verdict v;

	(void)state;
	options = (struct tls_peer_options){ .leaf = world.leaf };
	for (size_t i = 0; i < TLS_PEER_CHAIN_MAX; i++)
		options.chain[i] = world.rsa_leaf;
	v = probe_peer(&plan, &options);
	assert_int_equal(v.code, SL_MSG_TLS_HANDSHAKE_FAILED);
	assert_non_null(strstr(v.detail, "certificate list longer than"));
	verdict_done(&v);
}

static void test_proxy_header(void **state)
{
	struct tls_peer_options options = { .leaf = world.leaf,
					    .chain = { world.ca },
					    .answer = OK "\r\n" };
	struct tls_peer *peer = tls_peer_new(&options);
	struct plan plan = plan_of(PROTO_HTTPS);
	unsigned int source, target;
	struct verdict v;

	(void)state;
	plan.proxy_protocol = PROXY_V1;
	v = probe_port(&plan, NULL, tls_peer_port(peer));
	assert_int_equal(v.code, SL_MSG_OK);
	assert_int_equal(sscanf(tls_peer_prologue(peer), "PROXY TCP4 127.0.0.1 127.0.0.1 %u %u\r\n",
				&source, &target),
			 2);
	assert_int_equal(target, tls_peer_port(peer));
	assert_true(source > 0 && source <= UINT16_MAX);
	verdict_done(&v);
	tls_peer_free(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls_1_3),      cmocka_unit_test(test_tls_1_2),
		cmocka_unit_test(test_rsa),          cmocka_unit_test(test_renegotiation),
		cmocka_unit_test(test_flood),        cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_no_sni),       cmocka_unit_test(test_huge_chain),
		cmocka_unit_test(test_proxy_header),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
