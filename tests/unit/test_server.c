// SPDX-License-Identifier: GPL-2.0-or-later
/* Places of a server that is given its connections: how many one user may have, and whose place the next one costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "control/server.h"
#include "util/clock.h"

#define CONNECTIONS 24
#define CROWD 16
#define PER_USER 6

#define BODY "{ \"to be\": \"done\" }"

static struct server server;
static char big[4 << 20];

/* "/big": more than all buffers on the way hold. */
static enum MHD_Result answer(void *arg, const struct server_request *request)
{
	char text[32];
	bool is_big = !strcmp(request->path, "/big");
	struct MHD_Response *response;
	enum MHD_Result r;

	assert_ptr_equal(arg, &server);
	if (request->body)
		assert_int_equal(request->body->len, strlen(BODY));
	snprintf(text, sizeof(text), "uid %u", request->caller->uid);
	response =
		is_big ? MHD_create_response_from_buffer(sizeof(big), big, MHD_RESPMEM_PERSISTENT)
		       : MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_COPY);
	r = MHD_queue_response(request->connection, 200, response);
	MHD_destroy_response(response);
	return r;
}

static bool wants_body(void *arg, const struct server_request *request)
{
	assert_ptr_equal(arg, &server);
	return !strcmp(request->method, "POST");
}

static const struct server_handlers handlers = { .answer = answer,
						 .wants_body = wants_body,
						 .arg = &server,
						 .connections = CONNECTIONS,
						 .crowd = CROWD,
						 .per_user = PER_USER,
						 .pause_ms = 300 };

static int set_up(void **state)
{
	(void)state;
	server_init(&server, -1, &handlers);
	return server_start(&server);
}

static int tear_down(void **state)
{
	(void)state;
	server_stop(&server);
	return 0;
}

/* The client's end, or -EBUSY. */
static int enter(uid_t uid)
{
	const struct timeval patience = { .tv_sec = 5 };
	const struct caller caller = { .uid = uid, .role = ROLE_READ };
	int fds[2], r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	r = server_enter(&server, fds[1], &caller);
	if (r == 0)
		return fds[0];
	close(fds[0]);
	close(fds[1]);
	return r;
}

static void ask(int fd, const char *path)
{
	char request[64];
	int len = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);

	assert_int_equal(send(fd, request, (size_t)len, MSG_NOSIGNAL), len);
}

static void expect(int fd, const char *text)
{
	char buf[1024] = "";
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, buf + len, sizeof(buf) - 1 - len, 0)) > 0)
		len += (size_t)n;
	assert_non_null(strstr(buf, text));
	close(fd);
}

static bool is_over(int fd, int timeout_ms)
{
	struct pollfd at = { .fd = fd };

	return poll(&at, 1, timeout_ms) == 1 && at.revents & POLLHUP;
}

/* So many are there, and known to the server. */
static void wait_for(unsigned int n)
{
	const struct timespec moment = { .tv_nsec = 5 * NS_PER_MS };

	for (int i = 0; i < 1000; i++) {
		unsigned int started = 0, all;

		pthread_mutex_lock(&server.lock);
		for (size_t c = 0; c < SERVER_CONNECTIONS_MAX; c++)
			started += server.clients[c].fd >= 0 && server.clients[c].started;
		all = server.n_clients;
		pthread_mutex_unlock(&server.lock);
		if (started == n && all == n)
			return;
		nanosleep(&moment, NULL);
	}
	fail_msg("never %u connections", n);
}

static void is_told_who_asks(void **state)
{
	int fd = enter(1234);

	(void)state;
	ask(fd, "/");
	expect(fd, "uid 1234");
	wait_for(0);
}

static void one_has_so_many(void **state)
{
	int fds[PER_USER], other;

	(void)state;
	for (int i = 0; i < PER_USER; i++) {
		fds[i] = enter(1);
		assert_true(fds[i] >= 0);
	}
	assert_int_equal(enter(1), -EBUSY);
	other = enter(2);
	ask(other, "/");
	expect(other, "uid 2");
	wait_for(PER_USER);
	close(fds[0]);
	wait_for(PER_USER - 1);
	fds[0] = enter(1);
	assert_true(fds[0] >= 0);
	for (int i = 0; i < PER_USER; i++)
		close(fds[i]);
	wait_for(0);
}

/* Of whom has most, the one that got nothing done for longest: not who came first, and not of whom has few. */
static void a_crowd_costs_who_has_most(void **state)
{
	const struct timespec moment = { .tv_nsec = 5 * NS_PER_MS };
	int fds[CROWD], n = 0, next;

	(void)state;
	/* The first is of him who has few. */
	fds[n++] = enter(9);
	for (int i = 0; i < PER_USER; i++) {
		fds[n++] = enter(1);
		nanosleep(&moment, NULL);
	}
	for (uid_t uid = 2; n < CROWD; uid++)
		for (int i = 0; i < 3 && n < CROWD; i++)
			fds[n++] = enter(uid);
	wait_for(CROWD);
	/* His first one asks, and so his second got nothing done for longest. */
	ask(fds[1], "/big");
	nanosleep(&(struct timespec){ .tv_nsec = 50 * NS_PER_MS }, NULL);
	next = enter(7);
	assert_true(is_over(fds[2], 5000));
	for (int i = 0; i < CROWD; i++)
		if (i != 2)
			assert_false(is_over(fds[i], 0));
	ask(next, "/");
	expect(next, "uid 7");
	for (int i = 0; i < CROWD; i++)
		close(fds[i]);
	wait_for(0);
}

/* Who is being answered keeps his place for as long as there are others who say nothing, though they came later. */
static void who_is_served_stays(void **state)
{
	int served = enter(1000), fds[CROWD], next;

	(void)state;
	ask(served, "/big");
	wait_for(1);
	for (int i = 1; i < CROWD; i++)
		fds[i] = enter((uid_t)i);
	wait_for(CROWD);
	nanosleep(&(struct timespec){ .tv_nsec = 50 * NS_PER_MS }, NULL);
	next = enter(2000);
	assert_true(is_over(fds[1], 5000));
	assert_false(is_over(served, 0));
	close(next);
	close(served);
	for (int i = 1; i < CROWD; i++)
		close(fds[i]);
	wait_for(0);
}

/* However many users somebody has at his disposal. */
static void has_an_end(void **state)
{
	int fds[4 * CONNECTIONS], n = 0;

	(void)state;
	for (uid_t uid = 0; uid < 4 * CONNECTIONS; uid++) {
		fds[n] = enter(uid);
		n += fds[n] >= 0;
		pthread_mutex_lock(&server.lock);
		assert_in_range(server.n_clients, 1, CONNECTIONS);
		pthread_mutex_unlock(&server.lock);
	}
	for (int i = 0; i < n; i++)
		close(fds[i]);
	wait_for(0);
	ask(n = enter(5), "/");
	expect(n, "uid 5");
}

static void shift_times(int64_t ms)
{
	pthread_mutex_lock(&server.lock);
	for (size_t i = 0; i < SERVER_CONNECTIONS_MAX; i++)
		server.clients[i].since_ms += (uint64_t)ms;
	pthread_mutex_unlock(&server.lock);
}

static void grow_old(int64_t ms)
{
	shift_times(-ms);
}

/* Who does not ask, and who does not read. */
static void does_not_wait_for_ever(void **state)
{
	int silent = enter(1), reading = enter(2);

	(void)state;
	ask(reading, "/big");
	wait_for(2);
	nanosleep(&(struct timespec){ .tv_nsec = 50 * NS_PER_MS }, NULL);
	grow_old(29000);
	server_expire(&server);
	assert_false(is_over(silent, 100));
	grow_old(2000);
	server_expire(&server);
	assert_true(is_over(silent, 5000));
	assert_false(is_over(reading, 0));
	grow_old(90000);
	server_expire(&server);
	assert_true(is_over(reading, 5000));
	wait_for(0);
	close(silent);
	close(reading);
}

/* Who has asked is answered, also who was let in just before; who does not read keeps nobody for long. */
static void pauses(void **state)
{
	uint64_t began_ms;
	int fds[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		fds[i] = enter((uid_t)i);
	for (int i = 0; i < 3; i++)
		ask(fds[i], "/");
	began_ms = clock_mono_ms();
	server_pause(&server);
	assert_in_range(clock_mono_ms() - began_ms, 0, 250);
	for (int i = 0; i < 3; i++)
		expect(fds[i], "200 OK");
	assert_true(is_over(fds[3], 0));
	close(fds[3]);

	assert_int_equal(server_start(&server), 0);
	fds[0] = enter(1);
	ask(fds[0], "/big");
	nanosleep(&(struct timespec){ .tv_nsec = 50 * NS_PER_MS }, NULL);
	began_ms = clock_mono_ms();
	server_pause(&server);
	assert_in_range(clock_mono_ms() - began_ms, 200, 2000);
	close(fds[0]);
	assert_int_equal(server_start(&server), 0);
	ask(fds[0] = enter(1), "/");
	expect(fds[0], "uid 1");
}

static void *send_body(void *arg)
{
	nanosleep(&(struct timespec){ .tv_nsec = 5 * NS_PER_MS }, NULL);
	send(*(int *)arg, BODY, strlen(BODY), MSG_NOSIGNAL);
	return NULL;
}

/* A pause that begins between a question's header and the rest of it cuts nobody off. */
static void pauses_within_a_question(void **state)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	char request[128], reply[sizeof(go_on)] = "";
	pthread_t thread;
	int fd = enter(3), len;

	(void)state;
	len = snprintf(request, sizeof(request),
		       "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
		       "Content-Length: %zu\r\n\r\n",
		       strlen(BODY));
	assert_int_equal(send(fd, request, (size_t)len, MSG_NOSIGNAL), len);
	assert_int_equal(recv(fd, reply, sizeof(reply) - 1, MSG_WAITALL), sizeof(reply) - 1);
	assert_string_equal(reply, go_on);
	/* The moment that he has is short, and this host may be busy. */
	shift_times(250);
	assert_int_equal(pthread_create(&thread, NULL, send_body, &fd), 0);
	server_pause(&server);
	pthread_join(thread, NULL);
	expect(fd, "uid 3");
}

#define RUNNING(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUNNING(is_told_who_asks),
		RUNNING(one_has_so_many),
		RUNNING(a_crowd_costs_who_has_most),
		RUNNING(who_is_served_stays),
		RUNNING(has_an_end),
		RUNNING(does_not_wait_for_ever),
		RUNNING(pauses),
		RUNNING(pauses_within_a_question),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
