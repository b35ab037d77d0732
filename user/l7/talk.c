// SPDX-License-Identifier: GPL-2.0-or-later
#include "l7/talk.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"

int talk_bound(int fd)
{
	const struct timeval patience = { .tv_sec = TALK_MS / 1000 };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		return -errno;
	return 0;
}

int talk_reach(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP(close_p) int fd = -1;
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = talk_bound(fd);
	if (r < 0)
		return r;
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : take_fd(fd);
}

static int send_all(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -errno;
		text += sent;
		len -= (size_t)sent;
	}
	return 0;
}

int talk(const char *path, const char *commands, char *answer, size_t size)
{
	uint64_t until_ms = clock_mono_ms() + TALK_MS;
	CLEANUP(close_p) int fd = talk_reach(path);
	char spare[4096];
	size_t len = 0;
	int r;

	answer[0] = '\0';
	if (fd < 0)
		return fd;
	r = send_all(fd, commands);
	/* A master waits for more as long as there may be some; a worker does not. */
	if (r == 0 && shutdown(fd, SHUT_WR) < 0)
		r = -errno;
	while (r == 0) {
		bool full = len + 1 >= size;
		ssize_t got = full ? recv(fd, spare, sizeof(spare), 0)
				   : recv(fd, answer + len, size - 1 - len, 0);

		if (got == 0)
			return 0;
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0 && !full)
			len += (size_t)got;
		answer[len] = '\0';
		if (clock_mono_ms() > until_ms)
			return -ETIMEDOUT;
	}
	return r;
}

int talk_owner(pid_t *ret, const char *path)
{
	CLEANUP(close_p) int fd = talk_reach(path);
	struct ucred owner;
	socklen_t len = sizeof(owner);

	if (fd < 0)
		return fd;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &owner, &len) < 0)
		return -errno;
	*ret = owner.pid;
	return 0;
}
