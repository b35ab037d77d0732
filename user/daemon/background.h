/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * background - a daemon whose starter learns whether the start worked.
 *
 * The starter waits until the daemon is ready or has failed, and exits with its status; what went
 * wrong is on its standard error, because the daemon keeps it until it is ready.
 */
#ifndef SLUICE_DAEMON_BACKGROUND_H
#define SLUICE_DAEMON_BACKGROUND_H

struct err;

/*
 * Fork. The starter never returns from here. The daemon does, in a session of its own, with a
 * descriptor for background_ready(). -errno when there is no process or pipe to be had.
 */
int background_start(int *ret_fd, struct err *err);

/* Let the starter exit with success and let go of its terminal. */
void background_ready(int fd);

#endif
