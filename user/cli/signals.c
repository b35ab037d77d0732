// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/signals.h"

#include <poll.h>
#include <time.h>

#include "util/clock.h"

void signals_block(sigset_t *ret_set)
{
	sigemptyset(ret_set);
	sigaddset(ret_set, SIGINT);
	sigaddset(ret_set, SIGTERM);
	sigprocmask(SIG_BLOCK, ret_set, NULL);
}

bool signals_wait(const sigset_t *set, unsigned int ms)
{
	const struct timespec period = { .tv_sec = (time_t)(ms / MS_PER_SEC),
					 .tv_nsec = (long)(ms % MS_PER_SEC * NS_PER_MS) };
	int signal = sigtimedwait(set, NULL, &period);

	return signal == SIGINT || signal == SIGTERM;
}

/* A pipe whose other end was closed. */
bool signals_reader_is_gone(const struct cli *cli)
{
	struct pollfd out = { .fd = fileno(cli->out) };

	return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}
