// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/edition.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"

#define CURRENT_MS 1000 /* so long do others join */
#define BATCHES_START 64

void edition_init(struct edition_cache *cache)
{
	*cache = (struct edition_cache){ .number = 0 };
	pthread_mutex_init(&cache->lock, NULL);
}

/* With the lock. */
static void forget(struct edition_cache *cache)
{
	for (size_t i = 0; i < cache->n; i++)
		free(cache->batches[i].text);
	free(cache->batches);
	cache->batches = NULL;
	cache->n = cache->capacity = cache->bytes = 0;
	cache->made_ms = 0;
	cache->number++;
}

void edition_clear(struct edition_cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	forget(cache);
	pthread_mutex_unlock(&cache->lock);
}

uint64_t edition_begin(struct edition_cache *cache, uint64_t revision, uint64_t *ret_revision)
{
	uint64_t now_ms = clock_mono_ms(), number;

	pthread_mutex_lock(&cache->lock);
	if (!cache->made_ms || now_ms - cache->made_ms >= CURRENT_MS) {
		forget(cache);
		cache->revision = revision;
		cache->made_ms = now_ms;
	}
	*ret_revision = cache->revision;
	number = cache->number;
	pthread_mutex_unlock(&cache->lock);
	return number;
}

static bool is_same(const struct edition_place *a, const struct edition_place *b)
{
	return a->group == b->group && a->member == b->member;
}

char *edition_find(struct edition_cache *cache, uint64_t number, size_t batch,
		   struct edition_place *place)
{
	char *text = NULL;

	pthread_mutex_lock(&cache->lock);
	if (cache->number == number && batch < cache->n &&
	    is_same(&cache->batches[batch].from, place))
		text = strdup(cache->batches[batch].text);
	if (text)
		*place = cache->batches[batch].behind;
	pthread_mutex_unlock(&cache->lock);
	return text;
}

/* With the lock. Batches are made one after the other, by whoever comes first; from another place they are of no use. */
static bool follows(const struct edition_cache *cache, const struct edition_place *from)
{
	static const struct edition_place start;

	return is_same(from, cache->n ? &cache->batches[cache->n - 1].behind : &start);
}

/* With the lock. */
static struct edition_batch *make_room(struct edition_cache *cache)
{
	size_t capacity = cache->capacity ? cache->capacity * 2 : BATCHES_START;
	struct edition_batch *grown;

	if (cache->n < cache->capacity)
		return &cache->batches[cache->n];
	grown = reallocarray(cache->batches, capacity, sizeof(*grown));
	if (!grown)
		return NULL;
	cache->batches = grown;
	cache->capacity = capacity;
	return &cache->batches[cache->n];
}

void edition_add(struct edition_cache *cache, uint64_t number, const char *text,
		 const struct edition_place *from, const struct edition_place *behind)
{
	size_t len = strlen(text);
	struct edition_batch *slot;

	pthread_mutex_lock(&cache->lock);
	if (cache->number == number && follows(cache, from) &&
	    cache->bytes + len <= EDITION_BYTES_MAX) {
		slot = make_room(cache);
		if (slot)
			*slot = (struct edition_batch){ strdup(text), *from, *behind };
		if (slot && slot->text) {
			cache->n++;
			cache->bytes += len;
		}
	}
	pthread_mutex_unlock(&cache->lock);
}
