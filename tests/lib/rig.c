// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/rig.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "sluice/hash.h"
#include "util/addr.h"

#include "tc.skel.h"
#include "xdp.skel.h"

#define INDEX_BITS 10
#define NS_PER_SEC 1000000000ull
#define CPUS_MAX 64
#define REFUSED_BELOW (sizeof(struct ethhdr) + sizeof(struct ipv6hdr))
#define STATS_FIELDS (sizeof(struct sl_endpoint_stats) / sizeof(uint64_t))

struct rig {
	struct xdp_bpf *xdp;
	struct tc_bpf *tc;
	int cpus;
};

static const char *const decision_names[] = {
#define NAME(NAME_, name, text) #name,
	SL_DECISIONS(NAME)
#undef NAME
};

const char *rig_decision_name(int decision)
{
	if (decision < 0 || decision >= SL_DECISION_MAX)
		return "none or several";
	return decision_names[decision];
}

const char *rig_program_name(enum rig_program program)
{
	static const char *const names[] = { "xdp", "tc ingress", "tc egress" };

	return names[program];
}

int rig_program_fd(const struct rig *rig, enum rig_program program)
{
	switch (program) {
	case RIG_XDP:
		return bpf_program__fd(rig->xdp->progs.sl_xdp);
	case RIG_TC_INGRESS:
		return bpf_program__fd(rig->tc->progs.sl_tc_ingress);
	default:
		return bpf_program__fd(rig->tc->progs.sl_tc_egress);
	}
}

static void ok(int r, const char *what)
{
	if (r < 0)
		fail_msg("%s: %s", what, strerror(errno));
}

/* Give the tc object the maps of the xdp object. */
static void share_maps(struct rig *rig)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, rig->tc->obj)
	{
		struct bpf_map *other =
			bpf_object__find_map_by_name(rig->xdp->obj, bpf_map__name(map));

		if (!bpf_map__is_internal(map))
			ok(bpf_map__reuse_fd(map, bpf_map__fd(other)), bpf_map__name(map));
	}
}

struct sl_meta rig_default_meta(void)
{
	return (struct sl_meta){ .layout = SL_LAYOUT,
				 .mode = SL_MODE_ENFORCE,
				 .reply_window_ns = NS_PER_SEC,
				 .reply_budget = UINT32_MAX };
}

static void set_sizes(struct xdp_bpf *xdp)
{
	bpf_map__set_max_entries(xdp->maps.targets, 2 * RIG_ENDPOINTS);
	bpf_map__set_max_entries(xdp->maps.target_index, 1u << INDEX_BITS);
	bpf_map__set_max_entries(xdp->maps.endpoint_words, RIG_ENDPOINTS);
	bpf_map__set_max_entries(xdp->maps.endpoint_names, RIG_ENDPOINTS);
	bpf_map__set_max_entries(xdp->maps.endpoint_stats, RIG_ENDPOINTS);
	bpf_map__set_max_entries(xdp->maps.services, RIG_SERVICES);
	bpf_map__set_max_entries(xdp->maps.service_names, RIG_SERVICES);
	bpf_map__set_max_entries(xdp->maps.service_stats, RIG_SERVICES);
	bpf_map__set_max_entries(xdp->maps.selection, RIG_SLOTS / 2);
	bpf_map__set_max_entries(xdp->maps.flows, RIG_FLOWS);
	bpf_map__set_max_entries(xdp->maps.half_open, RIG_FLOWS);
	bpf_map__set_max_entries(xdp->maps.routes, SL_ROUTE_SLOTS);
}

struct rig *rig_new(void)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct sl_meta meta = rig_default_meta();

	assert_non_null(rig);
	rig->cpus = libbpf_num_possible_cpus();
	assert_in_range(rig->cpus, 1, CPUS_MAX);
	rig->xdp = xdp_bpf__open();
	rig->tc = tc_bpf__open();
	assert_non_null(rig->xdp);
	assert_non_null(rig->tc);

	rig->xdp->rodata->index_bits = INDEX_BITS;
	rig->tc->rodata->index_bits = INDEX_BITS;
	set_sizes(rig->xdp);
	ok(xdp_bpf__load(rig->xdp), "load the XDP program");
	share_maps(rig);
	ok(tc_bpf__load(rig->tc), "load the tc programs");
	rig_meta(rig, &meta);
	return rig;
}

void rig_free(struct rig *rig)
{
	if (!rig)
		return;

	tc_bpf__destroy(rig->tc);
	xdp_bpf__destroy(rig->xdp);
	free(rig);
}

int rig_teardown(void **state)
{
	rig_free(*state);
	return 0;
}

static struct sl_target_key key_of(const char *addr, uint16_t port, enum sl_proto proto)
{
	struct sl_target_key key = { .port = port, .proto = proto };
	struct addr parsed;

	ok(addr_parse(&parsed, addr), addr);
	memcpy(key.addr, parsed.bytes, sizeof(key.addr));
	return key;
}

void rig_index(struct rig *rig, const char *addr, uint16_t port, enum sl_proto proto,
	       struct sl_target value)
{
	struct sl_target_key key = key_of(addr, port, proto);
	uint32_t slot = sl_index_slot(&key, INDEX_BITS);

	ok(bpf_map_update_elem(bpf_map__fd(rig->xdp->maps.target_index), &slot, &value, BPF_ANY),
	   "write target_index");
}

void rig_endpoint(struct rig *rig, uint32_t id, const char *addr, uint16_t port,
		  enum sl_proto proto)
{
	struct sl_target_key key = key_of(addr, port, proto);
	struct sl_target target = { .kind = SL_TARGET_ENDPOINT, .id = id };
	struct sl_endpoint_name name = { .key = key };

	ok(bpf_map_update_elem(bpf_map__fd(rig->xdp->maps.endpoint_names), &id, &name, BPF_ANY),
	   "write endpoint_names");
	rig_index(rig, addr, port, proto, target);
	ok(bpf_map_update_elem(bpf_map__fd(rig->xdp->maps.targets), &key, &target, BPF_ANY),
	   "write targets");
	rig_word(rig, id, (struct sl_word){ 0 });
}

void rig_word(struct rig *rig, uint32_t id, struct sl_word word)
{
	ok(bpf_map_update_elem(bpf_map__fd(rig->xdp->maps.endpoint_words), &id, &word, BPF_ANY),
	   "write endpoint_words");
}

void rig_meta(struct rig *rig, const struct sl_meta *meta)
{
	uint32_t zero = 0;

	ok(bpf_map_update_elem(bpf_map__fd(rig->xdp->maps.meta), &zero, meta, BPF_ANY),
	   "write meta");
}

void rig_budget(struct rig *rig, const struct sl_reply_budget *budget)
{
	struct sl_reply_budget values[CPUS_MAX];
	uint32_t zero = 0;

	for (int cpu = 0; cpu < rig->cpus; cpu++)
		values[cpu] = *budget;
	ok(bpf_map_update_elem(bpf_map__fd(rig->xdp->maps.reply_budget), &zero, values, BPF_ANY),
	   "write reply_budget");
}

/* Add up one entry of a per-CPU map whose value is n 64-bit counters. */
static void sum_entry(const struct rig *rig, const struct bpf_map *map, uint32_t key,
		      uint64_t *sums, size_t n)
{
	uint64_t values[CPUS_MAX * SL_DECISION_MAX];

	ok(bpf_map_lookup_elem(bpf_map__fd(map), &key, values), "read counters");
	for (size_t i = 0; i < (size_t)rig->cpus * n; i++)
		sums[i % n] += values[i];
}

uint64_t rig_decisions(const struct rig *rig, struct sl_decision_counts *ret_counts)
{
	uint64_t sums[SL_DECISION_MAX] = { 0 }, total = 0;

	sum_entry(rig, rig->xdp->maps.decisions, 0, sums, SL_DECISION_MAX);
	for (size_t i = 0; i < SL_DECISION_MAX; i++)
		total += sums[i];
	memcpy(ret_counts, sums, sizeof(*ret_counts));
	return total;
}

static void sum_stats(const struct rig *rig, uint64_t sums[STATS_FIELDS])
{
	memset(sums, 0, sizeof(struct sl_endpoint_stats));
	for (uint32_t id = 0; id < RIG_ENDPOINTS; id++)
		sum_entry(rig, rig->xdp->maps.endpoint_stats, id, sums, STATS_FIELDS);
}

static enum rig_verdict verdict_of(enum rig_program program, uint32_t retval)
{
	static const int xdp[] = { XDP_PASS, XDP_DROP, XDP_TX };
	static const int tc[] = { TC_ACT_UNSPEC, TC_ACT_SHOT, TC_ACT_REDIRECT };
	const int *verdicts = program == RIG_XDP ? xdp : tc;

	for (int i = 0; i < RIG_OTHER; i++)
		if (verdicts[i] == (int)retval)
			return (enum rig_verdict)i;
	return RIG_OTHER;
}

/* The one decision that was counted between two readings, or -1. */
static int one_decision(const struct sl_decision_counts *before,
			const struct sl_decision_counts *after)
{
	const uint64_t *b = (const uint64_t *)before, *a = (const uint64_t *)after;
	uint64_t total = 0;
	int one = -1;

	for (int i = 0; i < SL_DECISION_MAX; i++) {
		total += a[i] - b[i];
		if (a[i] != b[i])
			one = i;
	}
	return total == 1 ? one : -1;
}

struct rig_result rig_run(struct rig *rig, enum rig_program program, const void *frame, size_t len,
			  struct rig_skb meta)
{
	struct __sk_buff skb = { .mark = meta.mark, .ingress_ifindex = meta.ingress_ifindex };
	struct rig_result result = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = (uint32_t)len,
		    .data_out = result.frame, .data_size_out = sizeof(result.frame), .repeat = 1);
	uint64_t before[STATS_FIELDS], after[STATS_FIELDS];
	struct sl_decision_counts counts_before, counts_after;
	int r;

	if (program != RIG_XDP) {
		run.ctx_in = &skb;
		run.ctx_size_in = sizeof(skb);
	}
	sum_stats(rig, before);
	rig_decisions(rig, &counts_before);
	r = bpf_prog_test_run_opts(rig_program_fd(rig, program), &run);
	if (r == -EINVAL && program != RIG_XDP && len < REFUSED_BELOW) {
		result.verdict = RIG_REFUSED;
		return result;
	}
	ok(r, rig_program_name(program));
	rig_decisions(rig, &counts_after);
	sum_stats(rig, after);

	for (size_t i = 0; i < STATS_FIELDS; i++)
		after[i] -= before[i];
	memcpy(&result.stats, after, sizeof(result.stats));
	result.verdict = verdict_of(program, run.retval);
	result.decision = one_decision(&counts_before, &counts_after);
	result.len = run.data_size_out;
	return result;
}
