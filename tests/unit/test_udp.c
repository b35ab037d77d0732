// SPDX-License-Identifier: GPL-2.0-or-later
/* UDP probes through the public interface, against sockets of this process. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "probe/probe.h"
#include "util/cleanup.h"

#define PATIENT_MS 20000
#define BRIEF_MS 300
#define TEXT_MAX 256
#define ANSWERS_MAX 3

/* What a server does with the n-th datagram. */
struct row {
	const char *name;
	const char *send; /* NULL: an empty datagram */
	const char *body; /* that is expected; NULL: any */
	const char *answers[ANSWERS_MAX]; /* to the first, second, …; NULL: none */
	enum sl_message code;
	uint32_t timeout_ms;
	uint32_t received; /* datagrams that came to the server */
	const char *detail;
};

static const struct row rows[] = {
	{ "answer", "ping", "pong", { "xpongx" }, SL_MSG_OK, PATIENT_MS, 1, "" },
	{ "any answer", "ping", NULL, { "whatever" }, SL_MSG_OK, PATIENT_MS, 1, "" },
	{ "an empty answer", "ping", NULL, { "" }, SL_MSG_OK, PATIENT_MS, 1, "" },
	{ "one lost", "ping", "pong", { NULL, "pong" }, SL_MSG_OK, BRIEF_MS, 2, "" },
	{ "two lost", "ping", "pong", { NULL, NULL, "pong" }, SL_MSG_OK, BRIEF_MS, 3, "" },
	{ "wrong, then right", "ping", "pong", { "no", "pong" }, SL_MSG_OK, BRIEF_MS, 2, "" },
	{ "silence",
	  "ping",
	  "pong",
	  { NULL },
	  SL_MSG_BACKEND_TIMEOUT,
	  BRIEF_MS,
	  3,
	  "no answer to 3 datagrams" },
	{ "wrong",
	  "ping",
	  "pong",
	  { "no", NULL, "no" },
	  SL_MSG_UDP_ANSWER_MISMATCH,
	  BRIEF_MS,
	  3,
	  "in none of 2 answers" },
	{ "silence is good", NULL, NULL, { NULL }, SL_MSG_OK, BRIEF_MS, 1, "" },
	{ "silence is good for a second", NULL, NULL, { NULL }, SL_MSG_OK, PATIENT_MS, 1, "" },
};

struct server {
	uv_poll_t poll;
	const struct row *row;
	int fd;
	uint32_t received;
	char last[TEXT_MAX];
	ssize_t last_len;
};

static void on_datagram(uv_poll_t *poll, int status, int events)
{
	struct server *server = poll->data;
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	const char *answer;

	assert_int_equal(status, 0);
	(void)events;
	server->last_len = recvfrom(server->fd, server->last, sizeof(server->last), 0,
				    (struct sockaddr *)&from, &len);
	assert_true(server->last_len >= 0 && server->received < ANSWERS_MAX);
	answer = server->row->answers[server->received++];
	if (answer)
		assert_true(sendto(server->fd, answer, strlen(answer), 0, (struct sockaddr *)&from,
				   len) >= 0);
}

static int bound(const char *address, uint16_t *ret_port)
{
	struct sockaddr_storage ss;
	struct addr addr;
	socklen_t len;
	int fd;

	assert_int_equal(addr_parse(&addr, address), 0);
	len = addr_to_sockaddr(&ss, &addr, 0);
	fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	*ret_port = ntohs(((struct sockaddr_in *)&ss)->sin_port);
	return fd;
}

struct result {
	struct server *server;
	struct verdict verdict;
	int n_done;
};

static void on_done(void *arg, const struct verdict *verdict)
{
	struct result *result = arg;

	result->verdict = *verdict;
	result->n_done++;
	if (result->server)
		uv_close((uv_handle_t *)&result->server->poll, NULL);
}

static struct plan plan_of(const struct row *row, struct probe_match *match, const char *address)
{
	struct plan plan = { .protocol = PROTO_UDP,
			     .match = match,
			     .timeout_ms = row->timeout_ms,
			     .send = row->send,
			     .send_len = row->send ? (uint32_t)strlen(row->send) : 0,
			     .mark = SL_PROBE_MARK };

	assert_int_equal(addr_parse(&plan.addr, address), 0);
	*match = (struct probe_match){ .body = (char *)(uintptr_t)row->body };
	return plan;
}

static void check(const struct row *row, const char *address)
{
	struct server server = { .row = row };
	struct result result = { .server = &server };
	struct probe_match match;
	struct plan plan = plan_of(row, &match, address);
	uv_loop_t loop;

	server.fd = bound(address, &plan.port);
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(uv_poll_init(&loop, &server.poll, server.fd), 0);
	server.poll.data = &server;
	assert_int_equal(uv_poll_start(&server.poll, UV_READABLE, on_datagram), 0);
	assert_non_null(probe_start(&loop, &plan, NULL, on_done, &result));
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	close(server.fd);

	if (result.verdict.code != row->code || server.received != row->received)
		print_message("# %s: %s, %u datagrams\n", row->name,
			      message_id(result.verdict.code), server.received);
	assert_int_equal(result.n_done, 1);
	assert_int_equal(result.verdict.code, row->code);
	assert_int_equal(server.received, row->received);
	assert_int_equal(server.last_len, row->send ? (ssize_t)strlen(row->send) : 0);
	assert_non_null(strstr(result.verdict.detail, row->detail));
	if (row->code == SL_MSG_BACKEND_TIMEOUT || row->code == SL_MSG_UDP_ANSWER_MISMATCH)
		assert_true(result.verdict.elapsed_ms >= row->timeout_ms);
	else
		assert_true(result.verdict.elapsed_ms < PATIENT_MS / 2);
}

static void test_servers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check(&rows[i], "127.0.0.1");
		check(&rows[i], "::1");
	}
}

/* Nobody there: ICMP says so at once, whatever is expected. */
static void test_unreachable(void **state)
{
	static const char *const addresses[] = { "127.0.0.1", "::1" };
	static const struct row cases[] = {
		{ .send = "ping", .body = "pong", .timeout_ms = PATIENT_MS },
		{ .timeout_ms = PATIENT_MS },
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct result result = { .server = NULL };
		struct probe_match match;
		struct plan plan = plan_of(&cases[i / 2], &match, addresses[i % 2]);
		uv_loop_t loop;

		close(bound(addresses[i % 2], &plan.port));
		assert_int_equal(uv_loop_init(&loop), 0);
		assert_non_null(probe_start(&loop, &plan, NULL, on_done, &result));
		assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
		assert_int_equal(uv_loop_close(&loop), 0);
		assert_int_equal(result.verdict.code, SL_MSG_UDP_UNREACHABLE);
		assert_int_equal(result.verdict.os_errno, ECONNREFUSED);
		assert_true(result.verdict.has_icmp);
		assert_true(result.verdict.elapsed_ms < PATIENT_MS / 2);
	}
}

/* Longer than any datagram: that is not the endpoint's fault. */
static void test_too_long(void **state)
{
	static char text[70000];
	struct result result = { .server = NULL };
	struct probe_match match;
	struct row row = { .send = text, .timeout_ms = PATIENT_MS };
	struct plan plan;
	uv_loop_t loop;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	plan = plan_of(&row, &match, "127.0.0.1");
	plan.port = 9;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_non_null(probe_start(&loop, &plan, NULL, on_done, &result));
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(result.verdict.code, SL_MSG_LOCAL_RESOURCE);
	assert_int_equal(result.verdict.os_errno, EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
