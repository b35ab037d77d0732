// SPDX-License-Identifier: GPL-2.0-or-later
/* supervisor_hold - clients that come while there is no process wait for the next one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "l7/program.h"
#include "l7/supervisor_work.h"
#include "util/clock.h"
#include "util/log.h"

/* Longer than this nobody is kept waiting: it is better to be refused. */
#define HOLD_MS 5000

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

static void withdraw(struct supervisor *supervisor)
{
	char path[PATH_MAX + 64];

	if (!supervisor->offer)
		return;
	uv_poll_stop(supervisor->offer);
	uv_close((uv_handle_t *)take_ptr(supervisor->offer), free_handle);
	close(take_fd(supervisor->offer_fd));
	snprintf(path, sizeof(path), "%s/" L7_HOLD_SOCKET, supervisor->dir);
	unlink(path);
}

static void on_asked(uv_poll_t *poll, int status, int events)
{
	struct supervisor *supervisor = poll->data;
	int r = hold_give(&supervisor->hold, supervisor->offer_fd);

	(void)status;
	(void)events;
	if (r < 0 && r != -EAGAIN)
		log_warn("listening sockets for HAProxy: %s", strerror(-r));
}

static int offer(struct supervisor *supervisor)
{
	CLEANUP(free_p) uv_poll_t *poll = calloc(1, sizeof(*poll));
	char path[PATH_MAX + 64];
	CLEANUP(close_p) int fd = -1;
	int r;

	snprintf(path, sizeof(path), "%s/" L7_HOLD_SOCKET, supervisor->dir);
	fd = hold_offer(path);
	if (!poll || fd < 0)
		return poll ? fd : -ENOMEM;
	r = uv_poll_init(&supervisor->loop, poll, fd);
	if (r < 0)
		return r;
	poll->data = supervisor;
	supervisor->offer_fd = take_fd(fd);
	supervisor->offer = take_ptr(poll);
	return uv_poll_start(supervisor->offer, UV_READABLE, on_asked);
}

bool supervisor_hold_offer(struct supervisor *supervisor)
{
	int r;

	withdraw(supervisor);
	if (!supervisor->hold.n)
		return false;
	r = offer(supervisor);
	if (r == 0)
		return true;
	/* The next process makes sockets of its own; these would go on taking a share of the clients. */
	log_warn("listening sockets for HAProxy: %s", strerror(-r));
	supervisor_hold_end(supervisor);
	return false;
}

void supervisor_hold_renew(struct supervisor *supervisor, const char *path)
{
	int r = hold_take(&supervisor->hold, path);

	withdraw(supervisor);
	supervisor->lost_ms = 0;
	if (r == 0)
		return;
	/* One that an older daemon started gives none. */
	hold_release(&supervisor->hold);
	log_info("HAProxy's listening sockets: %s", strerror(-r));
}

void supervisor_hold_begin(struct supervisor *supervisor)
{
	if (!supervisor->lost_ms)
		supervisor->lost_ms = clock_mono_ms();
}

void supervisor_hold_tick(struct supervisor *supervisor)
{
	if (supervisor->lost_ms && clock_mono_ms() - supervisor->lost_ms >= HOLD_MS)
		supervisor_hold_end(supervisor);
}

void supervisor_hold_end(struct supervisor *supervisor)
{
	withdraw(supervisor);
	hold_release(&supervisor->hold);
}
