// SPDX-License-Identifier: GPL-2.0-or-later
/* What is answered over TCP: metrics, and the page with what it reads, to whoever asks, however many are slow. */
#include "tests/unit/web_run.h"

#define SLOW 340

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
	snprintf(url, sizeof(url), "http://%s/", gateway.model->gateway.listen.text);
	assert_string_equal(json_text_at(json, "page"), url);
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
	{ "GET", "/nosuch", 404, "there is nothing at '/nosuch'; what there is: /, /metrics" },
	{ "GET", "/../page.css", 404, "there is nothing at '/../page.css'" },
	{ "GET", "/metrics/", 404, "there is nothing at '/metrics/'" },
	{ "GET", "/v1/flows", 404, "there is nothing at '/v1/flows'" },
	{ "GET", "/v1/changes", 404, "there is nothing at '/v1/changes'" },
	{ "GET", "/v1/reload", 404, "there is nothing at '/v1/reload'" },
	{ "POST", "/v1/reload", 405, "\r\nAllow: GET, HEAD\r\n" },
	{ "POST", "/v1/status", 405, "answers to GET and HEAD only" },
	{ "POST", "/", 405, "answers to GET and HEAD only" },
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

/* Every file of the page is there, and a browser is told to load nothing else. */
static void test_page(void **state)
{
	static const char *const paths[] = { "/",
					     "/page.css",
					     "/icon.svg",
					     "/main.js",
					     "/live.js",
					     "/store.js",
					     "/text.js",
					     "/draw.js",
					     "/list.js",
					     "/trails.js",
					     "/problems.js",
					     "/gateway.js",
					     "/timeline.js",
					     "/detail.js" };

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		web("GET", paths[i], "");
		assert_status(200);
		assert_has("\r\nContent-Security-Policy: default-src 'none'; script-src 'self';");
		assert_has("\r\nX-Content-Type-Options: nosniff\r\n");
		assert_true(strlen(strstr(reply, "\r\n\r\n")) > 100);
		assert_null(strstr(strstr(reply, "\r\n\r\n"), "innerHTML"));
	}
	web("GET", "/", "");
	assert_has("\r\nContent-Type: text/html; charset=utf-8\r\n");
	web("GET", "/main.js", "");
	assert_has("\r\nContent-Type: text/javascript; charset=utf-8\r\n");
	web("HEAD", "/", "");
	assert_string_equal(strstr(reply, "\r\n\r\n"), "\r\n\r\n");
}

static void add_event(const struct event *what, const char *reason, const char *after,
		      const char *text)
{
	struct event event = *what;

	event_set(event.pool, "web-pool");
	event_set(event.reason, reason);
	event_set(event.after, after);
	event_set(event.text, text);
	events_add(gateway.events, &event);
}

/* Who gave orders, by which command, and how a file is wrong is nothing for those of whom nobody knows who they are. */
static void test_strangers(void **state)
{
	struct event order = { .kind = EVENT_ORDER, .severity = EVENT_WARNING };
	struct event health = { .kind = EVENT_HEALTH, .severity = EVENT_INFO };
	struct event interface = { .kind = EVENT_INTERFACE, .severity = EVENT_INFO };
	struct change change;
	json_t *json;

	(void)state;
	event_number(&order, "uid", 4711);
	event_number(&interface, "uid", 4711);
	event_number(&health, "flows", 7);
	add_event(&order, "drain", "refused", "refused: drain by uid 4711, process 1 (s3cret)");
	add_event(&interface, "", "attached", "attached by uid 4711, process 1 (s3cret)");
	add_event(&health, "ok", "Healthy", "Healthy: as it says");
	add_event(&(struct event){ .kind = EVENT_ACCESS }, "", "refused", "refused: s3cret");
	add_event(&(struct event){ .kind = EVENT_RELOAD }, "", "refused", "'s3cret' is no key");
	web("GET", "/v1/events", "");
	assert_status(200);
	assert_null(strstr(reply, "4711"));
	assert_null(strstr(reply, "s3cret"));
	assert_has("\"text\": \"order: drain, refused\"");
	assert_has("\"text\": \"interface: attached\"");
	assert_has("\"text\": \"access: refused\"");
	assert_has("\"text\": \"reload: refused\"");
	assert_has("\"text\": \"Healthy: as it says\"");
	assert_has("\"flows\": 7");
	/* At the socket all is told. */
	json = get("/v1/events", 200);
	assert_string_equal(json_text_at(json, "events.0.text"),
			    "refused: drain by uid 4711, process 1 (s3cret)");
	assert_int_equal(json_number_at(json, "events.0.numbers.uid"), 4711);
	json_decref(json);

	change = (struct change){ .action = CHANGE_RELOAD };
	assert_true(jobs_queue(gateway.context.jobs, &change) > 0);
	assert_true(jobs_begin(gateway.context.jobs, &change));
	jobs_say(gateway.context.jobs, "t.yaml:1:1: 's3cret' is not allowed");
	jobs_end(gateway.context.jobs, true, 5);
	web("GET", "/v1/status", "");
	assert_has("\"withheld\": 1");
	assert_null(strstr(reply, "s3cret"));
}

static const struct host_row {
	const char *host;
	int status;
} host_rows[] = {
	{ "127.0.0.1", 200 },      { "127.0.0.1:9477", 200 },
	{ "[::1]:9477", 200 },     { "LocalHost", 200 },
	{ "localhost:80", 200 },   { "evil.test", 403 },
	{ "evil.test:9477", 403 }, { "127.0.0.1.evil.test", 403 },
	{ "[::1", 403 },           { "", 403 },
};

/* Whoever makes his own name resolve to this host gets nothing for it. */
static void test_hosts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(host_rows) / sizeof(host_rows[0]); i++) {
		web_host = host_rows[i].host;
		web("GET", "/v1/status", "");
		assert_status(host_rows[i].status);
		web("GET", "/", "");
		assert_status(host_rows[i].status);
	}
	web_host = "127.0.0.1";
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
		WEB(test_forms),         WEB(test_status),       WEB(test_parts),
		WEB(test_refusals),      WEB(test_page),         WEB(test_hosts),
		WEB(test_long_requests), WEB(test_slow_clients), WEB(test_clients_that_do_not_read),
		WEB(test_pause),         WEB(test_taken),        WEB(test_strangers),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("web", tests, NULL, NULL);
}
