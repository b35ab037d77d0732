/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * caller - who is at the other end of a Unix socket, as the kernel says, and what he says of himself.
 *
 * User, groups and process are those of whoever connected, when he did; the socket may have been handed on since.
 */
#ifndef SLUICE_CONTROL_CALLER_H
#define SLUICE_CONTROL_CALLER_H

#include <stdint.h>

#include "control/change.h"
#include "control/roles.h"

struct caller {
	uid_t uid;
	pid_t pid; /* 0: of another PID namespace */
	enum role role;
	uint64_t at_ms; /* clock_boot_ms(): the connection was there by then */
};

/*
 * -errno where the kernel does not say, or not all: nobody is taken for more than what it has said.
 */
#define CALLER_UNKNOWN (uid_t) - 1
int caller_of(struct caller *ret, int fd, const struct roles *roles);

/* With the command line, unless the process has ended. */
struct change_giver caller_giver(const struct caller *caller);

/* Who sent a signal that has just been received; pid 0: the kernel, or somebody of another PID namespace. */
struct change_giver caller_giver_of_signal(uid_t uid, pid_t pid);

/* "uid 0, process 4711 (sluice backend drain …)" or "SIGHUP of uid …"; "" if nobody is known. Returns buf. */
#define GIVER_TEXT_LEN (GIVER_COMMAND_LEN + 64)
const char *giver_text(char buf[GIVER_TEXT_LEN], const struct change_giver *giver);

#endif
