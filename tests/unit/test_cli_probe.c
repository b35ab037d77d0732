// SPDX-License-Identifier: GPL-2.0-or-later
/* sluice probe: one probe from here, without a daemon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/certs.h"
#include "tests/lib/tls_peer.h"
#include "tests/unit/cli_run.h"
#include "util/clock.h"

/* Half of it for the list, and what is left for the server; the sum of both would be 3 s. */
#define CRL_TIMEOUT_MS 2000
#define CRL_SLACK_MS 700

/* The API cannot speak TCP, so a child answers one connection on loopback with this text. */
static pid_t serve_once(const char *answer, uint16_t *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*ret_port = ntohs(address.sin_port);
	pid = fork();
	if (!pid) {
		char request[4096] = "";
		int peer;
		ssize_t n;

		alarm(10);
		peer = accept(fd, NULL, NULL);
		n = recv(peer, request, sizeof(request) - 1, 0);
		if (n > 0)
			send(peer, answer, strlen(answer), MSG_NOSIGNAL);
		shutdown(peer, SHUT_WR);
		while (recv(peer, request + 2048, 1024, 0) > 0)
			;
		_exit(n > 0 && !strstr(request, "Host: shop.test\r\n"));
	}
	close(fd);
	return pid;
}

static void test_probe(void **state)
{
	static const struct {
		const char *options, *answer, *id, *text;
		int status;
	} rows[] = {
		{ "", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready", "ok", "Healthy: ok",
		  STATUS_DONE },
		{ "--body ready", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready", "ok",
		  "answered", STATUS_DONE },
		{ "--body steady", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready",
		  "http_body_mismatch", "What to do", STATUS_REFUSED },
		{ "", "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "http_status_mismatch",
		  "HTTP status 503, failed here", STATUS_REFUSED },
		{ "--status 500-599", "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "ok",
		  "HTTP status 503, done", STATUS_DONE },
		{ "", "\033[2Jboo\r\n\r\n", "http_malformed", "Unhealthy: http_malformed",
		  STATUS_REFUSED },
		{ "", "HTTP/1.1 2", "conn_closed_early", "Usual causes", STATUS_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		bool as_json = i % 2;
		char line[256];
		uint16_t port;
		int status;
		pid_t pid = serve_once(rows[i / 2].answer, &port);

		snprintf(line, sizeof(line),
			 "probe http://shop.test/x --connect 127.0.0.1:%u %s %s", port,
			 rows[i / 2].options, as_json ? "--json" : "");
		RESULT result = run(line);
		if (result.status != rows[i / 2].status ||
		    !strstr(result.out, as_json ? rows[i / 2].id : rows[i / 2].text))
			fail_msg("%s: %d %s", line, result.status, result.out);
		assert_null(strchr(result.out, '\033'));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		if (as_json) {
			json_t *json = json_loads(result.out, 0, NULL);

			assert_string_equal(json_string_value(json_object_get(json, "target")),
					    "http://shop.test/x");
			assert_string_equal(json_string_value(json_object_get(json, "id")),
					    rows[i / 2].id);
			assert_true(json_integer_value(json_object_get(
					    json_object_get(json, "timing_us"), "total")) > 0);
			json_decref(json);
		}
	}
}

static void test_probe_tcp(void **state)
{
	char line[128];
	uint16_t port;
	int status;
	pid_t pid = serve_once("", &port);

	(void)state;
	snprintf(line, sizeof(line), "probe tcp://127.0.0.1:%u", port);
	RESULT open = run(line);
	assert_int_equal(open.status, STATUS_DONE);
	assert_non_null(strstr(open.out, "connected"));
	assert_int_equal(waitpid(pid, &status, 0), pid);

	RESULT closed = run(line);
	assert_int_equal(closed.status, STATUS_REFUSED);
	assert_non_null(strstr(closed.out, "Unhealthy: tcp_connect_failed (code 3)"));
}

/* A port on loopback on which connections are made, and nobody ever answers. */
static int listen_only(uint16_t *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

/* One timeout for all of it: the time that a list does not come in is not added to the server's. */
static void check_crl(uint16_t server, uint16_t publisher, const char *ca, const char *id)
{
	uint64_t begin_ms = clock_mono_ms(), took_ms;
	char line[256];

	snprintf(
		line, sizeof(line),
		"probe https://shop.test/ --connect 127.0.0.1:%u --ca %s --crl http://127.0.0.1:%u/ "
		"--timeout %ums --json",
		server, ca, publisher, CRL_TIMEOUT_MS);
	RESULT result = run(line);
	took_ms = clock_mono_ms() - begin_ms;
	assert_int_equal(result.status, STATUS_REFUSED);
	if (!strstr(result.out, id))
		fail_msg("%s", result.out);
	if (took_ms > CRL_TIMEOUT_MS + CRL_SLACK_MS)
		fail_msg("%s: took %ju ms", id, (uintmax_t)took_ms);
}

static void test_probe_crl(void **state)
{
	CLEANUP(test_cert_free_p) struct test_cert *root = test_root("root");
	CLEANUP(test_cert_free_p) struct test_cert *leaf = test_leaf("shop.test", root);
	struct tls_peer_options options = { .leaf = leaf };
	struct tls_peer *peer = tls_peer_new(&options);
	uint16_t silent;
	CLEANUP(close_p) int silent_fd = listen_only(&silent);
	char ca[] = "/tmp/sluice-test-ca-XXXXXX";
	CLEANUP(close_p) int ca_fd = mkstemp(ca);

	(void)state;
	assert_true(ca_fd >= 0);
	test_certs_write(ca, (const struct test_cert *const[]){ root, NULL });
	check_crl(tls_peer_port(peer), silent, ca, "unknown_crl_unreachable");
	check_crl(silent, silent, ca, "tls_handshake_failed");
	unlink(ca);
	tls_peer_free(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_probe_tcp),
		cmocka_unit_test(test_probe_crl),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("cli_probe", tests, NULL, NULL);
}
