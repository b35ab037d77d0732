/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pins_copy - what is pinned in one directory, pinned in another one as well. */
#ifndef SLUICE_DATAPLANE_PINS_COPY_H
#define SLUICE_DATAPLANE_PINS_COPY_H

struct err;

/*
 * Pin everything in directory name of from_fd under its name in the directory to, whose pins of these names
 * are replaced; directories in it are made. from_fd may be of a file system that is mounted nowhere any more.
 * -errno, err set.
 */
int pins_copy(int from_fd, const char *name, const char *to, struct err *err);

#endif
