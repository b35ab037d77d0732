// SPDX-License-Identifier: GPL-2.0-or-later
#include "l7/hold.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "l7/talk.h"
#include "util/cleanup.h"

#define ASK "_getsocks\n"
#define BATCH_MAX 252 /* sockets in a message: fixed by HAProxy, as the kernel bounds it */

/* What is said of each: the lengths of a namespace's and an interface's name, both none, and four bytes of nothing. */
#define ABOUT_BYTES 6

#define MIN(a, b) ((a) < (b) ? (a) : (b))

/* Room for the sockets of a message; of what is said of them nothing is kept. */
struct message {
	struct msghdr header;
	struct iovec iov;
	char about[BATCH_MAX * ABOUT_BYTES];
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(BATCH_MAX * sizeof(int))];
};

static void message_init(struct message *message)
{
	memset(message, 0, sizeof(*message));
	message->iov = (struct iovec){ message->about, sizeof(message->about) };
	message->header = (struct msghdr){
		.msg_iov = &message->iov,
		.msg_iovlen = 1,
		.msg_control = message->control,
		.msg_controllen = sizeof(message->control),
	};
}

static void close_all(const int fds[], uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		close(fds[i]);
}

void hold_release(struct hold *hold)
{
	close_all(hold->fds, hold->n);
	free(hold->fds);
	*hold = (struct hold){ .fds = NULL };
}

/* Of a socket that listens, the kernel tells in these fields who waits, and how many may. */
uint64_t hold_waiting(const struct hold *hold)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < hold->n; i++) {
		struct tcp_info info = { .tcpi_state = TCP_CLOSE };
		socklen_t len = sizeof(info);

		if (getsockopt(hold->fds[i], IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
		    info.tcpi_state == TCP_LISTEN)
			n += info.tcpi_unacked;
	}
	return n;
}

/* --- taken from a process --------------------------------------------------------------------- */

/* HAProxy gives the sockets of its commands, too. */
static bool is_of_clients(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr), size = sizeof(int);
	int listens = 0;

	return getsockname(fd, (struct sockaddr *)&addr, &len) == 0 &&
	       (addr.ss_family == AF_INET || addr.ss_family == AF_INET6) &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens;
}

/* Those of one message, of at most *left: into taken, but for those that nobody needs. */
static int receive(int from, struct hold *taken, int *left)
{
	struct message message;
	struct cmsghdr *c;
	ssize_t got;
	size_t n = 0;

	message_init(&message);
	got = recvmsg(from, &message.header, MSG_CMSG_CLOEXEC);
	if (got < 0)
		return errno == EINTR ? 0 : -errno;
	for (c = CMSG_FIRSTHDR(&message.header); c; c = CMSG_NXTHDR(&message.header, c)) {
		int fds[BATCH_MAX];

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = MIN((c->cmsg_len - CMSG_LEN(0)) / sizeof(int), BATCH_MAX);
		memcpy(fds, CMSG_DATA(c), n * sizeof(int));
		for (size_t i = 0; i < n; i++) {
			if ((int)i < *left && is_of_clients(fds[i]))
				taken->fds[taken->n++] = fds[i];
			else
				close(fds[i]);
		}
		*left -= (int)MIN(n, (size_t)*left);
	}
	if (got == 0)
		return -EPROTO;
	/* Who has given all may have gone. */
	if (send(from, &(int){ 0 }, sizeof(int), MSG_NOSIGNAL) < 0 && *left)
		return -errno;
	return 0;
}

int hold_take(struct hold *hold, const char *path)
{
	CLEANUP(close_p) int from = talk_reach(path);
	struct hold taken = { .fds = NULL };
	int n, r;

	if (from < 0)
		return from;
	if (send(from, ASK, strlen(ASK), MSG_NOSIGNAL) < 0)
		return -errno;
	/* One that may not give them closes. */
	if (recv(from, &n, sizeof(n), MSG_WAITALL) != sizeof(n) || n < 0 || n > HOLD_MAX)
		return -EPROTO;
	taken.fds = calloc((size_t)n + 1, sizeof(*taken.fds));
	r = taken.fds ? 0 : -ENOMEM;
	while (r == 0 && n)
		r = receive(from, &taken, &n);
	if (r < 0) {
		hold_release(&taken);
		return r;
	}
	hold_release(hold);
	*hold = taken;
	return 0;
}

/* --- given to the next ------------------------------------------------------------------------ */

int hold_offer(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP(close_p) int fd = -1;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(path, 0600) < 0 || listen(fd, 1) < 0)
		return -errno;
	return take_fd(fd);
}

static int send_batch(int to, const int fds[], uint32_t n)
{
	struct message message;
	struct cmsghdr *c;

	message_init(&message);
	message.iov.iov_len = n * ABOUT_BYTES;
	message.header.msg_controllen = CMSG_SPACE(n * sizeof(int));
	c = CMSG_FIRSTHDR(&message.header);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	return sendmsg(to, &message.header, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int hold_give(const struct hold *hold, int offer)
{
	CLEANUP(close_p) int to = accept4(offer, NULL, NULL, SOCK_CLOEXEC);
	char asked[sizeof(ASK) - 1];
	int n = (int)hold->n, r, ack;

	if (to < 0)
		return -errno;
	r = talk_bound(to);
	if (r < 0)
		return r;
	if (recv(to, asked, sizeof(asked), MSG_WAITALL) != sizeof(asked) ||
	    memcmp(asked, ASK, sizeof(asked)) != 0)
		return -EPROTO;
	if (send(to, &n, sizeof(n), MSG_NOSIGNAL) < 0)
		return -errno;
	for (uint32_t at = 0; at < hold->n && r == 0; at += BATCH_MAX) {
		r = send_batch(to, hold->fds + at, MIN(hold->n - at, BATCH_MAX));
		if (r == 0 && recv(to, &ack, sizeof(ack), MSG_WAITALL) != sizeof(ack))
			r = -EPROTO;
	}
	return r;
}
