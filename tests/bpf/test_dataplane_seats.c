// SPDX-License-Identifier: GPL-2.0-or-later
/* Seats of DNS names: who sits there has a target, and the next daemon finds who sat there. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "sluice/hash.h"
#include "tests/lib/dataplane_run.h"

/* One DNS name, guarded on NIC. */
static struct model *name_model(const char *name, uint64_t digest)
{
	struct model *model = gatemodel_new(bpffs, NIC, 1, 2);
	struct err err = { "" };

	model->pools[0].backends[1].name = strdup(name);
	assert_non_null(model->pools[0].backends[1].name);
	free(model->endpoints);
	free(model->names);
	free(model->services[0].endpoints);
	free(model->services[0].owners);
	model->n_endpoints = model->n_names = model->services[0].n_endpoints = 0;
	assert_int_equal(model_link(model, &err), 0);
	model->digest = digest;
	return model;
}

/* A seat has a target while somebody sits in it; its word and counters begin anew each time. */
static void test_seats(void **state)
{
	CLEANUP(model_free_p) struct model *model = name_model("app.test", 1);
	struct dataplane *dp = must_open(model);
	struct sl_target_key key = model->endpoints[1].key, got;
	struct err err;

	(void)state;
	assert_false(dataplane_key(dp, 1, &got, NULL));
	key.addr[15] = 0x51;
	key.addr[0] = 0xfd;
	assert_false(in_kernel(&key));
	assert_int_equal(dataplane_set_endpoint(dp, 1, &key, &err), 0);
	assert_true(in_kernel(&key));
	assert_true(dataplane_key(dp, 1, &got, NULL));
	assert_memory_equal(&got, &key, sizeof(key));
	dataplane_store_word(dp, 1, closed);

	assert_int_equal(dataplane_set_endpoint(dp, 2, &key, &err), -EEXIST);
	assert_int_equal(dataplane_set_endpoint(dp, 2, &model->endpoints[0].key, &err), -EEXIST);
	assert_true(in_kernel(&model->endpoints[0].key));

	assert_int_equal(dataplane_set_endpoint(dp, 1, NULL, &err), 0);
	assert_false(in_kernel(&key));
	assert_int_equal(dataplane_set_endpoint(dp, 1, NULL, &err), 0);
	assert_int_equal(dataplane_set_endpoint(dp, 2, &key, &err), 0);
	key.addr[15] = 0x52;
	assert_int_equal(dataplane_set_endpoint(dp, 1, &key, &err), 0);
	assert_true(same_word(dataplane_word(dp, 1), (struct sl_word){ 0 }));
	assert_true(in_kernel(&key));
	dataplane_close(dp);
}

/* Whether the short cut leads to somebody: an empty slot would hide the target. */
static bool in_index(const struct dataplane *dp, const struct sl_target_key *key)
{
	const struct map_info *maps;
	struct sl_target target;
	uint32_t n, bits = 0, slot;
	int fd;

	maps = dataplane_maps(dp, &n);
	assert_string_equal(maps[1].name, "target_index");
	while (1u << bits < maps[1].entries_max)
		bits++;
	slot = sl_index_slot(key, bits);
	fd = bpf_obj_get(maps[1].path);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &slot, &target), 0);
	close(fd);
	return target.kind == SL_TARGET_ENDPOINT;
}

/* Seats share slots of the index: one that is vacated must not take the slot from the others. */
static void test_seats_share_slots(void **state)
{
	CLEANUP(model_free_p) struct model *model = name_model("app.test", 1);
	struct sl_target_key keys[LIMIT_NAME_ADDRESSES];
	uint32_t n = 0, first, bits = 0, entries;
	struct dataplane *dp;

	(void)state;
	model->gateway.max_endpoints = model->n_endpoints;
	dp = must_open(model);
	entries = dataplane_maps(dp, &first)[1].entries_max;
	while (1u << bits < entries)
		bits++;
	keys[0] = model->endpoints[1].key;
	/* Addresses whose slot is that of the first. */
	for (uint32_t i = 0; n < 3; i++) {
		keys[n] = model->endpoints[1].key;
		keys[n].addr[0] = 0xfd;
		memcpy(&keys[n].addr[8], &i, sizeof(i));
		n += !n || sl_index_slot(&keys[n], bits) == sl_index_slot(&keys[0], bits);
	}
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(dataplane_set_endpoint(dp, 1 + i, &keys[i], NULL), 0);
	for (uint32_t i = 0; i < n; i++) {
		assert_true(in_index(dp, &keys[0]));
		assert_int_equal(dataplane_set_endpoint(dp, 1 + i, NULL, NULL), 0);
	}
	assert_false(in_index(dp, &keys[0]));
	assert_true(in_index(dp, &model->endpoints[0].key));
	dataplane_close(dp);
}

/* The next daemon finds who sat there, unless the name is another one. */
static void test_seats_adopted(void **state)
{
	static const struct {
		const char *name;
		uint64_t digest;
		bool kept, stale;
	} rows[] = {
		{ "app.test", 1, true, false },
		{ "app.test", 2, true, true },
		{ "app.test", 2, true, false },
		{ "other.test", 2, false, false },
	};
	CLEANUP(model_free_p) struct model *first = name_model("app.test", 1);
	struct dataplane *dp = must_open(first);
	struct sl_target_key key = first->endpoints[1].key, got;
	bool stale;

	(void)state;
	key.addr[15] = 0x51;
	assert_int_equal(dataplane_set_endpoint(dp, 1, &key, NULL), 0);
	dataplane_store_word(dp, 1, closed);
	dataplane_close(dp);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(model_free_p)
		struct model *model = name_model(rows[i].name, rows[i].digest);

		dp = must_open(model);
		assert_int_equal(dataplane_key(dp, 1, &got, &stale), rows[i].kept);
		assert_int_equal(in_kernel(&key), rows[i].kept);
		if (rows[i].kept) {
			assert_memory_equal(&got, &key, sizeof(key));
			assert_int_equal(stale, rows[i].stale);
			assert_true(dataplane_was_adopted(dp, 1));
			assert_true(same_word(dataplane_word(dp, 1), closed));
		}
		dataplane_close(dp);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		nic_test(test_seats),
		nic_test(test_seats_share_slots),
		nic_test(test_seats_adopted),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
