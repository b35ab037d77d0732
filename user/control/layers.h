/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * layers - what was changed while the daemon runs, for whoever asks.
 *
 * Written by the daemon's main thread, read by the API's: it outlives all that a change replaces.
 */
#ifndef SLUICE_CONTROL_LAYERS_H
#define SLUICE_CONTROL_LAYERS_H

#include <stdbool.h>

#include "model/overlay.h"

struct layers;

/* NULL: out of memory. */
struct layers *layers_new(void);
void layers_free(struct layers *layers);
DEFINE_CLEANUP(struct layers, layers_free)

/* Takes the overlay over. */
void layers_set(struct layers *layers, struct overlay *overlay);

/* Why changes cannot be kept over a restart, and are refused therefore; "": they can. */
void layers_set_trouble(struct layers *layers, const char *why);

struct layers_copy {
	struct overlay overlay; /* the reader's */
	char trouble[512];
};

void layers_copy_done(struct layers_copy *copy);

/* -ENOMEM */
int layers_read(struct layers *layers, struct layers_copy *ret);

uint64_t layers_version(struct layers *layers);

/* How many interfaces, pools and backends were changed. */
uint32_t layers_count(struct layers *layers);

#endif
