// SPDX-License-Identifier: GPL-2.0-or-later
#include "survey/halfopen.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "util/cleanup.h"
#include "util/clock.h"

/* For the SYN to arrive and be kept, and for what is said to another one. */
#define SYN_WAIT_NS (300 * NS_PER_MS)
#define PACKET_MAX 2048
#define PSEUDO_MAX 40
#define WINDOW 1024
#define V4_AT 12 /* of an address in a v4-mapped one */

struct ends {
	struct addr from;
	uint16_t from_port;
	bool v4;
};

/* The pseudo header and the segment. Words are added as they lie in memory. */
static uint16_t checksum(const struct way *way, const struct ends *ends, const struct tcphdr *tcp)
{
	uint8_t data[PSEUDO_MAX + sizeof(*tcp)] = { 0 };
	size_t addr_at = ends->v4 ? V4_AT : 0, addr_len = SL_ADDR_LEN - addr_at, len = 0;
	uint32_t sum = sizeof(*tcp) + IPPROTO_TCP;

	memcpy(data, ends->from.bytes + addr_at, addr_len);
	memcpy(data + addr_len, way->to.bytes + addr_at, addr_len);
	len = 2 * addr_len;
	memcpy(data + len, tcp, sizeof(*tcp));
	len += sizeof(*tcp);
	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)(data[i] << 8 | data[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static int send_stray(int raw, const struct way *way, const struct ends *ends, bool syn)
{
	struct tcphdr tcp = {
		.source = htons(ends->from_port),
		.dest = htons(way->port),
		.doff = sizeof(tcp) / 4,
		.syn = syn,
		.ack = !syn,
		.window = htons(WINDOW),
	};

	/* Numbers of chance lie outside of the window but once in many thousand times. */
	if (getrandom(&tcp.seq, sizeof(tcp.seq), 0) < 0 ||
	    (!syn && getrandom(&tcp.ack_seq, sizeof(tcp.ack_seq), 0) < 0))
		return -errno;
	tcp.check = checksum(way, ends, &tcp);
	return send(raw, &tcp, sizeof(tcp), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* What a segment that came in says; a raw socket is shown those of everybody. */
static bool judge(enum halfopen *ret_answer, const struct way *way, const struct ends *ends,
		  const uint8_t *data, size_t len)
{
	size_t skip = ends->v4 && len ? (size_t)(data[0] & 0xf) * 4 : 0;
	struct tcphdr tcp;

	if (len < skip + sizeof(tcp))
		return false;
	memcpy(&tcp, data + skip, sizeof(tcp));
	if (tcp.source != htons(way->port) || tcp.dest != htons(ends->from_port))
		return false;
	*ret_answer = tcp.rst   ? HALFOPEN_UNKNOWN_THERE
		      : tcp.syn ? HALFOPEN_ANSWERED
				: HALFOPEN_KEPT;
	return true;
}

static int listen_to(enum halfopen *ret_answer, int raw, const struct way *way,
		     const struct ends *ends, uint64_t until_ns)
{
	struct pollfd fd = { .fd = raw, .events = POLLIN };
	uint8_t data[PACKET_MAX];
	int r;

	while (clock_mono_ns() < until_ns) {
		ssize_t n;

		r = way_wait(&fd, 1, until_ns);
		if (r < 0)
			return r;
		n = r ? recv(raw, data, sizeof(data), MSG_DONTWAIT) : 0;
		if (n > 0 && judge(ret_answer, way, ends, data, (size_t)n))
			return true;
	}
	return false;
}

static int send_syn(struct ends *ends, int *ret_fd, const struct way *way)
{
	struct sockaddr_storage name = { 0 };
	socklen_t len = sizeof(name);
	CLEANUP(close_p) int fd = -1;
	int r;

	r = way_socket(&fd, way, SOCK_STREAM, 0);
	if (r == 0)
		r = way_connect(fd, way, way->port);
	if (r < 0)
		return r;
	if (getsockname(fd, (struct sockaddr *)&name, &len) < 0)
		return -errno;
	r = addr_from_sockaddr(&ends->from, &name);
	if (r < 0)
		return r;
	/* The port lies at the same place for both families. */
	ends->from_port = ntohs(((struct sockaddr_in *)&name)->sin_port);
	*ret_fd = take_fd(fd);
	return 0;
}

int halfopen_ask(enum halfopen *ret_answer, const struct way *way, uint32_t wait_ms)
{
	struct ends ends = { .v4 = addr_is_v4(&way->to) };
	CLEANUP(close_p) int fd = -1;
	CLEANUP(close_p) int raw = -1;
	int r;

	*ret_answer = HALFOPEN_UNASKED;
	r = way_socket(&raw, way, SOCK_RAW, IPPROTO_TCP);
	if (r == -EPERM || r == -EACCES)
		return 0;
	/* A connected raw socket is shown what the target sends, and nothing else. */
	if (r == 0)
		r = way_connect(raw, way, 0);
	if (r == 0)
		r = send_syn(&ends, &fd, way);
	if (r < 0)
		return r;
	r = listen_to(ret_answer, raw, way, &ends, clock_mono_ns() + SYN_WAIT_NS);
	if (r != 0)
		return r < 0 ? r : 0;
	*ret_answer = HALFOPEN_SILENT;
	r = send_stray(raw, way, &ends, true);
	if (r == 0)
		r = listen_to(ret_answer, raw, way, &ends, clock_mono_ns() + SYN_WAIT_NS);
	if (r != 0)
		return r < 0 ? r : 0;
	r = send_stray(raw, way, &ends, false);
	if (r == 0)
		r = listen_to(ret_answer, raw, way, &ends, clock_mono_ns() + wait_ms * NS_PER_MS);
	return r < 0 ? r : 0;
}
