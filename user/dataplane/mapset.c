// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/mapset.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>

#include "dataplane/pins.h"
#include "dataplane/types.h"
#include "sluice/abi.h"
#include "util/err.h"

/* What the number of a map's entries follows from. */
enum map_scale {
	SCALE_ONE,
	SCALE_ENDPOINTS,
	SCALE_TARGETS,
	SCALE_INDEX,
	SCALE_SERVICES,
	SCALE_SLOTS,
	SCALE_FLOWS,
	SCALE_HALF_OPEN,
	SCALE_ATTEMPTS,
	SCALE_FRAGMENTS,
	SCALE_ROUTES,
	SCALE_DEVICES
};

/* A hash map that is never more than half full keeps its chains short. */
#define TARGETS_FACTOR 2
/* At most one slot in 8 taken: so many other packets, and targets, pay for a hash lookup. */
#define INDEX_FACTOR 8

#define DEVICES_MAX 1024
#define SLOTS_PER_ENTRY (sizeof(struct sl_slots) / sizeof(__u32))

static const struct map_shape {
	const char *name, *purpose;
	enum bpf_map_type type;
	size_t key_size, value_size;
	uint32_t flags;
	enum map_scale scale;
} shapes[MAPS] = {
	[MAP_TARGETS] = { "targets", "address, port and protocol of every endpoint, with its id",
			  BPF_MAP_TYPE_HASH, sizeof(struct sl_target_key), sizeof(struct sl_target),
			  0, SCALE_TARGETS },
	[MAP_INDEX] = { "target_index",
			"short cut to the endpoint id; spares most lookups in targets",
			BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct sl_target), BPF_F_MMAPABLE,
			SCALE_INDEX },
	[MAP_WORDS] = { "endpoint_words", "health, admin state and action by endpoint id",
			BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct sl_word), BPF_F_MMAPABLE,
			SCALE_ENDPOINTS },
	[MAP_NAMES] = { "endpoint_names", "which endpoint an id is, with its pool and settings",
			BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct sl_endpoint_name), 0,
			SCALE_ENDPOINTS },
	[MAP_STATS] = { "endpoint_stats", "packets, SYNs and rejections by endpoint id, per CPU",
			BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(__u32), sizeof(struct sl_endpoint_stats),
			0, SCALE_ENDPOINTS },
	[MAP_DECISIONS] = { "decisions", "packets by what was decided about them, per CPU",
			    BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(__u32),
			    sizeof(struct sl_decision_counts), 0, SCALE_ONE },
	[MAP_META] = { "meta", "layout, mode, the daemon's heartbeat and version",
		       BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct sl_meta), BPF_F_MMAPABLE,
		       SCALE_ONE },
	[MAP_BUDGET] = { "reply_budget", "replies that each CPU may still send in its window",
			 BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(__u32), sizeof(struct sl_reply_budget),
			 0, SCALE_ONE },
	[MAP_SERVICES] = { "services", "how packets to each service are forwarded, by service id",
			   BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct sl_service),
			   BPF_F_MMAPABLE, SCALE_SERVICES },
	[MAP_SERVICE_NAMES] = { "service_names",
				"which service an id is, with its address and pool",
				BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct sl_service_name),
				0, SCALE_SERVICES },
	[MAP_SERVICE_STATS] = { "service_stats",
				"packets, flows and failures by service id, per CPU",
				BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(__u32),
				sizeof(struct sl_service_stats), 0, SCALE_SERVICES },
	[MAP_SELECTION] = { "selection", "endpoint ids that new flows go to, a slice per service",
			    BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct sl_slots),
			    BPF_F_MMAPABLE, SCALE_SLOTS },
	[MAP_FLOWS] = { "flows", "open flows of services, and where they go", BPF_MAP_TYPE_LRU_HASH,
			sizeof(struct sl_tuple), sizeof(struct sl_flow), 0, SCALE_FLOWS },
	[MAP_HALF_OPEN] = { "half_open", "translated flows that the client has not yet confirmed",
			    BPF_MAP_TYPE_LRU_HASH, sizeof(struct sl_tuple), sizeof(struct sl_flow),
			    0, SCALE_HALF_OPEN },
	[MAP_HANDSHAKES] = { "handshakes", "endpoints that SYNs of other flows went to lately",
			     BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct sl_handshake), 0,
			     SCALE_HALF_OPEN },
	[MAP_ATTEMPTS] = { "attempts", "what came of the latest attempts to connect",
			   BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct sl_attempt),
			   BPF_F_MMAPABLE, SCALE_ATTEMPTS },
	[MAP_ATTEMPT_STATS] = { "attempt_stats",
				"what came of attempts to connect by endpoint id, per CPU",
				BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(__u32),
				sizeof(struct sl_attempt_stats), 0, SCALE_ENDPOINTS },
	[MAP_EVIDENCE] = { "evidence", "what speaks against an endpoint, by its id",
			   BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct sl_evidence),
			   BPF_F_MMAPABLE, SCALE_ENDPOINTS },
	[MAP_FRAGMENTS] = { "fragments", "datagrams whose first fragment was forwarded lately",
			    BPF_MAP_TYPE_LRU_HASH, sizeof(struct sl_fragment_key),
			    sizeof(struct sl_fragment), 0, SCALE_FRAGMENTS },
	[MAP_FLOW_BUDGET] = { "flow_budget", "flows that each CPU may still enter in its window",
			      BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(__u32),
			      sizeof(struct sl_reply_budget), 0, SCALE_ONE },
	[MAP_ROUTES] = { "routes", "next hops that were found lately, per CPU",
			 BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(__u32), sizeof(struct sl_route), 0,
			 SCALE_ROUTES },
	[MAP_TYPES] = { "types", "what the entries of each map are, for other versions",
			BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct sl_types), 0, SCALE_ONE },
	[MAP_DEVICES] = { "devices", "VLAN devices, with the device and tag that they stand for",
			  BPF_MAP_TYPE_HASH, sizeof(__u32), sizeof(struct sl_device), 0,
			  SCALE_DEVICES },
};

const char *map_name(enum map_id id)
{
	return shapes[id].name;
}

const char *map_purpose(enum map_id id)
{
	return shapes[id].purpose;
}

/* No map may be empty. */
static uint32_t at_least_one(uint32_t n)
{
	return n ? n : 1;
}

struct map_sizes map_sizes_for(const struct map_needs *needs)
{
	uint32_t targets = needs->endpoints + needs->services;
	struct map_sizes sizes = { .endpoints = needs->endpoints,
				   .services = needs->services,
				   .attempts = needs->attempts,
				   .index_bits = 1 };

	while (1ull << sizes.index_bits < (uint64_t)targets * INDEX_FACTOR)
		sizes.index_bits++;
	for (enum map_id id = 0; id < MAPS; id++) {
		const uint32_t by_scale[] = {
			[SCALE_ONE] = 1,
			[SCALE_ENDPOINTS] = needs->endpoints,
			[SCALE_TARGETS] = targets * TARGETS_FACTOR,
			[SCALE_INDEX] = 1u << sizes.index_bits,
			[SCALE_SERVICES] = at_least_one(needs->services),
			[SCALE_SLOTS] = at_least_one(needs->slots / SLOTS_PER_ENTRY),
			[SCALE_FLOWS] = at_least_one(needs->flows),
			[SCALE_HALF_OPEN] = at_least_one(needs->half_open),
			[SCALE_ATTEMPTS] = at_least_one(needs->attempts),
			/* Without services nothing is forwarded. */
			[SCALE_FRAGMENTS] = needs->services ? SL_FRAGMENTED_MAX : 1,
			[SCALE_ROUTES] = needs->services ? SL_ROUTE_SLOTS : 1,
			[SCALE_DEVICES] = DEVICES_MAX,
		};

		sizes.entries[id] = by_scale[shapes[id].scale];
	}
	return sizes;
}

void mapset_done(struct mapset *set)
{
	for (enum map_id id = 0; id < MAPS; id++) {
		close_p(&set->fd[id]);
		set->fd[id] = -1;
	}
}

static bool read_info(struct bpf_map_info *ret_info, int fd)
{
	__u32 len = sizeof(*ret_info);

	memset(ret_info, 0, sizeof(*ret_info));
	return bpf_obj_get_info_by_fd(fd, ret_info, &len) == 0;
}

uint32_t map_entries(int fd)
{
	struct bpf_map_info info;

	return read_info(&info, fd) ? info.max_entries : 0;
}

static bool has_shape(int fd, const struct map_shape *shape)
{
	struct bpf_map_info info;

	return read_info(&info, fd) && info.type == shape->type &&
	       info.key_size == shape->key_size && info.value_size == shape->value_size &&
	       info.map_flags == shape->flags;
}

int map_read(int fd, const void *key, size_t key_size, void *ret_value, size_t value_size)
{
	struct bpf_map_info info;

	if (!read_info(&info, fd) || info.key_size != key_size || info.value_size != value_size)
		return -EINVAL;
	return bpf_map_lookup_elem(fd, key, ret_value) < 0 ? -errno : 0;
}

/* The layout of a set that does not say what its entries are; 0: none. */
static uint32_t layout_of(const struct mapset *set)
{
	struct sl_meta meta = { .layout = 0 };
	__u32 zero = 0;

	map_read(set->fd[MAP_META], &zero, sizeof(zero), &meta, sizeof(meta));
	return meta.layout;
}

/* Whether the map's entries are what ours are. */
static bool is_ours(const struct mapset *set, enum map_id id, const struct sl_types *found,
		    const struct sl_types *ours)
{
	const char *name = shapes[id].name;

	if (!has_shape(set->fd[id], &shapes[id]))
		return false;
	if (!ours || id == MAP_TYPES)
		return true;
	/* Its sizes and its number are all that a set of before there were types has to show. */
	if (!found)
		return layout_of(set) == SL_LAYOUT;
	return types_find(ours, name) && types_find(ours, name) == types_find(found, name);
}

static void open_all(struct mapset *set, const struct pins *pins)
{
	char path[PATH_MAX];

	for (enum map_id id = 0; id < MAPS; id++)
		if (pins_path(pins, path, PINS_MAPS, false, shapes[id].name) == 0)
			set->fd[id] = bpf_obj_get(path);
}

enum mapset_fit mapset_open_pinned(struct mapset *ret_set, const struct pins *pins,
				   const struct map_sizes *sizes, const struct sl_types *types)
{
	struct mapset set = MAPSET_NONE;
	enum mapset_fit fit = MAPSET_FITS;
	struct sl_types found;
	const struct sl_types *found_types = NULL;
	__u32 zero = 0;
	int n_found = 0;

	open_all(&set, pins);
	if (map_read(set.fd[MAP_TYPES], &zero, sizeof(zero), &found, sizeof(found)) == 0)
		found_types = &found;
	for (enum map_id id = 0; id < MAPS; id++) {
		n_found += set.fd[id] >= 0;
		set.differs[id] = set.fd[id] >= 0 && !is_ours(&set, id, found_types, types);
	}
	for (enum map_id id = 0; id < MAPS; id++) {
		if (set.differs[id])
			close_p(&set.fd[id]);
		if (set.differs[id])
			set.fd[id] = -1;
		if (set.fd[id] < 0 || map_entries(set.fd[id]) != sizes->entries[id])
			fit = MAPSET_READABLE;
	}
	*ret_set = set;
	if (!n_found)
		return MAPSET_ABSENT;
	/* Without names nothing can be told about the ids in the others. */
	return set.fd[MAP_NAMES] >= 0 ? fit : MAPSET_ALIEN;
}

static bool same_map(int fd, int other)
{
	struct bpf_map_info a, b;

	return read_info(&a, fd) && read_info(&b, other) && a.id == b.id;
}

bool mapset_is(const struct mapset *set, const struct mapset *other)
{
	for (enum map_id id = 0; id < MAPS; id++)
		if (!same_map(set->fd[id], other->fd[id]))
			return false;
	return true;
}

uint64_t map_memory(int fd)
{
	CLEANUP(fclose_p) FILE *file = NULL;
	unsigned long long bytes = 0;
	char text[128];

	snprintf(text, sizeof(text), "/proc/self/fdinfo/%d", fd);
	file = fopen(text, "re");
	if (!file)
		return 0;
	while (fgets(text, sizeof(text), file))
		if (sscanf(text, "memlock: %llu", &bytes) == 1)
			break;
	return bytes;
}

int mapset_stage(const struct mapset *set, const struct pins *pins, struct err *err)
{
	char path[PATH_MAX];
	int r;

	r = pins_stage(pins, PINS_MAPS, err);
	if (r < 0)
		return r;
	for (enum map_id id = 0; id < MAPS; id++) {
		r = pins_path(pins, path, PINS_MAPS, true, shapes[id].name);
		if (r < 0 || bpf_obj_pin(set->fd[id], path) < 0) {
			r = r < 0 ? r : -errno;
			return err_set(err, r, "pin map '%s': %s", shapes[id].name, strerror(-r));
		}
	}
	return 0;
}
