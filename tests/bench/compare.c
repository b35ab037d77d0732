// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/compare.h"

static double net(const double *samples, size_t rounds, size_t round, int subject, int floor)
{
	double value = samples[(size_t)subject * rounds + round];

	return floor == COMPARE_NO_FLOOR ? value : value - samples[(size_t)floor * rounds + round];
}

void compare_add(struct figures *figures, const struct comparison *c, const double *samples,
		 size_t rounds)
{
	struct figure *figure =
		figures_add(figures, c->name, "ns", &samples[(size_t)c->subject * rounds], rounds);
	double ratios[FIGURE_SAMPLES_MAX];

	if (!c->baseline)
		return;
	for (size_t i = 0; i < rounds; i++)
		ratios[i] = net(samples, rounds, i, c->subject, c->floor) /
			    net(samples, rounds, i, c->base, c->base_floor);
	figure->baseline = c->baseline;
	figure->ratio = median(ratios, rounds);
	figure->target = c->target;
}
