/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chain_cache - findings on chains that were judged before.
 *
 * Judging is a function of what the server sent, what was asked for, what is trusted and the time.
 * The first two are hashed into the key, the third has a number, and the dates at which the
 * finding could become another one bound the time for which it is kept. Thousands of endpoints
 * that show the same certificates share one description of them.
 *
 * Bounded: an entry that has no place displaces an older one. Any thread may call anything.
 */
#ifndef SLUICE_PROBE_CHAIN_CACHE_H
#define SLUICE_PROBE_CHAIN_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/verdict.h"

struct chain_cache;

struct chain_key {
	uint8_t hash[CERT_SHA256_LEN];
};

/* Holds a finding for from_s <= now < until_s, while the trust's number is generation. */
struct chain_finding {
	enum sl_message code;
	struct tls_facts facts;
	uint32_t generation;
	int64_t from_s, until_s;
};

/* NULL: out of memory. */
struct chain_cache *chain_cache_new(void);
void chain_cache_free(struct chain_cache *cache);

/* Returns whether there is one, with a reference to its certificates for the caller. */
bool chain_cache_find(struct chain_cache *cache, const struct chain_key *key, uint32_t generation,
		      int64_t now_s, struct chain_finding *ret);

/* Keep a copy, which takes a reference of its own. */
void chain_cache_put(struct chain_cache *cache, const struct chain_key *key,
		     const struct chain_finding *finding);

#endif
