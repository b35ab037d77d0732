// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/key_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/hash.h"

/* Addresses that follow each other are looked for one after the other: so many of them share a cache line. */
#define NEAR 8
#define LAST 15 /* an address's byte that tells them apart */

#define ROW(slot) ((uint32_t)(slot)) /* + 1; 0: free */
#define TAG(slot) ((slot) >> 32)

/* At most half of the slots are taken. */
static unsigned int bits_for(uint32_t max)
{
	unsigned int bits = 4;

	while ((uint64_t)max * 2 > 1ull << bits)
		bits++;
	return bits;
}

int key_table_open(struct key_table *ret, const struct sl_target_key *first, size_t stride,
		   uint32_t max)
{
	unsigned int bits = bits_for(max);

	*ret = (struct key_table){ .first = (const char *)first, .stride = stride, .bits = bits };
	ret->slots = calloc((size_t)1 << bits, sizeof(*ret->slots));
	return ret->slots ? 0 : -ENOMEM;
}

void key_table_close(struct key_table *table)
{
	free(table->slots);
	*table = (struct key_table){ .bits = 0 };
}

static bool has_key(const struct key_table *table, uint64_t slot, const struct sl_target_key *key)
{
	const char *row = table->first + (size_t)(ROW(slot) - 1) * table->stride;

	return !memcmp(row, key, sizeof(*key));
}

/*
 * The slot of the row that has the key, or the free one where it belongs. A slot's upper half tells nearly always
 * whether the row has the key, without a look at the row.
 */
static uint64_t *find_slot(const struct key_table *table, const struct sl_target_key *key,
			   uint64_t *ret_tag)
{
	uint64_t mask = ((uint64_t)1 << table->bits) - 1, which = key->addr[LAST] % NEAR, mixed, at;
	struct sl_target_key first = *key;

	first.addr[LAST] -= (uint8_t)which;
	mixed = sl_key_mix(&first);
	*ret_tag = mixed >> 32 ^ which;
	at = (mixed >> SL_INDEX_SHIFT(table->bits) & ~(uint64_t)(NEAR - 1)) + which;
	for (;; at = (at + 1) & mask) {
		uint64_t *slot = &table->slots[at];

		if (!ROW(*slot) || (TAG(*slot) == *ret_tag && has_key(table, *slot, key)))
			return slot;
	}
}

uint32_t key_table_enter(struct key_table *table, uint32_t row)
{
	struct sl_target_key key;
	uint64_t *slot, tag;

	memcpy(&key, table->first + (size_t)row * table->stride, sizeof(key));
	slot = find_slot(table, &key, &tag);
	if (!ROW(*slot))
		*slot = tag << 32 | (row + 1);
	return ROW(*slot) - 1;
}

uint32_t key_table_find(const struct key_table *table, const struct sl_target_key *key)
{
	uint64_t tag;

	/* A free slot's 0 becomes KEY_TABLE_NONE. */
	return table->slots ? ROW(*find_slot(table, key, &tag)) - 1 : KEY_TABLE_NONE;
}
