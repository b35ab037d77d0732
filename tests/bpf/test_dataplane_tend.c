// SPDX-License-Identifier: GPL-2.0-or-later
/* Interfaces that go, come back, or change their names, under a gate that stays. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "dataplane/devwatch.h"
#include "tests/lib/tend_bed.h"

#define OTHER_NAME "gwx"

static uint32_t link_id(const char *pin)
{
	CLEANUP(close_p) int fd = link_fd(pin);
	struct bpf_link_info info = { 0 };
	__u32 len = sizeof(info);

	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
	return info.id;
}

/* --- gone, and back --------------------------------------------------------------------------- */

static void test_gone(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_WAYS; i++) {
		bool is_tcx = ways[i].tc == TC_ANY;
		struct attachment before, after;
		uint32_t quiet = 0;
		struct fixture f;

		begin(&f, &ways[i]);
		before = at(f.dp, 0);
		if (is_tcx)
			quiet = link_id("tcx-in-" QUIET);
		remove_nic();
		tend(f.dp, "gw0 gone; ");
		tend(f.dp, "");
		assert_int_equal(at(f.dp, 0).state, ATTACHMENT_GONE);
		assert_false(attachment_is_present(&(struct attachment){ .state = 1 }));
		assert_int_equal(at(f.dp, 1).state, ATTACHMENT_ATTACHED);
		gate(f.dp, QUIET_FAR, true);
		netbed_veth(NIC, FAR);
		tend(f.dp, "gw0 attached; ");
		tend(f.dp, "");
		after = at(f.dp, 0);
		assert_int_equal(after.state, ATTACHMENT_ATTACHED);
		assert_int_not_equal(after.ifindex, before.ifindex);
		assert_int_equal(after.ingress, before.ingress);
		assert_int_equal(after.egress, before.egress);
		assert_int_equal(after.returns, 1);
		assert_true(after.lost_ms && after.lost_ms <= after.since_ms);
		gate(f.dp, FAR, true);
		/* Nobody else was touched. */
		if (is_tcx)
			assert_int_equal(link_id("tcx-in-" QUIET), quiet);
		/* Another one before anybody has looked. */
		remove_nic();
		netbed_veth(NIC, FAR);
		tend(f.dp, "gw0 gone; gw0 attached; ");
		gate(f.dp, FAR, true);
		end(&f);
	}
}

/* Whatever is changed meanwhile is not held up, and forgets nothing. */
static void test_change_meanwhile(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_WAYS; i++) {
		CLEANUP(model_free_p) struct model *next = model_by(&ways[i]);
		CLEANUP(model_free_p) struct model *absent = model_by(&ways[i]);
		struct err err = { "" };
		struct fixture f;

		begin(&f, &ways[i]);
		remove_nic();
		tend(f.dp, "gw0 gone; ");
		if (dataplane_change(&f.dp, next, true, &err) < 0)
			fail_msg("%s: %s", ways[i].name, err.text);
		assert_int_equal(at(f.dp, 0).state, ATTACHMENT_GONE);
		assert_true(at(f.dp, 0).why[0]);
		tend(f.dp, "");
		gate(f.dp, QUIET_FAR, true);
		/* One that nobody has heard of is a mistake, now as ever. */
		gatemodel_add_interface(absent, "none0", XDP_AUTO);
		assert_int_equal(dataplane_change(&f.dp, absent, true, &err), -ENODEV);
		assert_non_null(strstr(err.text, "interface 'none0'"));
		netbed_veth(NIC, FAR);
		tend(f.dp, "gw0 attached; ");
		gate(f.dp, FAR, true);
		/* Gone between two looks, with a change in between. */
		remove_nic();
		if (dataplane_change(&f.dp, f.model, true, &err) < 0)
			fail_msg("%s: %s", ways[i].name, err.text);
		tend(f.dp, "gw0 gone; ");
		/* The change itself attaches what is back. */
		netbed_veth(NIC, FAR);
		if (dataplane_change(&f.dp, next, true, &err) < 0)
			fail_msg("%s: %s", ways[i].name, err.text);
		assert_int_equal(at(f.dp, 0).state, ATTACHMENT_ATTACHED);
		assert_int_equal(at(f.dp, 0).returns, 2);
		tend(f.dp, "gw0 attached; ");
		gate(f.dp, FAR, true);
		end(&f);
	}
}

/* The pins tell the next daemon whom to wait for. */
static void test_start_meanwhile(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_WAYS; i++) {
		CLEANUP(model_free_p) struct model *next = model_by(&ways[i]);
		struct err err = { "" };
		struct fixture f;

		begin(&f, &ways[i]);
		remove_nic();
		/* Whether it had looked, or a change came in between, makes no difference. */
		if (i % 2) {
			tend(f.dp, "gw0 gone; ");
			assert_int_equal(dataplane_change(&f.dp, next, true, &err), 0);
		}
		dataplane_close(take_ptr(f.dp));
		if (dataplane_open_as(&f.dp, f.model, ways[i].tc, &err) < 0)
			fail_msg("%s: %s", ways[i].name, err.text);
		assert_int_equal(at(f.dp, 0).state, ATTACHMENT_GONE);
		tend(f.dp, "gw0 gone; ");
		netbed_veth(NIC, FAR);
		tend(f.dp, "gw0 attached; ");
		gate(f.dp, FAR, true);
		end(&f);
	}
}

static void test_first_start(void **state)
{
	CLEANUP(model_free_p) struct model *model = gatemodel_new(bpffs, NIC, 1, 1);
	CLEANUP(dataplane_close_p) struct dataplane *dp = NULL;

	(void)state;
	syn = dropped = 0;
	gatemodel_add_interface(model, QUIET, XDP_OFF);
	must_refuse(model, -ENODEV, "interface '" QUIET "': this host has none of that name");
	{
		CLEANUP(free_p) char *left = listing();

		assert_null(strstr(left, "links"));
	}
	model->gateway.interfaces[1].may_wait = true;
	dp = must_open(model);
	tend(dp, "gw1 gone; ");
	netbed_veth(QUIET, QUIET_FAR);
	tend(dp, "gw1 attached; ");
	gate(dp, QUIET_FAR, true);
	dataplane_close(take_ptr(dp));
	/* There, and not attachable: by the driver, in this case. */
	assert_int_equal(dataplane_detach_all(bpffs, NULL), 0);
	model->gateway.interfaces[1].xdp = XDP_OFFLOAD;
	dp = must_open(model);
	tend(dp, "gw1 gone; gw1 refused; ");
	assert_non_null(strstr(at(dp, 1).why, "NIC does not offer it"));
	tend(dp, "");
	netbed_must("ip", "link", "del", QUIET);
}

/* --- under another name, elsewhere ------------------------------------------------------------ */

static void test_renamed(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_WAYS; i++) {
		bool keeps = ways[i].tc == TC_ANY;
		const char *lost = keeps ? "gw0 renamed; " : "gw0 gone; ";
		CLEANUP(model_free_p) struct model *without = gatemodel_new(bpffs, QUIET, 1, 1);
		struct err err = { "" };
		struct fixture f;

		begin(&f, &ways[i]);
		netbed_must("ip", "link", "set", NIC, "name", OTHER_NAME);
		tend(f.dp, lost);
		tend(f.dp, "");
		gate(f.dp, FAR, keeps);
		if (keeps)
			assert_non_null(strstr(at(f.dp, 0).why, "'" OTHER_NAME "'"));
		/* It has its name again. */
		netbed_must("ip", "link", "set", OTHER_NAME, "name", NIC);
		tend(f.dp, "gw0 attached; ");
		gate(f.dp, FAR, true);

		/* Another one gets the name: the gate moves there. */
		netbed_must("ip", "link", "set", NIC, "name", OTHER_NAME);
		tend(f.dp, lost);
		netbed_veth(NIC, "far9");
		tend(f.dp, "gw0 attached; ");
		gate(f.dp, "far9", true);
		gate(f.dp, FAR, false);
		remove_nic();
		tend(f.dp, "gw0 gone; ");
		netbed_must("ip", "link", "set", OTHER_NAME, "name", NIC);
		tend(f.dp, "gw0 attached; ");
		gate(f.dp, FAR, true);

		/* It is detached under its other name. */
		netbed_must("ip", "link", "set", NIC, "name", OTHER_NAME);
		tend(f.dp, lost);
		without->gateway.interfaces[0].xdp = XDP_OFF;
		if (dataplane_change(&f.dp, without, true, &err) < 0)
			fail_msg("%s: %s", ways[i].name, err.text);
		gate(f.dp, FAR, false);
		netbed_must("ip", "link", "set", OTHER_NAME, "name", NIC);
		tend(f.dp, "");
		gate(f.dp, FAR, false);
		end(&f);
	}
}

/* A link goes with its device into another network namespace, where it has no business. */
static void test_moved(void **state)
{
	char elsewhere[32], here[16];

	(void)state;
	snprintf(elsewhere, sizeof(elsewhere), "sl-test-%d", getpid());
	snprintf(here, sizeof(here), "%d", getpid());
	netbed_must("ip", "netns", "add", elsewhere);
	for (size_t i = 0; i < N_WAYS; i++) {
		CLEANUP(free_p) char *there = NULL;
		struct fixture f;

		begin(&f, &ways[i]);
		netbed_must("ip", "link", "set", NIC, "netns", elsewhere);
		tend(f.dp, "gw0 gone; ");
		there = netbed_output("ip", "-n", elsewhere, "link", "show", NIC, NULL);
		assert_non_null(strstr(there, NIC));
		assert_null(strstr(there, "xdp"));
		/* The same device, with the same number. */
		netbed_must("ip", "-n", elsewhere, "link", "set", NIC, "netns", here);
		netbed_must("ip", "link", "set", NIC, "up");
		gate(f.dp, FAR, false);
		tend(f.dp, "gw0 attached; ");
		gate(f.dp, FAR, true);
		end(&f);
	}
	netbed_must("ip", "netns", "del", elsewhere);
}

/* --- programs of another daemon ---------------------------------------------------------------- */

/* No more programs for this process, as if the kernel refused ours; the number of the call that loads them. */
static int refuse_programs(void)
{
	enum { PROG_LOAD_CALL = 5 };
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROG_LOAD_CALL, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

/* In a process of its own, which tells the line where it went wrong. */
#define MUST(condition)                            \
	do {                                       \
		if (!(condition))                  \
			_exit(__LINE__ % 255 + 1); \
	} while (0)

static void stay_with_others(const struct model *model, const struct model *next)
{
	struct dataplane *dp = NULL;
	struct err err = { "" };

	MUST(refuse_programs() == 0);
	MUST(dataplane_open(&dp, model, &err) == 0);
	MUST(dataplane_degraded(dp));
	MUST(at(dp, 0).state == ATTACHMENT_ATTACHED && at(dp, 1).state == ATTACHMENT_ATTACHED);
	news[0] = '\0';
	dataplane_tend(dp, note, NULL);
	MUST(!news[0]);
	remove_nic();
	dataplane_tend(dp, note, NULL);
	/* Whatever else is changed, it is waited for, and cannot be attached. */
	MUST(dataplane_change(&dp, next, true, &err) == 0);
	netbed_veth(NIC, FAR);
	dataplane_tend(dp, note, NULL);
	MUST(!strcmp(news, "gw0 gone; gw0 refused; "));
	MUST(strstr(at(dp, 0).why, "the programs of this version were refused"));
	MUST(dataplane_change(&dp, model, true, &err) == 0);
	MUST(at(dp, 0).state == ATTACHMENT_REFUSED && at(dp, 1).state == ATTACHMENT_ATTACHED);
	dataplane_close(dp);
	_exit(0);
}

static void test_degraded(void **state)
{
	CLEANUP(model_free_p) struct model *next = model_by(&ways[0]);
	struct err err = { "" };
	struct fixture f;
	int status;
	pid_t pid;

	(void)state;
	begin(&f, &ways[0]);
	dataplane_close(take_ptr(f.dp));
	pid = fork();
	if (!pid)
		stay_with_others(f.model, next);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("status %x, line %d modulo 255", status, WEXITSTATUS(status) - 1);
	/* With programs of its own again, the next one attaches what is there. */
	if (dataplane_open(&f.dp, f.model, &err) < 0)
		fail_msg("%s", err.text);
	tend(f.dp, "");
	gate(f.dp, FAR, true);
	end(&f);
}

/* --- being told ------------------------------------------------------------------------------- */

static bool is_readable(int fd, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, timeout_ms) == 1;
}

/* The kernel tells of a link's state when it gets to it: more may come after what was read. */
static bool gets_quiet(int fd)
{
	for (int i = 0; i < 50; i++) {
		if (!is_readable(fd, 50))
			return true;
		devwatch_read(fd);
	}
	return false;
}

static void test_watch(void **state)
{
	struct err err = { "" };
	CLEANUP(close_p) int fd = devwatch_open(&err);

	(void)state;
	assert_true(fd >= 0);
	assert_true(gets_quiet(fd));
	netbed_must("ip", "link", "add", "some7", "type", "veth", "peer", "name", "far7");
	assert_true(is_readable(fd, 1000));
	assert_true(gets_quiet(fd));
	netbed_must("ip", "link", "set", "some7", "name", "some8");
	assert_true(is_readable(fd, 1000));
	assert_true(gets_quiet(fd));
	/* More than is kept: that some was lost is news as well. */
	for (int i = 0; i < 300; i++)
		netbed_must("ip", "link", "set", "some8", "up");
	netbed_must("ip", "link", "del", "some8");
	assert_true(is_readable(fd, 1000));
	assert_true(gets_quiet(fd));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		nic_test(test_gone),
		nic_test(test_change_meanwhile),
		nic_test(test_start_meanwhile),
		nic_test(test_first_start),
		nic_test(test_renamed),
		nic_test(test_moved),
		nic_test(test_degraded),
		nic_test(test_watch),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("tend", tests, set_up, tear_down);
}
