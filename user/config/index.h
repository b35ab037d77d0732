/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * index - the records of one list by what must be unique in them: a name, or an address.
 *
 * Filled, sorted once, then searched. Keys are borrowed from the records.
 */
#ifndef SLUICE_CONFIG_INDEX_H
#define SLUICE_CONFIG_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;

struct index_entry {
	const void *key;
	size_t len;
	const struct node *node; /* the key's value in the file */
	uint32_t position; /* of the record in its list */
	bool clean; /* the record has no error */
};

struct index {
	struct index_entry *entries;
	uint32_t n_entries;
};

/* Room for n records. -ENOMEM. */
int index_init(struct index *index, uint32_t n);

void index_done(struct index *index);

/* Add a record; at most as many as there is room for. */
void index_add(struct index *index, struct index_entry entry);

/* By key; equal keys by position. */
void index_sort(struct index *index);

/* The first record of that key, or NULL. Only after index_sort(). */
const struct index_entry *index_find(const struct index *index, const void *key, size_t len);

/* Whether two entries have the same key. */
bool index_equal(const struct index_entry *a, const struct index_entry *b);

#endif
