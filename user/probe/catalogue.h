/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * catalogue - what each verdict means, what usually causes it and what to do about it.
 *
 * One row per entry of SL_MESSAGES, and one per entry of SL_WARNINGS, which have no number. Static
 * data; strings are never freed.
 */
#ifndef SLUICE_PROBE_CATALOGUE_H
#define SLUICE_PROBE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/abi.h"

#define CATALOGUE_LIST_MAX 6

struct catalogue_row {
	const char *id;
	bool is_warning; /* code counts for verdicts, warning for warnings */
	enum sl_message code;
	enum sl_warning warning;
	const char *meaning; /* one sentence */
	const char *causes[CATALOGUE_LIST_MAX]; /* ends at the first NULL */
	const char *remedies[CATALOGUE_LIST_MAX];
};

/* The row of a code, or NULL. */
const struct catalogue_row *catalogue_find(enum sl_message code);

/* The row of a warning, or NULL. */
const struct catalogue_row *catalogue_find_warning(enum sl_warning warning);

/* The row of a stable id ("tcp_connect_failed") or of a verdict's number ("3"), or NULL. */
const struct catalogue_row *catalogue_find_id(const char *id);

/* All rows: verdicts in the order of SL_MESSAGES, then warnings in that of SL_WARNINGS. */
const struct catalogue_row *const *catalogue_rows(size_t *ret_n);

#endif
