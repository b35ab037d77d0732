/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * weights - the weight of every backend that is in force, beside the model, which never changes.
 *
 * They start as the model has them. One thread sets, any may read.
 */
#ifndef SLUICE_MODEL_WEIGHTS_H
#define SLUICE_MODEL_WEIGHTS_H

#include "model/model.h"

struct weights;

/* The model is borrowed. NULL: out of memory. */
struct weights *weights_new(const struct model *model);
void weights_free(struct weights *weights);
DEFINE_CLEANUP(struct weights, weights_free)

/* backend: its position in the pool. */
uint32_t weights_get(const struct weights *weights, uint32_t pool, uint32_t backend);

/* 0..LIMIT_WEIGHT. */
void weights_set(struct weights *weights, uint32_t pool, uint32_t backend, uint32_t weight);

#endif
