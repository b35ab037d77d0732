/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * world - the programs over maps sized for a number of endpoints, as the daemon sizes them, and
 * the baselines over the same targets.
 *
 * Endpoint id is 10.0.0.0 + id, TCP port 443. Failures end the process: a benchmark has no use for
 * half a world.
 */
#ifndef SLUICE_BENCH_WORLD_H
#define SLUICE_BENCH_WORLD_H

#include <stdint.h>

#include "sluice/abi.h"

#define WORLD_PORT 443
#define WORLD_NET 0x0a000000u

/* A SYN with its usual options: what base.bpf.c restores. */
#define WORLD_FRAME_LEN 74

struct world;

/* Programs of a world; the last are wrappers around others, see base.bpf.c. */
enum world_program {
	BENCH_PASS,
	BENCH_HASH,
	BENCH_GATE,
	BENCH_TC_INGRESS,
	BENCH_TC_EGRESS,
	BENCH_RESTORE_TX,
	BENCH_RESTORE_GATE,
	BENCH_RESTORE_REDIRECT,
	BENCH_RANDOM_PASS,
	BENCH_RANDOM_HASH,
	BENCH_RANDOM_GATE,
	BENCH_PROGRAMS
};

struct world *world_new(uint32_t endpoints);
void world_free(struct world *world);

void world_word(struct world *world, uint32_t id, struct sl_word word);

/*
 * Thread CPU nanoseconds per run of a program over a frame of WORLD_FRAME_LEN bytes. The program
 * must return retval, or the process ends.
 */
double world_measure(struct world *world, enum world_program program, const uint8_t *frame,
		     uint32_t retval);

uint32_t world_verified_insns(const struct world *world, enum world_program program);

/* Bytes that the kernel charges for all maps of the product. */
uint64_t world_map_bytes(const struct world *world);

#endif
