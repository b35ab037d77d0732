// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/hangup.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#include "control/caller.h"
#include "util/cleanup.h"
#include "util/err.h"

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct hangup *hangup = poll->data;
	struct signalfd_siginfo info;
	struct change_giver giver;

	(void)status;
	(void)events;
	if (read(hangup->fd, &info, sizeof(info)) != sizeof(info))
		return;
	giver = caller_giver_of_signal(info.ssi_uid, (pid_t)info.ssi_pid);
	hangup->fn(hangup->arg, &giver);
}

static void on_closed(uv_handle_t *handle)
{
	struct hangup *hangup = handle->data;

	close(take_fd(hangup->fd));
}

int hangup_start(struct hangup *hangup, uv_loop_t *loop, hangup_fn *fn, void *arg, struct err *err)
{
	CLEANUP(close_p) int fd = -1;
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	r = -pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (r == 0)
		fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r == 0 && fd < 0)
		r = -errno;
	if (r == 0)
		r = uv_poll_init(loop, &hangup->poll, fd);
	if (r < 0)
		return err_set(err, r, "signal handler: %s", uv_strerror(r));
	hangup->fd = take_fd(fd);
	hangup->is_started = true;
	hangup->fn = fn;
	hangup->arg = arg;
	hangup->poll.data = hangup;
	r = uv_poll_start(&hangup->poll, UV_READABLE, on_readable);
	return r < 0 ? err_set(err, r, "signal handler: %s", uv_strerror(r)) : 0;
}

void hangup_stop(struct hangup *hangup)
{
	if (hangup->is_started)
		uv_close((uv_handle_t *)&hangup->poll, on_closed);
	hangup->is_started = false;
}
