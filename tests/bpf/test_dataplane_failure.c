// SPDX-License-Identifier: GPL-2.0-or-later
/* A data plane that cannot open, or broke off: the gate that was there is as it was. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "dataplane/xdp.h"
#include "tests/lib/dataplane_run.h"
#include "tests/lib/fault.h"

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

	must_refuse(wider, -EBUSY, "that is not ours (bpftool prog show id ");
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
		must_refuse(wider, -EBUSY, "that is not ours");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		nic_test(test_lock),
		nic_test(test_full),
		nic_test(test_no_interface),
		nic_test(test_bad_directory),
		nic_test(test_rollback),
		nic_test(test_no_memory),
		nic_test(test_killed_while_starting),
		nic_test(test_no_privilege),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
