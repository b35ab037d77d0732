// SPDX-License-Identifier: GPL-2.0-or-later
/* Ids, sizes, replies and the host's judgement: the parts of dataplane/ that need no kernel. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/host.h"
#include "dataplane/ids.h"
#include "dataplane/mapset.h"
#include "dataplane/meta.h"
#include "tests/lib/fault.h"
#include "util/clock.h"
#include "util/err.h"

#define MAX 8

static struct sl_target_key key_of(char letter)
{
	return (struct sl_target_key){ .addr = { (__u8)letter }, .port = 80, .proto = SL_TCP };
}

/* Endpoints are letters; held is what the maps had, with the ids after the letters. */
static const struct row {
	const char *what;
	const char *model;
	const char *names; /* "a0b1": a has id 0, b has id 1 */
	const char *targets; /* NULL: as names */
	uint32_t entries;
	bool in_place;
	int r;
	const char *ids; /* of the model's endpoints, in order */
	const char *was; /* '-': none */
} rows[] = {
	{ "nothing before", "abc", "", NULL, 4, true, 0, "012", "---" },
	{ "no endpoints", "", "a0", NULL, 4, true, 0, "", "" },
	{ "all kept", "abc", "a2b0c1", NULL, 4, true, 0, "201", "201" },
	{ "one added takes the lowest free", "abx", "a0b2", NULL, 4, true, 0, "021", "02-" },
	{ "one removed keeps its id to itself", "bx", "a0b1", NULL, 4, true, 0, "12", "1-" },
	{ "new maps: so it does", "bx", "a0b1", NULL, 4, false, 0, "12", "1-" },
	{ "... as long as there are others", "bxyz", "a0b1", NULL, 4, false, 0, "1230", "1---" },
	{ "full", "abcde", "", NULL, 4, true, -ENOSPC, "", "" },
	{ "full with the removed", "bcdx", "a0b1c2d3", NULL, 4, true, -ENOSPC, "", "" },
	{ "full with the removed, new maps", "bcdx", "a0b1c2d3", NULL, 4, false, 0, "1230",
	  "123-" },
	{ "smaller maps: high ids move", "abc", "a5b0c6", NULL, 3, false, 0, "102", "506" },
	{ "two names with one id: the second moves", "ab", "a1b1", NULL, 4, true, 0, "10", "11" },
	{ "a target without a name blocks its id", "x", "", "a0", 4, true, 0, "1", "-" },
	{ "an id out of range is no id", "ax", "a9", NULL, 4, true, 0, "01", "9-" },
};

static void hold(struct holding_list *ret, const char *text)
{
	uint32_t n = (uint32_t)strlen(text) / 2;

	assert_int_equal(holding_list_open(ret, n), 0);
	for (uint32_t i = 0; i < n; i++)
		holding_list_add(ret, &(struct holding){ .key = key_of(text[2 * i]),
							 .kind = SL_TARGET_ENDPOINT,
							 .id = (uint32_t)(text[2 * i + 1] - '0') });
}

static void check_row(const struct row *row)
{
	struct endpoint endpoints[MAX] = { 0 };
	struct model model = { .endpoints = endpoints,
			       .n_endpoints = (uint32_t)strlen(row->model) };
	struct holdings held = { .n_ids = 0 };
	struct ids ids = { 0 };
	int r;

	print_message("# %s\n", row->what);
	for (uint32_t i = 0; i < model.n_endpoints; i++)
		endpoints[i].key = key_of(row->model[i]);
	hold(&held.names, row->names);
	hold(&held.targets, row->targets ? row->targets : row->names);

	r = ids_assign(&ids, &model, &held, row->entries, row->in_place);
	assert_int_equal(r, row->r);
	for (uint32_t i = 0; r == 0 && i < model.n_endpoints; i++) {
		assert_int_equal(ids.id[i], row->ids[i] - '0');
		if (row->was[i] == '-')
			assert_int_equal(ids.was[i], ID_NONE);
		else
			assert_int_equal(ids.was[i], row->was[i] - '0');
	}
	ids_done(&ids);
	holdings_done(&held);
}

static void test_ids(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

/* Seats take what was found under their name before, as far as it is theirs and not taken. */
static void test_seats(void **state)
{
	struct endpoint endpoints[2 + LIMIT_NAME_ADDRESSES] = { 0 };
	const char *names[] = { "a.test" };
	struct model model = {
		.endpoints = endpoints,
		.n_endpoints = 2 + LIMIT_NAME_ADDRESSES,
		.names = names,
		.n_names = 1,
		.digest = 77,
	};
	uint64_t a = ids_name_hash("a.test"), b = ids_name_hash("b.test");
	struct holding found[] = {
		{ .key = key_of('a'),
		  .kind = SL_TARGET_ENDPOINT,
		  .id = 9,
		  .name = a,
		  .digest = 77 }, /* static now */
		{ .key = key_of('m'),
		  .kind = SL_TARGET_ENDPOINT,
		  .id = 5,
		  .name = a,
		  .digest = 77 },
		{ .key = key_of('n'),
		  .kind = SL_TARGET_ENDPOINT,
		  .id = 6,
		  .name = a,
		  .digest = 78 },
		{ .key = key_of('o'),
		  .kind = SL_TARGET_ENDPOINT,
		  .id = 7,
		  .name = b,
		  .digest = 77 },
		{ .key = key_of('p'), .kind = SL_TARGET_ENDPOINT, .id = 8 },
	};
	struct holdings held = { .n_ids = 0 };
	const struct sl_target_key m = key_of('m');
	struct ids ids = { 0 };

	(void)state;
	endpoints[0].key = key_of('a');
	endpoints[1].key = key_of('b');
	for (uint32_t i = 0; i < LIMIT_NAME_ADDRESSES; i++) {
		endpoints[2 + i] = (struct endpoint){ .name = "a.test", .seat = i };
		endpoints[2 + i].key.port = endpoints[0].key.port;
		endpoints[2 + i].key.proto = endpoints[0].key.proto;
	}
	assert_int_equal(holding_list_open(&held.names, 5), 0);
	for (size_t i = 0; i < 5; i++)
		holding_list_add(&held.names, &found[i]);
	assert_int_equal(ids_assign(&ids, &model, &held, 40, true), 0);
	assert_int_equal(ids.id[0], 9);
	assert_memory_equal(&ids.key[2], &m, sizeof(ids.key[0]));
	assert_int_equal(ids.id[2], 5);
	assert_false(ids.stale[2]);
	assert_int_equal(ids.id[3], 6);
	assert_true(ids.stale[3]);
	for (uint32_t i = 4; i < ids.n; i++) {
		assert_int_equal(ids.key[i].port, 0);
		assert_int_equal(ids.was[i], ID_NONE);
		/* Ids in force are nobody else's. */
		assert_true(ids.id[i] < 5 || ids.id[i] > 9);
	}
	ids_done(&ids);
	holdings_done(&held);
}

static void test_ids_no_memory(void **state)
{
	struct model model = { 0 };
	struct holdings held = { .n_ids = 0 };
	struct ids ids = { 0 };

	(void)state;
	for (int n = 0;; n++) {
		int r;

		fault_after(FAULT_MEMORY, n, ENOMEM);
		r = ids_assign(&ids, &model, &held, 4, true);
		if (!fault_clear(FAULT_MEMORY)) {
			assert_int_equal(r, 0);
			assert_true(n > 0);
			break;
		}
		assert_int_equal(r, -ENOMEM);
	}
	ids_done(&ids);
}

static void test_sizes(void **state)
{
	static const struct {
		uint32_t endpoints, index_bits, slots;
	} sizes[] = {
		{ 1, 3, 8 }, { 4, 5, 32 }, { 5, 6, 64 }, { 4096, 15, 32768 }, { 65536, 19, 524288 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const struct map_needs needs = { .endpoints = sizes[i].endpoints };
		struct map_sizes got = map_sizes_for(&needs);

		assert_int_equal(got.index_bits, sizes[i].index_bits);
		assert_int_equal(got.entries[MAP_INDEX], sizes[i].slots);
		assert_int_equal(got.entries[MAP_TARGETS], 2 * sizes[i].endpoints);
		assert_int_equal(got.entries[MAP_WORDS], sizes[i].endpoints);
		assert_int_equal(got.entries[MAP_META], 1);
	}
	for (enum map_id id = 0; id < MAPS; id++) {
		assert_non_null(map_name(id));
		assert_non_null(map_purpose(id));
		/* bpftool shows 15 characters. */
		assert_in_range(strlen(map_name(id)), 1, 15);
	}
}

static void test_meta(void **state)
{
	static const struct {
		uint32_t rate;
		uint64_t budget, window_ns;
	} rates[] = {
		{ 0, 0, 10 * NS_PER_MS },     { 1, 1, NS_PER_SEC },
		{ 99, 1, NS_PER_SEC / 99 },   { 100, 1, 10 * NS_PER_MS },
		{ 150, 1, NS_PER_SEC / 150 }, { 10000, 100, 10 * NS_PER_MS },
	};
	struct model model = { .n_endpoints = 7 };

	(void)state;
	model.gateway.mode = SL_MODE_OBSERVE;
	model.gateway.on_daemon_loss = SL_LOSS_OPEN;
	model.gateway.daemon_loss_after_ms = 30000;
	model.gateway.nat_ports = (struct port_range){ 20000, 20999 };
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct sl_meta meta, stored = { 0 };

		model.gateway.reply_rate = rates[i].rate;
		meta = meta_of(&model, 5);
		assert_int_equal(meta.reply_budget, rates[i].budget);
		assert_int_equal(meta.reply_window_ns, rates[i].window_ns);
		assert_int_equal(meta.layout, SL_LAYOUT);
		assert_int_equal(meta.mode, SL_MODE_OBSERVE);
		assert_int_equal(meta.on_daemon_loss, SL_LOSS_OPEN);
		assert_int_equal(meta.daemon_loss_after_ns, 30 * NS_PER_SEC);
		assert_int_equal(meta.heartbeat_ns, 5);
		assert_int_equal(meta.endpoints, 7);
		assert_int_equal(meta.port_low, 20000);
		assert_int_equal(meta.port_high, 20999);
		assert_int_equal(meta.daemon_pid, getpid());
		assert_string_equal(meta.version, SLUICE_VERSION);

		meta_store(&stored, &meta);
		/* Whoever was here before, its routes are looked up again. */
		assert_int_equal(stored.route_epoch, 1);
		stored.route_epoch = meta.route_epoch;
		assert_memory_equal(&stored, &meta, sizeof(meta));
	}
}

static void test_host(void **state)
{
	static const struct {
		struct host_facts facts;
		int r;
		const char *says;
	} hosts[] = {
		{ { true, true, true, "6.1.0-13-amd64" }, 0, "" },
		{ { true, true, true, "7.0" }, 0, "" },
		{ { true, true, true, "6.0.19" },
		  -EOPNOTSUPP,
		  "6.1 or later is needed; this is 6.0.19" },
		{ { true, true, true, "5.15.0" }, -EOPNOTSUPP, "5.15.0" },
		{ { true, true, true, "" }, -EOPNOTSUPP, "6.1 or later" },
		{ { true, true, false, "6.1.0" }, -EOPNOTSUPP, "no BTF" },
		{ { false, true, true, "6.1.0" }, -EPERM, "root, or CAP_BPF and CAP_PERFMON" },
		{ { true, false, true, "6.1.0" }, -EPERM, "root, or CAP_NET_ADMIN" },
		{ { false, false, false, "5.0" },
		  -EPERM,
		  "root, or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct err err = { "" };

		assert_int_equal(host_judge(&hosts[i].facts, &err), hosts[i].r);
		if (!strstr(err.text, hosts[i].says))
			fail_msg("'%s' lacks '%s'", err.text, hosts[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),           cmocka_unit_test(test_seats),
		cmocka_unit_test(test_ids_no_memory), cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_meta),          cmocka_unit_test(test_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
