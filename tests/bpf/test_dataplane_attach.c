// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the gate is put: every mode, every change between modes, and every refusal. */
#include <bpf/libbpf.h>

#include "dataplane/clsact.h"
#include "dataplane/tcx.h"
#include "dataplane/xdp.h"
#include "tests/lib/dataplane_run.h"

#define BRIDGE "sbr0"

static struct nic the_nic(const char *name)
{
	struct err err = { "" };
	struct nic nic;

	if (nic_find(&nic, name, &err) < 0)
		fail_msg("%s", err.text);
	return nic;
}

/* One SYN to the closed endpoint is dropped, and counted once: one gate, not none and not two. */
static void must_gate(struct dataplane *dp)
{
	struct sl_endpoint_stats stats;

	dataplane_store_word(dp, 0, closed);
	assert_int_equal(dataplane_endpoint_stats(dp, 0, &stats), 0);
	netbed_send_syn(FAR, 1, PORT);
	must_count(dp, 0, stats.dropped + 1, stats.dropped + 1);
}

/* What is really there, asked of the kernel and not of the data plane. */
static void must_be_attached(enum attach_mode ingress, enum attach_mode egress)
{
	struct nic nic = the_nic(NIC);
	bool is_xdp = ingress == ATTACH_XDP_NATIVE || ingress == ATTACH_XDP_GENERIC;
	struct xdp_state xdp;

	assert_int_equal(xdp_query(&xdp, &nic), 0);
	assert_int_equal(xdp_mode_of(&xdp, xdp_foreign(&xdp, 0)), is_xdp ? ingress : ATTACH_NONE);
	assert_int_equal(clsact_prog_id(nic.ifindex, false) != 0, ingress == ATTACH_CLSACT);
	assert_int_equal(clsact_prog_id(nic.ifindex, true) != 0, egress == ATTACH_CLSACT);
	must_have_pin("links/xdp-" NIC, is_xdp);
	must_have_pin("links/tcx-in-" NIC, ingress == ATTACH_TCX);
	must_have_pin("links/tcx-out-" NIC, egress == ATTACH_TCX);
	must_have_pin("links/clsact-in-" NIC, ingress == ATTACH_CLSACT);
	must_have_pin("links/clsact-out-" NIC, egress == ATTACH_CLSACT);
	must_have_pin("links/qdisc-" NIC, ingress == ATTACH_CLSACT || egress == ATTACH_CLSACT);
}

static bool has_qdisc(const char *interface)
{
	CLEANUP(free_p) char *list = netbed_output("tc", "qdisc", "show", "dev", interface, NULL);

	return strstr(list, "clsact") != NULL;
}

/* --- every mode, and every mode after every other -------------------------------------------- */

static const struct mode {
	enum xdp_mode xdp;
	enum tc_kind tc;
	bool egress;
	enum attach_mode ingress_is, egress_is;
} modes[] = {
	{ XDP_AUTO, TC_ANY, true, ATTACH_TCX, ATTACH_TCX },
	{ XDP_OFF, TC_ANY, false, ATTACH_TCX, ATTACH_NONE },
	{ XDP_NATIVE, TC_ANY, true, ATTACH_XDP_NATIVE, ATTACH_TCX },
	{ XDP_GENERIC, TC_ANY, false, ATTACH_XDP_GENERIC, ATTACH_NONE },
	{ XDP_AUTO, TC_CLSACT, true, ATTACH_CLSACT, ATTACH_CLSACT },
	{ XDP_NATIVE, TC_CLSACT, true, ATTACH_XDP_NATIVE, ATTACH_CLSACT },
	{ XDP_OFF, TC_CLSACT, false, ATTACH_CLSACT, ATTACH_NONE },
};

#define N_MODES (sizeof(modes) / sizeof(modes[0]))

static void open_mode(struct model *model, const struct mode *mode, bool adopted)
{
	CLEANUP(dataplane_close_p) struct dataplane *dp = NULL;
	struct attachment attachment;

	model->gateway.interfaces[0].xdp = mode->xdp;
	model->gateway.interfaces[0].egress = mode->egress;
	dp = must_open_as(model, mode->tc);
	assert_true(dataplane_attachment(dp, 0, &attachment));
	assert_string_equal(attach_mode_name(attachment.ingress),
			    attach_mode_name(mode->ingress_is));
	assert_string_equal(attach_mode_name(attachment.egress), attach_mode_name(mode->egress_is));
	assert_int_equal(attachment.adopted, adopted);
	assert_false(dataplane_attachment(dp, 1, &attachment));
	must_be_attached(mode->ingress_is, mode->egress_is);
	must_gate(dp);
}

static void test_modes(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 1);

	(void)state;
	for (size_t i = 0; i < N_MODES; i++) {
		open_mode(model, &modes[i], false);
		open_mode(model, &modes[i], true);
		assert_int_equal(dataplane_detach_all(bpffs, NULL), 0);
		assert_false(has_qdisc(NIC));
	}
}

static void test_changes(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 1);

	(void)state;
	for (size_t i = 0; i < N_MODES; i++) {
		for (size_t j = 0; j < N_MODES; j++) {
			open_mode(model, &modes[i], false);
			open_mode(model, &modes[j], modes[i].ingress_is == modes[j].ingress_is);
			assert_int_equal(dataplane_detach_all(bpffs, NULL), 0);
		}
	}
	assert_false(has_qdisc(NIC));
}

/* The second interface cannot be had: the first keeps, or gets back, the mode it was in. */
static void test_changes_rolled_back(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 1);
	CLEANUP(model_free_p) struct model *wider = gatemodel_new(bpffs, NIC, 1, 2);

	(void)state;
	netbed_must("ip", "link", "add", BRIDGE, "type", "bridge");
	gatemodel_add_interface(wider, BRIDGE, XDP_NATIVE);
	for (size_t i = 0; i < N_MODES; i++) {
		for (size_t j = 0; j < N_MODES; j++) {
			CLEANUP(dataplane_close_p) struct dataplane *dp = NULL;

			open_mode(model, &modes[i], false);
			wider->gateway.interfaces[0].xdp = modes[j].xdp;
			wider->gateway.interfaces[0].egress = modes[j].egress;
			must_refuse_as(wider, modes[j].tc, -EOPNOTSUPP, "'" BRIDGE "'");
			must_be_attached(modes[i].ingress_is, modes[i].egress_is);
			/* Adopted: what is in force is what is pinned. */
			open_mode(model, &modes[i], true);
			assert_int_equal(dataplane_detach_all(bpffs, NULL), 0);
		}
	}
	assert_false(has_qdisc(NIC));
	netbed_must("ip", "link", "del", BRIDGE);
}

/* --- refusals and reasons -------------------------------------------------------------------- */

static void test_insisting(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 1);
	CLEANUP(model_free_p) struct model *bridge = gatemodel_new(bpffs, BRIDGE, 1, 1);

	(void)state;
	netbed_must("ip", "link", "add", BRIDGE, "type", "bridge");
	model->gateway.interfaces[0].xdp = XDP_OFFLOAD;
	must_refuse_as(model, TC_ANY, -EOPNOTSUPP,
		       "NIC does not offer it (Operation not supported)");
	bridge->gateway.interfaces[0].xdp = XDP_NATIVE;
	must_refuse_as(bridge, TC_ANY, -EOPNOTSUPP, "does not support XDP in native mode");
	netbed_must("ip", "link", "del", BRIDGE);
}

static void test_clsact_step(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 1);
	CLEANUP(dataplane_close_p) struct dataplane *dp = must_open_as(model, TC_CLSACT);
	struct attachment attachment;

	(void)state;
	assert_true(dataplane_attachment(dp, 0, &attachment));
	assert_int_equal(attachment.n_steps, 3);
	assert_string_equal(attachment.steps[2],
			    "tcx: the kernel has none (it came with Linux 6.6); clsact chosen");
}

/* Others' filters stay, and so does the qdisc that they are in. */
static void test_clsact_neighbours(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 1);
	CLEANUP(close_p) int fd = neighbours_prog();
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)the_nic(NIC).ifindex,
		    .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = 1, .priority = 9, .prog_fd = fd);

	(void)state;
	/* The qdisc was there before us. */
	netbed_must("tc", "qdisc", "add", "dev", NIC, "clsact");
	dataplane_close(must_open_as(model, TC_CLSACT));
	must_have_pin("links/qdisc-" NIC, false);
	assert_int_equal(dataplane_detach_all(bpffs, NULL), 0);
	assert_true(has_qdisc(NIC));
	netbed_must("tc", "qdisc", "del", "dev", NIC, "clsact");

	/* It is ours, but somebody else moved in. */
	dataplane_close(must_open_as(model, TC_CLSACT));
	assert_int_equal(bpf_tc_attach(&hook, &filter), 0);
	assert_int_equal(dataplane_detach_all(bpffs, NULL), 0);
	assert_true(has_qdisc(NIC));
	assert_int_equal(clsact_prog_id(the_nic(NIC).ifindex, false), 0);
	netbed_must("tc", "qdisc", "del", "dev", NIC, "clsact");
}

static void test_clsact_taken(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 1);
	CLEANUP(close_p) int fd = neighbours_prog();
	unsigned int ifindex = the_nic(NIC).ifindex;
	bool made;

	(void)state;
	assert_int_equal(clsact_make_qdisc(ifindex, &made), 0);
	assert_int_equal(clsact_put(ifindex, false, fd), 0);
	model->gateway.interfaces[0].xdp = XDP_OFF;
	must_refuse_as(model, TC_CLSACT, -EBUSY, "our place (priority 1, handle 0x534c) is taken");
	assert_int_not_equal(clsact_prog_id(ifindex, false), 0);
	netbed_must("tc", "qdisc", "del", "dev", NIC, "clsact");
}

/* The gate is asked before programs that were there first. */
static void test_tcx_first(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 1);
	CLEANUP(dataplane_close_p) struct dataplane *dp = NULL;
	CLEANUP(close_p) int link = -1;
	CLEANUP(close_p) int fd = neighbours_prog();
	struct nic nic = the_nic(NIC);

	(void)state;
	link = tcx_link(fd, &nic, false);
	assert_true(link >= 0);
	dp = must_open_as(model, TC_ANY);
	must_gate(dp);
}

/* The device was replaced by another of its name: the link is dead, and a new one is made. */
static void test_device_replaced(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 1);

	(void)state;
	for (size_t i = 0; i < N_MODES; i++) {
		open_mode(model, &modes[i], false);
		netbed_must("ip", "link", "del", NIC);
		netbed_veth(NIC, FAR);
		open_mode(model, &modes[i], false);
		assert_int_equal(dataplane_detach_all(bpffs, NULL), 0);
	}
}

/* bpffs allows no dot in a name; VLAN interfaces have one. */
static void test_dotted_name(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC ".7", 1, 1);
	unsigned int ifindex;

	(void)state;
	netbed_veth(NIC ".7", FAR ".7");
	ifindex = the_nic(NIC ".7").ifindex;
	dataplane_close(must_open_as(model, TC_ANY));
	must_have_pin("links/tcx-in-gw0:7", true);
	dataplane_close(must_open_as(model, TC_CLSACT));
	must_have_pin("links/clsact-in-gw0:7", true);
	assert_int_not_equal(clsact_prog_id(ifindex, false), 0);
	assert_int_equal(dataplane_detach_all(bpffs, NULL), 0);
	assert_int_equal(clsact_prog_id(ifindex, false), 0);
	assert_false(has_qdisc(NIC ".7"));
	netbed_must("ip", "link", "del", NIC ".7");
}

/* The same name and number in another network namespace is another device. */
static void test_other_namespace(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 1);
	CLEANUP(dataplane_close_p) struct dataplane *dp = NULL;
	struct attachment attachment;
	char index[16], ns[64];

	(void)state;
	snprintf(index, sizeof(index), "%u", the_nic(NIC).ifindex);
	snprintf(ns, sizeof(ns), "/run/sl-test-%d/netns", getpid());
	dataplane_close(must_open_as(model, TC_ANY));
	/* Keep the old namespace, with its device and its gate, and move to a new one. */
	netbed_keep(ns);
	netbed_enter();
	netbed_must("ip", "link", "add", NIC, "index", index, "type", "veth", "peer", "name", FAR);
	netbed_must("ip", "link", "set", NIC, "up");
	netbed_must("ip", "link", "set", FAR, "up");
	dp = must_open_as(model, TC_ANY);
	assert_true(dataplane_attachment(dp, 0, &attachment));
	assert_false(attachment.adopted);
	must_gate(dp);
	netbed_drop(ns);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(attach_mode_name(ATTACH_NONE), "none");
	assert_string_equal(attach_mode_name(ATTACH_XDP_OFFLOAD), "xdp-offload");
	assert_string_equal(attach_mode_name(ATTACH_XDP_NATIVE), "xdp-native");
	assert_string_equal(attach_mode_name(ATTACH_XDP_GENERIC), "xdp-generic");
	assert_string_equal(attach_mode_name(ATTACH_TCX), "tcx");
	assert_string_equal(attach_mode_name(ATTACH_CLSACT), "clsact");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		nic_test(test_modes),
		nic_test(test_changes),
		nic_test(test_changes_rolled_back),
		nic_test(test_insisting),
		nic_test(test_clsact_step),
		nic_test(test_clsact_neighbours),
		nic_test(test_clsact_taken),
		nic_test(test_tcx_first),
		nic_test(test_device_replaced),
		nic_test(test_dotted_name),
		nic_test(test_other_namespace),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
