// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/weights.h"

#include <assert.h>
#include <stdlib.h>

struct weights {
	uint32_t n_pools;
	uint32_t *first; /* of[first[p]] is that of the first backend of pool p */
	uint16_t *of;
};

static void fill(struct weights *weights, const struct model *model)
{
	uint32_t n = 0;

	for (uint32_t p = 0; p < model->n_pools; p++) {
		weights->first[p] = n;
		for (uint32_t b = 0; b < model->pools[p].n_backends; b++)
			weights->of[n++] = (uint16_t)model->pools[p].backends[b].weight;
	}
	weights->first[model->n_pools] = n;
}

struct weights *weights_new(const struct model *model)
{
	CLEANUP(weights_free_p) struct weights *weights = calloc(1, sizeof(*weights));
	size_t n = 1; /* calloc(0) may be NULL */

	for (uint32_t p = 0; p < model->n_pools; p++)
		n += model->pools[p].n_backends;
	if (!weights)
		return NULL;
	weights->n_pools = model->n_pools;
	weights->first = calloc((size_t)model->n_pools + 1, sizeof(*weights->first));
	weights->of = calloc(n, sizeof(*weights->of));
	if (!weights->first || !weights->of)
		return NULL;
	fill(weights, model);
	return take_ptr(weights);
}

void weights_free(struct weights *weights)
{
	if (!weights)
		return;
	free(weights->first);
	free(weights->of);
	free(weights);
}

static uint16_t *find(const struct weights *weights, uint32_t pool, uint32_t backend)
{
	assert(pool < weights->n_pools &&
	       backend < weights->first[pool + 1] - weights->first[pool]);
	return &weights->of[weights->first[pool] + backend];
}

uint32_t weights_get(const struct weights *weights, uint32_t pool, uint32_t backend)
{
	return __atomic_load_n(find(weights, pool, backend), __ATOMIC_RELAXED);
}

void weights_set(struct weights *weights, uint32_t pool, uint32_t backend, uint32_t weight)
{
	assert(weight <= LIMIT_WEIGHT);
	__atomic_store_n(find(weights, pool, backend), (uint16_t)weight, __ATOMIC_RELAXED);
}
