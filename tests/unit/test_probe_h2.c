// SPDX-License-Identifier: GPL-2.0-or-later
/* Servers that speak HTTP/2, with TLS and without. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/frames.h"
#include "tests/unit/tls_run.h"

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

/*
 * In plain text to a port that speaks TLS: some servers send an alert, OpenSSL's close without a
 * word. Neither is a failed handshake, for none was tried, nor silence.
 */
static void test_plain_to_tls(void **state)
{
	static const char alert[] = "\x15\x03\x01\0\x02\x02\x46";
	const struct {
		struct tls_peer_options peer;
		enum sl_message code;
		const char *detail;
	} servers[] = {
		{ { .leaf = world.leaf, .chain = { world.ca } },
		  SL_MSG_CONN_CLOSED_EARLY,
		  "after 0 bytes of the answer" },
		{ { .version = TLS1_2_VERSION, .leaf = world.leaf, .chain = { world.ca } },
		  SL_MSG_CONN_CLOSED_EARLY,
		  "after 0 bytes of the answer" },
		{ { .no_handshake = true, .read_first = true, .answer = BYTES(alert) },
		  SL_MSG_HTTP_MALFORMED,
		  "does not speak HTTP/2: the port speaks TLS" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		struct plan plan = plan_of(PROTO_GRPC);
		struct verdict v;

		plan.tls.enabled = false;
		v = probe_peer(&plan, &servers[i].peer);
		if (v.code != servers[i].code || !strstr(v.detail, servers[i].detail))
			fail_msg("server %zu: %s: %s", i, message_id(v.code), v.detail);
		assert_int_equal(v.tls.version, 0);
		assert_true(v.elapsed_ms < PATIENT_MS / 2);
		verdict_done(&v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_h2),
		cmocka_unit_test(test_grpc),
		cmocka_unit_test(test_plain_to_tls),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
