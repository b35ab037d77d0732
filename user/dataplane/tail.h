/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tail - a number behind a name, in the room that a name of usual length leaves in its array.
 *
 * endpoint_names has to tell a daemon that adopts it under which DNS name an address was found
 * (behind settings) and in which configuration (behind pool). A name that is too long leaves no
 * room; the number then reads as 0, and the address is not adopted.
 */
#ifndef SLUICE_DATAPLANE_TAIL_H
#define SLUICE_DATAPLANE_TAIL_H

#include <stdint.h>
#include <string.h>

#include "sluice/abi.h"

#define TAIL_AT (SL_NAME_LEN - sizeof(uint64_t))

static inline uint64_t tail_get(const char name[SL_NAME_LEN])
{
	uint64_t number = 0;

	if (strnlen(name, SL_NAME_LEN) < TAIL_AT)
		memcpy(&number, name + TAIL_AT, sizeof(number));
	return number;
}

static inline void tail_put(char name[SL_NAME_LEN], uint64_t number)
{
	if (strnlen(name, SL_NAME_LEN) < TAIL_AT)
		memcpy(name + TAIL_AT, &number, sizeof(number));
}

#endif
