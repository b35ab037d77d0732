// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/devwatch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "util/cleanup.h"
#include "util/err.h"

int devwatch_open(struct err *err)
{
	CLEANUP(close_p)
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	const struct sockaddr_nl groups = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };

	if (fd < 0 || bind(fd, (const struct sockaddr *)&groups, sizeof(groups)) < 0)
		return err_set(err, -errno, "listen for changes of network devices: %s",
			       strerror(errno));
	return take_fd(fd);
}

void devwatch_read(int fd)
{
	char nothing;

	/* What does not fit is cut off, and what was lost is a change as well. */
	while (recv(fd, &nothing, sizeof(nothing), MSG_DONTWAIT) >= 0 || errno == ENOBUFS ||
	       errno == EINTR)
		;
}
