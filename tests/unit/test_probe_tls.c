// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "probe/probe.h"
#include "probe/tls.h"
#include "probe/trust.h"
#include "tests/lib/certs.h"
#include "tests/lib/frames.h"
#include "tests/lib/tls_peer.h"
#include "util/clock.h"
#include "util/err.h"

#define PATIENT_MS 20000
#define BRIEF_MS 200
#define NAME "www.example.test"
#define OK "HTTP/1.1 200 OK\r\n"
#define BYTES(text) (text), .answer_len = sizeof(text) - 1

static const struct probe_match match_default = { .status = { { 200, 399 } }, .n_status = 1 };

/* The certificates of all tests, and whom the probes trust. */
static struct world {
	struct test_cert *root, *ca, *leaf, *rsa_leaf, *other_root;
	struct trust_spec spec, other_spec;
	struct trust *trust, *other_trust;
} world;

static struct test_cert *rsa_leaf(void)
{
	return test_cert_new(&(struct test_cert_spec){
		.cn = NAME, .issuer = world.ca, .key = TEST_KEY_RSA, .san = "DNS:" NAME });
}

static int set_up(void **state)
{
	struct err err;

	(void)state;
	world.root = test_root("root");
	world.ca = test_ca("ca", world.root);
	world.leaf = test_leaf(NAME, world.ca);
	world.rsa_leaf = rsa_leaf();
	world.other_root = test_root("other");
	world.spec.mode = world.other_spec.mode = TRUST_UPLOADED;
	test_trust_add(&world.spec, world.root);
	test_trust_add(&world.other_spec, world.other_root);
	return trust_new(&world.trust, &world.spec, &err) ||
	       trust_new(&world.other_trust, &world.other_spec, &err);
}

static int tear_down(void **state)
{
	(void)state;
	trust_free(world.trust);
	trust_free(world.other_trust);
	test_trust_clear(&world.spec);
	test_trust_clear(&world.other_spec);
	test_cert_free(world.root);
	test_cert_free(world.ca);
	test_cert_free(world.leaf);
	test_cert_free(world.rsa_leaf);
	test_cert_free(world.other_root);
	return 0;
}

static struct plan plan_of(enum protocol protocol)
{
	struct plan plan = {
		.protocol = protocol,
		.host = NAME,
		.path = "/",
		.match = &match_default,
		.timeout_ms = PATIENT_MS,
		.tls = { .enabled = true,
			 .trust = world.trust,
			 .sni = NAME,
			 .name = NAME,
			 .name_configured = true,
			 .check_chain = true,
			 .check_name = true,
			 .full_every = 1 },
	};

	assert_int_equal(addr_parse(&plan.addr, "127.0.0.1"), 0);
	return plan;
}

/* --- one probe ---------------------------------------------------------------------------------- */

static void keep_verdict(void *arg, const struct verdict *verdict)
{
	*(struct verdict *)arg = verdict_keep(verdict);
}

static struct verdict probe_port(struct plan *plan, struct probe_state *state, uint16_t port)
{
	struct verdict v = { .elapsed_ms = UINT32_MAX };
	uv_loop_t loop;

	plan->port = port;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_non_null(probe_start(&loop, plan, state, keep_verdict, &v));
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_not_equal(v.elapsed_ms, UINT32_MAX);
	for (const char *c = v.detail; *c; c++)
		assert_true(*c >= ' ' && *c <= '~');
	return v;
}

static struct verdict probe_peer(struct plan *plan, const struct tls_peer_options *options)
{
	struct tls_peer *peer = tls_peer_new(options);
	struct verdict v = probe_port(plan, NULL, tls_peer_port(peer));

	tls_peer_free(peer);
	return v;
}

/* --- what servers do ---------------------------------------------------------------------------- */

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
	plan.proxy_protocol = true;
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

/* --- HTTP/2 -------------------------------------------------------------------------------------- */

static struct frames frames;

/* An HTTP/2 server's side of one exchange is always the same bytes. */
static void make_frames(const char *header, const void *data, size_t len, const char *trailers)
{
	frames.len = 0;
	frames_add(&frames, FRAME_SETTINGS, 0, 0, NULL, 0);
	frames_headers(&frames, 0, 1, header);
	frames_add(&frames, FRAME_DATA, trailers ? 0 : FRAME_END_STREAM, 1, data, len);
	if (trailers)
		frames_headers(&frames, FRAME_END_STREAM, 1, trailers);
}

/* A server that insists on HTTP/2 is asked in HTTP/2. */
static void test_h2(void **state)
{
	struct tls_peer_options options = { .leaf = world.leaf,
					    .chain = { world.ca },
					    .alpn = "h2",
					    .answer = frames.data,
					    .end = TLS_END_HOLD };
	struct probe_match match = match_default;
	char text[] = "ready";
	struct plan plan = plan_of(PROTO_HTTPS);
	struct verdict v;

	(void)state;
	match.body = text;
	plan.match = &match;
	make_frames(":status: 200\n", "not ready", 9, NULL);
	options.answer_len = frames.len;
	v = probe_peer(&plan, &options);
	assert_int_equal(v.code, SL_MSG_OK);
	assert_int_equal(v.http_status, 200);
	verdict_done(&v);

	make_frames(":status: 200\n", "not Ready", 9, NULL);
	v = probe_peer(&plan, &options);
	assert_int_equal(v.code, SL_MSG_HTTP_BODY_MISMATCH);
	verdict_done(&v);
}

static void test_grpc(void **state)
{
	static const char header[] = ":status: 200\ncontent-type: application/grpc\n";

	(void)state;
	for (int i = 0; i < 4; i++) {
		bool tls = i & 1, serving = i & 2;
		struct tls_peer_options options = { .leaf = world.leaf,
						    .chain = { world.ca },
						    .alpn = "h2",
						    .no_handshake = !tls,
						    .read_first = true,
						    .answer = frames.data,
						    .end = TLS_END_HOLD };
		struct plan plan = plan_of(PROTO_GRPC);
		struct verdict v;

		plan.tls.enabled = tls;
		plan.path = "/a.Service";
		make_frames(header, serving ? "\0\0\0\0\2\x08\x01" : "\0\0\0\0\2\x08\x02", 7,
			    "grpc-status: 0\n");
		options.answer_len = frames.len;
		v = probe_peer(&plan, &options);
		assert_int_equal(v.code, serving ? SL_MSG_OK : SL_MSG_GRPC_NOT_SERVING);
		assert_int_equal(v.stage, STAGE_BODY);
		assert_int_equal(v.tls.version, tls ? TLS1_3_VERSION : 0);
		verdict_done(&v);
	}
}

/* --- resumption --------------------------------------------------------------------------------- */

static void check_resumption(enum protocol protocol, int version, bool tickets)
{
	static const bool full_by_turn[] = { true, false, false, true, false, false, true };
	struct tls_peer_options options = { .version = version,
					    .leaf = world.leaf,
					    .chain = { world.ca },
					    .no_tickets = !tickets,
					    .answer = OK "\r\n" };
	struct tls_peer *peer = tls_peer_new(&options);
	struct probe_state *probe_state = probe_state_new();
	struct plan plan = plan_of(protocol);
	uint32_t resumed = 0;

	plan.tls.full_every = 3;
	for (size_t i = 0; i < sizeof(full_by_turn) / sizeof(full_by_turn[0]); i++) {
		bool full = full_by_turn[i] || !tickets;
		struct verdict v = probe_port(&plan, probe_state, tls_peer_port(peer));

		resumed += !full;
		assert_int_equal(v.code, SL_MSG_OK);
		assert_int_equal(v.tls.resumed, !full);
		assert_int_equal(v.tls.version, version);
		assert_non_null(v.tls.certs);
		assert_true(v.tls.not_after > 0);
		verdict_done(&v);
	}
	tls_peer_free(peer);
	probe_state_free(probe_state);
}

static void test_resumption(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		check_resumption(PROTO_HTTPS, versions[i], true);
		check_resumption(PROTO_HTTPS, versions[i], false);
		check_resumption(PROTO_TLS, versions[i], true);
	}
}

/* After a failure, and after another server took over, everything is looked at again. */
static void test_full_after_failure(void **state)
{
	struct tls_peer_options good = { .leaf = world.leaf,
					 .chain = { world.ca },
					 .answer = OK "\r\n" };
	struct tls_peer *peer = tls_peer_new(&good);
	struct probe_state *probe_state = probe_state_new();
	struct plan plan = plan_of(PROTO_HTTPS);
	static const bool fails[] = { false, false, true, false, false };
	static const bool resumed[] = { false, true, true, false, true };
	struct probe_match match = match_default;
	struct verdict v;

	(void)state;
	plan.tls.full_every = 100;
	plan.match = &match;
	for (size_t i = 0; i < sizeof(fails); i++) {
		match.status[0].low = fails[i] ? 300 : 200;
		v = probe_port(&plan, probe_state, tls_peer_port(peer));
		assert_int_equal(v.code, fails[i] ? SL_MSG_HTTP_STATUS_MISMATCH : SL_MSG_OK);
		assert_int_equal(v.tls.resumed, resumed[i]);
		verdict_done(&v);
	}
	tls_peer_free(peer);

	/* A server that does not know the session gets a full handshake, and is judged. */
	good.chain[0] = NULL;
	peer = tls_peer_new(&good);
	v = probe_port(&plan, probe_state, tls_peer_port(peer));
	assert_int_equal(v.code, SL_MSG_CERT_INTERMEDIATE_MISSING);
	assert_false(v.tls.resumed);
	verdict_done(&v);
	tls_peer_free(peer);
	probe_state_free(probe_state);
}

/* A judgement ends with the certificate that it was about. */
static void test_full_after_expiry(void **state)
{
	struct tls_peer_options options = { .chain = { world.ca }, .answer = OK "\r\n" };
	struct probe_state *probe_state = probe_state_new();
	int64_t now_s = (int64_t)(clock_wall_ms() / MS_PER_SEC);
	struct test_cert *leaf = test_cert_new(&(struct test_cert_spec){
		.cn = NAME, .issuer = world.ca, .san = "DNS:" NAME, .not_after = now_s + 2 });
	struct plan plan = plan_of(PROTO_HTTPS);
	struct tls_peer *peer;
	struct verdict v;

	(void)state;
	options.leaf = leaf;
	peer = tls_peer_new(&options);
	plan.tls.full_every = 1000000;
	do {
		v = probe_port(&plan, probe_state, tls_peer_port(peer));
		assert_true(v.code == SL_MSG_OK || v.code == SL_MSG_CERT_DATE_INVALID);
		assert_true(v.code == SL_MSG_OK ||
			    (int64_t)(clock_wall_ms() / MS_PER_SEC) > now_s + 1);
		assert_true((int64_t)(clock_wall_ms() / MS_PER_SEC) < now_s + 10);
		verdict_done(&v);
	} while (v.code == SL_MSG_OK);
	assert_false(v.tls.resumed);
	tls_peer_free(peer);
	test_cert_free(leaf);
	probe_state_free(probe_state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls_1_3),
		cmocka_unit_test(test_tls_1_2),
		cmocka_unit_test(test_rsa),
		cmocka_unit_test(test_renegotiation),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_no_sni),
		cmocka_unit_test(test_huge_chain),
		cmocka_unit_test(test_proxy_header),
		cmocka_unit_test(test_h2),
		cmocka_unit_test(test_grpc),
		cmocka_unit_test(test_resumption),
		cmocka_unit_test(test_full_after_failure),
		cmocka_unit_test(test_full_after_expiry),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
