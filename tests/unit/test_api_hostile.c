// SPDX-License-Identifier: GPL-2.0-or-later
/* Clients of the API that send too much, too little or nonsense, or do not read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/socket.h>

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

/* Clients that say nothing, or half a request, do not hold up others. */
static void test_slow_clients(void **state)
{
	int fds[20];

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		fds[i] = dial();
		if (i % 2)
			send(fds[i], "GET /v1/health HTT", 18, MSG_NOSIGNAL);
	}
	json_decref(get("/v1/status", 200));
	for (size_t i = 0; i < 20; i++)
		close(fds[i]);
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
		SERVED(test_oversized_request),
		SERVED(test_garbage),
		SERVED(test_slow_clients),
		SERVED(test_client_that_does_not_read),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("api_hostile", tests, NULL, NULL);
}
