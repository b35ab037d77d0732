// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/catalogue.h"

#include <string.h>

#include "model/verdict.h"
#include "probe/catalogue_rows.h"
#include "util/number.h"

#define MESSAGE_POINTER(NAME, code, id, passed, ours) &catalogue_row_##NAME,
#define WARNING_POINTER(NAME, bit, id) &catalogue_warning_##NAME,
static const struct catalogue_row *const rows[] = { SL_MESSAGES(MESSAGE_POINTER)
							    SL_WARNINGS(WARNING_POINTER) };

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

const struct catalogue_row *catalogue_find(enum sl_message code)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (!rows[i]->is_warning && rows[i]->code == code)
			return rows[i];
	return NULL;
}

const struct catalogue_row *catalogue_find_warning(enum sl_warning warning)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i]->is_warning && rows[i]->warning == warning)
			return rows[i];
	return NULL;
}

const struct catalogue_row *catalogue_find_id(const char *id)
{
	uint64_t number;

	for (size_t i = 0; i < N_ROWS; i++)
		if (!strcmp(rows[i]->id, id))
			return rows[i];
	if (number_parse(&number, id, 0, UINT16_MAX) < 0)
		return NULL;
	return catalogue_find((enum sl_message)number);
}

const struct catalogue_row *const *catalogue_rows(size_t *ret_n)
{
	*ret_n = N_ROWS;
	return rows;
}
