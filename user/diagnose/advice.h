/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * advice - what a verdict usually means and what to do about it, for one verdict with its data.
 *
 * Joins the catalogue's row with the hints that depend on the verdict. Strings are static or, like
 * the hint of a certificate chain, live as long as the verdict's reference to its certificates.
 */
#ifndef SLUICE_DIAGNOSE_ADVICE_H
#define SLUICE_DIAGNOSE_ADVICE_H

#include <stddef.h>

#include "model/verdict.h"
#include "probe/catalogue.h"

#define ADVICE_MAX (CATALOGUE_LIST_MAX + 2)

struct advice {
	size_t n_causes, n_remedies;
	const char *causes[CATALOGUE_LIST_MAX];
	const char *remedies[ADVICE_MAX]; /* hints, where there are any, come first */
};

struct advice advice_for(const struct verdict *verdict);

/* What one verdict alone says: ours is Unknown, whatever was proven before. */
enum sl_health advice_health(enum sl_message code);

#endif
