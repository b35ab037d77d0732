// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * client - what shell tools cannot tell: which connection attempt was the first to be refused, and
 * when it was sent; what became of a datagram, and of so many attempts, no fewer on a busy machine.
 *
 *   client refused ADDR PORT   connect over and over until refused; prints the microseconds since
 *                              1970 at which that attempt was begun and at which it had failed
 *   client udp ADDR PORT [BYTES]
 *                              send a datagram, of one byte if not said otherwise; prints "answered",
 *                              "refused", "silent" or, if not the same came back, "garbled"
 *   client attempts ADDR PORT COUNT MS FROM
 *                              begin COUNT attempts to connect, from the ports FROM and those that follow, and then
 *                              give all of them MS; prints what came of each: "answered", "connected", "silent" or the
 *                              error
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/addr.h"
#include "util/clock.h"

#define GIVE_UP_US (20 * US_PER_SEC)
#define UDP_WAIT_MS 1000
#define DATAGRAM_MAX 8192
#define ATTEMPTS_MAX 64

/*
 * A server that cannot keep up with accepting leaves a SYN unanswered, and the client's kernel
 * repeats it only after a second: rather begin another attempt.
 */
#define CONNECT_WAIT_US 2000

static const char *describe_answer(int fd, const uint8_t *sent, size_t n_sent)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	uint8_t got[DATAGRAM_MAX];
	ssize_t n;

	if (poll(&poll_fd, 1, UDP_WAIT_MS) <= 0)
		return "silent";
	n = recv(fd, got, sizeof(got), 0);
	if (n < 0)
		return errno == ECONNREFUSED ? "refused" : strerror(errno);
	return (size_t)n == n_sent && !memcmp(got, sent, n_sent) ? "answered" : "garbled";
}

static int send_datagram(const struct sockaddr_storage *ss, socklen_t len, size_t n)
{
	int fd = socket(ss->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint8_t data[DATAGRAM_MAX];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	if (n > sizeof(data) || fd < 0 || connect(fd, (const struct sockaddr *)ss, len) < 0 ||
	    send(fd, data, n, 0) < 0)
		return EXIT_FAILURE;
	puts(describe_answer(fd, data, n));
	close(fd);
	return EXIT_SUCCESS;
}

static int connect_until_refused(const struct sockaddr_storage *ss, socklen_t len)
{
	uint64_t first = clock_wall_us();

	for (;;) {
		int fd = socket(ss->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		struct timeval wait = { .tv_usec = CONNECT_WAIT_US };
		struct linger reset = { .l_onoff = 1 };
		uint64_t begun = clock_wall_us();

		if (fd < 0 || begun - first > GIVE_UP_US)
			return EXIT_FAILURE;
		/* No TIME_WAIT: the ports would run out. */
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
		if (connect(fd, (const struct sockaddr *)ss, len) < 0 && errno != EINPROGRESS) {
			if (errno != ECONNREFUSED)
				return EXIT_FAILURE;
			printf("%llu %llu\n", (unsigned long long)begun,
			       (unsigned long long)clock_wall_us());
			return EXIT_SUCCESS;
		}
		close(fd);
	}
}

static int bind_to(int fd, sa_family_t family, uint16_t port)
{
	/* sin_port and sin6_port are at the same place. */
	struct sockaddr_in6 any = { .sin6_family = family, .sin6_port = htons(port) };

	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) < 0 ||
			       bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0
		       ? -1
		       : 0;
}

/* Returns the socket, or -1 if the attempt was over at once, which is told. */
static int begin_attempt(const struct sockaddr_storage *ss, socklen_t len, uint16_t from)
{
	int fd = socket(ss->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && !bind_to(fd, ss->ss_family, from) &&
	    (!connect(fd, (const struct sockaddr *)ss, len) || errno == EINPROGRESS))
		return fd;
	puts(strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static const char *describe_attempt(int fd, short events)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer), error_len = sizeof(int);
	int error = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) < 0 || error)
		return strerror(error ? error : errno);
	if (events & POLLIN)
		return "answered";
	return getpeername(fd, (struct sockaddr *)&peer, &len) < 0 ? "silent" : "connected";
}

static void end_attempt(struct pollfd *attempt)
{
	puts(describe_attempt(attempt->fd, attempt->revents));
	close(attempt->fd);
	attempt->fd = -1; /* which poll() passes over */
}

static int attempt(const struct sockaddr_storage *ss, socklen_t len, size_t n, uint64_t wait_ms,
		   uint16_t from)
{
	struct pollfd attempts[ATTEMPTS_MAX];
	uint64_t now_ns, end_ns;
	size_t n_open = 0;

	if (n > ATTEMPTS_MAX)
		return EXIT_FAILURE;
	for (size_t i = 0; i < n; i++) {
		attempts[i] = (struct pollfd){ .fd = begin_attempt(ss, len, (uint16_t)(from + i)),
					       .events = POLLIN };
		n_open += attempts[i].fd >= 0;
	}
	end_ns = clock_mono_ns() + wait_ms * NS_PER_MS;
	while (n_open && (now_ns = clock_mono_ns()) < end_ns) {
		if (poll(attempts, n, (int)((end_ns - now_ns) / NS_PER_MS) + 1) <= 0)
			continue;
		for (size_t i = 0; i < n; i++)
			if (attempts[i].fd >= 0 && attempts[i].revents) {
				end_attempt(&attempts[i]);
				n_open--;
			}
	}
	for (size_t i = 0; i < n; i++)
		if (attempts[i].fd >= 0)
			end_attempt(&attempts[i]);
	return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	struct sockaddr_storage ss;
	struct addr addr;
	socklen_t len;

	if (argc < 4 || argc > 7 || addr_parse(&addr, argv[2]) < 0)
		return EXIT_FAILURE;
	len = addr_to_sockaddr(&ss, &addr, (uint16_t)strtoul(argv[3], NULL, 10));
	if (!strcmp(argv[1], "udp"))
		return send_datagram(&ss, len, argc > 4 ? strtoul(argv[4], NULL, 10) : 1);
	if (!strcmp(argv[1], "attempts") && argc == 7)
		return attempt(&ss, len, strtoul(argv[4], NULL, 10), strtoul(argv[5], NULL, 10),
			       (uint16_t)strtoul(argv[6], NULL, 10));
	return connect_until_refused(&ss, len);
}
