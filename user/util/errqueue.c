// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/errqueue.h"

#include <string.h>
#include <sys/socket.h>
#include <time.h> /* linux/errqueue.h uses struct timespec and does not declare it */

#include <linux/errqueue.h>

/* Errors read from one queue; later ones would repeat what the first ones said. */
#define ERRORS_MAX 16

/* An extended error, with the address of its sender behind it. */
struct said {
	struct sock_extended_err error;
	struct sockaddr_in6 from;
};

static bool read_error(struct cmsghdr *cmsg, struct icmp_error *ret_error)
{
	struct sockaddr_storage from = { 0 };
	struct said said = { 0 };
	size_t len = cmsg->cmsg_len - CMSG_LEN(0);

	if (!(cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_RECVERR) &&
	    !(cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_RECVERR))
		return false;
	memcpy(&said, CMSG_DATA(cmsg), len < sizeof(said) ? len : sizeof(said));
	if (said.error.ee_origin != SO_EE_ORIGIN_ICMP && said.error.ee_origin != SO_EE_ORIGIN_ICMP6)
		return false;
	*ret_error = (struct icmp_error){ .type = said.error.ee_type, .code = said.error.ee_code };
	memcpy(&from, &said.from, sizeof(said.from));
	(void)addr_from_sockaddr(&ret_error->from, &from);
	return true;
}

bool errqueue_take_icmp(int fd, struct icmp_error *ret_error)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct said))];
	bool found = false;

	for (int i = 0; i < ERRORS_MAX; i++) {
		struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };

		if (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			break;
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
			found |= read_error(c, ret_error);
	}
	return found;
}
