// SPDX-License-Identifier: GPL-2.0-or-later
/* The data plane's life: opening, adopting, changing and going away, on the real kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "dataplane/mapset.h"
#include "dataplane/xdp.h"
#include "tests/lib/dataplane_run.h"
#include "util/clock.h"

static const struct sl_word healthy = { .health = SL_HEALTHY };

static void test_fresh(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 3);
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(model);
	struct attachment attachment;
	struct sl_decision_counts counts;
	struct sl_meta meta = dataplane_meta(dp);

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		assert_false(dataplane_was_adopted(dp, i));
		assert_true(same_word(dataplane_word(dp, i), (struct sl_word){ 0 }));
		assert_int_equal(id_in_kernel(dp, model, i), i);
	}
	assert_int_equal(meta.layout, SL_LAYOUT);
	assert_int_equal(meta.endpoints, 3);
	assert_int_equal(meta.daemon_pid, getpid());
	assert_non_null(strstr(dataplane_note(dp, 0), bpffs));
	assert_null(dataplane_note(dp, 1));

	assert_true(dataplane_attachment(dp, 0, &attachment));
	assert_false(dataplane_attachment(dp, 1, &(struct attachment){ .state = 0 }));
	assert_int_equal(attachment.state, ATTACHMENT_ATTACHED);
	assert_string_equal(attachment.interface, NIC);
	assert_int_equal(attachment.ingress, ATTACH_TCX);
	assert_int_equal(attachment.egress, ATTACH_TCX);
	assert_false(attachment.adopted);
	assert_int_equal(attachment.n_steps, 2);
	assert_string_equal(attachment.steps[0],
			    "offload: NIC does not offer it (Operation not supported)");
	assert_string_equal(attachment.steps[1],
			    "native: veth is a virtual device, where redirecting XDP loses packets "
			    "without an error; tcx chosen");

	netbed_send_syn(FAR, 1, PORT);
	must_count(dp, 0, 1, 0);
	dataplane_store_word(dp, 0, closed);
	netbed_send_syn(FAR, 1, PORT);
	must_count(dp, 0, 2, 1);
	must_count(dp, 1, 0, 0);
	assert_int_equal(dataplane_decisions(dp, &counts), 0);
	assert_int_equal(counts.drop_closed, 1);
	assert_int_equal(counts.pass_unknown, 1);
	assert_true(dataplane_in_force(dp));
}

static void test_heartbeat(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 1);
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(model);
	const struct map_info *maps;
	struct sl_meta meta;
	__u32 zero = 0, n;
	int fd;

	(void)state;
	/* Open counts as the first beat. */
	assert_in_range(clock_mono_ns() - dataplane_meta(dp).heartbeat_ns, 0, 60 * NS_PER_SEC);
	dataplane_heartbeat(dp, 12345);
	assert_int_equal(dataplane_meta(dp).heartbeat_ns, 12345);

	maps = dataplane_maps(dp, &n);
	assert_int_equal(n, 23);
	for (uint32_t i = 0; i < n; i++) {
		assert_true(maps[i].entries_max > 0);
		assert_true(maps[i].memory_bytes > 0);
		assert_true(strlen(maps[i].purpose) > 0);
	}
	fd = bpf_obj_get(maps[6].path);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &meta), 0);
	close(fd);
	assert_int_equal(meta.heartbeat_ns, 12345);
	assert_string_equal(meta.version, SLUICE_VERSION);
}

static void test_adopt(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 3);
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(model);
	CLEANUP(free_p) char *before = NULL;
	CLEANUP(free_p) char *after = NULL;
	struct attachment attachment;

	(void)state;
	dataplane_store_word(dp, 0, closed);
	dataplane_store_word(dp, 1, healthy);
	netbed_send_syn(FAR, 1, PORT);
	must_count(dp, 0, 1, 1);
	before = listing();
	dataplane_close(take_ptr(dp));

	/* Nobody is there, and the gate is. */
	netbed_send_syn(FAR, 1, PORT);

	model->gateway.mode = SL_MODE_OBSERVE;
	dp = must_open(model);
	assert_true(dataplane_attachment(dp, 0, &attachment));
	assert_true(attachment.adopted);
	assert_null(dataplane_note(dp, 0));
	assert_int_equal(dataplane_meta(dp).mode, SL_MODE_OBSERVE);
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(dataplane_was_adopted(dp, i));
		assert_int_equal(id_in_kernel(dp, model, i), i);
	}
	assert_true(same_word(dataplane_word(dp, 0), closed));
	assert_true(same_word(dataplane_word(dp, 1), healthy));
	must_count(dp, 0, 2, 2);
	netbed_send_syn(FAR, 1, PORT);
	must_count(dp, 0, 3, 3);
	after = listing();
	assert_string_equal(before, after);
}

static void test_change(void **state)
{
	CLEANUP(model_free_p) struct model *first = gatemodel_new(bpffs, NIC, 1, 3);
	CLEANUP(model_free_p) struct model *second = gatemodel_new(bpffs, NIC, 2, 3);
	CLEANUP(model_free_p) struct model *third = gatemodel_new(bpffs, NIC, 3, 3);
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(first);

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		dataplane_store_word(dp, i, closed);
	for (uint8_t host = 1; host <= 3; host++)
		netbed_send_syn(FAR, host, PORT);
	for (uint32_t i = 0; i < 3; i++)
		must_count(dp, i, 1, 1);
	dataplane_close(take_ptr(dp));

	/* .1 goes, .4 comes: it gets a new id, and none of .1's past. */
	dp = must_open(second);
	assert_false(in_kernel(&first->endpoints[0].key));
	assert_int_equal(id_in_kernel(dp, second, 0), 1);
	assert_int_equal(id_in_kernel(dp, second, 1), 2);
	assert_int_equal(id_in_kernel(dp, second, 2), 3);
	assert_true(dataplane_was_adopted(dp, 0));
	assert_false(dataplane_was_adopted(dp, 2));
	assert_true(same_word(dataplane_word(dp, 0), closed));
	assert_true(same_word(dataplane_word(dp, 2), (struct sl_word){ 0 }));
	netbed_send_syn(FAR, 1, PORT);
	netbed_send_syn(FAR, 4, PORT);
	must_count(dp, 2, 1, 0);
	dataplane_close(take_ptr(dp));

	/* Now .1's id is free, and is given to .5 with its word and counters cleared. */
	dp = must_open(third);
	assert_int_equal(id_in_kernel(dp, third, 1), 3);
	assert_int_equal(id_in_kernel(dp, third, 2), 0);
	assert_false(dataplane_was_adopted(dp, 2));
	assert_true(same_word(dataplane_word(dp, 2), (struct sl_word){ 0 }));
	must_count(dp, 2, 0, 0);
	must_count(dp, 1, 1, 0);
}

static void remove_target(const struct sl_target_key *key)
{
	char path[PATH_MAX + 32];
	CLEANUP(close_p) int fd = -1;

	snprintf(path, sizeof(path), "%s/v%d/maps/targets", bpffs, SL_LAYOUT);
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_delete_elem(fd, key), 0);
}

/* What somebody has removed by hand is mended by a change that looks; the programs stay the same. */
static void test_change_mends(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 3);
	CLEANUP(model_free_p) struct model *wider = gatemodel_new(bpffs, NIC, 1, 4);
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(model);
	uint32_t id = id_in_kernel(dp, model, 1);
	struct err err = { "" };

	(void)state;
	dataplane_store_word(dp, 1, closed);
	remove_target(&model->endpoints[1].key);
	assert_int_equal(dataplane_change(&dp, wider, true, &err), 0);
	assert_false(in_kernel(&model->endpoints[1].key));
	assert_true(in_kernel(&wider->endpoints[3].key));
	assert_int_equal(dataplane_change(&dp, model, false, &err), 0);
	assert_int_equal(id_in_kernel(dp, model, 1), id);
	assert_true(same_word(dataplane_word(dp, 1), closed));
	assert_false(in_kernel(&wider->endpoints[3].key));
	netbed_send_syn(FAR, 2, PORT);
	must_count(dp, 1, 1, 1);
}

static void test_other_size(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 3);
	CLEANUP(dataplane_close_p) struct dataplane *dp = NULL;
	static const uint32_t sizes[] = { 8, 100, 3, 4096 };
	struct sl_decision_counts counts;
	struct attachment attachment;
	uint64_t syn = 0;
	uint32_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		model->gateway.max_endpoints = sizes[i];
		dp = must_open(model);
		assert_int_equal(dataplane_maps(dp, &n)[2].entries_max, sizes[i]);
		assert_true(dataplane_attachment(dp, 0, &attachment));
		assert_int_equal(attachment.adopted, i > 0);
		if (i > 0) {
			assert_true(dataplane_was_adopted(dp, 1));
			assert_true(same_word(dataplane_word(dp, 1), closed));
			assert_non_null(strstr(dataplane_note(dp, 0), "carried over"));
			must_count(dp, 1, syn, syn);
		}
		dataplane_store_word(dp, 1, closed);
		netbed_send_syn(FAR, 2, PORT);
		syn++;
		must_count(dp, 1, syn, syn);
		assert_int_equal(dataplane_decisions(dp, &counts), 0);
		assert_int_equal(counts.drop_closed, syn);
		dataplane_close(take_ptr(dp));
	}
}

/* Every id is taken: the change is made with new maps, so that none is shared in between. */
static void test_all_replaced(void **state)
{
	CLEANUP(model_free_p) struct model *first = gatemodel_new(bpffs, NIC, 1, 4);
	CLEANUP(model_free_p) struct model *second = gatemodel_new(bpffs, NIC, 4, 4);
	CLEANUP(dataplane_close_p) struct dataplane *dp = NULL;

	(void)state;
	first->gateway.max_endpoints = second->gateway.max_endpoints = 4;
	dp = must_open(first);
	for (uint32_t i = 0; i < 4; i++)
		dataplane_store_word(dp, i, closed);
	dataplane_close(take_ptr(dp));

	dp = must_open(second);
	assert_true(dataplane_was_adopted(dp, 0));
	assert_true(same_word(dataplane_word(dp, 0), closed));
	assert_int_equal(id_in_kernel(dp, second, 0), 3);
	for (uint32_t i = 1; i < 4; i++) {
		assert_false(dataplane_was_adopted(dp, i));
		assert_true(same_word(dataplane_word(dp, i), (struct sl_word){ 0 }));
	}
	assert_false(in_kernel(&first->endpoints[0].key));
}

static void test_alien(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 2);
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(model);
	struct sl_types types;
	__u32 zero = 0, n;
	int fd;

	(void)state;
	dataplane_store_word(dp, 0, closed);
	fd = bpf_obj_get(dataplane_maps(dp, &n)[MAP_TYPES].path);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &types), 0);
	assert_string_equal(types.of[MAP_NAMES].map, "endpoint_names");
	types.of[MAP_NAMES].hash++;
	assert_int_equal(bpf_map_update_elem(fd, &zero, &types, BPF_ANY), 0);
	close(fd);
	dataplane_close(take_ptr(dp));

	dp = must_open(model);
	assert_non_null(strstr(dataplane_note(dp, 0), "describes endpoints differently"));
	assert_true(dataplane_note_is_loss(dp, 0));
	assert_false(dataplane_was_adopted(dp, 0));
	assert_true(same_word(dataplane_word(dp, 0), (struct sl_word){ 0 }));
	assert_int_equal(dataplane_meta(dp).layout, SL_LAYOUT);
}

static void test_missing_pin(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 2);
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(model);
	uint32_t n;

	(void)state;
	dataplane_store_word(dp, 1, closed);
	assert_int_equal(unlink(dataplane_maps(dp, &n)[4].path), 0);
	dataplane_close(take_ptr(dp));

	dp = must_open(model);
	assert_true(dataplane_was_adopted(dp, 1));
	assert_true(same_word(dataplane_word(dp, 1), closed));
	must_have_pin("maps/endpoint_stats", true);
	netbed_send_syn(FAR, 2, PORT);
	must_count(dp, 1, 1, 1);
}

static void test_detach_all(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 3);
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(model);
	struct sl_decision_counts counts;
	struct err err = { "x" };
	struct xdp_state state_now;
	struct stat st;
	struct nic nic;

	(void)state;
	assert_int_equal(dataplane_detach_all(bpffs, &err), 0);
	assert_non_null(strstr(err.text, "still running"));
	assert_false(dataplane_in_force(dp));
	assert_int_equal(stat(bpffs, &st), -1);
	assert_int_equal(dataplane_detach_all(bpffs, &err), -ENOENT);

	/* Nothing counts any more, though the old daemon still has its maps. */
	dataplane_store_word(dp, 0, closed);
	netbed_send_syn(FAR, 1, PORT);
	assert_int_equal(dataplane_decisions(dp, &counts), 0);
	assert_int_equal(counts.drop_closed, 0);
	assert_int_equal(nic_find(&nic, NIC, NULL), 0);
	assert_int_equal(xdp_query(&state_now, &nic), 0);
	assert_int_equal(xdp_foreign(&state_now, 0), 0);

	/* A second daemon may start; ending the first one leaves it alone. */
	{
		CLEANUP(dataplane_close_p) struct dataplane *second = must_open(model);

		assert_int_equal(dataplane_destroy(take_ptr(dp), &err), 0);
		netbed_send_syn(FAR, 1, PORT);
		must_count(second, 0, 1, 0);
	}
	/* Without a daemon. */
	assert_int_equal(dataplane_detach_all(bpffs, &err), 0);
	assert_string_equal(err.text, "");
	assert_int_equal(stat(bpffs, &st), -1);
}

static void test_destroy(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 3);
	struct dataplane *dp = must_open(model);
	struct err err = { "" };
	struct stat st;

	(void)state;
	assert_int_equal(dataplane_destroy(dp, &err), 0);
	assert_int_equal(stat(bpffs, &st), -1);
}

/* Where /sys/fs/bpf is not mounted, it is; and what others mounted stays. */
static void test_usual_place(void **state)
{
	CLEANUP(model_free_p) struct model *model = NULL;
	CLEANUP(dataplane_close_p) struct dataplane *dp = NULL;
	char path[64];
	struct err err;
	struct stat st;

	(void)state;
	while (umount("/sys/fs/bpf") == 0)
		;
	snprintf(path, sizeof(path), "/sys/fs/bpf/sl-test-%d", getpid());
	model = gatemodel_new(path, "nosuch0", 1, 1);
	must_refuse(model, -ENODEV, "nosuch0");
	snprintf(model->gateway.interfaces[0].name, IFNAMSIZ, NIC);
	dp = must_open(model);
	assert_string_equal(dataplane_note(dp, 0), "mounted a BPF file system on /sys/fs/bpf");
	dataplane_close(take_ptr(dp));
	dp = must_open(model);
	assert_null(dataplane_note(dp, 0));
	assert_int_equal(dataplane_destroy(take_ptr(dp), &err), 0);
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(umount("/sys/fs/bpf"), 0);
}

static void test_dump(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 2);
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(model);
	static const struct {
		int map;
		const char *says[4];
	} rows[] = {
		{ 0, { "\"port\":80", "\"proto\":\"SL_TCP\"", "\"kind\":\"SL_TARGET_ENDPOINT\"" } },
		{ 2, { "\"health\":\"SL_HEALTHY\"", "\"action\":\"SL_ACTION_DROP\"" } },
		{ 3,
		  { "\"text\":\"10.9.0.1:80\"", "\"text\":\"10.9.0.2:80\"", "\"pool\":\"web-pool\"",
		    "\"settings\":\"web\"" } },
		{ 6, { "\"mode\":\"SL_MODE_ENFORCE\"", "\"version\":\"" SLUICE_VERSION "\"" } },
	};
	const struct map_info *maps;
	uint32_t n;

	(void)state;
	dataplane_store_word(dp, 0, healthy);
	dataplane_store_word(dp, 1, closed);
	maps = dataplane_maps(dp, &n);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(free_p)
		char *dump = netbed_output("bpftool", "-j", "map", "dump", "pinned",
					   maps[rows[i].map].path, NULL);

		for (int j = 0; j < 4 && rows[i].says[j]; j++)
			if (!strstr(dump, rows[i].says[j]))
				fail_msg("%s lacks %s: %.400s", maps[rows[i].map].name,
					 rows[i].says[j], dump);
	}
}

/* 65,536 endpoints: opened, adopted and read in a moment. */
static void test_many(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 0, LIMIT_ENDPOINTS);
	CLEANUP(dataplane_close_p) struct dataplane *dp = NULL;
	const uint32_t last = LIMIT_ENDPOINTS - 1;
	uint64_t times[4];

	(void)state;
	times[0] = clock_mono_ms();
	dp = must_open(model);
	times[1] = clock_mono_ms();
	dataplane_store_word(dp, last, closed);
	netbed_send_syn(FAR, 7, PORT);
	must_count(dp, 7, 1, 0);
	dataplane_close(take_ptr(dp));
	times[2] = clock_mono_ms();
	dp = must_open(model);
	times[3] = clock_mono_ms();
	assert_true(same_word(dataplane_word(dp, last), closed));
	assert_int_equal(id_in_kernel(dp, model, last), last);
	must_count(dp, 7, 1, 0);
	must_count(dp, 8, 0, 0);
	print_message("# %u endpoints: opened in %llu ms, adopted in %llu ms\n", LIMIT_ENDPOINTS,
		      (unsigned long long)(times[1] - times[0]),
		      (unsigned long long)(times[3] - times[2]));
	/* The promise is 1 s; sanitizers and other work on the machine are slow, not this slow. */
	assert_in_range(times[1] - times[0], 0, 5 * MS_PER_SEC);
	assert_in_range(times[3] - times[2], 0, 5 * MS_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		nic_test(test_fresh),        nic_test(test_heartbeat),
		nic_test(test_adopt),        nic_test(test_change),
		nic_test(test_change_mends), nic_test(test_other_size),
		nic_test(test_all_replaced), nic_test(test_alien),
		nic_test(test_missing_pin),  nic_test(test_detach_all),
		nic_test(test_destroy),      nic_test(test_usual_place),
		nic_test(test_dump),         nic_test(test_many),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
