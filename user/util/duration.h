/* SPDX-License-Identifier: GPL-2.0-or-later */
/* duration - "500ms", "30s", "2m", "1h", "1d"; a bare number is seconds. */
#ifndef SLUICE_UTIL_DURATION_H
#define SLUICE_UTIL_DURATION_H

#include <stddef.h>
#include <stdint.h>

/* Parse text into milliseconds. -EINVAL: not a duration; -ERANGE: more than 2^53 ms. */
int duration_parse(uint64_t *ret_ms, const char *text);

#define DURATION_LEN 32

/* Write ms exactly in its largest whole unit ("1500ms", "30s", "2m") and return buf. */
const char *duration_format(char buf[DURATION_LEN], uint64_t ms);

/* Write ms for people: at most two units ("3d 4h", "2m 10s", "1.2s", "15ms"); returns buf. */
const char *duration_human(char buf[DURATION_LEN], uint64_t ms);

#endif
