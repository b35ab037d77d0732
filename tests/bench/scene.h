/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scene - a world with services of every kind, flows that are open, and real routes to everybody.
 *
 * Service i is of kind i % KINDS and has port SCENE_PORT + i / 60000 of an address of its own;
 * half of the endpoints are of each family, and every service has all of its own. Packets leave by
 * a veth device of a network namespace of the benchmark's own, in which all neighbours are known.
 */
#ifndef SLUICE_BENCH_SCENE_H
#define SLUICE_BENCH_SCENE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/world.h"

enum scene_kind { KIND_NAT, KIND_DSR, KIND_IPIP, KIND_NAT6, KIND_DSR6, KIND_IPIP6, KINDS };

struct scene_sizes {
	uint32_t services, endpoints; /* of each family */
	uint32_t flows;
};

struct scene {
	struct world *world;
	struct scene_sizes sizes;
};

#define SCENE_DEVICE "out0"
#define SCENE_FAR "far0" /* its other end */

/* Enter the namespace; once. */
void scene_enter(void);

struct scene scene_new(const struct scene_sizes *sizes);
void scene_free(struct scene *scene);

/* One flow: from the client with that number to a service, placed on its family's endpoint. */
struct scene_flow {
	uint32_t client, service, endpoint;
};

/* Open the flow: what the tables would hold if it had been opened by packets. */
void scene_open(struct scene *scene, const struct scene_flow *flow);

/* Open flows of clients 0 .. n - 1 to a service, over all of its endpoints. */
void scene_open_many(struct scene *scene, uint32_t service, uint32_t n);

/* Frames of WORLD_FRAME_LEN bytes; flags are TCP's. */
void scene_request(uint8_t *frame, const struct scene_flow *flow, uint8_t flags);
void scene_reply(uint8_t *frame, const struct scene_flow *flow);

#endif
