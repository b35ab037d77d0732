// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "probe/http.h"

static const struct probe_match match_default = { .status = { { 200, 399 } }, .n_status = 1 };

static int request(char buf[HTTP_REQUEST_MAX], const char *host, const char *path)
{
	struct plan plan = { .host = host, .path = path, .port = 8080, .match = &match_default };

	return http_request(buf, &plan);
}

/* The Host is what was configured: no port is added, whatever the port. */
static void test_host(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "www.example.test",
					     "www.example.test:8080", "[fd00::5]", "[fd00::5]:81" };
	char buf[HTTP_REQUEST_MAX], line[64];
	int len;

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		len = request(buf, hosts[i], "/");
		assert_int_equal(len, strlen(buf));
		snprintf(line, sizeof(line), "\r\nHost: %s\r\n", hosts[i]);
		assert_non_null(strstr(buf, line));
		assert_int_equal(strncmp(buf, "GET / HTTP/1.1\r\n", 16), 0);
		assert_string_equal(buf + len - 4, "\r\n\r\n");
	}
}

/* The longest host and path fit; longer ones are refused rather than cut. */
static void test_longest(void **state)
{
	char buf[HTTP_REQUEST_MAX], path[HTTP_REQUEST_MAX + 1], host[LIMIT_HOST_BYTES + 1];

	(void)state;
	memset(path, '/', sizeof(path));
	memset(host, 'h', sizeof(host));
	host[LIMIT_HOST_BYTES] = '\0';
	path[LIMIT_PATH_BYTES] = '\0';
	assert_true(request(buf, host, path) > LIMIT_PATH_BYTES + LIMIT_HOST_BYTES);
	path[LIMIT_PATH_BYTES] = '/';
	path[HTTP_REQUEST_MAX] = '\0';
	assert_int_equal(request(buf, host, path), -EINVAL);
}

static void test_injection(void **state)
{
	char buf[HTTP_REQUEST_MAX];

	(void)state;
	for (char c = 1; c <= ' '; c++) {
		char word[] = { '/', c, 'x', '\0' };

		assert_int_equal(request(buf, "host", word), -EINVAL);
		assert_int_equal(request(buf, word, "/"), -EINVAL);
	}
	assert_int_equal(request(buf, "host", "\x7f"), -EINVAL);
}

/* An answer in two pieces, cut everywhere: the verdict stays the same, but for its detail. */
static void test_cuts(void **state)
{
	static const struct {
		const char *answer, *body;
		enum sl_message code;
	} rows[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready", "ready", SL_MSG_OK },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready", NULL, SL_MSG_OK },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nReady", "ready",
		  SL_MSG_HTTP_BODY_MISMATCH },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nready", "readyy",
		  SL_MSG_CONN_CLOSED_EARLY },
		{ "HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nready", "ready",
		  SL_MSG_HTTP_STATUS_MISMATCH },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nre\r\n3\r\nady\r\nx",
		  "ready", SL_MSG_OK },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nre\r\nx", "ready",
		  SL_MSG_HTTP_MALFORMED },
		{ "HTTP/1.1 200 OK\r\n\r\nready", "ready", SL_MSG_OK },
		{ "nonsense", NULL, SL_MSG_HTTP_MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint8_t *answer = (const uint8_t *)rows[i].answer;
		size_t len = strlen(rows[i].answer);
		struct probe_match match = match_default;
		struct plan plan = { .host = "h", .path = "/", .match = &match };

		match.body = (char *)(uintptr_t)rows[i].body;
		for (size_t cut = 0; cut <= len; cut++) {
			struct verdict v = { 0 };
			struct http http;

			assert_int_equal(http_init(&http, &plan), 0);
			if (!http_receive(&http, answer, cut, &v) &&
			    !http_receive(&http, answer + cut, len - cut, &v))
				http_end(&http, END_ORDERLY, 0, &v);
			assert_int_equal(v.code, rows[i].code);
			http_done(&http);
		}
	}
}

/* An empty text is no text: the header decides. */
static void test_empty_text(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\n\r\n";
	struct probe_match match = match_default;
	struct plan plan = { .host = "h", .path = "/", .match = &match };
	struct verdict v = { 0 };
	struct http http;
	char empty[] = "";

	(void)state;
	match.body = empty;
	assert_int_equal(http_init(&http, &plan), 0);
	assert_true(http_receive(&http, (const uint8_t *)answer, strlen(answer), &v));
	assert_int_equal(v.code, SL_MSG_OK);
	http_done(&http);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host),       cmocka_unit_test(test_longest),
		cmocka_unit_test(test_injection),  cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_empty_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
