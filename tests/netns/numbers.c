// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * numbers - was any datagram lost? Each carries its number.
 *
 *   numbers send ADDR PORT COUNT RATE   0 .. COUNT - 1, so many a second, over a few flows in turn; prints
 *                                       how many were sent
 *   numbers receive PORT COUNT          until SIGTERM; answers the first of each flow, prints how many
 *                                       numbers came, and how many datagrams brought one again
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/addr.h"
#include "util/clock.h"

#define FLOWS 16
#define BATCH 32
#define BREATH_US 200
#define ROOM (256 << 20) /* for what comes while nobody reads */
#define COUNT_MAX (1u << 24)

static volatile sig_atomic_t is_over;

static void on_term(int signal)
{
	(void)signal;
	is_over = 1;
}

static int send_all(const int fds[FLOWS], uint32_t count, uint64_t rate)
{
	uint64_t begun_us = clock_mono_ns() / NS_PER_US;
	uint32_t n = 0;

	while (n < count) {
		if (n > (clock_mono_ns() / NS_PER_US - begun_us) * rate / US_PER_SEC) {
			usleep(BREATH_US);
			continue;
		}
		for (int i = 0; i < BATCH && n < count; i++)
			if (send(fds[n % FLOWS], &n, sizeof(n), 0) == sizeof(n))
				n++;
	}
	printf("%u\n", n);
	return EXIT_SUCCESS;
}

static int run_send(char *argv[])
{
	struct sockaddr_storage ss;
	struct addr addr;
	int fds[FLOWS];
	socklen_t len;

	if (addr_parse(&addr, argv[2]) < 0)
		return EXIT_FAILURE;
	len = addr_to_sockaddr(&ss, &addr, (uint16_t)strtoul(argv[3], NULL, 10));
	for (int i = 0; i < FLOWS; i++) {
		fds[i] = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (fds[i] < 0 || connect(fds[i], (struct sockaddr *)&ss, len) < 0)
			return EXIT_FAILURE;
	}
	return send_all(fds, (uint32_t)strtoul(argv[4], NULL, 10), strtoul(argv[5], NULL, 10));
}

static int receive_all(int fd, uint32_t count)
{
	bool *seen = calloc(count, sizeof(*seen));
	uint32_t n = 0, again = 0;

	if (!seen)
		return EXIT_FAILURE;
	while (!is_over) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		uint32_t number;

		if (recvfrom(fd, &number, sizeof(number), 0, (struct sockaddr *)&from, &len) !=
			    sizeof(number) ||
		    number >= count)
			continue;
		if (number < FLOWS)
			sendto(fd, &number, sizeof(number), 0, (struct sockaddr *)&from, len);
		again += seen[number];
		n += !seen[number];
		seen[number] = true;
	}
	printf("%u %u\n", n, again);
	free(seen);
	return EXIT_SUCCESS;
}

static int run_receive(char *argv[])
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	struct sigaction term = { .sa_handler =
					  on_term }; /* without SA_RESTART: it ends the waiting */
	uint32_t count = (uint32_t)strtoul(argv[3], NULL, 10);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = ROOM;

	any.sin6_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	sigaction(SIGTERM, &term, NULL);
	if (!count || count > COUNT_MAX || fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0 ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		return EXIT_FAILURE;
	return receive_all(fd, count);
}

int main(int argc, char *argv[])
{
	if (argc == 6 && !strcmp(argv[1], "send"))
		return run_send(argv);
	if (argc == 4 && !strcmp(argv[1], "receive"))
		return run_receive(argv);
	return EXIT_FAILURE;
}
