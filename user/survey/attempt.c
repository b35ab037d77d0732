// SPDX-License-Identifier: GPL-2.0-or-later
#include "survey/attempt.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/clock.h"

/* Between two attempts, so that a small queue of the server is not filled by us. */
#define SPACING_NS (20 * NS_PER_MS)

struct trial {
	struct pollfd *fds;
	uint64_t *start_ns;
	uint32_t n_open;
};

static void add_time(struct attempt_tally *attempts, uint64_t start_ns)
{
	uint32_t us = (uint32_t)((clock_mono_ns() - start_ns) / NS_PER_US);

	if (!attempts->answered || us < attempts->min_us)
		attempts->min_us = us;
	if (us > attempts->max_us)
		attempts->max_us = us;
	attempts->sum_us += us;
	attempts->answered++;
}

/* The target itself says that nobody has the datagram's port. */
static bool is_closed_port(const struct way *way, const struct icmp_error *icmp)
{
	bool v4 = addr_is_v4(&way->to);

	return way->udp && !memcmp(&icmp->from, &way->to, sizeof(way->to)) &&
	       icmp->type == (v4 ? ICMP_DEST_UNREACH : ICMP6_DST_UNREACH) &&
	       icmp->code == (v4 ? ICMP_PORT_UNREACH : ICMP6_DST_UNREACH_NOPORT);
}

static void count_failure(struct attempt_tally *attempts, const struct way *way, int fd,
			  int os_errno)
{
	struct icmp_error icmp;

	if (errqueue_take_icmp(fd, &icmp)) {
		attempts->error = icmp;
		if (is_closed_port(way, &icmp))
			attempts->refused++;
		else
			attempts->icmp++;
	} else if (os_errno == ECONNREFUSED || os_errno == ECONNRESET) {
		attempts->refused++;
	} else if (os_errno == ETIMEDOUT) {
		attempts->silent++;
	} else {
		attempts->os_errno = os_errno;
		attempts->local++;
	}
}

/* Whether the connection has come to an end, good or bad. */
static bool settle_stream(struct attempt_tally *attempts, const struct way *way, int fd,
			  uint64_t start_ns)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	int error = 0;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){ sizeof(error) });
	if (error)
		count_failure(attempts, way, fd, error);
	else if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0)
		add_time(attempts, start_ns);
	else
		return false;
	return true;
}

static bool settle_datagram(struct attempt_tally *attempts, const struct way *way, int fd,
			    uint64_t start_ns)
{
	uint8_t data[1];
	ssize_t n = recv(fd, data, sizeof(data), MSG_DONTWAIT | MSG_TRUNC);

	if (n >= 0)
		add_time(attempts, start_ns);
	else if (errno == EAGAIN || errno == EINTR)
		return false;
	else
		count_failure(attempts, way, fd, errno);
	return true;
}

static void settle(struct attempt_tally *attempts, const struct way *way, struct trial *trial)
{
	for (uint32_t i = 0; i < attempts->sent; i++) {
		struct pollfd *fd = &trial->fds[i];

		if (fd->fd < 0 || !fd->revents)
			continue;
		if (way->udp ? !settle_datagram(attempts, way, fd->fd, trial->start_ns[i])
			     : !settle_stream(attempts, way, fd->fd, trial->start_ns[i]))
			continue;
		way_reset(fd);
		trial->n_open--;
	}
}

static int begin(struct attempt_tally *attempts, const struct way *way, struct trial *trial)
{
	struct pollfd *fd = &trial->fds[attempts->sent];
	int r;

	r = way_socket(&fd->fd, way, way->udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	/* The address or the device to leave by is not there: that is an outcome. */
	if (r == -EADDRNOTAVAIL || r == -ENODEV) {
		fd->fd = -1;
		attempts->sent++;
		attempts->local++;
		attempts->os_errno = -r;
		return 0;
	}
	if (r < 0)
		return r;
	fd->events = way->udp ? POLLIN : POLLOUT;
	trial->start_ns[attempts->sent++] = clock_mono_ns();
	r = way_connect(fd->fd, way, way->port);
	if (r == 0 && way->udp && send(fd->fd, "", 0, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
		r = -errno;
	if (r < 0) {
		count_failure(attempts, way, fd->fd, -r);
		way_reset(fd);
		return 0;
	}
	trial->n_open++;
	return 0;
}

static int watch(struct attempt_tally *attempts, const struct way *way, struct trial *trial,
		 uint64_t until_ns)
{
	int r;

	while (trial->n_open && clock_mono_ns() < until_ns) {
		r = way_wait(trial->fds, attempts->sent, until_ns);
		if (r < 0)
			return r;
		settle(attempts, way, trial);
	}
	return 0;
}

static int run(struct attempt_tally *attempts, const struct way *way, struct trial *trial,
	       uint32_t count, uint32_t wait_ms)
{
	uint64_t next_ns = clock_mono_ns(), until_ns = next_ns + wait_ms * NS_PER_MS;
	uint64_t spacing_ns = wait_ms * NS_PER_MS / 2 / count;
	int r;

	if (spacing_ns > SPACING_NS)
		spacing_ns = SPACING_NS;
	while (attempts->sent < count) {
		r = begin(attempts, way, trial);
		if (r < 0)
			return r;
		next_ns += spacing_ns;
		r = watch(attempts, way, trial, next_ns);
		if (r < 0)
			return r;
	}
	return watch(attempts, way, trial, until_ns);
}

int attempts_make(struct attempt_tally *ret_attempts, const struct way *way, uint32_t count,
		  uint32_t wait_ms)
{
	CLEANUP(free_p) struct pollfd *fds = calloc(count, sizeof(*fds));
	CLEANUP(free_p) uint64_t *start_ns = calloc(count, sizeof(*start_ns));
	struct trial trial = { .fds = fds, .start_ns = start_ns };
	struct attempt_tally attempts = { 0 };
	int r;

	if (!fds || !start_ns)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		fds[i].fd = -1;
	r = run(&attempts, way, &trial, count, wait_ms);
	attempts.silent += trial.n_open;
	for (uint32_t i = 0; i < count; i++)
		if (fds[i].fd >= 0)
			way_reset(&fds[i]);
	if (r < 0)
		return r;
	*ret_attempts = attempts;
	return 0;
}
