/* SPDX-License-Identifier: GPL-2.0-or-later */
/* filter_expr - whether one statement of a rule holds for a packet; for survey/filter*.c only. */
#ifndef SLUICE_SURVEY_FILTER_EXPR_H
#define SLUICE_SURVEY_FILTER_EXPR_H

#include "survey/filter.h"

enum holds { HOLDS_NO, HOLDS_MAYBE, HOLDS_YES };

/* Where the names of sets are looked up. */
struct filter_scope {
	const json_t *objects; /* of the ruleset */
	const char *family, *table;
	const struct filter_packet *packet;
};

/* {"op": …, "left": …, "right": …} */
enum holds filter_holds(const struct filter_scope *scope, const json_t *match);

/* Whether the expression's value is among what right says. */
enum holds filter_is(const struct filter_scope *scope, const json_t *left, const json_t *right);

#endif
