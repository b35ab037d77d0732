// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * client - what shell tools cannot tell: which connection attempt was the first to be refused, and
 * when it was sent; what became of a datagram.
 *
 *   client refused ADDR PORT   connect over and over until refused; prints the microseconds since
 *                              1970 at which that attempt was begun and at which it had failed
 *   client udp ADDR PORT       send a datagram; prints "answered", "refused" or "silent"
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/addr.h"
#include "util/clock.h"

#define GIVE_UP_US (20 * US_PER_SEC)
#define UDP_WAIT_MS 1000

/*
 * A server that cannot keep up with accepting leaves a SYN unanswered, and the client's kernel
 * repeats it only after a second: rather begin another attempt.
 */
#define CONNECT_WAIT_US 2000

static const char *describe_answer(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	char byte;

	if (poll(&poll_fd, 1, UDP_WAIT_MS) <= 0)
		return "silent";
	if (recv(fd, &byte, sizeof(byte), 0) >= 0)
		return "answered";
	return errno == ECONNREFUSED ? "refused" : strerror(errno);
}

static int send_datagram(const struct sockaddr_storage *ss, socklen_t len)
{
	int fd = socket(ss->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)ss, len) < 0 || send(fd, "x", 1, 0) < 0)
		return EXIT_FAILURE;
	puts(describe_answer(fd));
	close(fd);
	return EXIT_SUCCESS;
}

static int connect_until_refused(const struct sockaddr_storage *ss, socklen_t len)
{
	uint64_t first = clock_wall_us();

	for (;;) {
		int fd = socket(ss->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		struct timeval wait = { .tv_usec = CONNECT_WAIT_US };
		struct linger reset = { .l_onoff = 1 };
		uint64_t begun = clock_wall_us();

		if (fd < 0 || begun - first > GIVE_UP_US)
			return EXIT_FAILURE;
		/* No TIME_WAIT: the ports would run out. */
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
		if (connect(fd, (const struct sockaddr *)ss, len) < 0 && errno != EINPROGRESS) {
			if (errno != ECONNREFUSED)
				return EXIT_FAILURE;
			printf("%llu %llu\n", (unsigned long long)begun,
			       (unsigned long long)clock_wall_us());
			return EXIT_SUCCESS;
		}
		close(fd);
	}
}

int main(int argc, char *argv[])
{
	struct sockaddr_storage ss;
	struct addr addr;
	socklen_t len;

	if (argc != 4 || addr_parse(&addr, argv[2]) < 0)
		return EXIT_FAILURE;
	len = addr_to_sockaddr(&ss, &addr, (uint16_t)strtoul(argv[3], NULL, 10));
	if (!strcmp(argv[1], "udp"))
		return send_datagram(&ss, len);
	return connect_until_refused(&ss, len);
}
