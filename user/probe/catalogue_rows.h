/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * catalogue_rows - what the rows of the catalogue are written with; for probe/catalogue*.c only.
 *
 * Each row is a variable of its own, named after its entry in abi.h: an entry without a row does
 * not link, and a row without an entry does not compile.
 */
#ifndef SLUICE_PROBE_CATALOGUE_ROWS_H
#define SLUICE_PROBE_CATALOGUE_ROWS_H

#include "probe/catalogue.h"

#define CATALOGUE_MESSAGE_ROW_(NAME, code, id, passed, ours) \
	extern const struct catalogue_row catalogue_row_##NAME;
#define CATALOGUE_WARNING_ROW_(NAME, bit, id) \
	extern const struct catalogue_row catalogue_warning_##NAME;
SL_MESSAGES(CATALOGUE_MESSAGE_ROW_)
SL_WARNINGS(CATALOGUE_WARNING_ROW_)

/* Ids by name, so that a row is written with its name only. */
#define CATALOGUE_MESSAGE_ID_(NAME, code, id, passed, ours) \
	static const char catalogue_id_##NAME[] __attribute__((unused)) = id;
#define CATALOGUE_WARNING_ID_(NAME, bit, id) \
	static const char catalogue_warning_id_##NAME[] __attribute__((unused)) = id;
SL_MESSAGES(CATALOGUE_MESSAGE_ID_)
SL_WARNINGS(CATALOGUE_WARNING_ID_)

#define OF_MESSAGE(NAME) .id = catalogue_id_##NAME, .code = SL_MSG_##NAME
#define OF_WARNING(NAME) \
	.id = catalogue_warning_id_##NAME, .is_warning = true, .warning = SL_WARN_##NAME

#endif
