// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/clock.h"

#include <stdio.h>

const char *clock_iso(char buf[CLOCK_ISO_LEN], uint64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / MS_PER_SEC);
	char date[CLOCK_ISO_LEN];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, CLOCK_ISO_LEN, "%.19s.%03uZ", date, (unsigned int)(wall_ms % MS_PER_SEC));

	return buf;
}
