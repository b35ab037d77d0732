// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/clsact.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "dataplane/bpflog.h"
#include "util/cleanup.h"

/* The first priority, so that the gate is asked before others' filters; "SL" as handle. */
#define OUR_PRIORITY 1
#define OUR_HANDLE 0x534c

#define NETLINK_BUFFER 32768
/* The kernel answers at once; this keeps a surprise from blocking the daemon for ever. */
#define NETLINK_TIMEOUT_SEC 5

static enum bpf_tc_attach_point point(bool egress)
{
	return egress ? BPF_TC_EGRESS : BPF_TC_INGRESS;
}

uint32_t clsact_prog_id(unsigned int ifindex, bool egress)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point(egress));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = OUR_HANDLE, .priority = OUR_PRIORITY);

	bpflog_begin();
	return bpf_tc_query(&hook, &opts) < 0 ? 0 : opts.prog_id;
}

int clsact_make_qdisc(unsigned int ifindex, bool *ret_made)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int r;

	bpflog_begin();
	r = bpf_tc_hook_create(&hook);
	if (r < 0 && r != -EEXIST)
		return r;
	*ret_made = r == 0;
	return 0;
}

int clsact_put(unsigned int ifindex, bool egress, int prog_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point(egress));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = OUR_HANDLE, .priority = OUR_PRIORITY,
		    .prog_fd = prog_fd, .flags = BPF_TC_F_REPLACE);

	bpflog_begin();
	return bpf_tc_attach(&hook, &opts);
}

void clsact_remove(unsigned int ifindex, bool egress)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point(egress));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = OUR_HANDLE, .priority = OUR_PRIORITY);

	bpflog_begin();
	bpf_tc_detach(&hook, &opts);
}

static int netlink_open(void)
{
	const struct timeval timeout = { .tv_sec = NETLINK_TIMEOUT_SEC };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	return fd;
}

/* Count filters in one received block. Returns whether the dump is over. */
static bool count_block(const char *block, size_t len, uint32_t *n)
{
	const struct nlmsghdr *message = (const void *)block;

	for (; NLMSG_OK(message, len); message = NLMSG_NEXT(message, len)) {
		if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
			return true;
		*n += message->nlmsg_type == RTM_NEWTFILTER;
	}
	return false;
}

/*
 * Anybody's filters of one direction; libbpf can only ask for one that it knows. Anything but a
 * clear answer counts as a filter: then the qdisc stays.
 */
static uint32_t count_filters(int fd, unsigned int ifindex, bool egress)
{
	struct {
		struct nlmsghdr header;
		struct tcmsg tc;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = RTM_GETTFILTER,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.tc = { .tcm_ifindex = (int)ifindex,
			.tcm_parent = TC_H_MAKE(TC_H_CLSACT,
						egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS) },
	};
	CLEANUP(free_p) char *block = malloc(NETLINK_BUFFER);
	uint32_t n = 0;
	ssize_t len;

	if (!block || send(fd, &request, sizeof(request), 0) < 0)
		return 1;
	do {
		len = recv(fd, block, NETLINK_BUFFER, 0);
		if (len <= 0)
			return 1;
	} while (!count_block(block, (size_t)len, &n));
	return n;
}

void clsact_remove_qdisc(unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	CLEANUP(close_p) int fd = netlink_open();

	if (fd < 0 || count_filters(fd, ifindex, false) || count_filters(fd, ifindex, true))
		return;
	bpflog_begin();
	bpf_tc_hook_destroy(&hook);
}
