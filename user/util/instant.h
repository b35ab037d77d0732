/* SPDX-License-Identifier: GPL-2.0-or-later */
/* instant - a point in time as people name it: "10m" (that long ago), or "2026-01-01T12:00:00Z". */
#ifndef SLUICE_UTIL_INSTANT_H
#define SLUICE_UTIL_INSTANT_H

#include <stdint.h>

#define INSTANT_ALLOWED \
	"a duration such as 10m, meaning that long ago, or a time such as 2026-01-31T12:00:00Z"

/*
 * Read a duration before now_us, or a time of RFC 3339 with its offset, into microseconds since
 * 1970. -EINVAL: it is neither. What lies before 1970 becomes 0.
 */
int instant_parse(uint64_t *ret_us, const char *text, uint64_t now_us);

#endif
