/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * program - HAProxy's program: its version, what it says of a configuration, and a process that serves.
 */
#ifndef SLUICE_L7_PROGRAM_H
#define SLUICE_L7_PROGRAM_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "l7/plan.h"

/* What a check may take that nobody waits for, and what is read of what it says. */
#define L7_CHECK_MS 20000
#define L7_CHECK_BYTES 16384

/*
 * Whether it is there and new enough (2.6), found out in timeout_ms at most. err says which package has it, or which version it is:
 *   -ENOENT, -EACCES  it cannot be run    -ENOTSUP  too old, or it does not say
 */
int l7_program_version(const char *program, int timeout_ms, const atomic_bool *gives_up,
		       struct err *err);

/*
 * Have HAProxy check a plan, without touching one that runs or its files. err names the key of what it
 * refuses, and says why in its words:
 *   -EINVAL     refused                      -EADDRNOTAVAIL, -EADDRINUSE  a listen address
 *   -ETIMEDOUT  it took timeout_ms           -ECANCELED  *gives_up (NULL: never) became true
 *   other: of files and processes
 * Takes as long as HAProxy does: not for the daemon's loop.
 */
int l7_program_check(const struct l7_plan *plan, const char *program, int timeout_ms,
		     const atomic_bool *gives_up, struct err *err);

/* Write the plan's files and its configuration, servers as they are now, where HAProxy finds them. */
int l7_program_write(const struct l7_plan *plan, const struct l7_server *servers, struct err *err);

/*
 * Start a process that serves what was written, in a session of its own; it outlives the caller. What it says is
 * kept in the directory. inherits: it asks at L7_HOLD_SOCKET for the sockets that it listens at.
 */
int l7_program_start(pid_t *ret, const char *program, const char *dir, bool inherits,
		     struct err *err);

/*
 * Have a process that serves from a state directory finish what is open, and end. Returns its pid, 0 if there is none,
 * or -errno.
 */
int l7_program_dismiss(const char *state_dir);

/* Bound what it says from then on. */
void l7_program_trim(const char *dir);

/* The configuration that was written last. */
struct l7_last {
	char digest[65]; /* of its plan; "": unknown */
	char program[PATH_MAX]; /* that runs it, as far as a comment can say; "": unknown */
	uint64_t number; /* that it was served under */
};

/* -ENOENT: there is none; -EINVAL: it is none of ours. */
int l7_program_last(struct l7_last *ret, const char *dir);

/*
 * What the last one said when it failed, in a line; buf is returned. loads: in loading the plan, with the key that is to
 * blame; else it is the last that it complained of.
 */
const char *l7_program_complaint(char *buf, size_t size, const struct l7_plan *plan, bool loads);

/* For tests: the error in what HAProxy says of a plan; "" if there is none. */
void l7_program_blame(char *buf, size_t size, const struct l7_plan *plan, char *said);

#endif
