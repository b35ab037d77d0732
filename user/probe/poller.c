// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/poller.h"

#include <errno.h>

#include "util/cleanup.h"

/* Taken out of the set at once; what is left over is there on the loop's next turn. */
#define EVENTS_MAX 256

#define EVERYTHING (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

struct poller {
	uv_poll_t poll;
	struct poller *next; /* of this thread */
	int fd; /* the epoll set */
	uint32_t refs;
};

/* A thread has one loop, as a rule, and so one poller. */
static _Thread_local struct poller *pollers;

static void on_ready(uv_poll_t *handle, int status, int unused)
{
	struct poller *poller = handle->data;
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(poller->fd, events, EVENTS_MAX, 0);

	(void)status;
	(void)unused;
	for (int i = 0; i < n; i++) {
		struct watch *watch = events[i].data.ptr;

		if (watch->fn)
			watch->fn(watch, events[i].events);
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct poller *poller = handle->data;

	close(poller->fd);
	free(poller);
}

static void poller_free(struct poller *poller)
{
	if (poller->fd >= 0)
		close(poller->fd);
	free(poller);
}
DEFINE_CLEANUP(struct poller, poller_free)

static int poller_new(struct poller **ret, uv_loop_t *loop)
{
	CLEANUP(poller_free_p) struct poller *poller = calloc(1, sizeof(*poller));
	int r;

	if (!poller)
		return -ENOMEM;
	poller->fd = epoll_create1(EPOLL_CLOEXEC);
	if (poller->fd < 0)
		return -errno;
	r = uv_poll_init(loop, &poller->poll, poller->fd);
	if (r < 0)
		return r;
	poller->poll.data = poller;
	/* Fails only for handles that are closing and events that do not exist. */
	(void)uv_poll_start(&poller->poll, UV_READABLE, on_ready);

	*ret = take_ptr(poller);
	return 0;
}

int poller_get(struct poller **ret, uv_loop_t *loop)
{
	struct poller *poller = pollers;
	int r;

	while (poller && poller->poll.loop != loop)
		poller = poller->next;
	if (!poller) {
		r = poller_new(&poller, loop);
		if (r < 0)
			return r;
		poller->next = pollers;
		pollers = poller;
	}
	poller->refs++;
	*ret = poller;
	return 0;
}

void poller_put(struct poller *poller)
{
	struct poller **link = &pollers;

	if (!poller || --poller->refs)
		return;
	while (*link != poller)
		link = &(*link)->next;
	*link = poller->next;
	uv_close((uv_handle_t *)&poller->poll, on_closed);
}

int poller_add(struct poller *poller, int fd, struct watch *watch)
{
	struct epoll_event event = { .events = EVERYTHING, .data.ptr = watch };

	return epoll_ctl(poller->fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void poller_again(struct poller *poller, int fd, struct watch *watch)
{
	struct epoll_event event = { .events = EVERYTHING, .data.ptr = watch };

	/* Fails only for descriptors that are not in the set. */
	(void)epoll_ctl(poller->fd, EPOLL_CTL_MOD, fd, &event);
}

void poller_remove(struct poller *poller, int fd)
{
	/* Fails only for descriptors that are not in the set. */
	(void)epoll_ctl(poller->fd, EPOLL_CTL_DEL, fd, NULL);
}
