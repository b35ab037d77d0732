// SPDX-License-Identifier: GPL-2.0-or-later
/* The live events: all there is at first, then what changes and nothing else, from where a reader left off. */
#include "tests/unit/web_run.h"

#define READERS 240
#define ID_LEN 64
#define PAUSE_MAX_MS 150

static const struct verdict refused = { .code = SL_MSG_TCP_CONNECT_FAILED,
					.os_errno = ECONNREFUSED };
static const struct verdict good = { .code = SL_MSG_OK, .http_status = 200 };

static int ask_live(const char *headers)
{
	char request[512];
	int fd = dial();

	snprintf(request, sizeof(request), "GET /v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n",
		 headers);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	return fd;
}

/* Read on until the text has been said. What was read before is gone. */
static void read_until(int fd, const char *text)
{
	size_t len = 0;
	ssize_t n;

	reply[0] = '\0';
	while (!strstr(reply, text)) {
		n = recv(fd, reply + len, sizeof(reply) - 1 - len, 0);
		if (n <= 0)
			fail_msg("no '%s' (%s) in '%.3000s'", text, n ? strerror(errno) : "closed",
				 reply);
		len += (size_t)n;
		reply[len] = '\0';
	}
}

static void assert_lacks(const char *piece)
{
	if (strstr(reply, piece))
		fail_msg("'%s' in '%.3000s'", piece, reply);
}

/* The id of the last "complete" that was read, as a header that goes on from it. */
static const char *go_on(char buf[ID_LEN])
{
	const char *last = NULL;

	for (const char *at = reply; (at = strstr(at, "\nid: ")); at++)
		last = at;
	assert_non_null(last);
	snprintf(buf, ID_LEN, "Last-Event-ID: %.*s\r\n", (int)strcspn(last + 5, "\n"), last + 5);
	return buf;
}

static void test_first(void **state)
{
	int fd = ask_live("");

	(void)state;
	read_until(fd, "event: complete");
	assert_has("\r\nContent-Type: text/event-stream\r\n");
	assert_has("event: outline\n");
	assert_has("\"name\": \"shop-db\"");
	assert_has("\"event_kinds\": [\"health\", ");
	assert_has("\"access\"");
	assert_has("event: status\n");
	assert_has("\"fills\": {\"targets\": {\"entries\": 4, \"max\": 8192}");
	assert_has("event: rows\n");
	/* Each endpoint of each service. */
	assert_has("\"service\": 0, \"member\": 2}");
	assert_has("\"service\": 1, \"member\": 2}");
	assert_has("\"service\": 2, \"member\": 0}");
	close(fd);
}

/* It is the same for all readers, strangers among them. */
static void test_withholds(void **state)
{
	struct jobs *jobs = gateway.context.jobs;
	struct change change = { .action = CHANGE_RELOAD };
	int fd;

	(void)state;
	assert_true(jobs_queue(jobs, &change) > 0);
	assert_true(jobs_begin(jobs, &change));
	jobs_say(jobs, "t.yaml:1:1: 's3cret' is not allowed");
	jobs_end(jobs, true, 5);
	fd = ask_live("");
	read_until(fd, "event: complete");
	assert_has("\"withheld\": 1");
	assert_lacks("s3cret");
	close(fd);
}

static void test_changes(void **state)
{
	int fd = ask_live("");

	(void)state;
	read_until(fd, "event: complete");
	gateway_fake_verdict(&gateway, "10.0.0.6:80", &refused, 1);
	read_until(fd, "\"health\": \"Unhealthy\"");
	assert_has("\"address\": \"10.0.0.6\"");
	assert_lacks("\"address\": \"10.0.0.5\"");
	assert_lacks("event: outline");
	/* The same again is no change; what follows it is. */
	gateway_fake_verdict(&gateway, "10.0.0.6:80", &refused, 5);
	gateway_fake_verdict(&gateway, "10.0.0.5:80", &good, 1);
	read_until(fd, "\"address\": \"10.0.0.5\"");
	assert_lacks("\"address\": \"10.0.0.6\"");
	close(fd);
}

/* Readers that begin together are told the same, and what changes meanwhile comes to each of them behind it. */
static void test_together(void **state)
{
	int first = ask_live(""), second;

	(void)state;
	read_until(first, "event: complete");
	gateway_fake_verdict(&gateway, "10.0.0.6:80", &refused, 1);
	second = ask_live("");
	read_until(second, "\"health\": \"Unhealthy\"");
	read_until(first, "\"health\": \"Unhealthy\"");
	gateway_fake_verdict(&gateway, "10.0.0.6:80", &good, 5);
	read_until(second, "\"health\": \"Healthy\"");
	assert_has("10.0.0.6");
	close(second);
	close(first);
}

/* Who was away hears what changed meanwhile, once, and what it has come to. */
static void test_reconnect(void **state)
{
	char id[ID_LEN];
	int fd = ask_live("");

	(void)state;
	read_until(fd, "event: complete");
	close(fd);
	go_on(id);
	gateway_fake_verdict(&gateway, "10.0.0.6:80", &refused, 1);
	gateway_fake_verdict(&gateway, "10.0.0.6:80", &good, 5);
	fd = ask_live(id);
	read_until(fd, "event: complete");
	assert_has("\"address\": \"10.0.0.6\"");
	assert_has("\"health\": \"Healthy\"");
	assert_lacks("Unhealthy");
	assert_lacks("\"address\": \"10.0.0.5\"");
	assert_lacks("event: outline");
	close(fd);
	/* Nothing new: the status alone. */
	fd = ask_live(go_on(id));
	read_until(fd, "event: status");
	assert_lacks("event: rows");
	close(fd);
}

/* What the reader knows is of another daemon, or made up: he begins anew. */
static void test_other_generation(void **state)
{
	static const char *const ids[] = { "1-5", "x", "-", "99999999999999999999999-1",
					   "1795331391768283" };
	char id[ID_LEN], later[ID_LEN];
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		snprintf(id, sizeof(id), "Last-Event-ID: %s\r\n", ids[i]);
		fd = ask_live(id);
		read_until(fd, "event: complete");
		assert_has("event: outline");
		assert_has("\"address\": \"10.0.0.5\"");
		close(fd);
	}
	/* Of this generation, and of what has not happened yet. */
	go_on(id);
	snprintf(later, sizeof(later), "%.*s9999\r\n", (int)strcspn(id, "\r"), id);
	fd = ask_live(later);
	read_until(fd, "event: complete");
	assert_has("event: outline");
	close(fd);
	api_pause(api);
	assert_int_equal(api_serve(api, &gateway.context, NULL), 0);
	fd = ask_live(id);
	read_until(fd, "event: complete");
	assert_has("event: outline");
	close(fd);
}

/* A seat that nobody sits in any more. */
static void test_gone(void **state)
{
	int fd = ask_live("");

	(void)state;
	read_until(fd, "event: complete");
	board_seat(gateway.board, gateway_fake_index(&gateway, "10.0.0.6:80"), BOARD_VACANT, NULL);
	read_until(fd, "event: complete");
	assert_has("{\"gone\": true, \"service\": 0, \"member\": 1}");
	close(fd);
	/* Who begins within the second gets what was made for the first, and then that it is gone. */
	usleep(1100000);
	fd = ask_live("");
	read_until(fd, "event: complete");
	assert_lacks("gone");
	close(fd);
}

static uint64_t pause_among_readers(void)
{
	int fds[READERS];
	uint64_t began_ms, took_ms;

	for (int i = 0; i < READERS; i++)
		fds[i] = ask_live("");
	for (int i = 0; i < READERS; i++)
		read_until(fds[i], "event: complete");
	began_ms = clock_mono_ms();
	api_pause(api);
	took_ms = clock_mono_ms() - began_ms;
	assert_int_equal(api_serve(api, &gateway.context, NULL), 0);
	/* Those that are there are told of the end. */
	while (recv(fds[0], reply, sizeof(reply), 0) > 0)
		;
	for (int i = 0; i < READERS; i++)
		close(fds[i]);
	return took_ms;
}

/*
 * Readers never end by themselves; a pause does not wait for them, and what was asked before is answered. The best of a
 * few rounds: a machine that others share may stand still.
 */
static void test_pause(void **state)
{
	uint64_t took_ms = PAUSE_MAX_MS;

	(void)state;
	for (int i = 0; i < 5 && took_ms >= PAUSE_MAX_MS; i++)
		took_ms = pause_among_readers();
	assert_true(took_ms < PAUSE_MAX_MS);
	web("GET", "/v1/status", "");
	assert_status(200);
}

/* A pause that follows at once upon a start finds readers asleep whom nobody has woken yet. */
static void test_short_lives(void **state)
{
	(void)state;
	for (int i = 0; i < 60; i++) {
		int fd;

		api_pause(api);
		assert_int_equal(api_serve(api, &gateway.context, NULL), 0);
		fd = ask_live("");
		read_until(fd, "event: complete");
		api_pause(api);
		assert_int_equal(api_serve(api, &gateway.context, NULL), 0);
		close(fd);
	}
}

/* Far more than there are places for, who ask and never read: those who do are served. */
static void test_many(void **state)
{
	int fds[2 * READERS], fd;

	(void)state;
	for (int i = 0; i < 2 * READERS; i++)
		fds[i] = ask_live("");
	fd = ask_live("");
	read_until(fd, "event: complete");
	gateway_fake_verdict(&gateway, "10.0.0.6:80", &refused, 1);
	read_until(fd, "\"health\": \"Unhealthy\"");
	close(fd);
	for (int i = 0; i < 2 * READERS; i++)
		close(fds[i]);
}

static void test_trails(void **state)
{
	struct verdict slow = { .code = SL_MSG_OK,
				.timing = { .connect_us = 1500, .total_us = 9000 } };
	char path[256], generation[32];
	const char *at;
	int fd = ask_live("");

	(void)state;
	read_until(fd, "event: complete");
	close(fd);
	at = strstr(reply, "\"generation\": \"");
	assert_non_null(at);
	snprintf(generation, sizeof(generation), "%.*s", (int)strcspn(at + 15, "\""), at + 15);
	gateway_fake_verdict(&gateway, "10.0.0.5:80", &refused, 1);
	gateway_fake_verdict(&gateway, "10.0.0.5:80", &slow, 30);
	snprintf(path, sizeof(path), "/v1/trails?generation=%s&of=0.0,2.0", generation);
	web("GET", path, "");
	assert_status(200);
	assert_has("1500");
	assert_lacks("9000");
	assert_lacks("false"); /* thirty came after it */
	assert_has("\"passed\": []");
	for (size_t i = 0; i < 5; i++) {
		static const char *const bad[] = { "0", "0.9", "9.0", "0.0,x", "0.-1" };

		snprintf(path, sizeof(path), "/v1/trails?generation=%s&of=%s", generation, bad[i]);
		web("GET", path, "");
		assert_status(400);
	}
	web("GET", "/v1/trails?generation=7&of=0.0", "");
	assert_status(409);
	web("GET", "/v1/trails?of=0.0", "");
	assert_status(409);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WEB(test_first),    WEB(test_changes),   WEB(test_withholds),
		WEB(test_together), WEB(test_reconnect), WEB(test_other_generation),
		WEB(test_gone),     WEB(test_pause),     WEB(test_short_lives),
		WEB(test_many),     WEB(test_trails),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("live", tests, NULL, NULL);
}
