// SPDX-License-Identifier: GPL-2.0-or-later
/* Connecting, running out of time, our own trouble, and giving up. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "tests/lib/fault.h"
#include "tests/unit/probe_run.h"
#include "util/clock.h"

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
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_tcp_is_not_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_connect_timeout),
		cmocka_unit_test(test_answer_timeout),
		cmocka_unit_test(test_late_loop),
		cmocka_unit_test(test_reset_at_once),
		cmocka_unit_test(test_socket_fails),
		cmocka_unit_test(test_no_descriptor),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_unsendable),
		cmocka_unit_test(test_cancel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
