// SPDX-License-Identifier: GPL-2.0-or-later
#include "survey/route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/ioctl.h>

#include "survey/netlink.h"
#include "util/cleanup.h"

#define HOST_BITS_V4 32
#define HOST_BITS_V6 128

static int keep_attr(const struct nlattr *attr, void *arg)
{
	const struct nlattr **attrs = arg;

	if (mnl_attr_get_type(attr) <= RTA_MAX)
		attrs[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static int keep_mtu(const struct nlattr *attr, void *arg)
{
	if (mnl_attr_get_type(attr) == RTAX_MTU)
		*(uint32_t *)arg = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static enum route_kind kind_of(uint8_t type)
{
	switch (type) {
	case RTN_LOCAL:
		return ROUTE_LOCAL;
	case RTN_UNREACHABLE:
		return ROUTE_UNREACHABLE;
	case RTN_PROHIBIT:
		return ROUTE_PROHIBIT;
	case RTN_BLACKHOLE:
		return ROUTE_BLACKHOLE;
	default:
		return ROUTE_FORWARD;
	}
}

/* A gateway of the other family stands in RTA_VIA, behind its family. */
static bool read_via(struct addr *ret_addr, const struct nlattr *attr)
{
	const struct rtvia *via = attr ? mnl_attr_get_payload(attr) : NULL;

	if (!via || mnl_attr_get_payload_len(attr) < sizeof(*via) + sizeof(ret_addr->bytes) ||
	    via->rtvia_family != AF_INET6)
		return false;
	memcpy(ret_addr->bytes, via->rtvia_addr, sizeof(ret_addr->bytes));
	return true;
}

static int take_route(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *message = mnl_nlmsg_get_payload(h);
	const struct nlattr *attrs[RTA_MAX + 1] = { NULL };
	struct route *route = arg;

	mnl_attr_parse(h, sizeof(*message), keep_attr, attrs);
	route->kind = kind_of(message->rtm_type);
	if (attrs[RTA_OIF])
		route->ifindex = mnl_attr_get_u32(attrs[RTA_OIF]);
	route->has_gateway = netlink_get_addr(&route->gateway, attrs[RTA_GATEWAY]) ||
			     read_via(&route->gateway, attrs[RTA_VIA]);
	route->has_source = netlink_get_addr(&route->source, attrs[RTA_PREFSRC]);
	if (attrs[RTA_METRICS])
		mnl_attr_parse_nested(attrs[RTA_METRICS], keep_mtu, &route->mtu);
	return MNL_CB_STOP;
}

/* What fib_lookup() answers with for routes that are no way. */
static bool is_no_way(int error, enum route_kind *ret_kind)
{
	switch (error) {
	case -ENETUNREACH:
		*ret_kind = ROUTE_NONE;
		return true;
	case -EHOSTUNREACH:
		*ret_kind = ROUTE_UNREACHABLE;
		return true;
	case -EACCES:
		*ret_kind = ROUTE_PROHIBIT;
		return true;
	case -EINVAL:
		*ret_kind = ROUTE_BLACKHOLE;
		return true;
	case -EADDRNOTAVAIL:
	case -ENODEV:
		*ret_kind = ROUTE_NO_SOURCE;
		return true;
	default:
		return false;
	}
}

/* Name, carrier and MTU of the device. */
static void look_at_device(struct route *route)
{
	CLEANUP(close_p) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { 0 };

	if (fd < 0 || !route->ifindex || !if_indextoname(route->ifindex, route->device))
		return;
	memcpy(request.ifr_name, route->device, sizeof(request.ifr_name));
	if (ioctl(fd, SIOCGIFFLAGS, &request) == 0)
		route->has_carrier = (request.ifr_flags & IFF_RUNNING) != 0;
	if (!route->mtu && ioctl(fd, SIOCGIFMTU, &request) == 0)
		route->mtu = (uint32_t)request.ifr_mtu;
}

/* Whether what was asked to leave by is this host's: the routes do not say so in every case. */
static bool can_leave(const struct way *way)
{
	CLEANUP(close_p) int fd = -1;
	int r = way_socket(&fd, way, SOCK_DGRAM, 0);

	return r != -EADDRNOTAVAIL && r != -ENODEV;
}

int route_find(struct route *ret_route, const struct way *way)
{
	bool v4 = addr_is_v4(&way->to);
	char buf[NETLINK_REQUEST_LEN] = { 0 };
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct route route = { .kind = ROUTE_NONE, .has_carrier = true };
	struct rtmsg *message;
	int r;

	if (!can_leave(way)) {
		route.kind = ROUTE_NO_SOURCE;
		*ret_route = route;
		return 0;
	}
	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = NLM_F_REQUEST;
	message = mnl_nlmsg_put_extra_header(h, sizeof(*message));
	message->rtm_family = v4 ? AF_INET : AF_INET6;
	message->rtm_dst_len = v4 ? HOST_BITS_V4 : HOST_BITS_V6;
	netlink_put_addr(h, RTA_DST, &way->to);
	if (way->has_from) {
		message->rtm_src_len = message->rtm_dst_len;
		netlink_put_addr(h, RTA_SRC, &way->from);
	}
	if (way->device[0])
		mnl_attr_put_u32(h, RTA_OIF, if_nametoindex(way->device));
	if (way->mark)
		mnl_attr_put_u32(h, RTA_MARK, way->mark);

	r = netlink_ask(NETLINK_ROUTE, h, take_route, &route);
	if (r < 0 && !is_no_way(r, &route.kind))
		return r;
	if (way->has_from && !route.has_source) {
		route.has_source = true;
		route.source = way->from;
	}
	look_at_device(&route);
	*ret_route = route;
	return 0;
}

const struct addr *route_next(const struct route *route, const struct way *way)
{
	return route->has_gateway ? &route->gateway : &way->to;
}
