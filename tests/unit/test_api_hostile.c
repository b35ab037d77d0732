// SPDX-License-Identifier: GPL-2.0-or-later
/* Clients of the API that send too much, too little or nonsense, or do not read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/socket.h>

#include "control/body.h"
#include "tests/unit/api_run.h"

static int dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		 gateway.model->gateway.api_socket);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void test_oversized_request(void **state)
{
	static const size_t len = 200000;
	char *path = malloc(len);
	char answer[64] = "";
	ssize_t n;
	int fd = dial();

	(void)state;
	memset(path, 'a', len);
	memcpy(path, "GET /", 5);
	/* The server may refuse and close before it has read all. */
	send(fd, path, len, MSG_NOSIGNAL);
	n = recv(fd, answer, sizeof(answer) - 1, 0);
	assert_true(n <= 0 || !strncmp(answer, "HTTP/1.1 4", 10));
	close(fd);
	free(path);
	json_decref(get("/v1/status", 200));
}

static void test_garbage(void **state)
{
	static const char *const texts[] = { "\r\n\r\n\r\n", "\x16\x03\x01\x02", "GET\r\n\r\n",
					     "GET /v1/status HTTP/9.9\r\n\r\n",
					     "GET /%zz%0 HTTP/1.1\r\nHost: x\r\n\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int fd = dial();

		send(fd, texts[i], strlen(texts[i]), MSG_NOSIGNAL);
		shutdown(fd, SHUT_WR);
		json_decref(get("/v1/status", 200));
		close(fd);
	}
}

#define SLOW 12

/* Clients that say nothing, half a request, or half of what is to follow it, do not hold up others. */
static void test_slow_clients(void **state)
{
	static const char *const texts[] = { "", "GET /v1/health HTT",
					     "POST /v1/backend HTTP/1.1\r\nHost: x\r\n"
					     "Content-Length: 4000\r\n\r\n{" };
	int fds[SLOW];

	(void)state;
	for (size_t i = 0; i < SLOW; i++) {
		fds[i] = dial();
		send(fds[i], texts[i % 3], strlen(texts[i % 3]), MSG_NOSIGNAL);
	}
	json_decref(get("/v1/status", 200));
	for (size_t i = 0; i < SLOW; i++)
		close(fds[i]);
}

/* What comes back until the end, or until there is enough of it. */
static size_t receive(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 && (n = recv(fd, buf + len, size - 1 - len, 0)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	return len;
}

/* One has so many and no more; it is said to the next one, who need not have asked yet. */
static void test_too_many(void **state)
{
	static const char request[] = "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n";
	const struct timespec moment = { .tv_nsec = 10 * NS_PER_MS };
	char answer[512];
	int fds[17];

	(void)state;
	for (size_t i = 0; i < 17; i++)
		fds[i] = dial();
	send(fds[16], request, sizeof(request) - 1, MSG_NOSIGNAL);
	receive(fds[16], answer, sizeof(answer));
	assert_non_null(strstr(answer, "HTTP/1.1 503 "));
	assert_non_null(strstr(answer, "a user may have 8 at a time, and 16 if he may"));
	assert_int_equal(fake_refused.n, 1);
	assert_string_equal(fake_refused.what, "a connection");
	for (size_t i = 0; i < 17; i++)
		close(fds[i]);
	/* They are noticed to have gone. */
	for (int i = 0; i < 500 && ask("GET", "/v1/status")->status != 200; i++)
		nanosleep(&moment, NULL);
	json_decref(get("/v1/status", 200));
}

/* Somebody who has said all that he has to say still gets his answer. */
static void test_half_closed(void **state)
{
	static const char request[] = "GET /v1/maps HTTP/1.1\r\nHost: x\r\n\r\n";
	static char answer[65536];
	int fd = dial();

	(void)state;
	send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	receive(fd, answer, sizeof(answer));
	assert_non_null(strstr(answer, "HTTP/1.1 200 "));
	assert_non_null(strstr(answer, "endpoint_words"));
	close(fd);
}

#define PIPELINED 200

/* Of many questions at once the first is answered, and the connection ends. */
static void test_pipelined(void **state)
{
	static const char request[] = "GET /v1/jobs/1 HTTP/1.1\r\nHost: x\r\n\r\n";
	static char answers[PIPELINED * 512];
	char *at = answers;
	int fd = dial(), n = 0;

	(void)state;
	for (int i = 0; i < PIPELINED; i++)
		send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL);
	json_decref(get("/v1/status", 200));
	receive(fd, answers, sizeof(answers));
	while ((at = strstr(at, "HTTP/1.1 404 "))) {
		at++;
		n++;
	}
	assert_int_equal(n, 1);
	close(fd);
}

/* A body that is told to be long is refused before it comes; one that is not, when it goes on and on. */
static void test_endless_bodies(void **state)
{
	static const char told[] = "POST /v1/backend HTTP/1.1\r\nHost: x\r\n"
				   "Content-Length: 99999999999\r\n\r\n";
	static const char absurd[] = "POST /v1/backend HTTP/1.1\r\nHost: x\r\n"
				     "Content-Length: 99999999999999999999999\r\n\r\n";
	static const char chunked[] = "POST /v1/backend HTTP/1.1\r\nHost: x\r\n"
				      "Transfer-Encoding: chunked\r\n\r\n";
	static char chunk[4096 + 8];
	char answer[1024];
	size_t sent = 0;
	int fd = dial();

	(void)state;
	send(fd, told, sizeof(told) - 1, MSG_NOSIGNAL);
	receive(fd, answer, sizeof(answer));
	assert_non_null(strstr(answer, "HTTP/1.1 413 "));
	assert_non_null(strstr(answer, "allowed: 4096 bytes"));
	close(fd);

	fd = dial();
	send(fd, absurd, sizeof(absurd) - 1, MSG_NOSIGNAL);
	receive(fd, answer, sizeof(answer));
	assert_non_null(strstr(answer, "HTTP/1.1 4"));
	close(fd);

	fd = dial();
	send(fd, chunked, sizeof(chunked) - 1, MSG_NOSIGNAL);
	memset(chunk, 'x', sizeof(chunk));
	memcpy(chunk, "1000\r\n", 6);
	memcpy(chunk + sizeof(chunk) - 2, "\r\n", 2);
	while (sent < 64u << 20 && send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL) > 0)
		sent += sizeof(chunk);
	assert_in_range(sent, BODY_LOST_MAX / 2, 16u << 20);
	close(fd);
	json_decref(get("/v1/status", 200));
}

/* A client that asks and does not read is no reason to stop serving, nor to fail to stop. */
static void test_client_that_does_not_read(void **state)
{
	static const char request[] = "GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n";
	int fd = dial();

	(void)state;
	for (int i = 0; i < 200; i++)
		send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	json_decref(get("/v1/status", 200));
	api_stop(take_ptr(api));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(test_oversized_request), SERVED(test_garbage),
		SERVED(test_slow_clients),      SERVED(test_too_many),
		SERVED(test_half_closed),       SERVED(test_pipelined),
		SERVED(test_endless_bodies),    SERVED(test_client_that_does_not_read),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("api_hostile", tests, NULL, NULL);
}
