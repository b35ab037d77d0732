/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * suspicion - when failing connections of clients are reason enough to probe an endpoint at once.
 *
 *   quiet --enough failures within the window--> suspected --a probe's word--> quiet
 *
 * Evidence never condemns: while an endpoint is suspected it is probed fast, and the probes' verdicts decide as
 * ever. Whoever was suspected for nothing is left alone for a time, which doubles up to the probe's interval: clients
 * that misbehave, or somebody who makes packets up, do not make us probe more than that. No clock, no I/O.
 */
#ifndef SLUICE_MODEL_SUSPICION_H
#define SLUICE_MODEL_SUSPICION_H

#include <stdbool.h>
#include <stdint.h>

/* The shortest time that one who was acquitted is left alone. */
#define SUSPICION_REST_MIN_MS 1000

struct suspicion_policy {
	bool enabled;
	uint32_t failures; /* that are reason enough, */
	uint32_t window_ms; /* ... within that time */
	uint32_t rest_max_ms; /* the longest time that one who was acquitted is left alone */
	uint32_t limit_ms; /* probes that have not decided by then will not */
};

/* What is known now. */
struct suspicion_sample {
	uint32_t failed; /* attempts that failed so far; wraps */
	uint32_t late; /* attempts that should have been answered by now */
	bool blind; /* failures say nothing: nothing is sent there, or nothing of what it answers is seen */
	bool acquitted; /* a probe has passed since it was suspected */
};

struct suspicion {
	bool begun, raised;
	uint32_t failed_before, failed_at_half; /* at the last two turns of half a window */
	uint64_t turned_ms; /* the last of them */
	uint64_t raised_ms, rest_until_ms;
	uint32_t rest_ms;
	uint32_t failures; /* that raised it last */
};

enum suspicion_step { SUSPICION_NONE, SUSPICION_RAISED, SUSPICION_CLEARED };

/* Whether a step would change nothing, whatever time it is: so it is of nearly all endpoints. */
bool suspicion_is_idle(const struct suspicion *suspicion, const struct suspicion_sample *sample);

/* Take in what is known; now_ms: any monotonic clock. To be called several times in a window. */
enum suspicion_step suspicion_step(struct suspicion *suspicion,
				   const struct suspicion_policy *policy,
				   const struct suspicion_sample *sample, uint64_t now_ms);

#endif
