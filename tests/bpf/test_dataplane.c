// SPDX-License-Identifier: GPL-2.0-or-later
/* The data plane's life: opening, adopting, changing, failing and going away, on the real kernel. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "dataplane/dataplane.h"
#include "dataplane/xdp.h"
#include "sluice/hash.h"
#include "tests/lib/fault.h"
#include "tests/lib/gatemodel.h"
#include "tests/lib/netbed.h"
#include "util/clock.h"
#include "util/err.h"

#define PORT 80

/* The gateway's NIC, and the far end that frames are sent from. */
#define NIC "gw0"
#define FAR "far0"

static char bed[PATH_MAX]; /* a directory of this process */
static char bpffs[PATH_MAX]; /* ... and the pin directory in it */

static const struct sl_word closed = { .health = SL_UNHEALTHY, .action = SL_ACTION_DROP };
static const struct sl_word healthy = { .health = SL_HEALTHY };

/* --- helpers --------------------------------------------------------------------------------- */

static int set_up(void **state)
{
	(void)state;
	netbed_enter();
	snprintf(bed, sizeof(bed), "/run/sl-test-%d", getpid());
	snprintf(bpffs, sizeof(bpffs), "/run/sl-test-%d/bpf", getpid());
	return mkdir(bed, 0700);
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(bed);
}

static int n_fds; /* before the test */

static int count_fds(void)
{
	const struct dirent *entry;
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && (entry = readdir(dir)))
		n++;
	closedir(dir);
	return n;
}

static int set_up_nic(void **state)
{
	(void)state;
	netbed_veth(NIC, FAR);
	n_fds = count_fds();
	return 0;
}

static int tear_down_nic(void **state)
{
	struct err err;

	(void)state;
	dataplane_detach_all(bpffs, &err);
	netbed_must("ip", "link", "del", NIC);
	/* cmocka counts this as the test's failure. */
	return count_fds() == n_fds ? 0 : -EMFILE;
}

static struct dataplane *must_open(const struct model *model)
{
	struct dataplane *dp = NULL;
	struct err err = { "" };

	if (dataplane_open(&dp, model, &err) < 0)
		fail_msg("open: %s", err.text);
	return dp;
}

/* Opening fails with this errno and a sentence that has this in it. */
static void must_refuse(const struct model *model, int code, const char *says)
{
	struct dataplane *dp = NULL;
	struct err err = { "" };
	int r;

	r = dataplane_open(&dp, model, &err);
	if (r != code || !strstr(err.text, says))
		fail_msg("open gave %d '%s', wanted %d '%s'", r, err.text, code, says);
	assert_null(dp);
}

static bool same_word(struct sl_word a, struct sl_word b)
{
	return !memcmp(&a, &b, sizeof(a));
}

/* All names below the pin directory, one line each, sorted by ls. */
static char *listing(void)
{
	return netbed_output("ls", "-1R", bpffs, NULL);
}

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

static void must_have_pin(const char *name, bool there)
{
	char path[PATH_MAX + NAME_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/v%d/%s", bpffs, SL_LAYOUT, name);
	if ((stat(path, &st) == 0) != there)
		fail_msg("%s: %s", path, there ? "missing" : "still there");
}

static uint32_t id_in_kernel(const struct dataplane *dp, const struct model *model, uint32_t i)
{
	const struct map_info *maps;
	struct sl_target target;
	uint32_t n;
	int fd;

	maps = dataplane_maps(dp, &n);
	assert_string_equal(maps[0].name, "targets");
	fd = bpf_obj_get(maps[0].path);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &model->endpoints[i].key, &target), 0);
	close(fd);
	return target.id;
}

/* Whether the pinned map has that target, daemon or not. */
static bool in_kernel(const struct sl_target_key *key)
{
	char path[PATH_MAX + 32];
	struct sl_target target;
	int fd, r;

	snprintf(path, sizeof(path), "%s/v%d/maps/targets", bpffs, SL_LAYOUT);
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	r = bpf_map_lookup_elem(fd, key, &target);
	close(fd);
	return r == 0;
}

struct wanted {
	const struct dataplane *dp;
	uint32_t endpoint;
	uint64_t syn, dropped;
};

static bool has_counted(void *arg)
{
	const struct wanted *wanted = arg;
	struct sl_endpoint_stats stats;

	assert_int_equal(dataplane_endpoint_stats(wanted->dp, wanted->endpoint, &stats), 0);
	return stats.syn == wanted->syn && stats.dropped == wanted->dropped;
}

static void must_count(const struct dataplane *dp, uint32_t endpoint, uint64_t syn,
		       uint64_t dropped)
{
	struct wanted wanted = { dp, endpoint, syn, dropped };
	struct sl_endpoint_stats stats;

	if (netbed_eventually(has_counted, &wanted))
		return;
	dataplane_endpoint_stats(dp, endpoint, &stats);
	fail_msg("counted %llu SYNs, %llu dropped; wanted %llu and %llu", stats.syn, stats.dropped,
		 (unsigned long long)syn, (unsigned long long)dropped);
}

/* --- tests ----------------------------------------------------------------------------------- */

static void test_fresh(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 3);
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(model);
	const struct attachment *attachments;
	struct sl_decision_counts counts;
	struct sl_meta meta = dataplane_meta(dp);
	uint32_t n;

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

	attachments = dataplane_attachments(dp, &n);
	assert_int_equal(n, 1);
	assert_string_equal(attachments[0].interface, NIC);
	assert_int_equal(attachments[0].ingress, ATTACH_TCX);
	assert_int_equal(attachments[0].egress, ATTACH_TCX);
	assert_false(attachments[0].adopted);
	assert_int_equal(attachments[0].n_steps, 2);
	assert_string_equal(attachments[0].steps[0],
			    "offload: NIC does not offer it (Operation not supported)");
	assert_string_equal(attachments[0].steps[1],
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
	assert_int_equal(n, 19);
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
	const struct attachment *attachments;
	uint32_t n;

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
	attachments = dataplane_attachments(dp, &n);
	assert_true(attachments[0].adopted);
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

static void test_other_size(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 3);
	CLEANUP(dataplane_close_p) struct dataplane *dp = NULL;
	static const uint32_t sizes[] = { 8, 100, 3, 4096 };
	struct sl_decision_counts counts;
	uint64_t syn = 0;
	uint32_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		model->gateway.max_endpoints = sizes[i];
		dp = must_open(model);
		assert_int_equal(dataplane_maps(dp, &n)[2].entries_max, sizes[i]);
		assert_int_equal(dataplane_attachments(dp, &n)[0].adopted, i > 0);
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
	struct sl_meta meta = { .layout = SL_LAYOUT + 1 };
	__u32 zero = 0, n;
	int fd;

	(void)state;
	dataplane_store_word(dp, 0, closed);
	fd = bpf_obj_get(dataplane_maps(dp, &n)[6].path);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_update_elem(fd, &zero, &meta, BPF_ANY), 0);
	close(fd);
	dataplane_close(take_ptr(dp));

	dp = must_open(model);
	assert_non_null(strstr(dataplane_note(dp, 0), "another layout"));
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

static void test_lock(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 2);
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(model);
	char pid[32];

	(void)state;
	snprintf(pid, sizeof(pid), "(process %d)", getpid());
	must_refuse(model, -EBUSY, pid);
	netbed_send_syn(FAR, 1, PORT);
	must_count(dp, 0, 1, 0);
}

static void test_full(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 5);
	struct stat st;

	(void)state;
	model->gateway.max_endpoints = 4;
	must_refuse(model, -E2BIG,
		    "map 'endpoint_words' is full: 5 endpoints do not fit into its 4");
	must_refuse(model, -E2BIG, "gateway.max_endpoints");
	assert_int_equal(stat(bpffs, &st), -1);
}

static void test_no_interface(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, "nosuch0", 1, 1);
	struct stat st;

	(void)state;
	must_refuse(model, -ENODEV, "'nosuch0'");
	assert_int_equal(stat(bpffs, &st), -1);
}

static void test_bad_directory(void **state)
{
	static const struct {
		const char *path;
		int code;
		const char *says;
	} rows[] = {
		{ "relative/path", -EINVAL, "absolute" },
		{ "/run/../run/x", -EINVAL, "'..'" },
		{ "/run//x", -EINVAL, "empty" },
		{ "/", -EINVAL, "absolute" },
		{ "/proc/nosuch/bpf", -ENOENT, "/proc/nosuch" },
		{ "/usr", -ENOTEMPTY, "no empty directory" },
		{ "/etc/passwd", -ENOTEMPTY, "no empty directory" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(model_free_p) struct model *model = gatemodel_new(rows[i].path, NIC, 1, 1);

		must_refuse(model, rows[i].code, rows[i].says);
	}
}

/* An XDP program of somebody else on the second interface. */
static void add_foreign_xdp(const char *interface, int *ret_fd)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct nic nic;
	int fd;

	assert_int_equal(nic_find(&nic, interface, NULL), 0);
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "neighbours_own", "GPL", pass, 2, NULL);
	assert_true(fd >= 0);
	*ret_fd = xdp_link(fd, &nic, ATTACH_XDP_GENERIC);
	assert_true(*ret_fd >= 0);
	close(fd);
}

/* The second interface is refused: the first one, opened before or not, is as it was. */
static void test_rollback(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 3);
	CLEANUP(model_free_p) struct model *wider = gatemodel_new(bpffs, NIC, 2, 4);
	CLEANUP(dataplane_close_p) struct dataplane *dp = NULL;
	CLEANUP(free_p) char *before = NULL;
	CLEANUP(free_p) char *after = NULL;
	CLEANUP(close_p) int foreign = -1;
	struct stat st;

	(void)state;
	netbed_veth("gw1", "far1");
	add_foreign_xdp("gw1", &foreign);
	gatemodel_add_interface(wider, "gw1", XDP_AUTO);

	must_refuse(wider, -EBUSY, "'neighbours_own', id ");
	must_refuse(wider, -EBUSY, "xdp: off to use tcx beside it");
	assert_int_equal(stat(bpffs, &st), -1);

	dp = must_open(model);
	dataplane_store_word(dp, 0, closed);
	before = listing();
	dataplane_close(take_ptr(dp));
	for (uint32_t max = 0; max <= 64; max += 64) {
		CLEANUP(free_p) char *now = NULL;

		/* In the same maps, and with a new set. */
		wider->gateway.max_endpoints = max;
		wider->gateway.mode = SL_MODE_OBSERVE;
		must_refuse(wider, -EBUSY, "neighbours_own");
		now = listing();
		assert_string_equal(before, now);
		assert_false(in_kernel(&wider->endpoints[3].key));
		assert_true(in_kernel(&model->endpoints[0].key));
	}
	netbed_send_syn(FAR, 1, PORT);
	dp = must_open(model);
	assert_true(same_word(dataplane_word(dp, 0), closed));
	must_count(dp, 0, 1, 1);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(id_in_kernel(dp, model, i), i);
	assert_int_equal(dataplane_meta(dp).mode, SL_MODE_ENFORCE);
	dataplane_close(take_ptr(dp));
	after = listing();
	assert_string_equal(before, after);

	/* xdp: off sits beside. */
	wider->gateway.interfaces[1].xdp = XDP_OFF;
	dp = must_open(wider);
	must_have_pin("links/tcx-in-gw1", true);
	dataplane_close(take_ptr(dp));

	/* And without the second interface, its links go. */
	dp = must_open(model);
	must_have_pin("links/tcx-in-gw1", false);
	must_have_pin("links/tcx-in-" NIC, true);
	netbed_must("ip", "link", "del", "gw1");
}

/* Whatever runs out of memory, nothing is left half made, and the old gate is in force. */
static void test_no_memory(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 3);
	CLEANUP(model_free_p) struct model *other = gatemodel_new(bpffs, NIC, 2, 3);
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(model);
	CLEANUP(free_p) char *before = listing();
	int n;

	(void)state;
	dataplane_store_word(dp, 0, closed);
	dataplane_close(take_ptr(dp));
	for (n = 0;; n++) {
		CLEANUP(free_p) char *now = NULL;
		struct err err = { "" };
		int r;

		fault_after(FAULT_MEMORY, n, ENOMEM);
		r = dataplane_open(&dp, other, &err);
		if (!fault_clear(FAULT_MEMORY) || r == 0)
			break;
		assert_true(strlen(err.text) > 0);
		now = listing();
		assert_string_equal(before, now);
		assert_null(dp);
	}
	assert_true(n > 5);
	assert_non_null(dp);
	dataplane_close(take_ptr(dp));
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

/*
 * What a daemon leaves that is killed in the middle of its start: staged pins, hooks that only they
 * know of, names whose targets were not written yet. The next start clears up.
 */
static void test_killed_while_starting(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 3);
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open(model);
	CLEANUP(free_p) char *before = listing();
	char layout[PATH_MAX + 8], links[PATH_MAX + 32], link[PATH_MAX + 64];
	CLEANUP(close_p) int xdp = -1;
	struct xdp_state xdp_now;
	struct nic nic;
	uint32_t n;
	int fd;

	(void)state;
	dataplane_store_word(dp, 0, closed);
	fd = bpf_obj_get(dataplane_maps(dp, &n)[0].path);
	assert_int_equal(bpf_map_delete_elem(fd, &model->endpoints[0].key), 0);
	close(fd);
	dataplane_close(take_ptr(dp));

	snprintf(layout, sizeof(layout), "%s/v%d", bpffs, SL_LAYOUT);
	snprintf(links, sizeof(links), "%s/links:new", layout);
	snprintf(link, sizeof(link), "%s/xdp-" NIC, links);
	assert_int_equal(mkdir(links, 0700), 0);
	add_foreign_xdp(NIC, &xdp);
	assert_int_equal(bpf_obj_pin(xdp, link), 0);
	snprintf(links, sizeof(links), "%s/maps:new", layout);
	assert_int_equal(mkdir(links, 0700), 0);

	dp = must_open(model);
	assert_int_equal(nic_find(&nic, NIC, NULL), 0);
	assert_int_equal(xdp_query(&xdp_now, &nic), 0);
	assert_int_equal(xdp_foreign(&xdp_now, 0), 0);
	assert_int_equal(id_in_kernel(dp, model, 0), 0);
	assert_true(same_word(dataplane_word(dp, 0), closed));
	netbed_send_syn(FAR, 1, PORT);
	must_count(dp, 0, 1, 1);
	{
		CLEANUP(free_p) char *now = listing();

		assert_string_equal(before, now);
	}
}

/* Without privilege: one sentence, and nothing done. */
static void test_no_privilege(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 1);
	const uid_t nobody = 65534;
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct dataplane *dp;
		struct err err = { "" };
		bool ok;

		ok = setuid(nobody) == 0 && dataplane_open(&dp, model, &err) == -EPERM &&
		     strstr(err.text, "needs root, or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN") &&
		     dataplane_detach_all(bpffs, &err) == -EPERM;
		_exit(ok ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
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

#define nic_test(f) cmocka_unit_test_setup_teardown(f, set_up_nic, tear_down_nic)

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
		cmocka_unit_test_setup_teardown(test_seats, set_up_nic, tear_down_nic),
		cmocka_unit_test_setup_teardown(test_seats_share_slots, set_up_nic, tear_down_nic),
		cmocka_unit_test_setup_teardown(test_seats_adopted, set_up_nic, tear_down_nic),
		nic_test(test_fresh),
		nic_test(test_heartbeat),
		nic_test(test_adopt),
		nic_test(test_change),
		nic_test(test_other_size),
		nic_test(test_all_replaced),
		nic_test(test_alien),
		nic_test(test_missing_pin),
		nic_test(test_lock),
		nic_test(test_full),
		nic_test(test_no_interface),
		nic_test(test_bad_directory),
		nic_test(test_rollback),
		nic_test(test_no_memory),
		nic_test(test_detach_all),
		nic_test(test_destroy),
		nic_test(test_usual_place),
		nic_test(test_dump),
		nic_test(test_killed_while_starting),
		nic_test(test_no_privilege),
		nic_test(test_many),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
