// SPDX-License-Identifier: GPL-2.0-or-later
#include "survey/talk.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "util/cleanup.h"
#include "util/clock.h"

static void reset_p(const int *fd)
{
	struct linger linger = { .l_onoff = 1 };

	if (*fd < 0)
		return;
	(void)setsockopt(*fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(*fd);
}

static bool is_connected(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	return getpeername(fd, (struct sockaddr *)&peer, &len) == 0;
}

/* Bytes that the other side has not acknowledged. */
static bool is_acked(int fd)
{
	int left;

	return ioctl(fd, SIOCOUTQ, &left) == 0 && left == 0;
}

int talk_try(struct talk *ret_talk, const struct way *way, const char *request, size_t len,
	     uint32_t wait_ms)
{
	uint64_t until_ns = clock_mono_ns() + wait_ms * NS_PER_MS;
	struct talk talk = { .done = true };
	CLEANUP(reset_p) int fd = -1;
	struct pollfd poll_fd = { .events = POLLOUT };
	int r;

	r = way_socket(&fd, way, SOCK_STREAM, 0);
	if (r < 0)
		return r;
	poll_fd.fd = fd;
	r = way_connect(fd, way, way->port);
	if (r == 0)
		r = way_wait(&poll_fd, 1, until_ns);
	talk.connected = r > 0 && is_connected(fd);
	if (talk.connected && send(fd, request, len, MSG_NOSIGNAL) == (ssize_t)len) {
		poll_fd.events = POLLIN;
		r = way_wait(&poll_fd, 1, until_ns);
		talk.answered = r > 0;
		talk.acked = talk.answered || is_acked(fd);
	}
	*ret_talk = talk;
	return 0;
}
