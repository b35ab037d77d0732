/* SPDX-License-Identifier: GPL-2.0-or-later */
/* web_run - a gateway of gateway_fake.h that answers over TCP. Included by one .c of a test program. */
#ifndef SLUICE_TESTS_WEB_RUN_H
#define SLUICE_TESTS_WEB_RUN_H

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "tests/unit/api_run.h"

#define PATIENCE_S 5

static struct sockaddr_in address;
static char reply[1 << 20];
static const char *web_host = "127.0.0.1";

static inline int start_web(void **state)
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

static inline int dial(void)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static inline const char *read_reply(int fd)
{
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, reply + len, sizeof(reply) - 1 - len, 0)) > 0)
		len += (size_t)n;
	reply[len] = '\0';
	return reply;
}

/* The whole answer; the server is asked to close the connection behind it. */
static inline const char *web(const char *method, const char *path, const char *headers)
{
	char request[1024];
	int fd = dial();

	snprintf(request, sizeof(request),
		 "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n", method, path,
		 web_host, headers);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	read_reply(fd);
	close(fd);
	return reply;
}

static inline void assert_has(const char *piece)
{
	if (!strstr(reply, piece))
		fail_msg("no '%s' in '%.2000s'", piece, reply);
}

static inline void assert_status(int status)
{
	char line[32];

	snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	if (strncmp(reply, line, strlen(line)) != 0)
		fail_msg("not %d but '%.200s'", status, reply);
}

#endif
