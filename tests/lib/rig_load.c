// SPDX-License-Identifier: GPL-2.0-or-later
/* rig_load - programs loaded, and made as if they had just been. */
#include <errno.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "sluice/hash.h"
#include "tests/lib/rig_work.h"

#define HALF_OPEN_S 10
#define IDLE_TCP_S 900
#define IDLE_UDP_S 60
#define CLOSED_S 60

/* Those that are not in use: most of the time that a test takes is the verifier's. */
static struct rig *spare[KINDS];

void rig_ok(int r, const char *what)
{
	if (r < 0)
		fail_msg("%s: %s", what, strerror(errno));
}

/* Give the tc object the maps of the xdp object. */
static void share_maps(struct rig *rig)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, rig->tc->obj)
	{
		struct bpf_map *other =
			bpf_object__find_map_by_name(rig->xdp->obj, bpf_map__name(map));

		if (!bpf_map__is_internal(map))
			rig_ok(bpf_map__reuse_fd(map, bpf_map__fd(other)), bpf_map__name(map));
	}
}

struct sl_meta rig_default_meta(void)
{
	return (struct sl_meta){ .layout = SL_LAYOUT,
				 .mode = SL_MODE_ENFORCE,
				 .reply_window_ns = NS_PER_SEC,
				 .reply_budget = UINT32_MAX,
				 .port_low = RIG_PORT_LOW,
				 .port_high = RIG_PORT_HIGH,
				 .half_open_s = HALF_OPEN_S,
				 .idle_tcp_s = IDLE_TCP_S,
				 .idle_udp_s = IDLE_UDP_S,
				 .closed_s = CLOSED_S };
}

static void set_sizes(struct xdp_bpf *xdp, uint32_t flows)
{
	bpf_map__set_max_entries(xdp->maps.targets, 2 * RIG_ENDPOINTS);
	bpf_map__set_max_entries(xdp->maps.target_index, 1u << INDEX_BITS);
	bpf_map__set_max_entries(xdp->maps.endpoint_words, RIG_ENDPOINTS);
	bpf_map__set_max_entries(xdp->maps.endpoint_names, RIG_ENDPOINTS);
	bpf_map__set_max_entries(xdp->maps.endpoint_stats, RIG_ENDPOINTS);
	bpf_map__set_max_entries(xdp->maps.services, RIG_SERVICES);
	bpf_map__set_max_entries(xdp->maps.service_names, RIG_SERVICES);
	bpf_map__set_max_entries(xdp->maps.service_stats, RIG_SERVICES);
	bpf_map__set_max_entries(xdp->maps.selection, RIG_SLOTS / 2);
	bpf_map__set_max_entries(xdp->maps.flows, flows);
	bpf_map__set_max_entries(xdp->maps.half_open, flows);
	bpf_map__set_max_entries(xdp->maps.handshakes, RIG_HANDSHAKES);
	bpf_map__set_max_entries(xdp->maps.routes, SL_ROUTE_SLOTS);
	bpf_map__set_max_entries(xdp->maps.attempts, RIG_ATTEMPTS);
	bpf_map__set_max_entries(xdp->maps.attempt_stats, RIG_ENDPOINTS);
	bpf_map__set_max_entries(xdp->maps.evidence, RIG_ENDPOINTS);
	bpf_map__set_max_entries(xdp->maps.fragments, SL_FRAGMENTED_MAX);
}

static struct rig *load_rig(enum kind kind)
{
	bool plain_nat = kind == KIND_PLAIN_NAT;
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig->kind = kind;
	rig->cpus = libbpf_num_possible_cpus();
	assert_in_range(rig->cpus, 1, CPUS_MAX);
	rig->xdp = xdp_bpf__open();
	rig->tc = tc_bpf__open();
	assert_non_null(rig->xdp);
	assert_non_null(rig->tc);

	rig->xdp->rodata->index_shift = SL_INDEX_SHIFT(INDEX_BITS);
	rig->tc->rodata->index_shift = SL_INDEX_SHIFT(INDEX_BITS);
	rig->xdp->rodata->handshake_slots = RIG_HANDSHAKES;
	rig->tc->rodata->handshake_slots = RIG_HANDSHAKES;
	rig->xdp->rodata->attempt_slots = rig->tc->rodata->attempt_slots = RIG_ATTEMPTS;
	rig->xdp->rodata->has_services = rig->xdp->rodata->has_source_nat = true;
	rig->tc->rodata->has_services = rig->tc->rodata->has_source_nat = true;
	rig->xdp->rodata->has_plain_nat = rig->tc->rodata->has_plain_nat = plain_nat;
	set_sizes(rig->xdp, kind == KIND_SMALL ? RIG_FLOWS_SMALL : RIG_FLOWS);
	rig_ok(xdp_bpf__load(rig->xdp), "load the XDP program");
	share_maps(rig);
	rig_ok(tc_bpf__load(rig->tc), "load the tc programs");
	return rig;
}

static void clear_array(const struct bpf_map *map, int cpus)
{
	bool percpu = bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY;
	size_t len = (bpf_map__value_size(map) + 7) / 8 * 8 * (percpu ? (size_t)cpus : 1);
	char *none = calloc(1, len);

	assert_non_null(none);
	for (uint32_t i = 0; i < bpf_map__max_entries(map); i++)
		rig_ok(bpf_map_update_elem(bpf_map__fd(map), &i, none, BPF_ANY),
		       bpf_map__name(map));
	free(none);
}

static void clear_hash(const struct bpf_map *map)
{
	char *key = calloc(1, bpf_map__key_size(map));

	assert_non_null(key);
	while (bpf_map_get_next_key(bpf_map__fd(map), NULL, key) == 0)
		rig_ok(bpf_map_delete_elem(bpf_map__fd(map), key), bpf_map__name(map));
	free(key);
}

void rig_clear(const struct rig *rig, const struct bpf_map *map)
{
	switch (bpf_map__type(map)) {
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		clear_array(map, rig->cpus);
		break;
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
		clear_hash(map);
		break;
	default:
		fail_msg("map %s: nobody knows how to clear it", bpf_map__name(map));
	}
}

/* As empty as when it was loaded. */
static void clear(const struct rig *rig)
{
	const struct bpf_map *map;

	bpf_object__for_each_map(map, rig->xdp->obj)
	{
		if (!bpf_map__is_internal(map))
			rig_clear(rig, map);
	}
}

static struct rig *new_rig(enum kind kind)
{
	struct rig *rig = spare[kind] ?: load_rig(kind);
	struct sl_meta meta = rig_default_meta();

	spare[kind] = NULL;
	clear(rig);
	rig_meta(rig, &meta);
	return rig;
}

struct rig *rig_new(void)
{
	return new_rig(KIND_USUAL);
}

struct rig *rig_new_plain_nat(void)
{
	return new_rig(KIND_PLAIN_NAT);
}

struct rig *rig_new_small(void)
{
	return new_rig(KIND_SMALL);
}

void rig_free(struct rig *rig)
{
	if (!rig)
		return;
	if (!spare[rig->kind]) {
		spare[rig->kind] = rig;
		return;
	}
	tc_bpf__destroy(rig->tc);
	xdp_bpf__destroy(rig->xdp);
	free(rig);
}

int rig_teardown(void **state)
{
	rig_free(*state);
	return 0;
}
