/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service_bed - models with services, and what the kernel's maps say of them, for tests; included by one .c
 * of each.
 */
#ifndef SLUICE_TESTS_SERVICE_BED_H
#define SLUICE_TESTS_SERVICE_BED_H

#include "config/config.h"
#include "config/report.h"
#include "tests/lib/dataplane_run.h"

#define YAML_MAX 8192
#define ENDPOINTS_MAX 64

/* On a NIC with addresses in the network of the backends. */
static inline int set_up_routed(void **state)
{
	int r = set_up_nic(state);

	netbed_must("ip", "addr", "add", "10.9.0.254/24", "dev", NIC);
	netbed_must("ip", "addr", "add", "fd09::fe/64", "dev", NIC, "nodad");
	return r;
}

#define services_test(f) cmocka_unit_test_setup_teardown(f, set_up_routed, tear_down_nic)

#define HOSTS "{ address: 10.9.0.1 }, { address: 10.9.0.2 }, { address: 10.9.0.3 }"
#define SHOP "{ name: shop, listen: 192.0.2.10:80, pool: p, settings: w }"
#define GATE "{ name: gate, pool: q, settings: w }"
#define SIX "{ name: six, listen: \"[fd00::10]:80\", pool: v6, settings: w, forward: dsr }"

/* A model with these members of pool p, these services, and more of gateway. */
static inline struct model *model_of(const char *gateway, const char *members, const char *services)
{
	struct model *model = NULL;
	struct report report;
	char yaml[YAML_MAX], text[YAML_MAX];

	snprintf(
		yaml, sizeof(yaml),
		"gateway: { interfaces: [ { name: " NIC " } ], bpffs: %s, max_endpoints: 64,\n"
		"           max_flows: 1024, max_half_open: 1024%s }\n"
		"settings: [ { name: w, protocol: tcp, port: 80 },\n"
		"            { name: r, protocol: tcp, port: 81, on_unhealthy: redirect,\n"
		"              on_none_healthy: drop } ]\n"
		"pools: [ { name: p, backends: [ %s ] }, { name: q, backends: [ { address: "
		"10.9.0.9 } ] },\n"
		"         { name: v6, backends: [ { address: fd09::1 }, { address: fd09::2 } ] } ]\n"
		"services: [ %s ]\n",
		bpffs, gateway, members, services);
	if (config_parse(&model, yaml, strlen(yaml), "t.yaml", &report) < 0) {
		report_format(text, sizeof(text), &report, 0);
		fail_msg("%s\n%s", yaml, text);
	}
	return model;
}

/* --- reading the maps, as others would --------------------------------------------------------- */

static inline int pinned(const char *map)
{
	char path[PATH_MAX + 64];
	int fd;

	snprintf(path, sizeof(path), "%s/v%d/maps/%s", bpffs, SL_LAYOUT, map);
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	return fd;
}

static inline void must_read(const char *map, const void *key, void *ret)
{
	int fd = pinned(map);

	assert_int_equal(bpf_map_lookup_elem(fd, key, ret), 0);
	close(fd);
}

static inline struct sl_target_key key_of(const char *addr, uint16_t port)
{
	struct sl_target_key key = { .port = port, .proto = SL_TCP };
	struct addr parsed;

	assert_int_equal(addr_parse(&parsed, addr), 0);
	memcpy(key.addr, parsed.bytes, sizeof(key.addr));
	return key;
}

/* What the targets say of an address; kind NONE: nothing. */
static inline struct sl_target target_of(const char *addr, uint16_t port)
{
	struct sl_target_key key = key_of(addr, port);
	struct sl_target target = { 0 };
	int fd = pinned("targets");

	if (bpf_map_lookup_elem(fd, &key, &target) < 0)
		target.kind = SL_TARGET_NONE;
	close(fd);
	return target;
}

static inline struct sl_service service_of(uint32_t id)
{
	struct sl_service service;

	must_read("services", &id, &service);
	return service;
}

static inline struct sl_endpoint_name name_of(uint32_t id)
{
	struct sl_endpoint_name name;

	must_read("endpoint_names", &id, &name);
	return name;
}

/* How many slots of the service's slice name each endpoint id; [ENDPOINTS_MAX]: none. */
struct slots {
	uint32_t n[ENDPOINTS_MAX + 1];
	uint32_t size;
};

static inline struct slots slots_of(uint32_t service)
{
	struct sl_slice slice = service_of(service).slice;
	struct slots slots = { .size = slice.size };
	int fd = pinned("selection");

	for (__u32 i = slice.start; i < slice.start + slice.size; i++) {
		__u32 at = i / 2, id;
		struct sl_slots pair;

		assert_int_equal(bpf_map_lookup_elem(fd, &at, &pair), 0);
		id = pair.endpoint[i % 2];
		assert_true(id < ENDPOINTS_MAX || id == SL_ID_NONE);
		slots.n[id == SL_ID_NONE ? ENDPOINTS_MAX : id]++;
	}
	close(fd);
	return slots;
}

static inline uint32_t endpoint_id(const char *addr)
{
	struct sl_target target = target_of(addr, 80);

	assert_int_equal(target.kind, SL_TARGET_ENDPOINT);
	return target.id;
}

static inline uint32_t service_id(const char *addr)
{
	struct sl_target target = target_of(addr, 80);

	assert_int_equal(target.kind, SL_TARGET_SERVICE);
	return target.id;
}

static inline void put_flow(uint32_t service)
{
	struct sl_tuple tuple = { .sport = (__u16)(1 + service), .proto = SL_TCP };
	struct sl_flow flow = { .service = service };
	int fd = pinned("flows");

	assert_int_equal(bpf_map_update_elem(fd, &tuple, &flow, BPF_ANY), 0);
	close(fd);
}

static inline bool has_flow(uint32_t service)
{
	struct sl_tuple tuple = { .sport = (__u16)(1 + service), .proto = SL_TCP };
	struct sl_flow flow;
	int fd = pinned("flows"), r;

	r = bpf_map_lookup_elem(fd, &tuple, &flow);
	close(fd);
	return r == 0;
}

#endif
