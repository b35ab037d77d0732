/* SPDX-License-Identifier: GPL-2.0-or-later */
/* number - decimal numbers from outside, with their bounds. */
#ifndef SLUICE_UTIL_NUMBER_H
#define SLUICE_UTIL_NUMBER_H

#include <stdint.h>

/* Digits only, min..max. -EINVAL: something else than digits; -ERANGE: outside the bounds. */
int number_parse(uint64_t *ret_number, const char *text, uint64_t min, uint64_t max);

#endif
