/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compare - figures that are relative to others of the same rounds.
 *
 * A ratio is the median of the rounds' ratios, so that a noisy neighbour hits both sides of it.
 */
#ifndef SLUICE_BENCH_COMPARE_H
#define SLUICE_BENCH_COMPARE_H

#include <stddef.h>

#include "tests/bench/figures.h"

#define COMPARE_NO_FLOOR 0 /* a subject that is never one: nothing is taken off */

/* A figure and what it is compared with: (subject - floor) / (base - base_floor). */
struct comparison {
	const char *name;
	int subject, floor;
	const char *baseline; /* NULL: only the number */
	int base, base_floor;
	double target; /* 0: none */
};

/* samples[subject][round], of so many rounds. */
void compare_add(struct figures *figures, const struct comparison *comparison,
		 const double *samples, size_t rounds);

#endif
