/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe_run - one probe on a loop of its own, for tests; included by one .c of each.
 */
#ifndef SLUICE_TESTS_PROBE_RUN_H
#define SLUICE_TESTS_PROBE_RUN_H

#include "probe/probe.h"
#include "tests/lib/peer.h"

/* Long enough for a slow machine where the probe must not time out, short where it must. */
#define PATIENT_MS 20000
#define BRIEF_MS 100

#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"
#define DO(what)                 \
	{                        \
		.action = (what) \
	}

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

#endif
