/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devwatch - says when network devices come, go or change; not which: whoever wants to know looks. */
#ifndef SLUICE_DATAPLANE_DEVWATCH_H
#define SLUICE_DATAPLANE_DEVWATCH_H

struct err;

/* A descriptor that is readable after a change in this network namespace. -errno, with a sentence. */
int devwatch_open(struct err *err);

/* Forget what has been said so far; does not wait. */
void devwatch_read(int fd);

#endif
