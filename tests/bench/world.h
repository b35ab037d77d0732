/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * world - the programs over maps sized for a number of endpoints, as the daemon sizes them, and
 * the baselines over the same targets.
 *
 * What world_new() makes has endpoints: id is 10.0.0.0 + id, TCP port 443. One of world_new_sized()
 * is empty, for scene.h to fill. Failures end the process: a benchmark has no use for half a world.
 */
#ifndef SLUICE_BENCH_WORLD_H
#define SLUICE_BENCH_WORLD_H

#include <stdint.h>

#include "sluice/abi.h"

#define WORLD_PORT 443
#define WORLD_NET 0x0a000000u

/* A SYN with its usual options, or one of IPv6 without: what base.bpf.c restores. */
#define WORLD_FRAME_LEN 74

struct world;

/* Programs of a world; the last are wrappers around others, see base.bpf.c. */
enum world_program {
	BENCH_PASS,
	BENCH_CLOCK, /* the same, with one look at the clock */
	BENCH_HASH,
	BENCH_GATE,
	BENCH_TC_INGRESS,
	BENCH_TC_EGRESS,
	BENCH_RESTORE_TX,
	BENCH_RESTORE_GATE,
	BENCH_RESTORE_REDIRECT,
	BENCH_SHRINK_TX,
	BENCH_SHRINK_GATE,
	BENCH_CLIENTS_TX,
	BENCH_CLIENTS_GATE,
	BENCH_ANSWERS_GATE,
	BENCH_RANDOM_PASS,
	BENCH_RANDOM_HASH,
	BENCH_RANDOM_GATE,
	BENCH_PROGRAMS
};

struct world_sizes {
	uint32_t endpoints;
	uint32_t services; /* 0: nothing is forwarded, and the programs know it */
	uint32_t slots, flows;
	uint32_t attempts; /* to connect that are watched; 0: none */
};

/* As it is by default: nothing is forwarded, and attempts to connect are watched. */
struct world *world_new(uint32_t endpoints);
struct world *world_new_watching(uint32_t endpoints, uint32_t attempts);
struct world *world_new_sized(const struct world_sizes *sizes);
void world_free(struct world *world);

void world_word(struct world *world, uint32_t id, struct sl_word word);

/* Say what packets to the key are judged as. */
void world_target(struct world *world, const struct sl_target_key *key, struct sl_target target);

/* The map of that name, and a write to it that does not fail. */
int world_map(const struct world *world, const char *name);
void world_put(struct world *world, const char *map, const void *key, const void *value);

/*
 * Of the packets of BENCH_CLIENTS_*, and of those that BENCH_ANSWERS_* go to: addresses 10.0.0.0 + 0 .. mask,
 * each in turn and in disorder, from the first on.
 */
void world_clients(struct world *world, uint32_t mask);

/*
 * Thread CPU nanoseconds per run of a program over a frame of WORLD_FRAME_LEN bytes. The program
 * must return retval, or the process ends.
 */
double world_measure(struct world *world, enum world_program program, const uint8_t *frame,
		     uint32_t retval);

/* The same for a number of runs. */
double world_measure_runs(struct world *world, enum world_program program, const uint8_t *frame,
			  uint32_t retval, uint32_t runs);

int world_program_fd(const struct world *world, enum world_program program);

uint32_t world_verified_insns(const struct world *world, enum world_program program);

/* Bytes that the kernel charges for all maps of the product. */
uint64_t world_map_bytes(const struct world *world);

#endif
