// SPDX-License-Identifier: GPL-2.0-or-later
#include "survey/way.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "util/cleanup.h"
#include "util/clock.h"

static int set_collect_icmp(int fd, bool v4)
{
	int on = 1, r;

	r = v4 ? setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on))
	       : setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	return r < 0 ? -errno : 0;
}

static int set_departure(int fd, const struct way *way)
{
	struct sockaddr_storage ss;
	socklen_t len;

	if (way->mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &way->mark, sizeof(way->mark)) < 0)
		return -errno;
	if (way->device[0] && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, way->device,
					 (socklen_t)strlen(way->device)) < 0)
		return -errno;
	if (!way->has_from)
		return 0;
	len = addr_to_sockaddr(&ss, &way->from, 0);
	return bind(fd, (struct sockaddr *)&ss, len) < 0 ? -errno : 0;
}

int way_socket(int *ret_fd, const struct way *way, int type, int protocol)
{
	bool v4 = addr_is_v4(&way->to);
	CLEANUP(close_p)
	int fd = socket(v4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	int r;

	if (fd < 0)
		return -errno;
	r = set_collect_icmp(fd, v4);
	if (r == 0)
		r = set_departure(fd, way);
	if (r < 0)
		return r;
	*ret_fd = take_fd(fd);
	return 0;
}

int way_connect(int fd, const struct way *way, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&ss, &way->to, port);

	if (connect(fd, (struct sockaddr *)&ss, len) < 0 && errno != EINPROGRESS)
		return -errno;
	return 0;
}

void way_reset(struct pollfd *fd)
{
	struct linger linger = { .l_onoff = 1 };

	(void)setsockopt(fd->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd->fd);
	fd->fd = -1;
}

int way_limit_hops(int fd, const struct way *way, int hops)
{
	int r = addr_is_v4(&way->to)
			? setsockopt(fd, IPPROTO_IP, IP_TTL, &hops, sizeof(hops))
			: setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops));

	return r < 0 ? -errno : 0;
}

int way_wait(struct pollfd *fds, unsigned int n, uint64_t until_ns)
{
	uint64_t now_ns = clock_mono_ns();
	int timeout_ms = until_ns > now_ns ? (int)((until_ns - now_ns) / NS_PER_MS) + 1 : 0;
	int r = poll(fds, n, timeout_ms);

	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	return r;
}
