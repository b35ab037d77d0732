/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * damper - how often the same thing is told: a few times one by one, then as a number.
 *
 * Time is cut into windows that begin with something to tell. DAMPER_TOLD of a window are told; the
 * others are held and told as one when it ends. The window after one that held something is twice
 * as long, up to DAMPER_WINDOW_MAX_MS; after one that did not it is short again. What goes on for
 * ever is thus told about DAMPER_TOLD + 1 times in DAMPER_WINDOW_MAX_MS. No clock, no I/O.
 */
#ifndef SLUICE_MODEL_DAMPER_H
#define SLUICE_MODEL_DAMPER_H

#include <stdbool.h>
#include <stdint.h>

#define DAMPER_TOLD 6
#define DAMPER_WINDOW_MIN_MS 10000
#define DAMPER_WINDOW_MAX_MS 640000

/* Zeroed: nothing was told yet. */
struct damper {
	uint64_t end_ms; /* monotonic: of the window; 0: there is none */
	uint32_t window_ms;
	uint32_t told, held; /* in the window */
};

/* Whether it is to be told now; otherwise it is held, and damper_due() says when to tell of it. */
bool damper_admit(struct damper *damper, uint64_t now_ms);

/* Whether a window has ended that something was held in; then how much, and in how long. */
bool damper_due(struct damper *damper, uint64_t now_ms, uint32_t *ret_held,
		uint32_t *ret_window_ms);

#endif
