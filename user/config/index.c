// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int index_init(struct index *index, uint32_t n)
{
	*index = (struct index){ .entries = calloc(n ? n : 1, sizeof(*index->entries)) };
	return index->entries ? 0 : -ENOMEM;
}

void index_done(struct index *index)
{
	free(index->entries);
	*index = (struct index){ 0 };
}

void index_add(struct index *index, struct index_entry entry)
{
	index->entries[index->n_entries++] = entry;
}

static int compare_keys(const struct index_entry *a, const struct index_entry *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return memcmp(a->key, b->key, a->len);
}

static int compare(const void *a, const void *b)
{
	const struct index_entry *x = a, *y = b;
	int order = compare_keys(x, y);

	if (order)
		return order;
	return x->position < y->position ? -1 : x->position > y->position;
}

void index_sort(struct index *index)
{
	qsort(index->entries, index->n_entries, sizeof(*index->entries), compare);
}

const struct index_entry *index_find(const struct index *index, const void *key, size_t len)
{
	const struct index_entry wanted = { .key = key, .len = len };
	uint32_t low = 0, high = index->n_entries;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (compare_keys(&index->entries[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == index->n_entries || compare_keys(&index->entries[low], &wanted) != 0)
		return NULL;
	return &index->entries[low];
}

bool index_equal(const struct index_entry *a, const struct index_entry *b)
{
	return compare_keys(a, b) == 0;
}
