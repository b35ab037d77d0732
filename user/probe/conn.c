// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "util/cleanup.h"

/* The kernel chooses no source port below. */
#define PORT_EPHEMERAL_MIN 1024

static int set_collect_icmp(int fd, bool v4, int on)
{
	return v4 ? setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on))
		  : setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
}

/*
 * The last packet of the handshake waits, and never goes out if RST ends the probe before: a server
 * that was only asked whether it listens need not accept anybody. Not for probes that say something:
 * the server's answer might wait for our delayed acknowledgements then. Where it cannot be had,
 * nothing is lost.
 */
static void delay_ack(int fd)
{
	int off = 0;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off));
}

int conn_open(int *ret_fd, const char **ret_call, const struct plan *plan)
{
	bool v4 = addr_is_v4(&plan->addr);
	int type = plan->protocol == PROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
	CLEANUP(close_p)
	int fd = socket(v4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_storage ss;
	socklen_t len;

	*ret_call = "socket";
	if (fd < 0)
		return -errno;

	*ret_call = "setsockopt SO_MARK";
	if (plan->mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &plan->mark, sizeof(plan->mark)) < 0)
		return -errno;

	*ret_call = "setsockopt IP_RECVERR";
	if (set_collect_icmp(fd, v4, 1) < 0)
		return -errno;

	if (plan->protocol == PROTO_TCP && !plan->proxy_protocol)
		delay_ack(fd);

	*ret_call = NULL;
	len = addr_to_sockaddr(&ss, &plan->addr, plan->port);
	if (connect(fd, (struct sockaddr *)&ss, len) < 0 && errno != EINPROGRESS)
		return -errno;

	*ret_fd = take_fd(fd);
	return 0;
}

int conn_state(int fd)
{
	struct sockaddr_storage peer;
	socklen_t peer_len = sizeof(peer);
	int error;
	socklen_t error_len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) < 0)
		return -errno;
	if (error)
		return -error;
	/* An ICMP error wakes the poll as well, and need not end the attempt. */
	if (getpeername(fd, (struct sockaddr *)&peer, &peer_len) < 0)
		return errno == ENOTCONN ? -EINPROGRESS : -errno;
	return 0;
}

bool conn_is_self(int fd, const struct addr *peer, uint16_t port)
{
	struct sockaddr_storage target = { 0 }, local = { 0 };
	socklen_t len = sizeof(local);

	/* Ports below are given to nobody who has not asked for one. */
	if (port < PORT_EPHEMERAL_MIN)
		return false;
	addr_to_sockaddr(&target, peer, port);
	return getsockname(fd, (struct sockaddr *)&local, &len) == 0 &&
	       !memcmp(&local, &target, sizeof(local));
}

void conn_ignore_icmp(int fd, bool v4)
{
	/* It worked the other way round; should it fail, a forged error can end this probe. */
	(void)set_collect_icmp(fd, v4, 0);
}

void conn_reset_on_close(int fd)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	/* Without it the connection ends with FIN, which is as good a proof. */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

bool conn_errno_is_local(int os_errno)
{
	static const int local[] = {
		EMFILE,        ENFILE,     ENOBUFS, ENOMEM, /* no descriptor or memory left */
		EADDRNOTAVAIL, EADDRINUSE, EAGAIN, /* no port or address of our own left */
		EPERM,         EACCES, /* a firewall or policy of this host forbids it */
	};

	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		if (local[i] == os_errno)
			return true;
	return false;
}
