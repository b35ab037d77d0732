/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * key_table - find rows of an array by the address, port and transport that they hold: a hash table of
 * row numbers beside the array. Pure.
 */
#ifndef SLUICE_MODEL_KEY_TABLE_H
#define SLUICE_MODEL_KEY_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "sluice/abi.h"

#define KEY_TABLE_NONE UINT32_MAX

struct key_table {
	const char *first; /* the key of row 0; borrowed */
	size_t stride; /* bytes from one row's key to the next one's */
	uint64_t *slots; /* a tag above, and below row number + 1; 0: free */
	unsigned int bits; /* 2^bits slots */
};

/*
 * For up to max rows, none of which is entered yet. The array is the caller's and must not move; a
 * row's key must not change once it is entered. -ENOMEM.
 */
int key_table_open(struct key_table *ret, const struct sl_target_key *first, size_t stride,
		   uint32_t max);
void key_table_close(struct key_table *table);

/* Enter a row. The row that has its key: itself, or one that was entered before and stays. */
uint32_t key_table_enter(struct key_table *table, uint32_t row);

/* The row that has this key, or KEY_TABLE_NONE; of a table that was never opened, KEY_TABLE_NONE. */
uint32_t key_table_find(const struct key_table *table, const struct sl_target_key *key);

#endif
