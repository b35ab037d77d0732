// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "probe/trust.h"
#include "tests/lib/certs.h"
#include "tests/lib/tls_peer.h"
#include "tests/unit/engine_run.h"

#define SOON_MS 1000 /* a loaded test machine's idea of at once */
#define MANY 65536

static uint32_t count_of(const struct log *log, uint32_t index)
{
	uint32_t n = 0;

	for (size_t i = 0; i < log->n; i++)
		n += log->seen[i].index == index;
	return n;
}

/* Every endpoint once, soon after the start, whichever worker has it; verdicts carry its index. */
static void test_first_probes(void **state)
{
	static const struct peer_step script[] = { DO(PEER_AWAIT),
						   { .action = PEER_SEND, .text = ANSWER },
						   DO(PEER_CLOSE) };
	static const char *const addresses[] = { "127.0.0.1", "::1" };

	(void)state;
	for (int a = 0; a < 2; a++) {
		struct plan plans[40];
		struct servers servers;
		struct engine *engine;
		struct engine_stats stats;
		struct log log;

		servers_start(&servers, addresses[a], script, NULL);
		log_open(&log, 100);
		for (int i = 0; i < 40; i++)
			plans[i] = plan_to(i % 2 ? PROTO_HTTP : PROTO_TCP, addresses[a],
					   peer_port(servers.peers[0]));
		engine = start(plans, 40, 3, 100, &log);
		log_await(&log, 40);
		stats = engine_stats(engine);
		engine_stop(engine);
		assert_int_equal(log.n, 40);
		for (uint32_t i = 0; i < 40; i++) {
			assert_int_equal(count_of(&log, i), 1);
			assert_int_equal(log.seen[i].verdict.code, SL_MSG_OK);
			assert_int_equal(log.seen[i].verdict.http_status,
					 log.seen[i].index % 2 ? 200 : 0);
		}
		assert_int_equal(stats.workers, 3);
		assert_int_equal(stats.in_flight_max, 100);
		assert_int_equal(stats.started, 40);
		assert_int_equal(stats.finished, 40);
		assert_int_equal(stats.overloaded, 0);
		assert_int_equal(stats.queued, 0);
		servers_stop(&servers);
		free(log.seen);
	}
}

static void must_set(struct engine *engine, uint32_t index, struct plan *plan, uint32_t generation)
{
	if (plan)
		plan->generation = generation;
	assert_int_equal(engine_set(engine, index, plan), 0);
}

/* An idle endpoint is probed from when it is set, by the new plan, and no longer once it is not. */
static void test_set(void **state)
{
	static const struct peer_step script[] = { DO(PEER_HOLD) };
	struct plan plans[5], other;
	struct servers servers;
	struct engine *engine;
	struct log log;
	size_t before;

	(void)state;
	servers_start(&servers, "127.0.0.1", script, NULL);
	log_open(&log, 1000);
	other = plan_to(PROTO_TCP, "127.0.0.1", peer_port(servers.peers[0]));
	other.interval_ms = 100;
	for (int i = 0; i < 5; i++) {
		plans[i] = other;
		plans[i].interval_ms = 3600000;
		plans[i].idle = i == 3;
	}
	engine = start(plans, 5, 2, 10, &log);
	log_await(&log, 4);
	assert_int_equal(count_of(&log, 3), 0);

	/* Not an hour later, as it was scheduled, but at once and again. */
	must_set(engine, 3, &other, 7);
	must_set(engine, 4, &other, 9);
	log_await(&log, 10);
	must_set(engine, 3, NULL, 0);
	must_set(engine, 4, &plans[4], 10);
	pthread_mutex_lock(&log.lock);
	before = log.n;
	pthread_mutex_unlock(&log.lock);
	log_await(&log, before + 1);
	must_set(engine, 0, &other, 0);
	log_await(&log, before + 6);
	engine_stop(engine);
	assert_true(count_of(&log, 3) >= 1);
	assert_true(count_of(&log, 4) >= 2);
	assert_int_equal(count_of(&log, 1), 1);
	for (size_t i = 0; i < log.n; i++) {
		uint32_t index = log.seen[i].index, generation = log.seen[i].verdict.generation;

		assert_int_equal(log.seen[i].verdict.code, SL_MSG_OK);
		assert_true(index != 3 || generation == 7);
		assert_true(index != 4 || generation == 0 || generation >= 9);
		assert_true(index >= 3 || !generation);
		assert_true(index != 3 || i < before + 2);
	}
	servers_stop(&servers);
	free(log.seen);
}

/* Again and again, an interval apart give or take its jitter. */
static void test_interval(void **state)
{
	static const struct peer_step script[] = { DO(PEER_HOLD) };
	struct servers servers;
	struct engine *engine;
	struct plan plan;
	struct log log;
	uint64_t begin_ms = clock_mono_ms();

	(void)state;
	servers_start(&servers, "127.0.0.1", script, NULL);
	log_open(&log, 100);
	plan = plan_to(PROTO_TCP, "127.0.0.1", peer_port(servers.peers[0]));
	plan.interval_ms = 200;
	engine = start(&plan, 1, 1, 1, &log);
	log_await(&log, 6);
	engine_stop(engine);
	/* Reports can be late, probes cannot be early. */
	assert_true(log.seen[5].at_ms - begin_ms >= 5 * (200 - 200 / 20));
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(log.seen[i].verdict.code, SL_MSG_OK);
	servers_stop(&servers);
	free(log.seen);
}

/* Down to the threshold without waiting for the interval; then at the interval again. */
static void test_fail_fast(void **state)
{
	static const struct peer_step script[] = { DO(PEER_CLOSE) };
	struct servers servers;
	struct engine *engine;
	struct plan plans[2];
	uint64_t begin_ms = clock_mono_ms();
	struct log log;

	(void)state;
	servers_start(&servers, "127.0.0.1", script, NULL);
	log_open(&log, 100);
	plans[0] = plan_to(PROTO_HTTP, "127.0.0.1", peer_port(servers.peers[0]));
	plans[0].interval_ms = 2000;
	plans[1] = plans[0];
	plans[0].fail_fast = true;
	engine = start(plans, 2, 1, 10, &log);
	log_await(&log, 5);
	engine_stop(engine);
	/* 3 of the fast one and 1 of the other within one interval. */
	for (int i = 0; i < 4; i++) {
		assert_int_equal(log.seen[i].verdict.code, SL_MSG_CONN_CLOSED_EARLY);
		assert_true(log.seen[i].at_ms - begin_ms < 1800);
	}
	log.n = 4;
	assert_int_equal(count_of(&log, 0), 3);
	assert_true(log.seen[4].at_ms - begin_ms >= 1900);
	servers_stop(&servers);
	free(log.seen);
}

/*
 * More endpoints than places, and servers that never answer: the server never sees more
 * connections at once than the bound, everybody's turn comes, and nobody is in twice.
 */
static void test_bound(void **state)
{
	static const struct peer_step script[] = { DO(PEER_HOLD) };
	struct plan plans[20];
	struct servers servers;
	struct engine *engine;
	struct log log;

	(void)state;
	servers_start(&servers, "127.0.0.1", script, NULL);
	log_open(&log, 100);
	for (int i = 0; i < 20; i++) {
		plans[i] = plan_to(PROTO_HTTP, "127.0.0.1", peer_port(servers.peers[0]));
		/* Long enough that a busy machine's delays are none to doubt a probe for: a quarter of it. */
		plans[i].timeout_ms = 1000;
	}
	engine = start(plans, 20, 2, 4, &log);
	log_await(&log, 20);
	assert_int_equal(engine_stats(engine).in_flight_max, 4);
	assert_true(engine_stats(engine).in_flight <= 4);
	engine_stop(engine);
	for (uint32_t i = 0; i < 20; i++) {
		assert_int_equal(count_of(&log, i), 1);
		assert_int_equal(log.seen[i].verdict.code, SL_MSG_BACKEND_TIMEOUT);
	}
	/* The server may learn of a close only after the next connection: one more per place. */
	assert_in_range(peer_open_max(servers.peers[0]), 2, 8);
	servers_stop(&servers);
	free(log.seen);
}

/* Every third handshake of an endpoint is a full one. */
static void test_resumption(void **state)
{
	CLEANUP(test_cert_free_p) struct test_cert *root = test_root("root");
	CLEANUP(test_cert_free_p) struct test_cert *leaf = test_leaf("a.test", root);
	CLEANUP(trust_free_p) struct trust *trust = NULL;
	struct tls_peer_options options = { .leaf = leaf, .answer = ANSWER };
	struct trust_spec spec = { .mode = TRUST_UPLOADED };
	struct tls_peer *peer = tls_peer_new(&options);
	struct engine *engine;
	struct plan plan;
	struct log log;
	struct err err;

	(void)state;
	test_trust_add(&spec, root);
	assert_int_equal(trust_new(&trust, &spec, &err), 0);
	log_open(&log, 100);
	plan = plan_to(PROTO_HTTPS, "127.0.0.1", tls_peer_port(peer));
	plan.interval_ms = 100;
	plan.tls = (struct plan_tls){ .enabled = true,
				      .trust = trust,
				      .sni = "a.test",
				      .name = "a.test",
				      .check_chain = true,
				      .check_name = true,
				      .full_every = 3 };
	engine = start(&plan, 1, 1, 10, &log);
	log_await(&log, 7);
	engine_stop(engine);
	for (size_t i = 0; i < 7; i++) {
		assert_int_equal(log.seen[i].verdict.code, SL_MSG_OK);
		assert_int_equal(log.seen[i].verdict.tls.resumed, i % 3 != 0);
	}
	tls_peer_free(peer);
	test_trust_clear(&spec);
	free(log.seen);
}

/* Stopping does not wait for what is in flight or queued, and nothing is reported afterwards. */
static void test_stop_in_flight(void **state)
{
	static const struct peer_step script[] = { DO(PEER_HOLD) };
	struct plan plans[50];
	struct servers servers;
	struct engine *engine;
	uint64_t begin_ms, deadline_ms = clock_mono_ms() + PATIENT_MS;
	struct log log;

	(void)state;
	servers_start(&servers, "127.0.0.1", script, NULL);
	log_open(&log, 100);
	for (int i = 0; i < 50; i++)
		plans[i] = plan_to(PROTO_HTTP, "127.0.0.1", peer_port(servers.peers[0]));
	engine = start(plans, 50, 2, 20, &log);
	while (engine_stats(engine).in_flight < 20 || engine_stats(engine).queued < 30)
		assert_true(clock_mono_ms() < deadline_ms);
	begin_ms = clock_mono_ms();
	engine_stop(engine);
	assert_true(clock_mono_ms() - begin_ms < SOON_MS);
	assert_int_equal(log.n, 0);
	servers_stop(&servers);
	free(log.seen);
}

static void test_stop_at_once(void **state)
{
	struct plan plan = plan_to(PROTO_TCP, "127.0.0.1", 9);
	struct log log;

	(void)state;
	log_open(&log, 10);
	engine_stop(start(&plan, 1, 2, 0, &log));
	engine_stop(start(&plan, 0, 0, 0, &log));
	engine_stop(NULL);
	free(log.seen);
}

static size_t resident_bytes(void)
{
	CLEANUP(fclose_p) FILE *file = fopen("/proc/self/statm", "r");
	unsigned long total, resident;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu %lu", &total, &resident), 2);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* The most endpoints there can be start quickly, cost little, and are probed a few at a time. */
static void test_many(void **state)
{
	struct plan *plans = calloc(MANY, sizeof(*plans));
	struct engine *engine;
	uint64_t begin_ms;
	size_t before;
	struct log log;

	(void)state;
	assert_non_null(plans);
	log_open(&log, 4096);
	for (uint32_t i = 0; i < MANY; i++)
		plans[i] = plan_to(PROTO_TCP, "127.0.0.1", 9);
	before = resident_bytes();
	begin_ms = clock_mono_ms();
	engine = start(plans, MANY, 2, 0, &log);
	assert_true(clock_mono_ms() - begin_ms < SOON_MS);
	log_await(&log, 500);
	assert_true(resident_bytes() - before < (size_t)40 << 20);
	engine_stop(engine);
	/* Spread over the interval, not all at once: 500 verdicts took about 250 ms of two workers. */
	assert_true(log.seen[499].at_ms - begin_ms >= 200);
	free(plans);
	free(log.seen);
}

static void test_in_flight_max(void **state)
{
	static const struct {
		rlim_t descriptors;
		uint32_t asked, in_flight;
	} rows[] = {
		{ 1024, 0, 768 },
		{ 512, 0, 256 },
		{ 300, 0, 150 },
		{ 4096, 0, 3840 },
		{ 4353, 0, 4096 },
		/* What is asked for is had as far as there are descriptors. */
		{ 1024, 500, 500 },
		{ 1024, 65536, 768 },
	};
	struct plan plan = plan_to(PROTO_TCP, "127.0.0.1", 9);
	struct rlimit before;
	struct log log;

	(void)state;
	log_open(&log, 10);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rlimit limit = { rows[i].descriptors, before.rlim_max };
		struct engine *engine;

		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		engine = start(&plan, 1, 2, rows[i].asked, &log);
		assert_int_equal(engine_stats(engine).in_flight_max, rows[i].in_flight);
		engine_stop(engine);
	}
	setrlimit(RLIMIT_NOFILE, &before);
	free(log.seen);
}

/* No descriptor for a loop: an error that says so, and nothing left behind. */
static void test_start_fails(void **state)
{
	struct plan plan = plan_to(PROTO_TCP, "127.0.0.1", 9);
	struct engine_options options = { .workers = 2, .in_flight = 2, .report = on_report };
	struct engine *engine = NULL;
	struct rlimit before, none;
	struct err err = { "" };
	int r;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = engine_start(&engine, &plan, 1, &options, &err);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(r, -EMFILE);
	assert_null(engine);
	assert_non_null(strstr(err.text, "event loop"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_probes),   cmocka_unit_test(test_set),
		cmocka_unit_test(test_interval),       cmocka_unit_test(test_fail_fast),
		cmocka_unit_test(test_bound),          cmocka_unit_test(test_resumption),
		cmocka_unit_test(test_stop_in_flight), cmocka_unit_test(test_stop_at_once),
		cmocka_unit_test(test_many),           cmocka_unit_test(test_in_flight_max),
		cmocka_unit_test(test_start_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
