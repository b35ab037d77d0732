/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reloads - how often the daemon has read its configuration again, and what came of it the last time.
 *
 * Written by the daemon's main thread, read by the API's: it outlives all that a reload replaces.
 */
#ifndef SLUICE_CONTROL_RELOADS_H
#define SLUICE_CONTROL_RELOADS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/cleanup.h"

struct reloads;

/* NULL: out of memory. */
struct reloads *reloads_new(void);
void reloads_free(struct reloads *reloads);
DEFINE_CLEANUP(struct reloads, reloads_free)

/* One begins. */
void reloads_begin(struct reloads *reloads);

/* What is wrong, a line each. Without memory it is left out. */
void reloads_say(struct reloads *reloads, const char *line);

/* It ends; refused: with nothing changed. */
void reloads_end(struct reloads *reloads, bool refused);

/* The number of the first that has not begun yet: it will read what is in the file now. */
uint64_t reloads_next(struct reloads *reloads);

struct reloads_last {
	uint64_t number; /* 0: there was none */
	uint64_t at_ms; /* wall clock */
	bool refused;
};

struct reloads_last reloads_last(struct reloads *reloads);

/* "number", "at", "refused" and "errors" of the last one; NULL: there was none, or out of memory. */
json_t *reloads_render(struct reloads *reloads);

#endif
