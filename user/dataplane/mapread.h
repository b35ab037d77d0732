/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapread - all entries of an array or a hash table, some with each system call.
 *
 * Others may change the map meanwhile: an entry that comes or goes may be missed.
 */
#ifndef SLUICE_DATAPLANE_MAPREAD_H
#define SLUICE_DATAPLANE_MAPREAD_H

#include <stdbool.h>
#include <stdint.h>

/* How far a map has been read: with fd and at_once alone, not begun. Owns nothing, and is just forgotten. */
struct map_reader {
	int fd; /* borrowed */
	uint32_t at_once; /* entries, at most; no less than a bucket of a hash table may have */
	uint32_t position; /* the kernel's: an index, or a bucket */
	bool has_begun;
};

/*
 * Copy the next entries into ret_keys and ret_values, which have room for at_once of them each; ret_n: how many there
 * are. 1: there may be more; 0: these were the last, if any; -errno from the kernel, and no entries: -ENOSPC where a
 * bucket has more than at_once.
 */
int map_reader_next(struct map_reader *reader, void *ret_keys, void *ret_values, uint32_t *ret_n);

#endif
