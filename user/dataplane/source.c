// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/source.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/cleanup.h"

/* Any port will do: connecting a datagram socket only asks for a route. */
#define SOME_PORT 9

void source_find(__u8 ret_addr[SL_ADDR_LEN], const struct addr *to)
{
	struct sockaddr_storage peer, name;
	socklen_t len = addr_to_sockaddr(&peer, to, SOME_PORT), name_len = sizeof(name);
	CLEANUP(close_p) int fd = socket(peer.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct addr addr;

	memset(ret_addr, 0, SL_ADDR_LEN);
	if (fd < 0 || connect(fd, (struct sockaddr *)&peer, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&name, &name_len) < 0)
		return;
	if (addr_from_sockaddr(&addr, &name) == 0)
		memcpy(ret_addr, addr.bytes, SL_ADDR_LEN);
}
