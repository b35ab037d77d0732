// SPDX-License-Identifier: GPL-2.0-or-later
/* Endpoints and services that leave the configuration: their time to drain, their ids, and their flows. */
#include "tests/lib/service_bed.h"
#include "util/clock.h"

static struct sl_word word_of(uint32_t id)
{
	struct sl_word word;

	must_read("endpoint_words", &id, &word);
	return word;
}

/*
 * What the configuration has no more drains: no new flows, and a deadline that the kernel keeps. One
 * that comes back in time is who it was to its flows, and somebody to be asked anew to others; after that it is somebody
 * else to its flows, too.
 */
static void test_leaving(void **state)
{
	CLEANUP(model_free_p)
	struct model *before = model_of("", HOSTS, SHOP),
		     *after = model_of("", "{ address: 10.9.0.4 }", SHOP),
		     *larger = model_of(", max_services: 512", "{ address: 10.9.0.4 }", SHOP);
	const struct sl_word healthy = { .health = SL_HEALTHY }, ill = { .health = SL_UNHEALTHY };
	struct dataplane *dp = must_open(before);
	uint32_t one = endpoint_id("10.9.0.1"), generation = name_of(one).generation;
	uint32_t two = endpoint_id("10.9.0.2");
	uint64_t asked_ms;
	struct sl_word word;
	struct err err;

	(void)state;
	dataplane_store_word(dp, 0, healthy);
	dataplane_store_word(dp, 1, ill);
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
	/* Nobody has asked it meanwhile. */
	assert_int_equal(word_of(one).health, SL_UNKNOWN);
	assert_int_equal(word_of(two).health, SL_UNHEALTHY);

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		services_test(test_leaving),          services_test(test_crowded),
		services_test(test_leaving_undone),   services_test(test_undone_counts),
		services_test(test_services_crowded), services_test(test_generations_outlive_maps),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
