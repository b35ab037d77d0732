/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hangup - SIGHUP, with who sent it: a handler of libuv's is not told.
 *
 * The signal is blocked in all threads and read from a descriptor instead. Those that come while one waits to be
 * read are one.
 */
#ifndef SLUICE_DAEMON_HANGUP_H
#define SLUICE_DAEMON_HANGUP_H

#include <stdbool.h>
#include <uv.h>

#include "control/change.h"

struct err;

/* On the loop's thread. */
typedef void hangup_fn(void *arg, const struct change_giver *giver);

struct hangup {
	bool is_started;
	int fd;
	uv_poll_t poll;
	hangup_fn *fn;
	void *arg;
};

/*
 * Before there are other threads. loop, and hangup itself, stay until hangup_stop() and until the loop has run once
 * more. -errno, or what libuv returned; err set
 */
int hangup_start(struct hangup *hangup, uv_loop_t *loop, hangup_fn *fn, void *arg, struct err *err);

/* Fine for one that was zero and never started. */
void hangup_stop(struct hangup *hangup);

#endif
