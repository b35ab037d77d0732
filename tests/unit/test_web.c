// SPDX-License-Identifier: GPL-2.0-or-later
/* What is answered over TCP: metrics and nothing else, to whoever asks, however many are slow. */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "tests/unit/api_run.h"

#define PATIENCE_S 5
#define SLOW 60

static struct sockaddr_in address;
static char reply[1 << 20];

static int start_web(void **state)
{
	struct listen *listen;
	struct addr addr = {
		{ [10] = 0xff, 0xff, 127, 92, (uint8_t)(getpid() >> 8), (uint8_t)getpid() }
	};

	(void)state;
	assert_int_equal(gateway_fake_start(&gateway, gateway_yaml), 0);
	listen = &gateway.model->gateway.listen;
	listen->key = (struct sl_target_key){ .port = 9477, .proto = SL_TCP };
	memcpy(listen->key.addr, addr.bytes, sizeof(addr.bytes));
	addr_port_format(listen->text, &addr, 9477);
	address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(9477) };
	memcpy(&address.sin_addr, addr.bytes + 12, 4);
	assert_int_equal(start_api(&api, NULL), 0);
	return 0;
}

#define WEB(test) cmocka_unit_test_setup_teardown(test, start_web, stop)

static int dial(void)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static const char *read_reply(int fd)
{
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, reply + len, sizeof(reply) - 1 - len, 0)) > 0)
		len += (size_t)n;
	reply[len] = '\0';
	return reply;
}

/* The whole answer; the server is asked to close the connection behind it. */
static const char *web(const char *method, const char *path, const char *headers)
{
	char request[1024];
	int fd = dial();

	snprintf(request, sizeof(request),
		 "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", method, path, headers);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	read_reply(fd);
	close(fd);
	return reply;
}

static void assert_has(const char *piece)
{
	if (!strstr(reply, piece))
		fail_msg("no '%s' in '%.2000s'", piece, reply);
}

static void assert_status(int status)
{
	char line[32];

	snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	if (strncmp(reply, line, strlen(line)) != 0)
		fail_msg("not %d but '%.200s'", status, reply);
}

static void test_forms(void **state)
{
	(void)state;
	web("GET", "/metrics", "");
	assert_status(200);
	assert_has("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
	assert_has("\n# TYPE sluice_build_info gauge\n");
	assert_null(strstr(reply, "# EOF"));
	web("GET", "/metrics", "Accept: application/openmetrics-text; version=1.0.0\r\n");
	assert_has("\r\nContent-Type: application/openmetrics-text; version=1.0.0; "
		   "charset=utf-8\r\n");
	assert_has("\n# TYPE sluice_build info\n");
	assert_has("\n# EOF\n");
	web("HEAD", "/metrics", "");
	assert_status(200);
	assert_string_equal(strstr(reply, "\r\n\r\n"), "\r\n\r\n");
}

/* Who looks at the status finds them. */
static void test_status(void **state)
{
	json_t *json = get("/v1/status", 200);
	char url[128];

	(void)state;
	snprintf(url, sizeof(url), "http://%s/metrics", gateway.model->gateway.listen.text);
	assert_string_equal(json_text_at(json, "metrics"), url);
	json_decref(json);
}

static void test_parts(void **state)
{
	(void)state;
	web("GET", "/metrics?collect[]=health&other=1&collect%5B%5D=services", "");
	assert_status(200);
	assert_has("\nsluice_endpoint_health{");
	assert_has("\nsluice_service_endpoints{");
	assert_null(strstr(reply, "sluice_build_info"));
	assert_null(strstr(reply, "sluice_endpoint_syns"));
	web("GET", "/metrics?collect[]=health&collect[]=nosuch", "");
	assert_status(400);
	assert_has("'nosuch' is no part of the metrics; what collect[] may be: gateway services "
		   "health probes certificates kernel");
	web("GET", "/metrics?collect[]", "");
	assert_status(400);
}

static const struct refusal_row {
	const char *method, *path;
	int status;
	const char *says;
} refusal_rows[] = {
	{ "GET", "/", 404, "there is nothing at '/'; what there is: /metrics" },
	{ "GET", "/metrics/", 404, "there is nothing at '/metrics/'" },
	{ "GET", "/v1/status", 404, "there is nothing at '/v1/status'" },
	{ "POST", "/v1/reload", 404, "there is nothing at '/v1/reload'" },
	{ "POST", "/metrics", 405, "\r\nAllow: GET, HEAD\r\n" },
	{ "PUT", "/metrics", 405, "answers to GET and HEAD only" },
	{ "DELETE", "/metrics", 405, "answers to GET and HEAD only" },
	{ "OPTIONS", "/metrics", 405, "answers to GET and HEAD only" },
	{ "NONSENSE", "/metrics", 405, "answers to GET and HEAD only" },
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusal_rows) / sizeof(refusal_rows[0]); i++) {
		web(refusal_rows[i].method, refusal_rows[i].path, "");
		assert_status(refusal_rows[i].status);
		assert_has(refusal_rows[i].says);
	}
	web("POST", "/metrics", "Content-Length: 1000000000\r\n");
	assert_status(405);
}

/* A request line or a header that is too long, sent whole. */
static void test_long_requests(void **state)
{
	static const size_t len = 200000;
	static const char *const starts[] = { "GET /", "GET /metrics?",
					      "GET /metrics HTTP/1.1\r\nX: " };
	char *request = malloc(len);

	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		int fd = dial();

		memset(request, 'a', len);
		memcpy(request, starts[i], strlen(starts[i]));
		/* The server may refuse and close before it has read all. */
		send(fd, request, len, MSG_NOSIGNAL);
		read_reply(fd);
		assert_true(!*reply || !strncmp(reply, "HTTP/1.1 4", 10));
		close(fd);
	}
	free(request);
	web("GET", "/metrics", "");
	assert_status(200);
}

/* More than there are places for, saying nothing or half a request, and all stay: the next is served. */
static void test_slow_clients(void **state)
{
	int fds[SLOW];

	(void)state;
	for (size_t i = 0; i < SLOW; i++) {
		fds[i] = dial();
		if (i % 2)
			send(fds[i], "GET /metrics HTT", 16, MSG_NOSIGNAL);
	}
	for (int i = 0; i < 5; i++) {
		web("GET", "/metrics", "");
		assert_status(200);
	}
	/* The other server has nothing to do with it. */
	json_decref(get("/v1/status", 200));
	for (size_t i = 0; i < SLOW; i++)
		close(fds[i]);
}

/* Clients that ask and do not read are no reason to fail to stop. */
static void test_clients_that_do_not_read(void **state)
{
	int fds[SLOW];

	(void)state;
	for (size_t i = 0; i < SLOW; i++) {
		fds[i] = dial();
		for (int n = 0; n < 20; n++)
			send(fds[i], "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 35,
			     MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	web("GET", "/metrics", "");
	assert_status(200);
	api_stop(take_ptr(api));
	for (size_t i = 0; i < SLOW; i++)
		close(fds[i]);
}

/* Who asks during a pause is answered after it; metrics may have moved meanwhile. */
static void test_pause(void **state)
{
	static const char request[] =
		"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
	struct listen to = gateway.model->gateway.listen;
	int fd;

	(void)state;
	api_pause(api);
	fd = dial();
	send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL);
	assert_int_equal(api_serve(api, &gateway.context, NULL), 0);
	read_reply(fd);
	assert_status(200);
	close(fd);

	api_pause(api);
	to.key.port = 9478;
	assert_int_equal(api_move(api, &to, NULL), 0);
	assert_int_equal(api_serve(api, &gateway.context, NULL), 0);
	address.sin_port = htons(9478);
	web("GET", "/metrics", "");
	assert_status(200);

	api_pause(api);
	to.key.port = 0;
	assert_int_equal(api_move(api, &to, NULL), 0);
	assert_int_equal(api_serve(api, &gateway.context, NULL), 0);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), -1);
	close(fd);
	json_decref(get("/v1/status", 200));
}

/* Taken: the daemon does not start, and leaves no socket behind. */
static void test_taken(void **state)
{
	struct err err = { "" };
	struct api *other = NULL;
	char path[128], text[256];

	(void)state;
	snprintf(path, sizeof(path), "%s/other.sock", gateway.directory);
	assert_int_equal(api_listen(&other, path, &gateway.model->gateway.listen, &err),
			 -EADDRINUSE);
	snprintf(text, sizeof(text),
		 "gateway.listen: cannot listen at %s: another process listens there",
		 gateway.model->gateway.listen.text);
	assert_string_equal(err.text, text);
	assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WEB(test_forms),
		WEB(test_status),
		WEB(test_parts),
		WEB(test_refusals),
		WEB(test_long_requests),
		WEB(test_slow_clients),
		WEB(test_clients_that_do_not_read),
		WEB(test_pause),
		WEB(test_taken),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("web", tests, NULL, NULL);
}
