// SPDX-License-Identifier: GPL-2.0-or-later
#include "survey/neighbour.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <time.h>

#include "survey/netlink.h"
#include "util/clock.h"

/* How often the kernel is asked while an answer is outstanding. */
#define LOOK_AGAIN_NS (100 * (long)NS_PER_MS)

static int keep_attr(const struct nlattr *attr, void *arg)
{
	const struct nlattr **attrs = arg;

	if (mnl_attr_get_type(attr) <= NDA_MAX)
		attrs[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static enum neighbour_state state_of(uint16_t state)
{
	if (state & NUD_NOARP)
		return NEIGHBOUR_UNASKED;
	if (state & (NUD_REACHABLE | NUD_PERMANENT))
		return NEIGHBOUR_FRESH;
	if (state & (NUD_STALE | NUD_DELAY | NUD_PROBE))
		return NEIGHBOUR_OLD;
	if (state & NUD_FAILED)
		return NEIGHBOUR_FAILED;
	return state & NUD_INCOMPLETE ? NEIGHBOUR_WAITING : NEIGHBOUR_NONE;
}

static int take(const struct nlmsghdr *h, void *arg)
{
	const struct ndmsg *message = mnl_nlmsg_get_payload(h);
	const struct nlattr *attrs[NDA_MAX + 1] = { NULL };
	struct neighbour *neighbour = arg;

	mnl_attr_parse(h, sizeof(*message), keep_attr, attrs);
	neighbour->state = state_of(message->ndm_state);
	if (attrs[NDA_LLADDR] && mnl_attr_get_payload_len(attrs[NDA_LLADDR]) == NEIGHBOUR_MAC_LEN) {
		neighbour->has_mac = true;
		memcpy(neighbour->mac, mnl_attr_get_payload(attrs[NDA_LLADDR]), NEIGHBOUR_MAC_LEN);
	}
	return MNL_CB_STOP;
}

static struct nlmsghdr *compose(char buf[NETLINK_REQUEST_LEN], uint16_t type,
				const struct addr *addr, unsigned int ifindex, uint16_t state)
{
	struct nlmsghdr *h;
	struct ndmsg *message;

	memset(buf, 0, NETLINK_REQUEST_LEN);
	h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST;
	message = mnl_nlmsg_put_extra_header(h, sizeof(*message));
	message->ndm_family = addr_is_v4(addr) ? AF_INET : AF_INET6;
	message->ndm_ifindex = (int)ifindex;
	message->ndm_state = state;
	netlink_put_addr(h, NDA_DST, addr);
	return h;
}

int neighbour_read(struct neighbour *ret_neighbour, const struct addr *addr, unsigned int ifindex)
{
	char buf[NETLINK_REQUEST_LEN];
	struct neighbour neighbour = { .state = NEIGHBOUR_NONE };
	int r;

	r = netlink_ask(NETLINK_ROUTE, compose(buf, RTM_GETNEIGH, addr, ifindex, 0), take,
			&neighbour);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret_neighbour = neighbour;
	return 0;
}

static int nothing(const struct nlmsghdr *h, void *arg)
{
	(void)h;
	(void)arg;
	return MNL_CB_OK;
}

/* Have the kernel ask at once, instead of after the seconds that it trusts an old entry for. */
static bool ask_again(const struct addr *addr, unsigned int ifindex)
{
	char buf[NETLINK_REQUEST_LEN];
	struct nlmsghdr *h = compose(buf, RTM_NEWNEIGH, addr, ifindex, NUD_PROBE);

	h->nlmsg_flags |= NLM_F_ACK | NLM_F_REPLACE;
	return netlink_ask(NETLINK_ROUTE, h, nothing, NULL) == 0;
}

static bool is_settled(enum neighbour_state state)
{
	return state != NEIGHBOUR_WAITING && state != NEIGHBOUR_OLD;
}

int neighbour_settle(struct neighbour *ret_neighbour, const struct addr *addr, unsigned int ifindex,
		     uint64_t until_ns)
{
	const struct timespec pause = { .tv_nsec = LOOK_AGAIN_NS };
	bool asked = false;
	int r;

	for (;;) {
		r = neighbour_read(ret_neighbour, addr, ifindex);
		if (r < 0 || is_settled(ret_neighbour->state) || clock_mono_ns() >= until_ns)
			return r;
		if (ret_neighbour->state == NEIGHBOUR_OLD && !asked) {
			asked = true;
			ask_again(addr, ifindex);
		}
		nanosleep(&pause, NULL);
	}
}
