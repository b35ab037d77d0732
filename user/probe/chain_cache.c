// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/chain_cache.h"

#include <pthread.h>
#include <string.h>

#include "util/cleanup.h"

#define SETS 256
#define WAYS 4

struct entry {
	bool used;
	struct chain_key key;
	struct chain_finding finding;
};

struct set {
	struct entry entries[WAYS];
	uint32_t next; /* to be displaced */
};

struct chain_cache {
	pthread_mutex_t lock;
	struct set *sets[SETS]; /* NULL: nothing came here yet */
};

struct chain_cache *chain_cache_new(void)
{
	struct chain_cache *cache = calloc(1, sizeof(*cache));

	if (cache)
		pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

void chain_cache_free(struct chain_cache *cache)
{
	if (!cache)
		return;
	for (uint32_t i = 0; i < SETS; i++) {
		for (uint32_t k = 0; cache->sets[i] && k < WAYS; k++)
			certs_unref(cache->sets[i]->entries[k].finding.facts.certs);
		free(cache->sets[i]);
	}
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* The key is a hash already: its first byte is as good as any. */
static uint32_t set_of(const struct chain_key *key)
{
	_Static_assert(SETS == UINT8_MAX + 1, "one byte selects a set");
	return key->hash[0];
}

static struct entry *find(struct set *set, const struct chain_key *key)
{
	for (uint32_t i = 0; set && i < WAYS; i++)
		if (set->entries[i].used && !memcmp(&set->entries[i].key, key, sizeof(*key)))
			return &set->entries[i];
	return NULL;
}

bool chain_cache_find(struct chain_cache *cache, const struct chain_key *key, uint32_t generation,
		      int64_t now_s, struct chain_finding *ret)
{
	const struct entry *entry;
	bool good;

	pthread_mutex_lock(&cache->lock);
	entry = find(cache->sets[set_of(key)], key);
	good = entry && entry->finding.generation == generation && entry->finding.from_s <= now_s &&
	       now_s < entry->finding.until_s;
	if (good) {
		*ret = entry->finding;
		certs_ref(ret->facts.certs);
	}
	pthread_mutex_unlock(&cache->lock);
	return good;
}

void chain_cache_put(struct chain_cache *cache, const struct chain_key *key,
		     const struct chain_finding *finding)
{
	struct certs *old = NULL;
	struct entry *entry;
	struct set **set = &cache->sets[set_of(key)];

	pthread_mutex_lock(&cache->lock);
	if (!*set)
		*set = calloc(1, sizeof(**set));
	if (*set) {
		entry = find(*set, key);
		if (!entry)
			entry = &(*set)->entries[(*set)->next++ % WAYS];
		old = entry->finding.facts.certs;
		*entry = (struct entry){ .used = true, .key = *key, .finding = *finding };
		certs_ref(entry->finding.facts.certs);
	}
	pthread_mutex_unlock(&cache->lock);
	certs_unref(old);
}
