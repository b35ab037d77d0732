/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spawn - processes with nothing of the caller's: no descriptors, no ignored signals, no controlling terminal. */
#ifndef SLUICE_L7_SPAWN_H
#define SLUICE_L7_SPAWN_H

#include <stdatomic.h>
#include <stddef.h>
#include <sys/types.h>

/* Start argv[0] in dir, with out as its standard output and error. */
int spawn_start(pid_t *ret, const char *const argv[], const char *dir, int out);

/*
 * Run it to its end and read what it says, at most size - 1 bytes. Returns its exit status, 128 + the signal that
 * ended it, or -errno; -ETIMEDOUT: it was killed, as it is, soon, once *gives_up (NULL: never): -ECANCELED.
 */
int spawn_run(const char *const argv[], const char *dir, int timeout_ms,
	      const atomic_bool *gives_up, char *said, size_t size);

#endif
