/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compose - the model that the file and what was changed while the daemon ran make together.
 *
 * No I/O; the models are the caller's.
 */
#ifndef SLUICE_MODEL_COMPOSE_H
#define SLUICE_MODEL_COMPOSE_H

#include "model/model.h"
#include "model/overlay.h"

struct err;

/* Called for a row that is given up, with the reason in a sentence. */
typedef void compose_note_fn(void *arg, const struct overlay_row *row, const char *why);

/*
 * Take out of the overlay what the file says as well, and what is about somebody whom it no longer names;
 * of the latter note (may be NULL) tells. -ENOMEM
 */
int compose_prune(struct overlay *overlay, const struct model *file, compose_note_fn *note,
		  void *arg);

/*
 * The model, linked; the file's is not. err is set:
 *   -EINVAL  the overlay removes a pool that a service uses
 *   -E2BIG   more pools, or backends in one, than there may be
 *   as model_link(), which sees both together
 */
int compose_model(struct model **ret, const struct model *file, const struct overlay *overlay,
		  struct err *err);

#endif
