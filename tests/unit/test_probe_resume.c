// SPDX-License-Identifier: GPL-2.0-or-later
/* Sessions that are resumed, and when they must not be. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tls_run.h"
#include "util/clock.h"

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
		cmocka_unit_test(test_resumption),
		cmocka_unit_test(test_full_after_failure),
		cmocka_unit_test(test_full_after_expiry),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
