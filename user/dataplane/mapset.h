/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapset - the maps of bpf/maps.h as one set: their shapes, their sizes, and where they are pinned.
 *
 * The maps refer to each other by endpoint id, so they are taken over together or replaced
 * together, never one by one.
 */
#ifndef SLUICE_DATAPLANE_MAPSET_H
#define SLUICE_DATAPLANE_MAPSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"

struct err;
struct pins;

enum map_id {
	MAP_TARGETS,
	MAP_INDEX,
	MAP_WORDS,
	MAP_NAMES,
	MAP_STATS,
	MAP_DECISIONS,
	MAP_META,
	MAP_BUDGET,
	MAP_SERVICES,
	MAP_SERVICE_NAMES,
	MAP_SERVICE_STATS,
	MAP_SELECTION,
	MAP_FLOWS,
	MAP_HALF_OPEN,
	MAP_HANDSHAKES,
	MAP_ATTEMPTS,
	MAP_ATTEMPT_STATS,
	MAP_EVIDENCE,
	MAP_FRAGMENTS,
	MAP_FLOW_BUDGET,
	MAP_ROUTES,
	MAP_DEVICES,
	MAP_TYPES,
	MAPS
};

/* What there has to be room for. All but endpoints may be 0. */
struct map_needs {
	uint32_t endpoints, services; /* ids */
	uint32_t slots; /* of selection tables; even */
	uint32_t flows, half_open; /* entries: two for each flow that is translated */
	uint32_t attempts; /* to connect that are watched; 0: none */
};

struct map_sizes {
	uint32_t endpoints; /* ids 0 .. endpoints - 1 */
	uint32_t services; /* the same; 0: nothing is forwarded, though no map is empty */
	uint32_t attempts; /* slots; 0: none are watched, though no map is empty */
	uint32_t index_bits;
	uint32_t entries[MAPS];
};

/* The sizes for that; at least one endpoint is needed. */
struct map_sizes map_sizes_for(const struct map_needs *needs);

const char *map_name(enum map_id id);
const char *map_purpose(enum map_id id); /* one line */

struct mapset {
	int fd[MAPS]; /* owned; -1: not open */
	bool differs[MAPS]; /* it is pinned, but its entries are not what ours are: not open */
};

#define MAPSET_NONE                             \
	{                                       \
		.fd = { [0 ... MAPS - 1] = -1 } \
	}

void mapset_done(struct mapset *set);

/* Whether both are the same maps of the kernel's; false also where it does not say. */
bool mapset_is(const struct mapset *set, const struct mapset *other);

enum mapset_fit {
	MAPSET_ABSENT, /* nothing is pinned */
	MAPSET_FITS, /* can be taken over as it is */
	MAPSET_READABLE, /* has other sizes or lacks maps: what is open can be carried over */
	MAPSET_ALIEN /* it does not say which endpoint an id is: its contents mean nothing to us */
};

/*
 * Open what is pinned and say how well it fits. types: what ours are; NULL: the maps are known to be. ret_set is to
 * be released in every case.
 */
struct sl_types;
enum mapset_fit mapset_open_pinned(struct mapset *ret_set, const struct pins *pins,
				   const struct map_sizes *sizes, const struct sl_types *types);

/* Look an entry up, if keys and values have these sizes: -EINVAL otherwise. -errno from the kernel. */
int map_read(int fd, const void *key, size_t key_size, void *ret_value, size_t value_size);

/* Entries of an open map, or 0. */
uint32_t map_entries(int fd);

/* Bytes of kernel memory that the map is charged for, or 0 if the kernel does not say. */
uint64_t map_memory(int fd);

/* Pin all maps in "maps:new". */
int mapset_stage(const struct mapset *set, const struct pins *pins, struct err *err);

#endif
