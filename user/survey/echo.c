// SPDX-License-Identifier: GPL-2.0-or-later
#include "survey/echo.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/clock.h"

#define V4_HEADER 20u
#define V6_HEADER 40u

/* One request or answer, alike for both families. */
struct echo_header {
	uint8_t type, code;
	uint16_t checksum, id, sequence;
};

struct asking {
	int fd;
	bool v4, raw;
	uint16_t id;
	uint64_t start_ns[ECHO_SHOTS_MAX];
	uint8_t *packet; /* ECHO_PACKET_MAX */
};

static uint32_t ip_header_bytes(bool v4)
{
	return v4 ? V4_HEADER : V6_HEADER;
}

uint32_t echo_min_bytes(const struct way *way)
{
	return ip_header_bytes(addr_is_v4(&way->to)) + (uint32_t)sizeof(struct echo_header);
}

/* The kernel shall neither split packets nor believe what it knows of the way. */
static int set_unsplit(int fd, bool v4)
{
	int probe = v4 ? IP_PMTUDISC_PROBE : IPV6_PMTUDISC_PROBE, on = 1;

	if (v4)
		return setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof(probe));
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_DONTFRAG, &on, sizeof(on)) < 0)
		return -errno;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &probe, sizeof(probe));
}

static int open_socket(struct asking *asking, const struct way *way)
{
	int protocol = asking->v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, r;

	r = way_socket(&asking->fd, way, SOCK_DGRAM, protocol);
	if (r == -EACCES || r == -EPERM || r == -EPROTONOSUPPORT) {
		asking->raw = true;
		r = way_socket(&asking->fd, way, SOCK_RAW, protocol);
	}
	if (r < 0)
		return r;
	if (set_unsplit(asking->fd, asking->v4) < 0)
		return -errno;
	return way_connect(asking->fd, way, 0);
}

static uint16_t checksum(const uint8_t *data, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(data[i] << 8 | data[i + 1]);
	if (len & 1)
		sum += (uint32_t)(data[len - 1] << 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void send_shot(struct asking *asking, const struct echo *echo, uint32_t i)
{
	size_t len = echo->shots[i].packet_bytes - ip_header_bytes(asking->v4);
	struct echo_header header = {
		.type = asking->v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST,
		.id = htons(asking->id),
		.sequence = htons((uint16_t)i),
	};

	memset(asking->packet, 0, len);
	memcpy(asking->packet, &header, sizeof(header));
	/* ICMPv6 has the kernel count its checksum; ping sockets have it too, and do not mind. */
	if (asking->v4) {
		header.checksum = htons(checksum(asking->packet, len));
		memcpy(asking->packet, &header, sizeof(header));
	}
	asking->start_ns[i] = clock_mono_ns();
	/* An error from an earlier shot is reported here, once; what it was is in the queue. */
	if (send(asking->fd, asking->packet, len, MSG_NOSIGNAL) < 0)
		(void)send(asking->fd, asking->packet, len, MSG_NOSIGNAL);
}

static void take_answer(struct asking *asking, struct echo *echo, size_t len)
{
	const uint8_t *data = asking->packet;
	struct echo_header header;
	struct echo_shot *shot;

	/* A raw socket of IPv4 shows the IP header as well. */
	if (asking->raw && asking->v4) {
		size_t skip = len ? (size_t)(data[0] & 0xf) * 4 : 0;

		if (skip > len)
			return;
		data += skip;
		len -= skip;
	}
	if (len < sizeof(header))
		return;
	memcpy(&header, data, sizeof(header));
	if (header.type != (asking->v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY) ||
	    (asking->raw && header.id != htons(asking->id)) || ntohs(header.sequence) >= echo->n)
		return;
	shot = &echo->shots[ntohs(header.sequence)];
	if (shot->answered)
		return;
	shot->answered = true;
	shot->rtt_us = (uint32_t)((clock_mono_ns() - asking->start_ns[ntohs(header.sequence)]) /
				  NS_PER_US);
	echo->n_answered++;
}

static void take_answers(struct asking *asking, struct echo *echo)
{
	ssize_t n;

	for (int i = 0; i < 2 * ECHO_SHOTS_MAX; i++) {
		n = recv(asking->fd, asking->packet, ECHO_PACKET_MAX, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n > 0)
			take_answer(asking, echo, (size_t)n);
	}
}

static int ask(struct asking *asking, struct echo *echo, uint32_t wait_ms)
{
	uint64_t until_ns = clock_mono_ns() + wait_ms * NS_PER_MS;
	struct pollfd fd = { .fd = asking->fd, .events = POLLIN };
	int r;

	for (uint32_t i = 0; i < echo->n; i++)
		send_shot(asking, echo, i);
	while (echo->n_answered < echo->n && clock_mono_ns() < until_ns) {
		r = way_wait(&fd, 1, until_ns);
		if (r < 0)
			return r;
		echo->has_error |= errqueue_take_icmp(asking->fd, &echo->error);
		take_answers(asking, echo);
	}
	return 0;
}

int echo_send(struct echo *echo, const struct way *way, uint32_t wait_ms)
{
	CLEANUP(free_p) uint8_t *packet = malloc(ECHO_PACKET_MAX);
	struct asking asking = {
		.fd = -1, .v4 = addr_is_v4(&way->to), .id = (uint16_t)getpid(), .packet = packet
	};
	int r;

	if (!packet)
		return -ENOMEM;
	echo->n_answered = 0;
	r = open_socket(&asking, way);
	echo->permitted = r != -EPERM && r != -EACCES;
	if (r == 0)
		r = ask(&asking, echo, wait_ms);
	close_p(&asking.fd);
	return echo->permitted ? r : 0;
}
