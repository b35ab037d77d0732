// SPDX-License-Identifier: GPL-2.0-or-later
/* An engine that cannot keep up, or stood still: nobody is condemned for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "probe/trust.h"
#include "tests/lib/certs.h"
#include "tests/unit/engine_run.h"

/*
 * One place, taken for longer than anybody should wait: those who wait are reported as the
 * prober's trouble, once, and are probed when their turn comes.
 */
static void test_queue_overload(void **state)
{
	static const struct peer_step hold[] = { DO(PEER_HOLD) };
	static const struct peer_step answer[] = { DO(PEER_AWAIT),
						   { .action = PEER_SEND, .text = ANSWER },
						   DO(PEER_CLOSE) };
	struct servers servers;
	struct engine *engine;
	struct plan plans[2];
	struct log log;

	(void)state;
	servers_start(&servers, "127.0.0.1", hold, answer);
	log_open(&log, 100);
	plans[0] = plan_to(PROTO_HTTP, "127.0.0.1", peer_port(servers.peers[0]));
	plans[0].timeout_ms = 7500;
	plans[1] = plan_to(PROTO_HTTP, "127.0.0.1", peer_port(servers.peers[1]));
	plans[1].interval_ms = 1000;
	engine = start(plans, 2, 1, 1, &log);
	log_await(&log, 3);
	assert_int_equal(engine_stats(engine).overloaded, 1);
	engine_stop(engine);
	assert_int_equal(log.seen[0].index, 1);
	assert_int_equal(log.seen[0].verdict.code, SL_MSG_PROBER_OVERLOADED);
	assert_int_equal(log.seen[0].verdict.stage, STAGE_QUEUE);
	assert_true(log.seen[0].verdict.elapsed_ms >= 5000);
	assert_non_null(strstr(log.seen[0].verdict.detail, "ms for one of 1 probes in flight"));
	assert_int_equal(log.seen[1].index, 0);
	assert_int_equal(log.seen[1].verdict.code, SL_MSG_BACKEND_TIMEOUT);
	assert_int_equal(log.seen[2].index, 1);
	assert_int_equal(log.seen[2].verdict.code, SL_MSG_OK);
	servers_stop(&servers);
	free(log.seen);
}

/* The loop is kept from its work while a probe runs out of time: that timeout proves nothing. */
static void check_lag(uint32_t timeout_ms, uint32_t pause_ms, struct trust *trust,
		      enum sl_message code)
{
	static const struct peer_step hold[] = { DO(PEER_HOLD) };
	static const struct peer_step close[] = { DO(PEER_CLOSE) };
	struct servers servers;
	struct engine *engine;
	struct plan plans[2];
	struct log log;

	servers_start(&servers, "127.0.0.1", hold, close);
	log_open(&log, 100);
	log.pause_ms = pause_ms;
	plans[0] = plan_to(PROTO_HTTP, "127.0.0.1", peer_port(servers.peers[0]));
	plans[0].timeout_ms = timeout_ms;
	plans[0].interval_ms = 1000;
	if (trust) {
		plans[0].protocol = PROTO_HTTPS;
		plans[0].tls = (struct plan_tls){ .enabled = true, .trust = trust };
	}
	plans[1] = plan_to(PROTO_HTTP, "127.0.0.1", peer_port(servers.peers[1]));
	engine = start(plans, 2, 1, 10, &log);
	log_await(&log, 3);
	assert_int_equal(engine_stats(engine).overloaded, code == SL_MSG_PROBER_OVERLOADED);
	assert_in_range(engine_stats(engine).loop_lag_ms, 0, 5000);
	engine_stop(engine);
	assert_int_equal(log.seen[0].index, 1);
	assert_int_equal(log.seen[1].index, 0);
	assert_int_equal(log.seen[1].verdict.code, code);
	assert_non_null(strstr(log.seen[1].verdict.detail, code == SL_MSG_PROBER_OVERLOADED
								   ? "event loop was"
								   : "stood still for"));
	/* With the loop back in time, the same silence counts. */
	assert_int_equal(log.seen[2].index, 0);
	assert_int_equal(log.seen[2].verdict.code,
			 trust ? SL_MSG_TLS_HANDSHAKE_FAILED : SL_MSG_BACKEND_TIMEOUT);
	servers_stop(&servers);
	free(log.seen);
}

static void test_lag_overload(void **state)
{
	CLEANUP(test_cert_free_p) struct test_cert *root = test_root("root");
	CLEANUP(trust_free_p) struct trust *trust = NULL;
	struct trust_spec spec = { .mode = TRUST_UPLOADED };
	struct err err;

	(void)state;
	check_lag(1000, 1500, NULL, SL_MSG_PROBER_OVERLOADED);
	/* A short timeout is missed by a short absence. */
	check_lag(400, 450, NULL, SL_MSG_PROBER_OVERLOADED);
	/* So is one in the middle of a handshake. */
	test_trust_add(&spec, root);
	assert_int_equal(trust_new(&trust, &spec, &err), 0);
	check_lag(400, 450, trust, SL_MSG_PROBER_OVERLOADED);
	test_trust_clear(&spec);
}

/* Seconds are more than work can have taken. */
static void test_stall(void **state)
{
	(void)state;
	check_lag(1000, 2500, NULL, SL_MSG_UNKNOWN_GATEWAY_UNHEALTHY);
}

/* Whoever was in the queue meanwhile has not waited for a place, but with everybody else. */
static void test_stall_queue(void **state)
{
	static const struct peer_step script[] = { DO(PEER_CLOSE) };
	struct servers servers;
	struct engine *engine;
	struct plan plans[2];
	struct log log;

	(void)state;
	servers_start(&servers, "127.0.0.1", script, NULL);
	log_open(&log, 100);
	log.pause_ms = 5500; /* longer than anybody should wait */
	for (int i = 0; i < 2; i++) {
		plans[i] = plan_to(PROTO_HTTP, "127.0.0.1", peer_port(servers.peers[0]));
		plans[i].interval_ms = 1000;
	}
	engine = start(plans, 2, 1, 1, &log);
	log_await(&log, 3);
	engine_stop(engine);
	for (int i = 0; i < 3; i++)
		assert_int_equal(log.seen[i].verdict.code, SL_MSG_CONN_CLOSED_EARLY);
	servers_stop(&servers);
	free(log.seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queue_overload),
		cmocka_unit_test(test_lag_overload),
		cmocka_unit_test(test_stall),
		cmocka_unit_test(test_stall_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
