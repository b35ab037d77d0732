// SPDX-License-Identifier: GPL-2.0-or-later
#include "survey/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <time.h>

#include "util/cleanup.h"

#define V4_AT 12 /* of an address in a v4-mapped one */
#define V4_LEN 4
/* The kernel writes no larger answers to what is asked here. */
#define ANSWER_LEN 32768

static void socket_close_p(struct mnl_socket **socket)
{
	if (*socket)
		mnl_socket_close(*socket);
}

int netlink_ask(int bus, struct nlmsghdr *request, mnl_cb_t fn, void *arg)
{
	CLEANUP(socket_close_p) struct mnl_socket *socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	CLEANUP(free_p) char *answer = malloc(ANSWER_LEN);
	ssize_t len;
	int r;

	if (!socket || !answer)
		return socket ? -ENOMEM : -errno;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	request->nlmsg_seq = (unsigned int)time(NULL);
	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	do {
		len = mnl_socket_recvfrom(socket, answer, ANSWER_LEN);
		if (len < 0)
			return -errno;
		r = mnl_cb_run(answer, (size_t)len, request->nlmsg_seq,
			       mnl_socket_get_portid(socket), fn, arg);
		if (r < 0)
			return -errno;
	} while (r > MNL_CB_STOP && request->nlmsg_flags & (NLM_F_DUMP | NLM_F_ACK));
	return 0;
}

void netlink_put_addr(struct nlmsghdr *request, uint16_t type, const struct addr *addr)
{
	if (addr_is_v4(addr))
		mnl_attr_put(request, type, V4_LEN, addr->bytes + V4_AT);
	else
		mnl_attr_put(request, type, sizeof(addr->bytes), addr->bytes);
}

bool netlink_get_addr(struct addr *ret_addr, const struct nlattr *attr)
{
	size_t len = attr ? mnl_attr_get_payload_len(attr) : 0;

	if (len == V4_LEN) {
		*ret_addr = (struct addr){ .bytes = { [10] = 0xff, [11] = 0xff } };
		memcpy(ret_addr->bytes + V4_AT, mnl_attr_get_payload(attr), len);
		return true;
	}
	if (len != sizeof(ret_addr->bytes))
		return false;
	memcpy(ret_addr->bytes, mnl_attr_get_payload(attr), len);
	return true;
}
