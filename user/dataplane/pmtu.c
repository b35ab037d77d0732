// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/pmtu.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/errqueue.h> /* needs <time.h> */

#include "util/cleanup.h"
#include "util/err.h"

/* The error, and the address of whom it came from. */
#define CONTROL_LEN 256
/* Whoever sends errors without end must not keep the daemon from all else. */
#define ERRORS_AT_ONCE 64

static const struct {
	int family, protocol;
} kinds[PMTU_SOCKETS] = {
	{ AF_INET, IPPROTO_IPIP },
	{ AF_INET, IPPROTO_IPV6 },
	{ AF_INET6, IPPROTO_IPIP },
	{ AF_INET6, IPPROTO_IPV6 },
};

static int ask_for_errors(int fd, int family)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog filter = { .len = 1, .filter = &nothing };
	int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0)
		return -errno;
	if (family == AF_INET)
		return setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)) < 0 ? -errno : 0;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on)) < 0 ? -errno : 0;
}

int pmtu_open(int *ret_fd, int i, struct err *err)
{
	const int family = kinds[i].family;
	CLEANUP(close_p)
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, kinds[i].protocol);
	int r = fd < 0 ? -errno : ask_for_errors(fd, family);

	if (r == -EAFNOSUPPORT)
		return r;
	if (r < 0)
		return err_set(err, r, "raw socket: %s", strerror(-r));
	*ret_fd = take_fd(fd);
	return 0;
}

/* Whether what was said with an error is that a packet was too large. */
static bool is_too_large(struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
		bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
		struct sock_extended_err error;

		if (!v4 && !v6)
			continue;
		memcpy(&error, CMSG_DATA(c), sizeof(error));
		return error.ee_errno == EMSGSIZE;
	}
	return false;
}

bool pmtu_read(int fd)
{
	char control[CONTROL_LEN] __attribute__((aligned(__alignof__(struct cmsghdr))));
	bool changed = false;
	int pending;

	for (int i = 0; i < ERRORS_AT_ONCE; i++) {
		struct msghdr message = { .msg_control = control,
					  .msg_controllen = sizeof(control) };

		if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			break;
		changed |= is_too_large(&message);
	}
	/* Or it would be reported for ever; what is still queued is reported all the same. */
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &(socklen_t){ sizeof(pending) });
	return changed;
}
