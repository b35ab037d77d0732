/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * types - what the entries of maps are, in numbers that two versions of the program can compare.
 *
 * The compiler has written it down for the kernel (BTF): every member with its name, place and size. A map that
 * another version has pinned can be taken over if its numbers are the same. What changes its meaning has to
 * change its name, then.
 */
#ifndef SLUICE_DATAPLANE_TYPES_H
#define SLUICE_DATAPLANE_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/abi.h"

struct btf;

/* Of a map's keys and values, by their ids; never 0. 0: it has a type that no map of ours has. */
uint64_t types_hash(const struct btf *btf, uint32_t key_id, uint32_t value_id);

/* The number of the map of that name; 0: not known. */
uint64_t types_find(const struct sl_types *types, const char *map);

/* Note it. false: there is no room. */
bool types_add(struct sl_types *types, const char *map, uint64_t hash);

#endif
