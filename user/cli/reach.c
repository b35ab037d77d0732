// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/reach.h"

#include <sys/socket.h>

#include "util/cleanup.h"

#define DISCARD_PORT 9 /* any will do: nothing is sent */

/* Connecting a datagram socket sends nothing, and fails where no route or source address is. */
static bool has_route(const struct addr *addr)
{
	CLEANUP(close_p)
	int fd = socket(addr_is_v4(addr) ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&ss, addr, DISCARD_PORT);

	return fd >= 0 && connect(fd, (struct sockaddr *)&ss, len) == 0;
}

uint32_t reach_first(const struct addr *addrs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (has_route(&addrs[i]))
			return i;
	return 0;
}
