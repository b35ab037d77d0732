// SPDX-License-Identifier: GPL-2.0-or-later
#include "diagnose/advice.h"

#include "probe/message.h"

struct advice advice_for(const struct verdict *verdict)
{
	const struct catalogue_row *row = catalogue_find(verdict->code);
	const char *hint = message_hint(verdict);
	struct advice advice = { 0 };

	if (hint)
		advice.remedies[advice.n_remedies++] = hint;
	/* Nothing is wrong: nothing caused it, and there is nothing to do. */
	if (!row || message_passed(verdict->code))
		return advice;

	for (size_t i = 0; i < CATALOGUE_LIST_MAX && row->causes[i]; i++)
		advice.causes[advice.n_causes++] = row->causes[i];
	for (size_t i = 0; i < CATALOGUE_LIST_MAX && row->remedies[i]; i++)
		advice.remedies[advice.n_remedies++] = row->remedies[i];
	return advice;
}

enum sl_health advice_health(enum sl_message code)
{
	if (message_ours(code))
		return SL_UNKNOWN;
	return message_passed(code) ? SL_HEALTHY : SL_UNHEALTHY;
}
