// SPDX-License-Identifier: GPL-2.0-or-later
#include "diagnose/advice.h"

#include "probe/message.h"

struct advice advice_for(const struct verdict *verdict)
{
	const struct catalogue_row *row = catalogue_find(verdict->code);
	const char *const hints[] = { message_chain_hint(verdict), message_hint(verdict) };
	struct advice advice = { 0 };

	/* Nothing is wrong: nothing caused it, and there is nothing to do. */
	if (!row || message_passed(verdict->code))
		return advice;
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i])
			advice.remedies[advice.n_remedies++] = hints[i];

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
