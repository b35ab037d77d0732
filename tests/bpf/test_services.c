// SPDX-License-Identifier: GPL-2.0-or-later
/* Services in the kernel's maps: what opening writes, keeps, moves and takes away. */
#include "model/maglev.h"
#include "sluice/hash.h"
#include "tests/lib/service_bed.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		services_test(test_written),    services_test(test_balance),
		services_test(test_adopted),    services_test(test_changed),
		services_test(test_grown),      services_test(test_full),
		services_test(test_undone),     services_test(test_redirect),
		services_test(test_table_size), services_test(test_room_for_one),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
