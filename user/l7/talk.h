/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * talk - one question to HAProxy through a Unix socket, and its answer.
 *
 * Blocks for TALK_MS at most: for threads that may wait.
 */
#ifndef SLUICE_L7_TALK_H
#define SLUICE_L7_TALK_H

#include <stddef.h>
#include <sys/types.h>

#define TALK_MS 2000

/* Longer commands than this may not fit into HAProxy's buffer of a line. */
#define TALK_COMMANDS_MAX 12288

/*
 * Send commands, separated by ';' and ended by a line feed, and read until HAProxy closes. At most size - 1 bytes are
 * kept in answer. -errno: it is not there, or gave no answer in time.
 */
int talk(const char *path, const char *commands, char *answer, size_t size);

/* A connection to it, whose reads and writes wait for TALK_MS at most; talk_bound() makes another one such. -errno. */
int talk_reach(const char *path);
int talk_bound(int fd);

/* Whether anybody listens there, and which process has the socket; -errno. */
int talk_owner(pid_t *ret, const char *path);

#endif
