// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/duration.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DURATION_MAX_MS (1ull << 53) /* exact in JSON */

static const struct unit {
	const char *name;
	uint64_t ms;
} units[] = {
	{ "d", 24 * 60 * 60 * 1000ull },
	{ "h", 60 * 60 * 1000ull },
	{ "m", 60 * 1000ull },
	{ "s", 1000ull },
	{ "ms", 1ull },
};
#define N_UNITS (sizeof(units) / sizeof(units[0]))

static uint64_t unit_ms(const char *name)
{
	if (!*name)
		return 1000;
	for (size_t i = 0; i < N_UNITS; i++)
		if (!strcmp(name, units[i].name))
			return units[i].ms;
	return 0;
}

int duration_parse(uint64_t *ret_ms, const char *text)
{
	uint64_t number, unit;
	char *end;

	/* strtoull() would accept signs and blanks in front. */
	if (!isdigit((unsigned char)*text))
		return -EINVAL;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno)
		return -ERANGE;
	unit = unit_ms(end);
	if (!unit)
		return -EINVAL;
	if (number > DURATION_MAX_MS / unit)
		return -ERANGE;

	*ret_ms = number * unit;
	return 0;
}

const char *duration_format(char buf[DURATION_LEN], uint64_t ms)
{
	const struct unit *unit = &units[N_UNITS - 1];

	for (size_t i = 0; i < N_UNITS; i++) {
		if (ms && ms % units[i].ms == 0) {
			unit = &units[i];
			break;
		}
	}
	if (!ms)
		unit = &units[N_UNITS - 2];

	snprintf(buf, DURATION_LEN, "%" PRIu64 "%s", ms / unit->ms, unit->name);
	return buf;
}

const char *duration_human(char buf[DURATION_LEN], uint64_t ms)
{
	const struct unit *second = &units[N_UNITS - 2];
	size_t i = 0;

	if (ms < second->ms) {
		snprintf(buf, DURATION_LEN, "%" PRIu64 "ms", ms);
		return buf;
	}
	if (ms < 10 * second->ms) {
		snprintf(buf, DURATION_LEN, "%" PRIu64 ".%" PRIu64 "s", ms / second->ms,
			 ms % second->ms / 100);
		return buf;
	}

	while (ms < units[i].ms)
		i++;
	if (&units[i] == second || ms % units[i].ms < units[i + 1].ms)
		snprintf(buf, DURATION_LEN, "%" PRIu64 "%s", ms / units[i].ms, units[i].name);
	else
		snprintf(buf, DURATION_LEN, "%" PRIu64 "%s %" PRIu64 "%s", ms / units[i].ms,
			 units[i].name, ms % units[i].ms / units[i + 1].ms, units[i + 1].name);
	return buf;
}
