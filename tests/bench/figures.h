/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * figures - measured numbers with their baselines and targets: a table, and bench.json.
 *
 * A figure with a target is ok if its ratio to its baseline, or its value if it has no baseline,
 * is at most the target.
 */
#ifndef SLUICE_BENCH_FIGURES_H
#define SLUICE_BENCH_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIGURES_MAX 64
#define FIGURE_SAMPLES_MAX 31

struct figure {
	const char *name, *unit;
	double value, min, max; /* median and extremes */
	const char *baseline; /* NULL: none */
	double ratio;
	double target; /* 0: nothing is promised */
	uint32_t runs;
};

struct figures {
	struct figure figure[FIGURES_MAX];
	size_t n;
};

double median(const double *samples, size_t n);

/* Add a figure from samples; the caller sets what compares it. */
struct figure *figures_add(struct figures *figures, const char *name, const char *unit,
			   const double *samples, size_t n);

/* The figure of that name; there must be one. */
const struct figure *figures_find(const struct figures *figures, const char *name);

bool figure_ok(const struct figure *figure);
bool figures_ok(const struct figures *figures);

/* The one argument of a benchmark, where its figures go. Another number of them ends the program. */
const char *figures_path(int argc, char **argv);

/* Measures into figures, which are empty. */
typedef void figures_measure_fn(void *arg, struct figures *figures);

/* Measure, up to so many times, until no target is missed: the machine has bad moments. */
void figures_measure(struct figures *figures, figures_measure_fn *measure, void *arg, int attempts);

/* Print the figures, write them to path as JSON, and return the program's exit status: whether all targets are met. */
int figures_finish(const struct figures *figures, const char *path);

#endif
