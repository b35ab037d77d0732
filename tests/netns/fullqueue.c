// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fullqueue - a server that listens and accepts nobody, with a queue that it has filled itself:
 *
 *   fullqueue ADDRESS PORT
 *
 * Prints a line when the queue is full, and waits for its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/addr.h"

#define BACKLOG 1
#define FILLERS 8 /* more than fit: the last ones are never answered */
#define FILL_MS 500

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void fill(const struct sockaddr_storage *ss, socklen_t len)
{
	for (int i = 0; i < FILLERS; i++) {
		int fd = socket(ss->ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
		struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

		if (fd < 0 ||
		    (connect(fd, (const struct sockaddr *)ss, len) < 0 && errno != EINPROGRESS))
			fail("connect");
		if (poll(&poll_fd, 1, FILL_MS) == 0)
			return;
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_storage ss;
	struct addr addr;
	socklen_t len;
	int fd, on = 1;

	if (argc != 3 || addr_parse(&addr, argv[1]) < 0) {
		fprintf(stderr, "usage: fullqueue ADDRESS PORT\n");
		return 2;
	}
	len = addr_to_sockaddr(&ss, &addr, (uint16_t)strtoul(argv[2], NULL, 10));
	fd = socket(ss.ss_family, SOCK_STREAM, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&ss, len) < 0 || listen(fd, BACKLOG) < 0)
		fail("listen");
	fill(&ss, len);
	puts("full");
	fflush(stdout);
	pause();
	return 0;
}
