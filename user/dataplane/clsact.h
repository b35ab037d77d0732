/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clsact - tc programs by filter, for kernels before 6.6.
 *
 * A filter has no link and no pin: it lives as long as its qdisc. Ours are found again by their
 * fixed handle and priority and the id of their program.
 */
#ifndef SLUICE_DATAPLANE_CLSACT_H
#define SLUICE_DATAPLANE_CLSACT_H

#include <stdbool.h>
#include <stdint.h>

struct err;

/* The id of the program in our place, or 0. */
uint32_t clsact_prog_id(unsigned int ifindex, bool egress);

/* Make the qdisc unless it is there. *ret_made: it was not. -errno from the kernel. */
int clsact_make_qdisc(unsigned int ifindex, bool *ret_made);

/* Put the program into our place; one that is there is replaced atomically. -errno. */
int clsact_put(unsigned int ifindex, bool egress, int prog_fd);

/* Remove our filter. */
void clsact_remove(unsigned int ifindex, bool egress);

/* Remove the qdisc, unless anybody's filter is left in it. */
void clsact_remove_qdisc(unsigned int ifindex);

#endif
