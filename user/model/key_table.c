// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/key_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/hash.h"

/* At most half of the slots are taken. */
static unsigned int bits_for(uint32_t max)
{
	unsigned int bits = 1;

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

/* The slot of the row that has the key, or the free one where it belongs. */
static uint32_t *find_slot(const struct key_table *table, const struct sl_target_key *key)
{
	uint64_t mask = ((uint64_t)1 << table->bits) - 1;
	uint64_t at = sl_key_mix(key) >> SL_INDEX_SHIFT(table->bits);

	for (;; at = (at + 1) & mask) {
		uint32_t *slot = &table->slots[at];

		if (!*slot ||
		    !memcmp(table->first + (size_t)(*slot - 1) * table->stride, key, sizeof(*key)))
			return slot;
	}
}

uint32_t key_table_enter(struct key_table *table, uint32_t row)
{
	struct sl_target_key key;
	uint32_t *slot;

	memcpy(&key, table->first + (size_t)row * table->stride, sizeof(key));
	slot = find_slot(table, &key);
	if (!*slot)
		*slot = row + 1;
	return *slot - 1;
}

uint32_t key_table_find(const struct key_table *table, const struct sl_target_key *key)
{
	/* A free slot's 0 becomes KEY_TABLE_NONE. */
	return table->slots ? *find_slot(table, key) - 1 : KEY_TABLE_NONE;
}
