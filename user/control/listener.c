// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/listener.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "util/err.h"

#define BACKLOG 512

static struct addr address_of(const struct listen *listen)
{
	struct addr addr;

	memcpy(addr.bytes, listen->key.addr, sizeof(addr.bytes));
	return addr;
}

static const char *reason(int r)
{
	switch (r) {
	case -EADDRINUSE:
		return "another process listens there";
	case -EADDRNOTAVAIL:
		return "this host has no such address";
	default:
		return strerror(-r);
	}
}

static int set_options(int fd, int family)
{
	const int on = 1;

	/* Connections of a daemon that went a moment ago are no reason to wait. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	/* "[::]" names the IPv6 addresses, and nobody has asked for the others. */
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -errno;
	return 0;
}

static int open_at(const struct sockaddr_storage *at, socklen_t len)
{
	CLEANUP(close_p)
	int fd = socket(at->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = set_options(fd, at->ss_family);
	if (r < 0)
		return r;
	if (bind(fd, (const struct sockaddr *)at, len) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return take_fd(fd);
}

int listener_open(const struct listen *listen, struct err *err)
{
	const struct addr addr = address_of(listen);
	struct sockaddr_storage at;
	socklen_t len;
	int fd;

	if (!listen->key.port)
		return -ENOENT;
	len = addr_to_sockaddr(&at, &addr, listen->key.port);
	fd = open_at(&at, len);
	if (fd < 0)
		return err_set(err, fd, "gateway.listen: cannot listen at %s: %s", listen->text,
			       reason(fd));
	return fd;
}

/* One of them may stand for all addresses, so the old socket is in the new one's way. */
static int exchange(int *fd, const struct listen *from, const struct listen *to, struct err *err)
{
	int r;

	close_p(fd);
	r = listener_open(to, err);
	*fd = r < 0 ? listener_open(from, NULL) : r;
	if (*fd < 0)
		*fd = -1;
	return r;
}

int listener_move(int *fd, const struct listen *from, const struct listen *to, struct err *err)
{
	bool same = !memcmp(&from->key, &to->key, sizeof(from->key));
	int r;

	if (same && (*fd >= 0 || !to->key.port))
		return 0;
	if (*fd >= 0 && from->key.port == to->key.port) {
		r = exchange(fd, from, to, err);
		return r < 0 ? r : 0;
	}
	r = listener_open(to, err);
	if (r < 0 && r != -ENOENT)
		return r;
	close_p(fd);
	*fd = r < 0 ? -1 : r;
	return 0;
}

bool listener_is_local(const struct listen *listen)
{
	const struct addr addr = address_of(listen);
	struct sockaddr_storage at;

	addr_to_sockaddr(&at, &addr, listen->key.port);
	if (at.ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)&at)->sin6_addr);
	return ntohl(((const struct sockaddr_in *)&at)->sin_addr.s_addr) >> IN_CLASSA_NSHIFT ==
	       IN_LOOPBACKNET;
}
