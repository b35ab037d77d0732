/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * percpu - entries of per-CPU arrays whose values are nothing but 64-bit counters.
 *
 * Reads are not one instant: each CPU's counters are read while it counts on.
 */
#ifndef SLUICE_DATAPLANE_PERCPU_H
#define SLUICE_DATAPLANE_PERCPU_H

#include <stddef.h>
#include <stdint.h>

/* Sum entry id of the map fd over the CPUs into ret_sums, value_size / 8 counters. */
int percpu_sum(int fd, uint32_t id, size_t value_size, uint64_t *ret_sums);

/* Set entry id to zero on all CPUs. */
int percpu_clear(int fd, uint32_t id, size_t value_size);

/* Copy an entry between two maps of one shape. */
int percpu_copy(int to_fd, uint32_t to, int from_fd, uint32_t from, size_t value_size);

#endif
