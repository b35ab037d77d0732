// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/door.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "util/clock.h"

/*
 * Who is sent away may not have asked yet. Were the connection closed at once, his question would fail before he
 * reads the answer; so it is kept for a moment, as many as there are places. The next one costs the first his.
 */
#define LEAVING_MAX 32
#define LEAVING_MS 1000

/* The host has no descriptor or no memory left: trying at once would only keep the CPU busy. */
#define REST_MS 50

struct door {
	int fd; /* listens */
	int stop_fd; /* an eventfd */
	door_fn *fn;
	void *arg;
	bool is_open;
	pthread_t thread;
	pthread_mutex_t lock;
	struct roles roles; /* under the lock */
	struct leaving {
		int fd; /* -1: none */
		uint64_t until_ms;
	} leaving[LEAVING_MAX];
	size_t next; /* the place that is taken next */
};

int door_new(struct door **ret, int fd, door_fn *fn, void *arg)
{
	struct door *door = calloc(1, sizeof(*door));

	if (!door)
		return -ENOMEM;
	door->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (door->stop_fd < 0) {
		free(door);
		return -errno;
	}
	door->fd = fd;
	door->fn = fn;
	door->arg = arg;
	pthread_mutex_init(&door->lock, NULL);
	for (size_t i = 0; i < LEAVING_MAX; i++)
		door->leaving[i].fd = -1;
	*ret = door;
	return 0;
}

void door_set_roles(struct door *door, const struct roles *roles)
{
	pthread_mutex_lock(&door->lock);
	door->roles = *roles;
	pthread_mutex_unlock(&door->lock);
}

/* --- those who leave --------------------------------------------------------------------------- */

static void end(struct leaving *leaving)
{
	close_p(&leaving->fd);
	leaving->fd = -1;
}

static void send_away(struct door *door, int fd, const char *answer)
{
	struct leaving *place = &door->leaving[door->next];

	end(place);
	door->next = (door->next + 1) % LEAVING_MAX;
	/* A new socket takes as much at once. */
	send(fd, answer, strlen(answer), MSG_NOSIGNAL | MSG_DONTWAIT);
	shutdown(fd, SHUT_WR);
	*place = (struct leaving){ fd, clock_mono_ms() + LEAVING_MS };
}

/* Those who have hung up, and those who were waited for long enough. */
static void end_leaving(struct door *door, const struct pollfd hung_up[LEAVING_MAX])
{
	uint64_t now_ms = clock_mono_ms();

	for (size_t i = 0; i < LEAVING_MAX; i++)
		if (door->leaving[i].fd >= 0 &&
		    (hung_up[i].revents || now_ms >= door->leaving[i].until_ms))
			end(&door->leaving[i]);
}

/* --- those who come ---------------------------------------------------------------------------- */

static void receive(struct door *door, int fd)
{
	struct caller caller;
	struct roles roles;
	const char *answer;

	pthread_mutex_lock(&door->lock);
	roles = door->roles;
	pthread_mutex_unlock(&door->lock);
	/* Nobody knows who it is: he may do nothing. */
	caller_of(&caller, fd, &roles);
	answer = door->fn(door->arg, fd, &caller);
	if (answer)
		send_away(door, fd, answer);
}

/* Some of those who wait: they may keep coming without end. */
static void receive_all(struct door *door)
{
	const struct timespec rest = { .tv_nsec = REST_MS * (long)NS_PER_MS };
	int fd;

	for (int i = 0; i < LEAVING_MAX; i++) {
		fd = accept4(door->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			receive(door, fd);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			   errno == ENOBUFS) {
			nanosleep(&rest, NULL);
			return;
		} else if (errno == EAGAIN) {
			return;
		}
	}
}

enum { AT_STOP, AT_DOOR, AT_LEAVING, AT_END = AT_LEAVING + LEAVING_MAX };

/* For whoever comes, for those who hang up, and no longer than those who leave may take. */
static int wait(const struct door *door, struct pollfd at[AT_END])
{
	int timeout_ms = -1;

	at[AT_STOP] = (struct pollfd){ .fd = door->stop_fd, .events = POLLIN };
	at[AT_DOOR] = (struct pollfd){ .fd = door->fd, .events = POLLIN };
	for (size_t i = 0; i < LEAVING_MAX; i++) {
		at[AT_LEAVING + i] = (struct pollfd){ .fd = door->leaving[i].fd };
		if (door->leaving[i].fd >= 0)
			timeout_ms = LEAVING_MS;
	}
	return poll(at, AT_END, timeout_ms);
}

static void *run(void *arg)
{
	struct door *door = arg;
	struct pollfd at[AT_END];

	for (;;) {
		if (wait(door, at) < 0)
			continue;
		if (at[AT_STOP].revents)
			return NULL;
		end_leaving(door, at + AT_LEAVING);
		if (at[AT_DOOR].revents)
			receive_all(door);
	}
}

int door_open(struct door *door)
{
	int r;

	r = -pthread_create(&door->thread, NULL, run, door);
	door->is_open = r == 0;
	return r;
}

void door_close(struct door *door)
{
	const uint64_t one = 1;
	uint64_t ignored;

	if (!door->is_open)
		return;
	/* An eventfd that is empty takes one. */
	if (write(door->stop_fd, &one, sizeof(one)) < 0)
		return;
	pthread_join(door->thread, NULL);
	door->is_open = false;
	/* There is one in it. */
	while (read(door->stop_fd, &ignored, sizeof(ignored)) < 0 && errno == EINTR)
		;
}

void door_free(struct door *door)
{
	if (!door)
		return;
	door_close(door);
	for (size_t i = 0; i < LEAVING_MAX; i++)
		end(&door->leaving[i]);
	close(door->fd);
	close(door->stop_fd);
	pthread_mutex_destroy(&door->lock);
	free(door);
}
