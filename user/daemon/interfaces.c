// SPDX-License-Identifier: GPL-2.0-or-later
/* interfaces - those that come and go while the daemon runs: when to look after them, and telling of it. */
#include <errno.h>

#include "daemon/daemon_work.h"
#include "dataplane/devwatch.h"
#include "util/clock.h"

/* A device that is made is told of several times; whoever waits for its gate does not notice. */
#define REST_MS 20

static void tell_news(void *arg, const struct attachment *attachment)
{
	struct daemon *daemon = arg;

	tell_attachment(daemon->events, &daemon->interfaces, attachment);
}

void daemon_tend_interfaces(struct daemon *daemon)
{
	dataplane_tend(daemon->dataplane, tell_news, daemon);
	tell_held_attachments(daemon->events, &daemon->interfaces, clock_mono_ms());
}

static void on_rest(uv_timer_t *timer)
{
	daemon_tend_interfaces(timer->data);
}

static void on_change(uv_poll_t *poll, int status, int events)
{
	struct daemon *daemon = poll->data;

	(void)status;
	(void)events;
	devwatch_read(daemon->devices_fd);
	if (!uv_is_active((uv_handle_t *)&daemon->devices_rest))
		uv_timer_start(&daemon->devices_rest, on_rest, REST_MS, 0);
}

int daemon_watch_interfaces(struct daemon *daemon, struct err *err)
{
	int fd = devwatch_open(err), r;

	if (fd < 0)
		return fd;
	r = uv_poll_init(&daemon->loop, &daemon->devices, fd);
	if (r < 0) {
		close_p(&fd);
		return err_set(err, r, "watch network devices: %s", uv_strerror(r));
	}
	daemon->devices_fd = fd;
	daemon->watches_devices = true;
	uv_timer_init(&daemon->loop, &daemon->devices_rest);
	daemon->devices.data = daemon->devices_rest.data = daemon;
	r = uv_poll_start(&daemon->devices, UV_READABLE, on_change);
	return r < 0 ? err_set(err, r, "watch network devices: %s", uv_strerror(r)) : 0;
}

void daemon_unwatch_interfaces(struct daemon *daemon)
{
	if (!daemon->watches_devices)
		return;
	uv_close((uv_handle_t *)&daemon->devices, NULL);
	uv_close((uv_handle_t *)&daemon->devices_rest, NULL);
	close_p(&daemon->devices_fd);
}
