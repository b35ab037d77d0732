// SPDX-License-Identifier: GPL-2.0-or-later
/* Services in the kernel's maps: what opening writes, keeps, moves and takes away. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "config/config.h"
#include "config/report.h"
#include "dataplane/dataplane.h"
#include "model/maglev.h"
#include "sluice/hash.h"
#include "tests/lib/pin_bed.h"
#include "util/clock.h"
#include "util/err.h"

#define YAML_MAX 8192
#define ENDPOINTS_MAX 64

static int set_up_nic(void **state)
{
	(void)state;
	netbed_veth(NIC, FAR);
	netbed_must("ip", "addr", "add", "10.9.0.254/24", "dev", NIC);
	netbed_must("ip", "addr", "add", "fd09::fe/64", "dev", NIC, "nodad");
	return 0;
}

static int tear_down_nic(void **state)
{
	struct err err;

	(void)state;
	dataplane_detach_all(bpffs, &err);
	netbed_must("ip", "link", "del", NIC);
	return 0;
}

#define HOSTS "{ address: 10.9.0.1 }, { address: 10.9.0.2 }, { address: 10.9.0.3 }"
#define SHOP "{ name: shop, listen: 192.0.2.10:80, pool: p, settings: w }"
#define GATE "{ name: gate, pool: q, settings: w }"
#define SIX "{ name: six, listen: \"[fd00::10]:80\", pool: v6, settings: w, forward: dsr }"

/* A model with these members of pool p, these services, and more of gateway. */
static struct model *model_of(const char *gateway, const char *members, const char *services)
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

static struct dataplane *must_open(const struct model *model)
{
	struct dataplane *dp = NULL;
	struct err err = { "" };

	if (dataplane_open(&dp, model, &err) < 0)
		fail_msg("open: %s", err.text);
	return dp;
}

/* --- reading the maps, as others would --------------------------------------------------------- */

static int pinned(const char *map)
{
	char path[PATH_MAX + 64];
	int fd;

	snprintf(path, sizeof(path), "%s/v%d/maps/%s", bpffs, SL_LAYOUT, map);
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	return fd;
}

static void must_read(const char *map, const void *key, void *ret)
{
	int fd = pinned(map);

	assert_int_equal(bpf_map_lookup_elem(fd, key, ret), 0);
	close(fd);
}

static struct sl_target_key key_of(const char *addr, uint16_t port)
{
	struct sl_target_key key = { .port = port, .proto = SL_TCP };
	struct addr parsed;

	assert_int_equal(addr_parse(&parsed, addr), 0);
	memcpy(key.addr, parsed.bytes, sizeof(key.addr));
	return key;
}

/* What the targets say of an address; kind NONE: nothing. */
static struct sl_target target_of(const char *addr, uint16_t port)
{
	struct sl_target_key key = key_of(addr, port);
	struct sl_target target = { 0 };
	int fd = pinned("targets");

	if (bpf_map_lookup_elem(fd, &key, &target) < 0)
		target.kind = SL_TARGET_NONE;
	close(fd);
	return target;
}

static struct sl_service service_of(uint32_t id)
{
	struct sl_service service;

	must_read("services", &id, &service);
	return service;
}

static struct sl_endpoint_name name_of(uint32_t id)
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

static struct slots slots_of(uint32_t service)
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

static uint32_t endpoint_id(const char *addr)
{
	struct sl_target target = target_of(addr, 80);

	assert_int_equal(target.kind, SL_TARGET_ENDPOINT);
	return target.id;
}

static uint32_t service_id(const char *addr)
{
	struct sl_target target = target_of(addr, 80);

	assert_int_equal(target.kind, SL_TARGET_SERVICE);
	return target.id;
}

/* --- tests ------------------------------------------------------------------------------------- */

static void test_written(void **state)
{
	CLEANUP(model_free_p)
	struct model *model = model_of("", HOSTS, SHOP ", " GATE ", " SIX);
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(model);
	uint32_t shop = service_id("192.0.2.10"), six = service_id("fd00::10");
	struct sl_target_key key = key_of("192.0.2.10", 80), source = key_of("10.9.0.254", 0);
	struct sl_service service = service_of(shop);
	struct sl_service_name name;
	struct slots slots = slots_of(shop);
	struct sl_target slot;
	__u32 at = sl_index_slot(&key, 10);

	(void)state;
	assert_memory_equal(&service.key, &key, sizeof(key));
	assert_int_equal(service.method, SL_METHOD_NAT);
	assert_int_equal(service.flags, SL_SERVICE_SOURCE_NAT);
	assert_int_equal(service.none, SL_ACTION_REJECT);
	assert_int_equal(service_of(six).method, SL_METHOD_DSR);
	assert_int_not_equal(shop, six);

	must_read("service_names", &shop, &name);
	assert_string_equal(name.name, "shop");
	assert_string_equal(name.text, "192.0.2.10:80");
	assert_string_equal(name.pool, "p");
	assert_string_equal(name.settings, "w");
	/* 64 endpoints and 64 services: 1024 slots. */
	must_read("target_index", &at, &slot);
	assert_int_not_equal(slot.kind, SL_TARGET_NONE);

	/* Nothing is known of them: all take part, about evenly. */
	assert_int_equal(slots.n[ENDPOINTS_MAX], 0);
	for (const char *const *a =
		     (const char *const[]){ "10.9.0.1", "10.9.0.2", "10.9.0.3", NULL };
	     *a; a++)
		assert_in_range(slots.n[endpoint_id(*a)], slots.size / 4, slots.size / 2);
	assert_int_equal(slots.n[endpoint_id("10.9.0.9")], 0);

	/* A gate that does not redirect is no service to the kernel, but its endpoint is there. */
	assert_int_equal(dataplane_meta(dp).services, 2);
	assert_int_equal(name_of(endpoint_id("10.9.0.9")).service, SL_ID_NONE);
	assert_memory_equal(name_of(endpoint_id("10.9.0.1")).source, source.addr, SL_ADDR_LEN);
	source = key_of("fd09::fe", 0);
	assert_memory_equal(name_of(endpoint_id("fd09::2")).source, source.addr, SL_ADDR_LEN);
}

static void test_balance(void **state)
{
	CLEANUP(model_free_p)
	struct model *model =
		model_of("",
			 "{ address: 10.9.0.1, weight: 0 }, { address: 10.9.0.2, weight: 3 }, "
			 "{ address: 10.9.0.3 }",
			 SHOP);
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(model);
	uint32_t shop = service_id("192.0.2.10"), two = endpoint_id("10.9.0.2"),
		 three = endpoint_id("10.9.0.3");
	const uint16_t all[] = { MAGLEV_SHARE_FULL, MAGLEV_SHARE_FULL, MAGLEV_SHARE_FULL };
	const uint16_t last[] = { 0, 0, MAGLEV_SHARE_FULL }, none[] = { 0, 0, 0 };
	struct slots slots = slots_of(shop);

	(void)state;
	assert_int_equal(slots.n[endpoint_id("10.9.0.1")], 0);
	assert_in_range(slots.n[two] * 100 / slots.size, 73, 77);

	assert_int_equal(dataplane_balance(dp, 0, last, false), 0);
	slots = slots_of(shop);
	assert_int_equal(slots.n[three], slots.size);
	assert_int_equal(service_of(shop).flags & SL_SERVICE_ANY, 0);

	assert_int_equal(dataplane_balance(dp, 0, last, true), 0);
	assert_int_equal(service_of(shop).flags & SL_SERVICE_ANY, SL_SERVICE_ANY);

	assert_int_equal(dataplane_balance(dp, 0, none, false), 0);
	slots = slots_of(shop);
	assert_int_equal(slots.n[ENDPOINTS_MAX], slots.size);
	assert_int_equal(service_of(shop).flags & SL_SERVICE_ANY, 0);

	assert_int_equal(dataplane_balance(dp, 0, all, false), 0);
	slots = slots_of(shop);
	assert_in_range(slots.n[two] * 100 / slots.size, 73, 77);
}

/* A daemon that comes back finds its services as they were, tables included. */
static void test_adopted(void **state)
{
	CLEANUP(model_free_p)
	struct model *model = model_of("", HOSTS, GATE ", " SHOP ", " SIX),
		     *swapped = model_of("", HOSTS, SIX ", " SHOP);
	struct dataplane *dp = must_open(model);
	uint32_t shop = service_id("192.0.2.10"), six = service_id("fd00::10");
	const uint16_t shares[] = { 0, MAGLEV_SHARE_FULL, 0 };
	struct sl_slice slice = service_of(shop).slice;
	struct slots slots;

	(void)state;
	assert_int_equal(dataplane_balance(dp, 1, shares, false), 0);
	dataplane_close(dp);
	dp = must_open(swapped);
	assert_int_equal(service_id("192.0.2.10"), shop);
	assert_int_equal(service_id("fd00::10"), six);
	assert_int_equal(service_of(shop).slice.start, slice.start);
	slots = slots_of(shop);
	assert_int_equal(slots.n[endpoint_id("10.9.0.2")], slots.size);
	dataplane_close(dp);
}

static void put_flow(uint32_t service)
{
	struct sl_tuple tuple = { .sport = (__u16)(1 + service), .proto = SL_TCP };
	struct sl_flow flow = { .service = service };
	int fd = pinned("flows");

	assert_int_equal(bpf_map_update_elem(fd, &tuple, &flow, BPF_ANY), 0);
	close(fd);
}

static bool has_flow(uint32_t service)
{
	struct sl_tuple tuple = { .sport = (__u16)(1 + service), .proto = SL_TCP };
	struct sl_flow flow;
	int fd = pinned("flows"), r;

	r = bpf_map_lookup_elem(fd, &tuple, &flow);
	close(fd);
	return r == 0;
}

/* One goes, one gets another address, one comes: nobody gets what flows still name. */
static void test_changed(void **state)
{
	CLEANUP(model_free_p)
	struct model *before = model_of("", HOSTS, SHOP ", " SIX),
		     *after = model_of(
			     "", HOSTS,
			     "{ name: new, listen: 192.0.2.11:80, pool: p, settings: w },"
			     "{ name: shop, listen: 192.0.2.12:80, pool: p, settings: w }");
	struct dataplane *dp = must_open(before);
	uint32_t shop = service_id("192.0.2.10"), six = service_id("fd00::10");
	struct sl_service_name name;

	(void)state;
	put_flow(shop);
	put_flow(six);
	dataplane_close(dp);
	dp = must_open(after);
	assert_int_equal(target_of("192.0.2.10", 80).kind, SL_TARGET_NONE);
	assert_int_equal(target_of("fd00::10", 80).kind, SL_TARGET_NONE);
	for (const char *const *a = (const char *const[]){ "192.0.2.11", "192.0.2.12", NULL }; *a;
	     a++) {
		uint32_t id = service_id(*a);

		assert_true(id != shop && id != six);
		assert_int_equal(slots_of(id).n[ENDPOINTS_MAX], 0);
	}
	assert_int_equal(service_of(six).slice.size, 0);
	must_read("service_names", &six, &name);
	assert_string_equal(name.name, "");
	assert_false(has_flow(shop));
	assert_false(has_flow(six));
	dataplane_close(dp);
}

/*
 * More services than these maps have room for: new maps, and everything in them; but nobody is sent to those who may
 * not be chosen, of whom there may be too many slots for one packet to find another.
 */
static void test_grown(void **state)
{
	CLEANUP(model_free_p)
	struct model *before = model_of(", max_services: 2", HOSTS, SHOP ", " SIX),
		     *after = model_of(
			     ", max_services: 4", HOSTS,
			     SHOP ", " SIX
				  ", { name: new, listen: 192.0.2.11:80, pool: p, settings: w }");
	struct dataplane *dp = must_open(before);
	const struct sl_word closed = { .health = SL_UNHEALTHY };
	uint32_t shop = service_id("192.0.2.10");

	(void)state;
	dataplane_store_word(dp, 0, closed);
	dataplane_close(dp);
	dp = must_open(after);
	assert_int_equal(service_id("192.0.2.10"), shop);
	assert_int_equal(slots_of(service_id("192.0.2.11")).n[ENDPOINTS_MAX], 0);
	assert_int_equal(slots_of(shop).n[ENDPOINTS_MAX], 0);
	assert_int_equal(slots_of(shop).n[endpoint_id("10.9.0.1")], 0);
	assert_true(slots_of(shop).n[endpoint_id("10.9.0.2")] > 0);
	assert_int_equal(dataplane_word(dp, 0).health, SL_UNHEALTHY);
	dataplane_close(dp);
}

static void test_full(void **state)
{
	CLEANUP(model_free_p)
	struct model *model = model_of(", max_services: 1", HOSTS, SHOP ", " SIX);
	struct dataplane *dp = NULL;
	struct err err = { "" };

	(void)state;
	assert_int_equal(dataplane_open(&dp, model, &err), -E2BIG);
	assert_string_equal(err.text, "map 'services' is full: 2 services do not fit into its 1 "
				      "entries; raise gateway.max_services (at most 16384)");
}

/* Room for one service is room for services: its endpoints have a source. */
static void test_room_for_one(void **state)
{
	CLEANUP(model_free_p) struct model *model = model_of(", max_services: 1", HOSTS, SHOP);
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(model);
	struct sl_target_key source = key_of("10.9.0.254", 0);

	(void)state;
	assert_int_equal(dataplane_meta(dp).services, 1);
	assert_memory_equal(name_of(endpoint_id("10.9.0.1")).source, source.addr, SL_ADDR_LEN);
}

/* A start that fails leaves what is in force as it was. */
static void test_undone(void **state)
{
	CLEANUP(model_free_p)
	struct model *before = model_of("", HOSTS, SHOP),
		     *after = model_of("", "{ address: 10.9.0.7 }",
				       "{ name: t, listen: 10.9.0.1:80, pool: p, settings: w }, "
				       "{ name: u, pool: p, settings: w }");
	struct dataplane *dp = must_open(before);
	uint32_t shop = service_id("192.0.2.10"), one = endpoint_id("10.9.0.1");
	struct err err = { "" };
	struct slots slots;

	(void)state;
	dataplane_close(dp);
	dp = NULL;
	snprintf(after->gateway.interfaces[0].name, IFNAMSIZ, "none0");
	assert_int_equal(dataplane_open(&dp, after, &err), -ENODEV);
	/* So late that the tables have been written: the interface is somebody else's. */
	snprintf(after->gateway.interfaces[0].name, IFNAMSIZ, "lo");
	after->gateway.interfaces[0].xdp = XDP_OFFLOAD;
	assert_true(dataplane_open(&dp, after, &err) < 0);

	assert_int_equal(service_id("192.0.2.10"), shop);
	assert_int_equal(endpoint_id("10.9.0.1"), one);
	assert_int_equal(target_of("10.9.0.7", 80).kind, SL_TARGET_NONE);
	slots = slots_of(shop);
	assert_true(slots.n[one] > 0);
	assert_int_equal(slots.n[ENDPOINTS_MAX], 0);
}

/* The next power of two, and room for everybody. */
static void test_table_size(void **state)
{
	CLEANUP(model_free_p)
	struct model *model = model_of(
		"", HOSTS,
		"{ name: a, listen: 192.0.2.1:80, pool: p, settings: w, table_size: 256 }, "
		"{ name: b, listen: 192.0.2.2:80, pool: p, settings: w, table_size: 257 }, "
		"{ name: c, listen: 192.0.2.3:80, pool: p, settings: w }");
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(model);

	(void)state;
	assert_int_equal(slots_of(service_id("192.0.2.1")).size, 256);
	assert_int_equal(slots_of(service_id("192.0.2.2")).size, 512);
	assert_int_equal(slots_of(service_id("192.0.2.3")).size, maglev_size(3, 0));
	assert_int_equal(slots_of(service_id("192.0.2.2")).n[ENDPOINTS_MAX], 0);
}

static void test_redirect(void **state)
{
	CLEANUP(model_free_p)
	struct model *model = model_of("", HOSTS, "{ name: gate, pool: p, settings: r }");
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(model);
	struct sl_target target = target_of("10.9.0.2", 81);
	uint32_t id = name_of(target.id).service;
	struct slots slots;

	(void)state;
	assert_int_equal(target.kind, SL_TARGET_ENDPOINT);
	assert_int_not_equal(id, SL_ID_NONE);
	assert_int_equal(service_of(id).key.port, 0);
	assert_int_equal(service_of(id).none, SL_ACTION_DROP);
	slots = slots_of(id);
	assert_true(slots.n[target.id] > 0);
	assert_int_equal(slots.n[ENDPOINTS_MAX], 0);
}

static struct sl_word word_of(uint32_t id)
{
	struct sl_word word;

	must_read("endpoint_words", &id, &word);
	return word;
}

/*
 * What the configuration has no more drains: no new flows, and a deadline that the kernel keeps. One
 * that comes back in time is as if it had never gone; after that it is somebody else to its flows.
 */
static void test_leaving(void **state)
{
	CLEANUP(model_free_p)
	struct model *before = model_of("", HOSTS, SHOP),
		     *after = model_of("", "{ address: 10.9.0.4 }", SHOP),
		     *larger = model_of(", max_services: 512", "{ address: 10.9.0.4 }", SHOP);
	const struct sl_word healthy = { .health = SL_HEALTHY };
	struct dataplane *dp = must_open(before);
	uint32_t one = endpoint_id("10.9.0.1"), generation = name_of(one).generation;
	uint64_t asked_ms;
	struct sl_word word;
	struct err err;

	(void)state;
	dataplane_store_word(dp, 0, healthy);
	asked_ms = clock_mono_ms();
	assert_int_equal(dataplane_change(&dp, after, true, &err), 0);
	word = word_of(one);
	assert_int_equal(word.admin, SL_DRAINING);
	assert_int_equal(word.health, SL_HEALTHY);
	/* Not a moment earlier than the half minute that is promised. */
	assert_in_range(word.deadline_s * 1000ull, asked_ms + 30000, clock_mono_ms() + 31000);
	assert_int_equal(name_of(one).generation, generation);
	assert_int_equal(target_of("10.9.0.1", 80).kind, SL_TARGET_NONE);
	assert_int_equal(slots_of(service_id("192.0.2.10")).n[one], 0);
	assert_int_not_equal(endpoint_id("10.9.0.4"), one);

	/* A daemon that starts meanwhile, and one with other maps, go on with it. */
	dataplane_close(dp);
	dp = must_open(after);
	assert_int_equal(word_of(one).deadline_s, word.deadline_s);
	assert_int_equal(dataplane_change(&dp, larger, false, &err), 0);
	assert_int_equal(word_of(one).deadline_s, word.deadline_s);
	assert_string_equal(name_of(one).text, "10.9.0.1:80");
	assert_int_equal(name_of(one).generation, generation);
	assert_int_not_equal(endpoint_id("10.9.0.4"), one);

	/* Back in time. */
	assert_int_equal(dataplane_change(&dp, before, true, &err), 0);
	assert_int_equal(endpoint_id("10.9.0.1"), one);
	assert_int_equal(name_of(one).generation, generation);
	assert_int_equal(word_of(one).admin, SL_ENABLED);
	assert_int_equal(word_of(one).deadline_s, 0);
	assert_int_equal(word_of(one).health, SL_HEALTHY);

	/* Its time is over. */
	assert_int_equal(dataplane_change(&dp, after, false, &err), 0);
	dataplane_heartbeat(dp, (word_of(one).deadline_s + 3) * NS_PER_SEC);
	assert_int_equal(name_of(one).key.port, 0);
	assert_int_equal(word_of(one).admin, SL_DISABLED);
	assert_int_equal(dataplane_change(&dp, before, true, &err), 0);
	assert_true(endpoint_id("10.9.0.1") != one || name_of(one).generation > generation);
	dataplane_close(dp);
}

#define SHOP_WITH(members) model_with_room(5, members, SHOP)
#define OTHER_HOSTS "{ address: 10.9.0.1 }, { address: 10.9.0.4 }, { address: 10.9.0.5 }"

/* The same with room for so many endpoints. */
static struct model *model_with_room(uint32_t n, const char *members, const char *services)
{
	struct model *model = model_of("", members, services);

	model->gateway.max_endpoints = n;
	return model;
}

/*
 * Those that leave have the last ids, and somebody comes: new maps, in which who leaves gives up his id. Flows of all
 * others go on, and nobody's are the next one's.
 */
static void test_crowded(void **state)
{
	CLEANUP(model_free_p)
	struct model *first = SHOP_WITH(HOSTS), *second = SHOP_WITH(OTHER_HOSTS),
		     *third = SHOP_WITH(
			     "{ address: 10.9.0.1 }, { address: 10.9.0.4 }, { address: 10.9.0.6 }");
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(first);
	uint32_t one = endpoint_id("10.9.0.1");
	struct sl_endpoint_name before[5], now;
	uint32_t shop = service_id("192.0.2.10");
	struct err err = { "" };

	(void)state;
	put_flow(shop);
	assert_int_equal(dataplane_change(&dp, second, true, &err), 0);
	for (uint32_t id = 0; id < 5; id++)
		before[id] = name_of(id);
	assert_int_equal(dataplane_change(&dp, third, true, &err), 0);

	assert_true(has_flow(shop));
	assert_int_equal(endpoint_id("10.9.0.1"), one);
	assert_int_equal(target_of("10.9.0.5", 80).kind, SL_TARGET_NONE);
	assert_int_equal(service_id("192.0.2.10"), shop);
	for (uint32_t id = 0; id < 5; id++) {
		now = name_of(id);
		if (!strcmp(now.text, before[id].text))
			assert_int_equal(now.generation, before[id].generation);
		else
			assert_true(now.generation > before[id].generation);
	}
	assert_string_equal(name_of(endpoint_id("10.9.0.6")).text, "10.9.0.6:80");
}

/* As late as it can be refused, in the same maps and in new ones. */
static void must_refuse_late(struct dataplane **dp, struct model *model)
{
	struct err err = { "" };

	snprintf(model->gateway.interfaces[0].name, IFNAMSIZ, "lo");
	model->gateway.interfaces[0].xdp = XDP_OFFLOAD;
	assert_true(dataplane_change(dp, model, true, &err) < 0);
}

/* A change that is refused leaves those who leave what they are, and who has their ids, too. */
static void test_leaving_undone(void **state)
{
	CLEANUP(model_free_p)
	struct model *first = SHOP_WITH(HOSTS), *second = SHOP_WITH(OTHER_HOSTS),
		     *third = SHOP_WITH(HOSTS),
		     *fourth = SHOP_WITH("{ address: 10.9.0.6 }, { address: 10.9.0.7 }");
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(first);
	uint32_t two = endpoint_id("10.9.0.2"), four;
	struct sl_word word, now;
	struct err err = { "" };

	(void)state;
	assert_int_equal(dataplane_change(&dp, second, true, &err), 0);
	four = endpoint_id("10.9.0.4");
	word = word_of(two);
	assert_int_equal(word.flags, SL_WORD_LEAVING);

	must_refuse_late(&dp, third);
	now = word_of(two);
	assert_memory_equal(&now, &word, sizeof(word));
	assert_int_equal(target_of("10.9.0.2", 80).kind, SL_TARGET_NONE);
	must_refuse_late(&dp, fourth);
	assert_int_equal(endpoint_id("10.9.0.4"), four);
	assert_string_equal(name_of(four).text, "10.9.0.4:80");
	assert_int_equal(target_of("10.9.0.6", 80).kind, SL_TARGET_NONE);
	assert_true(slots_of(service_id("192.0.2.10")).n[four] > 0);
}

/* Who was given an id by a change that was refused may have got flows: the next one is told apart from it. */
static void test_undone_counts(void **state)
{
	CLEANUP(model_free_p)
	struct model *first = SHOP_WITH("{ address: 10.9.0.1 }"),
		     *second = SHOP_WITH("{ address: 10.9.0.1 }, { address: 10.9.0.2 }"),
		     *third = SHOP_WITH("{ address: 10.9.0.1 }, { address: 10.9.0.3 }");
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(first);
	struct err err = { "" };
	uint32_t generation;

	(void)state;
	must_refuse_late(&dp, second);
	generation = name_of(1).generation;
	assert_int_equal(dataplane_change(&dp, third, true, &err), 0);
	assert_int_equal(endpoint_id("10.9.0.3"), 1);
	assert_true(name_of(1).generation > generation);
}

/* Maps that were larger, and are so again: what was known of their last ids is not. */
static void test_generations_outlive_maps(void **state)
{
	const char *six =
		HOSTS ", { address: 10.9.0.4 }, { address: 10.9.0.5 }, { address: 10.9.0.6 }";
	CLEANUP(model_free_p)
	struct model *large = model_with_room(8, six, SHOP),
		     *small = model_with_room(5, "{ address: 10.9.0.6 }", SHOP),
		     *again = model_with_room(8, six, SHOP);
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(large);
	uint32_t generation = name_of(5).generation;
	struct err err = { "" };

	(void)state;
	assert_int_equal(dataplane_change(&dp, small, true, &err), 0);
	assert_string_equal(dataplane_note(dp, 1), "the maps are too small for the ids of 1 "
						   "endpoints: their flows are lost");
	assert_int_equal(dataplane_change(&dp, again, true, &err), 0);
	assert_true(name_of(5).generation > generation);
	assert_true(name_of(7).generation > 0);
}

/* The same of services: who stays keeps his flows, and ids of endpoints are not short for that. */
static void test_services_crowded(void **state)
{
	CLEANUP(model_free_p)
	struct model *before = model_of(", max_services: 2", HOSTS, SHOP ", " SIX),
		     *after = model_of(
			     ", max_services: 2", HOSTS ", { address: 10.9.0.4 }",
			     SHOP ", { name: new, listen: 192.0.2.11:80, pool: p, settings: w }");
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(before);
	uint32_t shop = service_id("192.0.2.10"), gone = endpoint_id("fd09::1");
	struct err err = { "" };

	(void)state;
	put_flow(shop);
	assert_int_equal(dataplane_change(&dp, after, true, &err), 0);
	assert_int_equal(service_id("192.0.2.10"), shop);
	assert_int_not_equal(service_id("192.0.2.11"), shop);
	assert_int_equal(target_of("fd00::10", 80).kind, SL_TARGET_NONE);
	assert_string_equal(name_of(gone).text, "[fd09::1]:80");
	assert_int_equal(word_of(gone).flags, SL_WORD_LEAVING);
	assert_true(has_flow(shop));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_nic, tear_down_nic)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_written),
		TEST(test_balance),
		TEST(test_adopted),
		TEST(test_changed),
		TEST(test_grown),
		TEST(test_full),
		TEST(test_undone),
		TEST(test_redirect),
		TEST(test_table_size),
		TEST(test_leaving),
		TEST(test_room_for_one),
		TEST(test_crowded),
		TEST(test_leaving_undone),
		TEST(test_undone_counts),
		TEST(test_services_crowded),
		TEST(test_generations_outlive_maps),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
