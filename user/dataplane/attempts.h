/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attempts - what came of attempts to connect: the programs' counters, and what only time tells.
 *
 * The programs count what a packet shows. That nothing came, or that nothing followed, nobody sends a
 * packet for: a sweep over the slots finds attempts that are old enough.
 *
 * Threads: attempts_sweep() and what it fills belong to one thread; attempts_read() to any.
 */
#ifndef SLUICE_DATAPLANE_ATTEMPTS_H
#define SLUICE_DATAPLANE_ATTEMPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/mapped.h"

struct gateway;
struct map_sizes;
struct mapset;

struct attempts {
	struct mapped slots, evidence;
	uint32_t n_slots, n_endpoints; /* n_slots 0: none are watched */
	int stats_fd; /* borrowed */
	uint32_t *
		late; /* by id: attempts that had not been answered for ATTEMPT_LATE_MS at the last sweep */
	uint32_t *cleared; /* by id: tick + 1 of the last attempts_clear(); 0: never */
};

/* An attempt counts as late, and then as unanswered (or completed), after so long. */
#define ATTEMPT_LATE_MS 270
#define ATTEMPT_SETTLE_MS 3000
/* One whose SYN-ACK was repeated and that showed nothing since counts as abandoned after so long. */
#define ATTEMPT_ABANDON_MS 30000

/* Slots that the configuration asks for; 0: none. */
uint32_t attempts_needed(const struct gateway *gateway);

/* -errno from the kernel, -ENOMEM; attempts_done() in every case. */
int attempts_open(struct attempts *attempts, const struct mapset *maps,
		  const struct map_sizes *sizes);
void attempts_done(struct attempts *attempts);

/* The id is another endpoint's from now on: nothing is known of it. -errno from the kernel. */
int attempts_clear(struct attempts *attempts, uint32_t id);

/* Take along what the daemon has counted for an id in another set of maps. */
void attempts_carry(struct attempts *attempts, uint32_t id, const struct mapped *old, uint32_t was);

/* Settle what is old enough. now_ns: CLOCK_MONOTONIC. */
void attempts_sweep(struct attempts *attempts, uint64_t now_ns);

/* What is known of an id's attempts, by whomever; sums over the CPUs. -errno from the kernel. */
struct attempt_report;
int attempts_read(const struct attempts *attempts, uint32_t id, struct attempt_report *ret);

/* What speaks against an id, as it stands; without a system call. */
struct sl_evidence attempts_evidence(const struct attempts *attempts, uint32_t id);

#endif
