// SPDX-License-Identifier: GPL-2.0-or-later
/* An interface that loses its programs to somebody, or has somebody else's, under a gate that stays. */
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "dataplane/clsact.h"
#include "dataplane/xdp.h"
#include "tests/lib/tend_bed.h"

static void strip(const char *pin)
{
	CLEANUP(close_p) int fd = link_fd(pin);

	assert_true(fd >= 0);
	assert_int_equal(bpf_link_detach(fd), 0);
}

static void test_stripped(void **state)
{
	(void)state;
	/* Filters of clsact go by tc, see below. */
	for (size_t i = 0; i + 1 < N_WAYS; i++) {
		struct fixture f;

		begin(&f, &ways[i]);
		strip(ways[i].pin);
		tend(f.dp, "gw0 stripped; ");
		assert_non_null(strstr(at(f.dp, 0).why, "somebody took programs"));
		gate(f.dp, FAR, false);
		/* Not at once: it may be the beginning of the end. */
		tend(f.dp, "");
		rest(550);
		tend(f.dp, "gw0 attached; ");
		gate(f.dp, FAR, true);
		/* The second time it takes longer, and the third time longer still. */
		strip(ways[i].pin);
		tend(f.dp, "gw0 stripped; ");
		rest(550);
		tend(f.dp, "");
		rest(550);
		tend(f.dp, "gw0 attached; ");
		/* One of two is enough. */
		strip("tcx-out-" NIC);
		tend(f.dp, "gw0 stripped; ");
		rest(1100);
		tend(f.dp, "");
		rest(1000);
		tend(f.dp, "gw0 attached; ");
		gate(f.dp, FAR, true);
		end(&f);
	}
}

static void test_stripped_filters(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, &ways[N_WAYS - 1]);
	netbed_must("tc", "qdisc", "del", "dev", NIC, "clsact");
	tend(f.dp, "gw0 stripped; ");
	gate(f.dp, FAR, false);
	rest(550);
	tend(f.dp, "gw0 attached; ");
	gate(f.dp, FAR, true);
	end(&f);
}

/* Somebody removes the pin, and the link with it. */
static void test_unpinned(void **state)
{
	char path[PATH_MAX + 64];
	struct fixture f;

	(void)state;
	begin(&f, &ways[0]);
	snprintf(path, sizeof(path), "%s/v%d/links/tcx-in-" NIC, bpffs, SL_LAYOUT);
	assert_int_equal(unlink(path), 0);
	rest(50); /* the kernel lets go a little later */
	tend(f.dp, "gw0 stripped; ");
	rest(550);
	tend(f.dp, "gw0 attached; ");
	gate(f.dp, FAR, true);
	end(&f);
}

/* An XDP program of somebody else that passes every packet. */
static int foreign_prog(void)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "someone_elses", "GPL", pass, 2, NULL);

	assert_true(fd >= 0);
	return fd;
}

static void test_foreign(void **state)
{
	CLEANUP(close_p) int fd = foreign_prog();

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		CLEANUP(model_free_p) struct model *next = model_by(&ways[i]);
		int ifindex;
		struct xdp_state xdp;
		struct err err = { "" };
		struct nic nic;
		struct fixture f;

		begin(&f, &ways[i]);
		remove_nic();
		tend(f.dp, "gw0 gone; ");
		/* It is back with a tenant. */
		netbed_veth(NIC, FAR);
		ifindex = (int)if_nametoindex(NIC);
		assert_int_equal(bpf_xdp_attach(ifindex, fd, XDP_FLAGS_SKB_MODE, NULL), 0);
		tend(f.dp, "gw0 refused; ");
		assert_non_null(strstr(at(f.dp, 0).why, "an XDP program that is not ours"));
		gate(f.dp, FAR, false);
		/* It is left alone, however often we look, and whatever else is changed. */
		for (int look = 0; look < 5; look++)
			tend(f.dp, "");
		if (dataplane_change(&f.dp, next, true, &err) < 0)
			fail_msg("%s: %s", ways[i].name, err.text);
		assert_int_equal(at(f.dp, 0).state, ATTACHMENT_REFUSED);
		rest(1100);
		tend(f.dp, "");
		assert_int_equal(nic_find(&nic, NIC, &err), 0);
		assert_int_equal(xdp_query(&xdp, &nic), 0);
		assert_int_not_equal(xdp.generic_id, 0);
		assert_int_equal(xdp.native_id, 0);
		/* Once it has left, nobody waits. */
		assert_int_equal(bpf_xdp_detach(ifindex, XDP_FLAGS_SKB_MODE, NULL), 0);
		tend(f.dp, "gw0 attached; ");
		gate(f.dp, FAR, true);
		end(&f);
	}
}

/* Half of a gate that cannot be whole stays in force, and finds the other half again. */
static void test_half(void **state)
{
	const struct way *way = &ways[N_WAYS - 1];
	CLEANUP(model_free_p) struct model *next = model_by(way);
	struct err err = { "" };
	struct fixture f;
	int ifindex, fd;

	(void)state;
	begin(&f, way);
	ifindex = (int)if_nametoindex(NIC);
	fd = neighbours_prog();
	assert_int_equal(clsact_put((unsigned int)ifindex, true, fd), 0);
	close(fd);
	tend(f.dp, "gw0 stripped; ");
	rest(550);
	tend(f.dp, "gw0 refused; ");
	assert_non_null(strstr(at(f.dp, 0).why, "is taken"));
	gate(f.dp, FAR, true);
	if (dataplane_change(&f.dp, next, true, &err) < 0)
		fail_msg("%s", err.text);
	tend(f.dp, "");
	gate(f.dp, FAR, true);
	clsact_remove((unsigned int)ifindex, true);
	rest(2100);
	tend(f.dp, "gw0 attached; ");
	gate(f.dp, FAR, true);
	end(&f);
}

/* What is removed as a whole stays so. */
static void test_gate_removed(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, &ways[0]);
	assert_int_equal(dataplane_detach_all(bpffs, NULL), 0);
	tend(f.dp, "");
	rest(600);
	tend(f.dp, "");
	gate(f.dp, FAR, false);
	dataplane_close(f.dp);
	model_free(f.model);
	netbed_must("ip", "link", "del", QUIET);
}

static void test_examine(void **state)
{
	struct interface interface = { .name = NIC, .xdp = XDP_AUTO };
	CLEANUP(close_p) int fd = foreign_prog();
	int ifindex = (int)if_nametoindex(NIC);
	struct err err = { "" };

	(void)state;
	assert_int_equal(dataplane_examine(&interface, &err), 0);
	assert_int_equal(bpf_xdp_attach(ifindex, fd, XDP_FLAGS_SKB_MODE, NULL), 0);
	assert_int_equal(dataplane_examine(&interface, &err), -EBUSY);
	assert_non_null(strstr(err.text, "an XDP program that is not ours"));
	interface.xdp = XDP_OFF;
	assert_int_equal(dataplane_examine(&interface, &err), 0);
	assert_int_equal(bpf_xdp_detach(ifindex, XDP_FLAGS_SKB_MODE, NULL), 0);
	snprintf(interface.name, sizeof(interface.name), "none0");
	assert_int_equal(dataplane_examine(&interface, &err), -ENODEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		nic_test(test_stripped), nic_test(test_stripped_filters),
		nic_test(test_unpinned), nic_test(test_foreign),
		nic_test(test_half),     nic_test(test_gate_removed),
		nic_test(test_examine),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("meddling", tests, set_up, tear_down);
}
