/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * advice - what a verdict usually means and what to do about it, for one verdict with its data.
 *
 * Joins the catalogue's row with the hint that depends on the verdict. Static strings only.
 */
#ifndef SLUICE_DIAGNOSE_ADVICE_H
#define SLUICE_DIAGNOSE_ADVICE_H

#include <stddef.h>

#include "model/verdict.h"
#include "probe/catalogue.h"

#define ADVICE_MAX (CATALOGUE_LIST_MAX + 1)

struct advice {
	size_t n_causes, n_remedies;
	const char *causes[CATALOGUE_LIST_MAX];
	const char *remedies[ADVICE_MAX]; /* the hint, where there is one, comes first */
};

struct advice advice_for(const struct verdict *verdict);

/* What one verdict alone says: ours is Unknown, whatever was proven before. */
enum sl_health advice_health(enum sl_message code);

#endif
