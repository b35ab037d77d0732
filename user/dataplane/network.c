// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/network.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "dataplane/pmtu.h"
#include "util/err.h"

/* <linux/neighbour.h> of Debian 12's 6.1 has them; said here once what they are for. */
#define NEIGH_FLAGS NTF_EXT_MANAGED

/* The kernel writes no larger answers to what is asked here. */
#define ANSWER_LEN 32768
#define REQUEST_LEN 256
/* Changes come in bursts; what does not fit is reported as lost, which is a change as well. */
#define MONITOR_BYTES (1 << 20)

#define GROUPS                                                                                     \
	(RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_IFADDR | \
	 RTMGRP_IPV6_IFADDR)

struct network {
	struct mnl_socket *monitor, *talk;
	int tunnels[PMTU_SOCKETS]; /* -1: there is none */
	int epoll; /* of all that tell of changes */
	unsigned int seq;
	char answer[ANSWER_LEN];
};

static struct mnl_socket *open_socket(unsigned int groups)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int on = 1;

	if (!socket)
		return NULL;
	/* Attributes of requests that the kernel does not know shall be refused, not ignored. */
	mnl_socket_setsockopt(socket, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	if (mnl_socket_bind(socket, groups, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(socket);
		return NULL;
	}
	return socket;
}

static int watch(struct network *network, int fd, uint32_t events, struct err *err)
{
	struct epoll_event event = { .events = events };

	if (epoll_ctl(network->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		return err_set(err, -errno, "epoll: %s", strerror(errno));
	return 0;
}

static int watch_tunnels(struct network *network, struct err *err)
{
	for (int i = 0; i < PMTU_SOCKETS; i++) {
		int r = pmtu_open(&network->tunnels[i], i, err);

		if (r == -EAFNOSUPPORT)
			continue;
		if (r == 0)
			r = watch(network, network->tunnels[i], 0, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static struct network *network_new(void)
{
	struct network *network = calloc(1, sizeof(*network));

	if (!network)
		return NULL;
	network->epoll = -1;
	for (int i = 0; i < PMTU_SOCKETS; i++)
		network->tunnels[i] = -1;
	return network;
}

int network_open(struct network **ret, struct err *err)
{
	CLEANUP(network_close_p) struct network *network = network_new();
	int bytes = MONITOR_BYTES, r;

	if (!network)
		return -ENOMEM;
	network->talk = open_socket(0);
	network->monitor = network->talk ? open_socket(GROUPS) : NULL;
	if (!network->monitor)
		return err_set(err, -errno, "netlink: %s", strerror(errno));
	setsockopt(mnl_socket_get_fd(network->monitor), SOL_SOCKET, SO_RCVBUF, &bytes,
		   sizeof(bytes));
	network->seq = (unsigned int)time(NULL);
	network->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (network->epoll < 0)
		return err_set(err, -errno, "epoll: %s", strerror(errno));
	r = watch(network, mnl_socket_get_fd(network->monitor), EPOLLIN, err);
	if (r == 0)
		r = watch_tunnels(network, err);
	if (r < 0)
		return r;

	*ret = take_ptr(network);
	return 0;
}

void network_close(struct network *network)
{
	if (!network)
		return;
	if (network->monitor)
		mnl_socket_close(network->monitor);
	if (network->talk)
		mnl_socket_close(network->talk);
	for (int i = 0; i < PMTU_SOCKETS; i++)
		close_p(&network->tunnels[i]);
	close_p(&network->epoll);
	free(network);
}

int network_fd(const struct network *network)
{
	return network->epoll;
}

/* --- changes ----------------------------------------------------------------------------------- */

static unsigned int what_changed(const void *messages, int len)
{
	const struct nlmsghdr *h = messages;
	unsigned int changed = 0;

	for (; mnl_nlmsg_ok(h, len); h = mnl_nlmsg_next(h, &len))
		changed |= h->nlmsg_type == RTM_NEWNEIGH || h->nlmsg_type == RTM_DELNEIGH
				   ? NETWORK_NEIGHBOURS
				   : NETWORK_ROUTES;
	return changed;
}

static unsigned int read_monitor(struct network *network)
{
	int fd = mnl_socket_get_fd(network->monitor);
	unsigned int changed = 0;
	ssize_t len;

	for (;;) {
		len = recv(fd, network->answer, sizeof(network->answer), MSG_DONTWAIT);
		if (len > 0)
			changed |= what_changed(network->answer, (int)len);
		else if (len < 0 && errno == ENOBUFS)
			changed |= NETWORK_NEIGHBOURS | NETWORK_ROUTES;
		else if (len == 0 || errno != EINTR)
			return changed;
	}
}

unsigned int network_read(struct network *network)
{
	unsigned int changed = read_monitor(network);

	for (int i = 0; i < PMTU_SOCKETS; i++)
		if (network->tunnels[i] >= 0 && pmtu_read(network->tunnels[i]))
			changed |= NETWORK_PATHS;
	return changed;
}

/* --- asking ------------------------------------------------------------------------------------ */

/* Send what is in buf, and give every answer to fn. */
static int ask(struct network *network, struct nlmsghdr *request, mnl_cb_t fn, void *arg)
{
	unsigned int port = mnl_socket_get_portid(network->talk);
	ssize_t len;
	int r;

	request->nlmsg_seq = ++network->seq;
	if (mnl_socket_sendto(network->talk, request, request->nlmsg_len) < 0)
		return -errno;
	do {
		len = mnl_socket_recvfrom(network->talk, network->answer, sizeof(network->answer));
		if (len < 0)
			return -errno;
		r = mnl_cb_run(network->answer, (size_t)len, request->nlmsg_seq, port, fn, arg);
		if (r < 0)
			return -errno;
	} while (r > MNL_CB_STOP && request->nlmsg_flags & (NLM_F_DUMP | NLM_F_ACK));
	return 0;
}

static int keep_attr(const struct nlattr *attr, void *arg)
{
	const struct nlattr **attrs = arg;

	/* IFLA_MAX and RTA_MAX are no larger; newer kinds are none of ours. */
	if (mnl_attr_get_type(attr) <= IFLA_MAX)
		attrs[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

/* --- devices ----------------------------------------------------------------------------------- */

struct devices {
	int map_fd;
	int r;
};

static bool read_vlan(struct sl_device *ret, const struct nlattr *info)
{
	const struct nlattr *attrs[IFLA_MAX + 1] = { NULL }, *data[IFLA_MAX + 1] = { NULL };

	mnl_attr_parse_nested(info, keep_attr, attrs);
	if (!attrs[IFLA_INFO_KIND] || !attrs[IFLA_INFO_DATA] ||
	    strcmp(mnl_attr_get_str(attrs[IFLA_INFO_KIND]), "vlan") != 0)
		return false;
	mnl_attr_parse_nested(attrs[IFLA_INFO_DATA], keep_attr, data);
	if (!data[IFLA_VLAN_ID] || !data[IFLA_VLAN_PROTOCOL])
		return false;
	ret->vlan = mnl_attr_get_u16(data[IFLA_VLAN_ID]);
	ret->vlan_proto = ntohs(mnl_attr_get_u16(data[IFLA_VLAN_PROTOCOL]));
	return true;
}

static int list_device(const struct nlmsghdr *h, void *arg)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(h);
	const struct nlattr *attrs[IFLA_MAX + 1] = { NULL };
	struct devices *devices = arg;
	struct sl_device device;
	__u32 ifindex = (__u32)link->ifi_index;

	mnl_attr_parse(h, sizeof(*link), keep_attr, attrs);
	if (!attrs[IFLA_LINKINFO] || !attrs[IFLA_LINK] || !read_vlan(&device, attrs[IFLA_LINKINFO]))
		return MNL_CB_OK;
	device.ifindex = mnl_attr_get_u32(attrs[IFLA_LINK]);
	if (bpf_map_update_elem(devices->map_fd, &ifindex, &device, BPF_ANY) < 0)
		devices->r = -errno;
	return MNL_CB_OK;
}

/* A number that a device had may be another's, of another kind. */
static void forget_devices(int map_fd)
{
	__u32 ifindex;

	while (bpf_map_get_next_key(map_fd, NULL, &ifindex) == 0)
		if (bpf_map_delete_elem(map_fd, &ifindex) < 0)
			return;
}

int network_list_devices(struct network *network, int map_fd)
{
	char buf[REQUEST_LEN] = { 0 };
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct devices devices = { .map_fd = map_fd };
	struct ifinfomsg *link;
	int r;

	h->nlmsg_type = RTM_GETLINK;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	link = mnl_nlmsg_put_extra_header(h, sizeof(*link));
	link->ifi_family = AF_UNSPEC;
	forget_devices(map_fd);
	r = ask(network, h, list_device, &devices);
	return r < 0 ? r : devices.r;
}

/* --- next hops --------------------------------------------------------------------------------- */

#define HOPS_MAX 4096

struct hop {
	struct addr addr;
	uint32_t ifindex;
};

struct hops {
	struct hop *hops;
	uint32_t n;
	struct addr to; /* of a single question: what is on the link is its own next hop */
	bool single;
};

static void add_hop(struct hops *hops, const struct addr *addr, uint32_t ifindex)
{
	struct hop hop = { .addr = *addr, .ifindex = ifindex };

	for (uint32_t i = 0; i < hops->n; i++)
		if (!memcmp(&hops->hops[i], &hop, sizeof(hop)))
			return;
	if (hops->n < HOPS_MAX)
		hops->hops[hops->n++] = hop;
}

/* An address as netlink has it, of either family. */
static bool read_addr(struct addr *ret, const struct nlattr *attr, int family)
{
	struct sockaddr_storage ss = { .ss_family = (sa_family_t)family };
	size_t len = mnl_attr_get_payload_len(attr);

	if (family == AF_INET && len == sizeof(struct in_addr))
		memcpy(&((struct sockaddr_in *)&ss)->sin_addr, mnl_attr_get_payload(attr), len);
	else if (family == AF_INET6 && len == sizeof(struct in6_addr))
		memcpy(&((struct sockaddr_in6 *)&ss)->sin6_addr, mnl_attr_get_payload(attr), len);
	else
		return false;
	return addr_from_sockaddr(ret, &ss) == 0;
}

/* The gateway of an IPv4 route may be an IPv6 address. */
static bool read_via(struct addr *ret, const struct nlattr *const attrs[], int family)
{
	const struct rtvia *via;

	if (attrs[RTA_GATEWAY])
		return read_addr(ret, attrs[RTA_GATEWAY], family);
	if (!attrs[RTA_VIA] ||
	    mnl_attr_get_payload_len(attrs[RTA_VIA]) != sizeof(*via) + sizeof(struct in6_addr))
		return false;
	via = mnl_attr_get_payload(attrs[RTA_VIA]);
	memcpy(ret->bytes, via->rtvia_addr, sizeof(ret->bytes));
	return via->rtvia_family == AF_INET6;
}

/* The legs of a route that has several. */
static void list_legs(struct hops *hops, const struct nlattr *multipath, int family)
{
	const struct rtnexthop *leg = mnl_attr_get_payload(multipath);
	int left = mnl_attr_get_payload_len(multipath);

	while (RTNH_OK(leg, left)) {
		const struct nlattr *attrs[IFLA_MAX + 1] = { NULL };
		size_t header = RTNH_LENGTH(0);
		struct addr addr;

		mnl_attr_parse_payload((const char *)leg + header, leg->rtnh_len - header,
				       keep_attr, attrs);
		if (read_via(&addr, attrs, family))
			add_hop(hops, &addr, (uint32_t)leg->rtnh_ifindex);
		left -= RTNH_ALIGN(leg->rtnh_len);
		leg = RTNH_NEXT(leg);
	}
}

static int list_route(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(h);
	const struct nlattr *attrs[IFLA_MAX + 1] = { NULL };
	struct hops *hops = arg;
	struct addr addr;

	if (h->nlmsg_type != RTM_NEWROUTE || route->rtm_type != RTN_UNICAST)
		return MNL_CB_OK;
	mnl_attr_parse(h, sizeof(*route), keep_attr, attrs);
	if (attrs[RTA_MULTIPATH])
		list_legs(hops, attrs[RTA_MULTIPATH], route->rtm_family);
	if (!attrs[RTA_OIF])
		return MNL_CB_OK;
	if (read_via(&addr, attrs, route->rtm_family))
		add_hop(hops, &addr, mnl_attr_get_u32(attrs[RTA_OIF]));
	else if (hops->single)
		add_hop(hops, &hops->to, mnl_attr_get_u32(attrs[RTA_OIF]));
	return MNL_CB_OK;
}

static void put_addr(struct nlmsghdr *h, uint16_t type, const struct addr *addr)
{
	size_t skip = addr_is_v4(addr) ? sizeof(addr->bytes) - sizeof(struct in_addr) : 0;

	mnl_attr_put(h, type, sizeof(addr->bytes) - skip, addr->bytes + skip);
}

static void find_hop(struct network *network, struct hops *hops, const struct addr *to)
{
	char buf[REQUEST_LEN] = { 0 };
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct rtmsg *route;

	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = NLM_F_REQUEST;
	route = mnl_nlmsg_put_extra_header(h, sizeof(*route));
	route->rtm_family = addr_is_v4(to) ? AF_INET : AF_INET6;
	route->rtm_dst_len = addr_is_v4(to) ? 32 : 128;
	put_addr(h, RTA_DST, to);
	hops->to = *to;
	hops->single = true;
	ask(network, h, list_route, hops);
}

static void find_routers(struct network *network, struct hops *hops, unsigned char family)
{
	char buf[REQUEST_LEN] = { 0 };
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct rtmsg *route;

	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	route = mnl_nlmsg_put_extra_header(h, sizeof(*route));
	route->rtm_family = family;
	hops->single = false;
	ask(network, h, list_route, hops);
}

/* Begin a message about the hop as a neighbour. */
static struct nlmsghdr *put_hop(char *buf, uint16_t type, const struct hop *hop)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ndmsg *neighbour;

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST;
	neighbour = mnl_nlmsg_put_extra_header(h, sizeof(*neighbour));
	neighbour->ndm_family = addr_is_v4(&hop->addr) ? AF_INET : AF_INET6;
	neighbour->ndm_ifindex = (int)hop->ifindex;
	put_addr(h, NDA_DST, &hop->addr);
	return h;
}

static int read_state(const struct nlmsghdr *h, void *arg)
{
	uint16_t *state = arg;

	if (h->nlmsg_type == RTM_NEWNEIGH)
		*state = ((const struct ndmsg *)mnl_nlmsg_get_payload(h))->ndm_state;
	return MNL_CB_OK;
}

static int ignore(const struct nlmsghdr *h, void *arg)
{
	(void)h;
	(void)arg;
	return MNL_CB_OK;
}

/* An address that the operator has fixed needs no care, and would lose its permanence by it. */
static void keep_hop(struct network *network, const struct hop *hop)
{
	char buf[REQUEST_LEN] = { 0 };
	struct nlmsghdr *h = put_hop(buf, RTM_GETNEIGH, hop);
	uint16_t state = NUD_NONE;

	ask(network, h, read_state, &state);
	if (state & (NUD_PERMANENT | NUD_NOARP))
		return;
	memset(buf, 0, sizeof(buf));
	h = put_hop(buf, RTM_NEWNEIGH, hop);
	h->nlmsg_flags |= NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
	mnl_attr_put_u32(h, NDA_FLAGS_EXT, NEIGH_FLAGS);
	/* Devices without link addresses have no neighbours, and say so. */
	ask(network, h, ignore, NULL);
}

void network_keep_next_hops(struct network *network, const struct addr addrs[], uint32_t n)
{
	CLEANUP(free_p) struct hop *list = calloc(HOPS_MAX, sizeof(*list));
	struct hops hops = { .hops = list };

	if (!list)
		return;
	for (uint32_t i = 0; i < n; i++)
		find_hop(network, &hops, &addrs[i]);
	find_routers(network, &hops, AF_INET);
	find_routers(network, &hops, AF_INET6);
	for (uint32_t i = 0; i < hops.n; i++)
		keep_hop(network, &hops.hops[i]);
}
