// SPDX-License-Identifier: GPL-2.0-or-later
#include "survey/walk.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/clock.h"

/* Nobody listens on ports from here on: the custom of traceroute. */
#define OTHER_PORT 33434

struct walking {
	const struct way *way;
	bool stream;
	uint32_t n_open;
	struct pollfd fds[WALK_MAX];
	uint64_t start_ns[WALK_MAX];
};

static bool is_spent(const struct way *way, const struct icmp_error *icmp)
{
	return icmp->type == (addr_is_v4(&way->to) ? ICMP_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED);
}

static enum hop_kind kind_of(const struct walking *walking, const struct icmp_error *icmp)
{
	if (is_spent(walking->way, icmp))
		return HOP_ROUTER;
	/* A datagram that the target has no port for has arrived. */
	if (!walking->stream && !memcmp(&icmp->from, &walking->way->to, sizeof(icmp->from)))
		return HOP_TARGET;
	return HOP_REFUSED;
}

/* What the socket's news are: false, none that settle anything. */
static bool settle_one(const struct walking *walking, int fd, struct hop *hop)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	int error = 0;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){ sizeof(error) });
	if (errqueue_take_icmp(fd, &hop->icmp)) {
		hop->kind = kind_of(walking, &hop->icmp);
		return true;
	}
	if (!walking->stream)
		return false;
	if (error == ECONNREFUSED ||
	    (!error && getpeername(fd, (struct sockaddr *)&peer, &len) == 0)) {
		hop->kind = HOP_TARGET;
		return true;
	}
	return error != 0;
}

static void settle(struct walking *walking, struct walk *walk)
{
	for (uint32_t i = 0; i < WALK_MAX; i++) {
		struct pollfd *fd = &walking->fds[i];

		if (fd->fd < 0 || !fd->revents || !settle_one(walking, fd->fd, &walk->hops[i]))
			continue;
		walk->hops[i].rtt_us =
			(uint32_t)((clock_mono_ns() - walking->start_ns[i]) / NS_PER_US);
		way_reset(fd);
		walking->n_open--;
	}
}

static int begin(struct walking *walking, uint32_t i)
{
	const struct way *way = walking->way;
	struct pollfd *fd = &walking->fds[i];
	uint16_t port = walking->stream ? way->port : (uint16_t)(OTHER_PORT + i);
	int r;

	r = way_socket(&fd->fd, way, walking->stream ? SOCK_STREAM : SOCK_DGRAM, 0);
	if (r < 0)
		return r;
	r = way_limit_hops(fd->fd, way, (int)i + 1);
	walking->start_ns[i] = clock_mono_ns();
	fd->events = walking->stream ? POLLOUT : POLLERR;
	if (r == 0)
		r = way_connect(fd->fd, way, port);
	if (r == 0 && !walking->stream && send(fd->fd, "", 0, MSG_NOSIGNAL) < 0)
		r = -errno;
	/* What never leaves is silence. */
	if (r < 0)
		way_reset(fd);
	else
		walking->n_open++;
	return 0;
}

/* Whether all hops up to the target are known. */
static bool is_complete(const struct walk *walk)
{
	for (uint32_t i = 0; i < WALK_MAX && walk->hops[i].kind != HOP_SILENT; i++)
		if (walk->hops[i].kind == HOP_TARGET)
			return true;
	return false;
}

static uint32_t length_of(const struct walk *walk)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < WALK_MAX; i++) {
		if (walk->hops[i].kind != HOP_SILENT)
			n = i + 1;
		if (walk->hops[i].kind == HOP_TARGET || walk->hops[i].kind == HOP_REFUSED)
			break;
	}
	return n;
}

static int run(struct walking *walking, struct walk *walk, uint32_t wait_ms)
{
	uint64_t until_ns = clock_mono_ns() + wait_ms * NS_PER_MS;
	int r;

	for (uint32_t i = 0; i < WALK_MAX; i++) {
		r = begin(walking, i);
		if (r < 0)
			return r;
	}
	while (walking->n_open && !is_complete(walk) && clock_mono_ns() < until_ns) {
		r = way_wait(walking->fds, WALK_MAX, until_ns);
		if (r < 0)
			return r;
		settle(walking, walk);
	}
	return 0;
}

int walk_go(struct walk *ret_walk, const struct way *way, enum walk_kind kind, uint32_t wait_ms)
{
	struct walking walking = { .way = way, .stream = kind == WALK_TRAFFIC && !way->udp };
	struct walk walk = { .done = true };
	int r;

	for (uint32_t i = 0; i < WALK_MAX; i++)
		walking.fds[i].fd = -1;
	r = run(&walking, &walk, wait_ms);
	for (uint32_t i = 0; i < WALK_MAX; i++)
		if (walking.fds[i].fd >= 0)
			way_reset(&walking.fds[i]);
	if (r < 0)
		return r;
	walk.n = length_of(&walk);
	*ret_walk = walk;
	return 0;
}

uint32_t walk_routers(const struct walk *walk)
{
	uint32_t n = 0;

	while (n < walk->n && walk->hops[n].kind == HOP_ROUTER)
		n++;
	return n;
}

bool walk_arrived(const struct walk *walk)
{
	return walk->n && walk->hops[walk->n - 1].kind == HOP_TARGET;
}
