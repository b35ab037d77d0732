/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dataplane_run - the data plane on one NIC, and what the kernel has of it then, for tests; included by
 * one .c of each.
 */
#ifndef SLUICE_TESTS_DATAPLANE_RUN_H
#define SLUICE_TESTS_DATAPLANE_RUN_H

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "dataplane/open.h"
#include "tests/lib/gatemodel.h"
#include "tests/lib/pin_bed.h"
#include "util/err.h"

#define PORT 80

static const struct sl_word closed = { .health = SL_UNHEALTHY, .action = SL_ACTION_DROP };

static int n_fds; /* before the test */

static inline int count_fds(void)
{
	const struct dirent *entry;
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && (entry = readdir(dir)))
		n++;
	closedir(dir);
	return n;
}

static inline int set_up_nic(void **state)
{
	(void)state;
	netbed_veth(NIC, FAR);
	n_fds = count_fds();
	return 0;
}

static inline int tear_down_nic(void **state)
{
	struct err err;

	(void)state;
	dataplane_detach_all(bpffs, &err);
	netbed_must("ip", "link", "del", NIC);
	/* cmocka counts this as the test's failure. */
	return count_fds() == n_fds ? 0 : -EMFILE;
}

#define nic_test(f) cmocka_unit_test_setup_teardown(f, set_up_nic, tear_down_nic)

static inline struct dataplane *must_open_as(const struct model *model, enum tc_kind tc)
{
	struct dataplane *dp = NULL;
	struct err err = { "" };

	if (dataplane_open_as(&dp, model, tc, &err) < 0)
		fail_msg("open: %s", err.text);
	return dp;
}

static inline struct dataplane *must_open(const struct model *model)
{
	return must_open_as(model, TC_ANY);
}

/* Opening fails with this errno and a sentence that has this in it. */
static inline void must_refuse_as(const struct model *model, enum tc_kind tc, int code,
				  const char *says)
{
	struct dataplane *dp = NULL;
	struct err err = { "" };
	int r;

	r = dataplane_open_as(&dp, model, tc, &err);
	if (r != code || !strstr(err.text, says))
		fail_msg("open gave %d '%s', wanted %d '%s'", r, err.text, code, says);
	assert_null(dp);
}

static inline void must_refuse(const struct model *model, int code, const char *says)
{
	must_refuse_as(model, TC_ANY, code, says);
}

static inline bool same_word(struct sl_word a, struct sl_word b)
{
	return !memcmp(&a, &b, sizeof(a));
}

/* All names below the pin directory, one line each, sorted by ls. */
static inline char *listing(void)
{
	return netbed_output("ls", "-1R", bpffs, NULL);
}

static inline void must_have_pin(const char *name, bool there)
{
	char path[PATH_MAX + NAME_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/v%d/%s", bpffs, SL_LAYOUT, name);
	if ((stat(path, &st) == 0) != there)
		fail_msg("%s: %s", path, there ? "missing" : "still there");
}

static inline uint32_t id_in_kernel(const struct dataplane *dp, const struct model *model,
				    uint32_t i)
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
static inline bool in_kernel(const struct sl_target_key *key)
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

static inline bool has_counted(void *arg)
{
	const struct wanted *wanted = arg;
	struct sl_endpoint_stats stats;

	assert_int_equal(dataplane_endpoint_stats(wanted->dp, wanted->endpoint, &stats), 0);
	return stats.syn == wanted->syn && stats.dropped == wanted->dropped;
}

static inline void must_count(const struct dataplane *dp, uint32_t endpoint, uint64_t syn,
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

/* A tc program of somebody else that accepts every packet. */
static inline int neighbours_prog(void)
{
	const struct bpf_insn accept[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "neighbours_own", "GPL", accept, 2, NULL);

	assert_true(fd >= 0);
	return fd;
}

#endif
