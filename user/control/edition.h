/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edition - all endpoints as text, made once for all who begin to read within a second.
 *
 * After a reload every open page begins anew, and all at once. What a batch says is at least as new as the edition's
 * revision, which is what its readers know afterwards. Nobody holds an edition: who is so slow that there is a later one
 * has the rest of his rows made for him alone. Any thread.
 */
#ifndef SLUICE_CONTROL_EDITION_H
#define SLUICE_CONTROL_EDITION_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define EDITION_BYTES_MAX (8u << 20) /* what is beyond is made for each reader */

/* Where a pass over the services is. */
struct edition_place {
	uint32_t group, member;
};

struct edition_cache {
	pthread_mutex_t lock;
	uint64_t number; /* of the edition; grows */
	uint64_t revision;
	uint64_t made_ms; /* monotonic; 0: there is none */
	size_t n, capacity, bytes;
	struct edition_batch {
		char *text;
		struct edition_place from,
			behind; /* where it begins, and where the next one does */
	} * batches;
};

/* All zero but for the lock. */
void edition_init(struct edition_cache *cache);
void edition_clear(struct edition_cache *cache);

/* Begin to read: the number of the edition. revision: of the board now. *ret_revision: of the edition. */
uint64_t edition_begin(struct edition_cache *cache, uint64_t revision, uint64_t *ret_revision);

/*
 * A copy of its batch, of which *place is where it begins, and then where the next one does. NULL: it is not there (yet,
 * or any more), or out of memory.
 */
char *edition_find(struct edition_cache *cache, uint64_t number, size_t batch,
		   struct edition_place *place);

/* Keep a copy for others, if it follows what is there and there is room. */
void edition_add(struct edition_cache *cache, uint64_t number, const char *text,
		 const struct edition_place *from, const struct edition_place *behind);

#endif
