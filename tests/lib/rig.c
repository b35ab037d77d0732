// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/rig_work.h"

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

#define REFUSED_BELOW (sizeof(struct ethhdr) + sizeof(struct ipv6hdr))
#define STATS_FIELDS (sizeof(struct sl_endpoint_stats) / sizeof(uint64_t))
#define SERVICE_FIELDS (sizeof(struct sl_service_stats) / sizeof(uint64_t))
#define ATTEMPT_FIELDS (sizeof(struct sl_attempt_stats) / sizeof(uint64_t))

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

static struct sl_target_key key_of(const char *addr, uint16_t port, enum sl_proto proto)
{
	struct sl_target_key key = { .port = port, .proto = proto };
	struct addr parsed;

	rig_ok(addr_parse(&parsed, addr), addr);
	memcpy(key.addr, parsed.bytes, sizeof(key.addr));
	return key;
}

void rig_index(struct rig *rig, const char *addr, uint16_t port, enum sl_proto proto,
	       struct sl_target value)
{
	struct sl_target_key key = key_of(addr, port, proto);
	uint32_t slot = sl_index_slot(&key, INDEX_BITS);

	rig_ok(bpf_map_update_elem(bpf_map__fd(rig->xdp->maps.target_index), &slot, &value,
				   BPF_ANY),
	       "write target_index");
}

void rig_endpoint(struct rig *rig, uint32_t id, const char *addr, uint16_t port,
		  enum sl_proto proto)
{
	struct sl_target_key key = key_of(addr, port, proto);
	struct sl_target target = { .kind = SL_TARGET_ENDPOINT, .id = id };
	struct sl_endpoint_name name = { .key = key, .service = SL_ID_NONE };

	rig_ok(bpf_map_update_elem(bpf_map__fd(rig->xdp->maps.endpoint_names), &id, &name, BPF_ANY),
	       "write endpoint_names");
	rig_index(rig, addr, port, proto, target);
	rig_ok(bpf_map_update_elem(bpf_map__fd(rig->xdp->maps.targets), &key, &target, BPF_ANY),
	       "write targets");
	rig_word(rig, id, (struct sl_word){ 0 });
}

void rig_word(struct rig *rig, uint32_t id, struct sl_word word)
{
	rig_ok(bpf_map_update_elem(bpf_map__fd(rig->xdp->maps.endpoint_words), &id, &word, BPF_ANY),
	       "write endpoint_words");
}

static struct sl_endpoint_name endpoint_name(const struct rig *rig, uint32_t id)
{
	struct sl_endpoint_name name;

	rig_ok(bpf_map_lookup_elem(bpf_map__fd(rig->xdp->maps.endpoint_names), &id, &name),
	       "read endpoint_names");
	return name;
}

void rig_source(struct rig *rig, uint32_t id, const char *source, uint32_t generation)
{
	struct sl_endpoint_name name = endpoint_name(rig, id);
	struct sl_target_key key = key_of(source, 0, 0);

	name.generation = generation;
	memcpy(name.source, key.addr, sizeof(name.source));
	rig_ok(bpf_map_update_elem(bpf_map__fd(rig->xdp->maps.endpoint_names), &id, &name, BPF_ANY),
	       "write endpoint_names");
}

void rig_redirect(struct rig *rig, uint32_t id, uint32_t service)
{
	struct sl_endpoint_name name = endpoint_name(rig, id);

	name.service = service;
	rig_ok(bpf_map_update_elem(bpf_map__fd(rig->xdp->maps.endpoint_names), &id, &name, BPF_ANY),
	       "write endpoint_names");
}

void rig_service(struct rig *rig, uint32_t id, const struct rig_service *desc)
{
	struct sl_target target = { .kind = SL_TARGET_SERVICE, .id = id };
	struct sl_service service = { .method = desc->method,
				      .none = desc->none,
				      .flags = desc->flags,
				      .slice = desc->slice };

	if (desc->addr)
		service.key = key_of(desc->addr, desc->port, desc->proto);
	rig_ok(bpf_map_update_elem(bpf_map__fd(rig->xdp->maps.services), &id, &service, BPF_ANY),
	       "write services");
	if (!desc->addr)
		return;
	rig_index(rig, desc->addr, desc->port, desc->proto, target);
	rig_ok(bpf_map_update_elem(bpf_map__fd(rig->xdp->maps.targets), &service.key, &target,
				   BPF_ANY),
	       "write targets");
}

void rig_select(struct rig *rig, struct sl_slice slice, const uint32_t *ids, size_t n)
{
	int fd = bpf_map__fd(rig->xdp->maps.selection);

	for (uint32_t i = 0; i < slice.size; i++) {
		uint32_t slot = slice.start + i, at = slot / 2;
		struct sl_slots slots;

		rig_ok(bpf_map_lookup_elem(fd, &at, &slots), "read selection");
		slots.endpoint[slot % 2] = ids[i % n];
		rig_ok(bpf_map_update_elem(fd, &at, &slots, BPF_ANY), "write selection");
	}
}

uint32_t rig_selected(const struct rig *rig, struct sl_slice slice, uint64_t hash)
{
	uint32_t slot = slice.start + sl_slot(hash, slice.size), at = slot / 2;
	struct sl_slots slots;

	rig_ok(bpf_map_lookup_elem(bpf_map__fd(rig->xdp->maps.selection), &at, &slots),
	       "read selection");
	return slots.endpoint[slot % 2];
}

void rig_route(struct rig *rig, const char *addr, struct sl_route route)
{
	const struct sl_tuple to = rig_tuple(addr, 0, addr, 0, 0);
	uint8_t values[CPUS_MAX][(sizeof(route) + 7) / 8 * 8] = { 0 };
	uint32_t slot = sl_route_slot(to.daddr), zero = 0;
	struct sl_meta meta;

	rig_ok(bpf_map_lookup_elem(bpf_map__fd(rig->xdp->maps.meta), &zero, &meta), "read meta");
	memcpy(route.addr, to.daddr, sizeof(route.addr));
	route.epoch = meta.route_epoch;
	for (int cpu = 0; cpu < rig->cpus; cpu++)
		memcpy(values[cpu], &route, sizeof(route));
	rig_ok(bpf_map_update_elem(bpf_map__fd(rig->xdp->maps.routes), &slot, values, BPF_ANY),
	       "write routes");
}

void rig_device(struct rig *rig, uint32_t ifindex, struct sl_device device)
{
	rig_ok(bpf_map_update_elem(bpf_map__fd(rig->xdp->maps.devices), &ifindex, &device, BPF_ANY),
	       "write devices");
}

static int table_fd(const struct rig *rig, enum rig_table table)
{
	return bpf_map__fd(table == RIG_FLOWS_TABLE ? rig->xdp->maps.flows
						    : rig->xdp->maps.half_open);
}

struct sl_tuple rig_tuple(const char *src, uint16_t sport, const char *dst, uint16_t dport,
			  enum sl_proto proto)
{
	struct sl_target_key from = key_of(src, 0, 0), to = key_of(dst, 0, 0);
	struct sl_tuple tuple = { .sport = sport, .dport = dport, .proto = proto };

	memcpy(tuple.saddr, from.addr, sizeof(tuple.saddr));
	memcpy(tuple.daddr, to.addr, sizeof(tuple.daddr));
	return tuple;
}

bool rig_flow(const struct rig *rig, enum rig_table table, const struct sl_tuple *tuple,
	      struct sl_flow *ret_flow)
{
	return bpf_map_lookup_elem(table_fd(rig, table), tuple, ret_flow) == 0;
}

void rig_put_flow(struct rig *rig, enum rig_table table, const struct sl_tuple *tuple,
		  const struct sl_flow *flow)
{
	rig_ok(bpf_map_update_elem(table_fd(rig, table), tuple, flow, BPF_ANY), "write a flow");
}

uint32_t rig_flows(const struct rig *rig, enum rig_table table)
{
	struct sl_tuple key, *previous = NULL;
	uint32_t n = 0;

	while (bpf_map_get_next_key(table_fd(rig, table), previous, &key) == 0) {
		previous = &key;
		n++;
	}
	return n;
}

void rig_forget_flow(struct rig *rig, const struct sl_tuple *tuple)
{
	bpf_map_delete_elem(table_fd(rig, RIG_FLOWS_TABLE), tuple);
	bpf_map_delete_elem(table_fd(rig, RIG_HALF_OPEN_TABLE), tuple);
}

void rig_forget_recents(struct rig *rig)
{
	rig_clear(rig, rig->xdp->maps.recents);
}

void rig_forget_flows(struct rig *rig)
{
	rig_clear(rig, rig->xdp->maps.handshakes);
	rig_clear(rig, rig->xdp->maps.recents);
	rig_clear(rig, rig->xdp->maps.flows);
	rig_clear(rig, rig->xdp->maps.half_open);
}

uint32_t rig_fragmented(const struct rig *rig)
{
	struct sl_fragment_key key, *previous = NULL;
	uint32_t n = 0;

	while (bpf_map_get_next_key(bpf_map__fd(rig->xdp->maps.fragments), previous, &key) == 0) {
		previous = &key;
		n++;
	}
	return n;
}

void rig_forget_fragmented(struct rig *rig)
{
	rig_clear(rig, rig->xdp->maps.fragments);
}

void rig_age_fragmented(struct rig *rig, uint32_t seconds)
{
	int fd = bpf_map__fd(rig->xdp->maps.fragments);
	struct sl_fragment_key key, *previous = NULL;
	struct sl_fragment fragment;

	while (bpf_map_get_next_key(fd, previous, &key) == 0) {
		rig_ok(bpf_map_lookup_elem(fd, &key, &fragment), "read a fragmented datagram");
		fragment.seen_s -= seconds;
		rig_ok(bpf_map_update_elem(fd, &key, &fragment, BPF_EXIST), "make it older");
		previous = &key;
	}
}

void rig_meta(struct rig *rig, const struct sl_meta *meta)
{
	uint32_t zero = 0;

	rig_ok(bpf_map_update_elem(bpf_map__fd(rig->xdp->maps.meta), &zero, meta, BPF_ANY),
	       "write meta");
}

static void set_budget(const struct rig *rig, const struct bpf_map *map,
		       const struct sl_reply_budget *budget)
{
	struct sl_reply_budget values[CPUS_MAX];
	uint32_t zero = 0;

	for (int cpu = 0; cpu < rig->cpus; cpu++)
		values[cpu] = *budget;
	rig_ok(bpf_map_update_elem(bpf_map__fd(map), &zero, values, BPF_ANY), "write a budget");
}

void rig_budget(struct rig *rig, const struct sl_reply_budget *budget)
{
	set_budget(rig, rig->xdp->maps.reply_budget, budget);
}

void rig_flow_budget(struct rig *rig, const struct sl_reply_budget *budget)
{
	set_budget(rig, rig->xdp->maps.flow_budget, budget);
}

/* Add up one entry of a per-CPU map whose value is n 64-bit counters. */
static void sum_entry(const struct rig *rig, const struct bpf_map *map, uint32_t key,
		      uint64_t *sums, size_t n)
{
	uint64_t values[CPUS_MAX * SL_DECISION_MAX];

	rig_ok(bpf_map_lookup_elem(bpf_map__fd(map), &key, values), "read counters");
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

struct sl_attempt rig_attempt(const struct rig *rig)
{
	struct sl_attempt attempt, found = { 0 };
	int n = 0;

	for (uint32_t slot = 0; slot < RIG_ATTEMPTS; slot++) {
		rig_ok(bpf_map_lookup_elem(bpf_map__fd(rig->xdp->maps.attempts), &slot, &attempt),
		       "read attempts");
		if (attempt.head.state) {
			found = attempt;
			n++;
		}
	}
	assert_in_range(n, 0, 1);
	return found;
}

void rig_forget_attempts(struct rig *rig)
{
	rig_clear(rig, rig->xdp->maps.attempts);
	rig_clear(rig, rig->xdp->maps.evidence);
}

struct sl_evidence rig_evidence(const struct rig *rig, uint32_t id)
{
	struct sl_evidence evidence;

	rig_ok(bpf_map_lookup_elem(bpf_map__fd(rig->xdp->maps.evidence), &id, &evidence),
	       "read evidence");
	return evidence;
}

/* What a run adds to. */
struct sums {
	uint64_t endpoints[STATS_FIELDS], services[SERVICE_FIELDS], attempts[ATTEMPT_FIELDS];
};

static struct sums sum_stats(const struct rig *rig)
{
	struct sums sums = { 0 };

	for (uint32_t id = 0; id < RIG_ENDPOINTS; id++) {
		sum_entry(rig, rig->xdp->maps.endpoint_stats, id, sums.endpoints, STATS_FIELDS);
		sum_entry(rig, rig->xdp->maps.attempt_stats, id, sums.attempts, ATTEMPT_FIELDS);
	}
	for (uint32_t id = 0; id < RIG_SERVICES; id++)
		sum_entry(rig, rig->xdp->maps.service_stats, id, sums.services, SERVICE_FIELDS);
	return sums;
}

static void sums_subtract(struct sums *after, const struct sums *before)
{
	for (size_t i = 0; i < STATS_FIELDS; i++)
		after->endpoints[i] -= before->endpoints[i];
	for (size_t i = 0; i < SERVICE_FIELDS; i++)
		after->services[i] -= before->services[i];
	for (size_t i = 0; i < ATTEMPT_FIELDS; i++)
		after->attempts[i] -= before->attempts[i];
}

static enum rig_verdict verdict_of(enum rig_program program, uint32_t retval)
{
	static const int xdp[] = { XDP_PASS, XDP_DROP, XDP_TX, XDP_REDIRECT };
	static const int tc[] = { TC_ACT_UNSPEC, TC_ACT_SHOT, TC_ACT_REDIRECT, TC_ACT_REDIRECT };
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
	struct sums before, after;
	struct sl_decision_counts counts_before, counts_after;
	int r;

	if (program != RIG_XDP) {
		run.ctx_in = &skb;
		run.ctx_size_in = sizeof(skb);
	}
	before = sum_stats(rig);
	rig_decisions(rig, &counts_before);
	r = bpf_prog_test_run_opts(rig_program_fd(rig, program), &run);
	if (r == -EINVAL && program != RIG_XDP && len < REFUSED_BELOW) {
		result.verdict = RIG_REFUSED;
		return result;
	}
	rig_ok(r, rig_program_name(program));
	rig_decisions(rig, &counts_after);
	after = sum_stats(rig);

	sums_subtract(&after, &before);
	memcpy(&result.stats, after.endpoints, sizeof(result.stats));
	memcpy(&result.service, after.services, sizeof(result.service));
	memcpy(&result.attempts, after.attempts, sizeof(result.attempts));
	result.verdict = verdict_of(program, run.retval);
	result.decision = one_decision(&counts_before, &counts_after);
	result.len = run.data_size_out;
	return result;
}
