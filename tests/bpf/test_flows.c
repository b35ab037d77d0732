// SPDX-License-Identifier: GPL-2.0-or-later
/* What is told of the tables of flows: which entries are flows, whose they are, and how many. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "config/config.h"
#include "config/report.h"
#include "dataplane/census.h"
#include "dataplane/decide.h"
#include "dataplane/open.h"
#include "model/maglev.h"
#include "model/weights.h"
#include "sluice/hash.h"
#include "tests/lib/fault.h"
#include "tests/lib/pin_bed.h"
#include "util/clock.h"
#include "util/err.h"

#define MANY 9000 /* more than two parts of a sweep */
#define HALF_OPEN_S 3
#define IDLE_S 5 /* longer than anything is half open; no longer than any machine has been up */

static struct model *model;
static struct dataplane *dp;

static int start(void **state)
{
	struct report report;
	struct err err = { "" };
	char yaml[PATH_MAX + 2048];

	(void)state;
	netbed_veth(NIC, FAR);
	/* A way to the endpoints. */
	netbed_must("ip", "addr", "add", "10.9.0.254/24", "dev", NIC);
	netbed_must("ip", "neigh", "add", "10.9.0.1", "lladdr", "02:00:00:00:00:01", "dev", NIC);
	netbed_must("ip", "neigh", "add", "10.9.0.2", "lladdr", "02:00:00:00:00:02", "dev", NIC);
	netbed_must("sysctl", "-qw", "net.ipv4.ip_forward=1");
	snprintf(yaml, sizeof(yaml),
		 "gateway: { interfaces: [ { name: " NIC " } ], bpffs: %s, max_flows: 65536,\n"
		 "           max_half_open: 4096 }\n"
		 "settings: [ { name: w, protocol: tcp, port: 80 } ]\n"
		 "pools: [ { name: p, backends: [ { address: 10.9.0.1 }, { address: 10.9.0.2,\n"
		 "           weight: 3 } ] }, { name: q, backends: [ { address: 10.9.0.9 } ] } ]\n"
		 "services: [ { name: gate, pool: q, settings: w },\n"
		 "            { name: shop, listen: 192.0.2.10:80, pool: p, settings: w },\n"
		 "            { name: direct, listen: 192.0.2.11:80, pool: p, settings: w,\n"
		 "              forward: dsr } ]\n",
		 bpffs);
	assert_int_equal(config_parse(&model, yaml, strlen(yaml), "t.yaml", &report), 0);
	if (dataplane_open(&dp, model, &err) < 0)
		fail_msg("open: %s", err.text);
	((struct sl_meta *)dp->tables.meta.start)->half_open_s = HALF_OPEN_S;
	return 0;
}

static int stop(void **state)
{
	struct err err;

	(void)state;
	dataplane_destroy(take_ptr(dp), &err);
	model_free(take_ptr(model));
	netbed_must("ip", "link", "del", NIC);
	return 0;
}

static uint32_t now_s(void)
{
	return (uint32_t)(clock_mono_ns() / NS_PER_SEC);
}

static uint32_t index_of(const char *text)
{
	for (uint32_t i = 0; i < model->n_endpoints; i++)
		if (!strcmp(model->endpoints[i].text, text))
			return i;
	fail_msg("no endpoint %s", text);
	return 0;
}

/* Enter both directions of client number i's flow to an endpoint. */
static void enter(enum map_id table, uint32_t i, uint32_t endpoint, uint8_t state)
{
	int fd = programs_maps(dp->programs)->fd[table];
	uint32_t id = dp->tables.ids.id[endpoint];
	struct sl_tuple tuple = { .sport = (uint16_t)i, .dport = 80, .proto = SL_TCP };
	struct sl_flow flow = { .endpoint = id,
				.service = dp->tables.services.of[1].id,
				.generation = dp->tables.generation[id],
				.seen_s = now_s() - IDLE_S,
				.state = state,
				.port = 20000 };
	struct addr addr;

	addr_parse(&addr, "198.51.100.0");
	addr.bytes[15] = (uint8_t)(i >> 16);
	memcpy(tuple.saddr, addr.bytes, sizeof(tuple.saddr));
	memcpy(tuple.daddr, model->services[1].listen.key.addr, sizeof(tuple.daddr));
	assert_int_equal(bpf_map_update_elem(fd, &tuple, &flow, BPF_ANY), 0);
	flow.kind = SL_FLOW_TO_CLIENT;
	tuple.dport = 20000;
	assert_int_equal(bpf_map_update_elem(fd, &tuple, &flow, BPF_ANY), 0);
}

/* What a listing gave. */
struct listed {
	uint32_t n, parts;
	uint32_t by_endpoint[8];
	struct flow_row last;
};

static void take_row(void *arg, const struct flow_row *row)
{
	struct listed *listed = arg;

	listed->n++;
	listed->by_endpoint[row->endpoint]++;
	listed->last = *row;
}

static struct listed list(void)
{
	CLEANUP(flow_list_free_p) struct flow_list *flows = NULL;
	struct listed listed = { 0 };
	int r;

	assert_int_equal(flow_list_new(&flows, dp), 0);
	do {
		r = flow_list_next(flows, take_row, &listed);
		assert_true(r >= 0);
		listed.parts++;
	} while (r > 0);
	assert_int_equal(flow_list_next(flows, take_row, &listed), 0);
	return listed;
}

static void flows_are_listed(void **state)
{
	uint32_t one = index_of("10.9.0.1:80"), two = index_of("10.9.0.2:80");
	struct listed listed = list();
	char text[SL_TEXT_LEN];

	(void)state;
	assert_int_equal(listed.n, 0);
	enter(MAP_FLOWS, 1, one, 0);
	listed = list();
	assert_int_equal(listed.n, 1);
	assert_int_equal(listed.last.service, 1);
	assert_int_equal(listed.last.endpoint, one);
	assert_string_equal(addr_format(text, &listed.last.client.addr), "198.51.100.0");
	assert_int_equal(listed.last.client.port, 1);
	assert_string_equal(addr_format(text, &listed.last.to.addr), "192.0.2.10");
	assert_int_equal(listed.last.to.port, 80);
	assert_int_equal(listed.last.source.port, 20000);
	assert_int_equal(listed.last.state, FLOW_OPEN);
	assert_in_range(listed.last.idle_s, IDLE_S, IDLE_S + 2);

	/* Closed ones, and those of whoever had the id before, are none. */
	enter(MAP_FLOWS, 2, one, SL_FLOW_RESET);
	enter(MAP_FLOWS, 3, one, SL_FLOW_FIN_CLIENT | SL_FLOW_FIN_ENDPOINT);
	dp->tables.generation[dp->tables.ids.id[two]]++;
	enter(MAP_FLOWS, 4, two, 0);
	dp->tables.generation[dp->tables.ids.id[two]]--;
	assert_int_equal(list().n, 1);
	enter(MAP_FLOWS, 4, two, SL_FLOW_FIN_CLIENT);
	listed = list();
	assert_int_equal(listed.n, 2);
	assert_int_equal(listed.by_endpoint[two], 1);
	/* Half open for so long is no longer. */
	enter(MAP_HALF_OPEN, 5, two, 0);
	assert_int_equal(list().n, 2);
}

static void large_tables_come_in_parts(void **state)
{
	uint32_t two = index_of("10.9.0.2:80");
	struct listed listed;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		enter(MAP_FLOWS, i + 1, two, 0);
	listed = list();
	assert_int_equal(listed.n, MANY);
	assert_true(listed.parts > 2 * MANY / 4096);
}

static void flows_are_counted(void **state)
{
	uint32_t one = index_of("10.9.0.1:80"), two = index_of("10.9.0.2:80"), n;
	CLEANUP(census_stop_p) struct census *census = NULL;
	struct census_totals totals;
	uint64_t deadline_ms = clock_mono_ms() + 5000;

	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		enter(MAP_FLOWS, i, i < 3 ? one : two, i == 9 ? SL_FLOW_RESET : 0);
	enter(MAP_HALF_OPEN, 20, two, SL_FLOW_ANSWERED);
	assert_int_equal(census_start(&census, dp), 0);
	while (!census_totals(census, &totals))
		assert_true(clock_mono_ms() < deadline_ms);
	assert_int_equal(totals.flows, 9);
	assert_int_equal(totals.fills.flows.entries, 20);
	assert_int_equal(totals.fills.flows.max, 65536);
	assert_int_equal(totals.fills.half_open.entries, 2);
	assert_int_equal(totals.fills.half_open.max, 4096);
	assert_true(census_flows(census, one, &n));
	assert_int_equal(n, 3);
	assert_true(census_flows(census, two, &n));
	assert_int_equal(n, 6);

	/* Not sooner than after a second, and then at once. */
	enter(MAP_FLOWS, 30, one, 0);
	assert_true(census_flows(census, one, &n));
	assert_int_equal(n, 3);
	while (census_flows(census, one, &n) && n == 3)
		assert_true(clock_mono_ms() < deadline_ms);
	assert_int_equal(n, 4);
	assert_true(census_totals(census, &totals));
	assert_int_equal(totals.flows, 10);
}

static void memory_is_needed(void **state)
{
	struct flow_list *flows = NULL;
	struct census *census = NULL;

	(void)state;
	for (int at = 0; at < 3; at++) {
		fault_after(FAULT_MEMORY, at, ENOMEM);
		assert_int_equal(flow_list_new(&flows, dp), -ENOMEM);
		assert_true(fault_clear(FAULT_MEMORY));
		fault_after(FAULT_MEMORY, at, ENOMEM);
		assert_int_equal(census_start(&census, dp), -ENOMEM);
		assert_true(fault_clear(FAULT_MEMORY));
	}
	flow_list_free(NULL);
	census_stop(NULL);
}

/* The share that each has, and the weights that it is made by. */
static void tables_follow_weights(void **state)
{
	CLEANUP(weights_free_p) struct weights *weights = weights_new(model);
	const uint16_t all[] = { MAGLEV_SHARE_FULL, MAGLEV_SHARE_FULL };
	struct sl_service_stats stats;
	uint32_t slots[2], size;

	(void)state;
	assert_int_equal(dataplane_slots(dp, 0, slots, &size), -ENOENT);
	assert_int_equal(dataplane_service_stats(dp, 0, &stats), -ENOENT);
	assert_int_equal(dataplane_service_stats(dp, 1, &stats), 0);
	assert_int_equal(stats.packets, 0);
	assert_int_equal(dataplane_slots(dp, 1, slots, &size), 0);
	assert_int_equal(slots[0] + slots[1], size);
	assert_in_range(slots[1] * 100 / size, 74, 76);

	dataplane_use_weights(dp, weights);
	weights_set(weights, 0, 0, 9);
	assert_int_equal(dataplane_balance(dp, 1, all, false), 0);
	assert_int_equal(dataplane_slots(dp, 1, slots, &size), 0);
	assert_in_range(slots[1] * 100 / size, 24, 26);
	weights_set(weights, 0, 1, 0);
	assert_int_equal(dataplane_balance(dp, 1, all, false), 0);
	assert_int_equal(dataplane_slots(dp, 1, slots, &size), 0);
	assert_int_equal(slots[0], size);
	dataplane_use_weights(dp, NULL);
	assert_int_equal(dataplane_balance(dp, 1, all, false), 0);
	assert_int_equal(dataplane_slots(dp, 1, slots, &size), 0);
	assert_in_range(slots[1] * 100 / size, 74, 76);
}

static struct decide_result decide(const char *from, const char *to, enum decide_flags flags)
{
	struct decide_packet packet = { .proto = SL_TCP, .flags = flags };
	struct decide_result result;
	struct err err = { "" };

	assert_int_equal(addr_port_parse(&packet.from, &packet.from_port, from), 0);
	assert_int_equal(addr_port_parse(&packet.to, &packet.to_port, to), 0);
	if (dataplane_decide(dp, &packet, &result, &err) < 0)
		fail_msg("decide: %s", err.text);
	return result;
}

static void count_entry(void *arg, const struct flow_row *row)
{
	(void)row;
	++*(int *)arg;
}

/* The real program decides; what is in force is not disturbed. */
static void packets_are_decided(void **state)
{
	uint32_t one = index_of("10.9.0.1:80"), two = index_of("10.9.0.2:80"),
		 nine = index_of("10.9.0.9:80");
	struct sl_decision_counts before, after;
	struct sl_endpoint_stats stats;
	struct sl_service_stats service;
	struct decide_result result;
	struct flow_list *flows;
	int n = 0;

	(void)state;
	assert_int_equal(dataplane_decisions(dp, &before), 0);

	result = decide("198.51.100.0:7", "10.9.0.9:80", DECIDE_SYN);
	assert_int_equal(result.decision, SL_PASS_UNKNOWN);
	assert_int_equal(result.endpoint, nine);
	assert_int_equal(result.service, INDEX_NONE);
	dataplane_store_word(
		dp, nine, (struct sl_word){ .health = SL_UNHEALTHY, .action = SL_ACTION_REJECT });
	result = decide("198.51.100.0:7", "10.9.0.9:80", DECIDE_SYN);
	assert_int_equal(result.decision, SL_REJECT_TCP);
	result = decide("198.51.100.0:7", "10.9.0.9:80", DECIDE_ACK);
	assert_int_equal(result.decision, SL_PASS_ESTABLISHED);
	assert_int_equal(decide("198.51.100.0:7", "10.9.0.9:81", DECIDE_SYN).decision,
			 SL_PASS_NOT_OURS);

	result = decide("198.51.100.0:7", "192.0.2.10:80", DECIDE_SYN);
	assert_int_equal(result.decision, SL_FORWARD_NAT);
	assert_int_equal(result.service, 1);
	assert_true(result.endpoint == one || result.endpoint == two);
	assert_false(result.known || result.moved);
	/* Whoever it is, the other one, once that is drained. */
	dataplane_store_word(dp, result.endpoint, (struct sl_word){ .admin = SL_DRAINING });
	one = one + two - result.endpoint;
	result = decide("198.51.100.0:7", "192.0.2.10:80", DECIDE_SYN);
	assert_int_equal(result.endpoint, one);
	assert_true(result.moved);
	result = decide("198.51.100.0:7", "192.0.2.10:80", DECIDE_ACK);
	assert_int_equal(result.decision, SL_REJECT_NO_FLOW);
	assert_int_equal(result.service, 1);
	enter(MAP_FLOWS, 7, one, 0);
	result = decide("198.51.100.0:7", "192.0.2.10:80", DECIDE_ACK);
	assert_int_equal(result.decision, SL_FORWARD_NAT);
	assert_int_equal(result.endpoint, one);
	assert_true(result.known);

	assert_int_equal(dataplane_decisions(dp, &after), 0);
	/* The device has some traffic of its own. */
	assert_int_equal(after.forward_nat + after.reject_no_flow + after.pass_unknown +
				 after.reject_tcp + after.pass_established,
			 before.forward_nat + before.reject_no_flow + before.pass_unknown +
				 before.reject_tcp + before.pass_established);
	assert_int_equal(dataplane_endpoint_stats(dp, one, &stats), 0);
	assert_int_equal(stats.packets, 0);
	assert_int_equal(dataplane_service_stats(dp, 1, &service), 0);
	assert_int_equal(service.packets + service.flows, 0);
	assert_int_equal(flow_list_new(&flows, dp), 0);
	while (flow_list_next(flows, count_entry, &n) > 0)
		;
	assert_int_equal(n, 1);
	assert_int_equal(flow_list_fills(flows).flows.entries, 2);
	assert_int_equal(flow_list_fills(flows).half_open.entries, 0);
	flow_list_free(flows);
}

/* A SYN of a flow that is not translated went to this endpoint. */
static void note(const char *from, const char *to, uint32_t service, uint32_t endpoint)
{
	int fd = programs_maps(dp->programs)->fd[MAP_HANDSHAKES];
	struct sl_tuple tuple = { .proto = SL_TCP };
	uint32_t id = dp->tables.ids.id[endpoint], slot;
	struct sl_handshake noted = { .endpoint = id,
				      .generation = (uint16_t)dp->tables.generation[id] };
	struct addr addr;

	assert_int_equal(addr_port_parse(&addr, &tuple.sport, from), 0);
	memcpy(tuple.saddr, addr.bytes, sizeof(tuple.saddr));
	assert_int_equal(addr_port_parse(&addr, &tuple.dport, to), 0);
	memcpy(tuple.daddr, addr.bytes, sizeof(tuple.daddr));
	slot = sl_handshake_slot(sl_flow_hash(&tuple), map_entries(fd));
	noted.tag = sl_handshake_tag(sl_flow_hash(&tuple), dp->tables.services.of[service].id);
	assert_int_equal(bpf_map_update_elem(fd, &slot, &noted, BPF_ANY), 0);
}

/* Nor is a handshake that is under way, and it is told where that goes on. */
static void handshakes_are_decided(void **state)
{
	const char *from = "198.51.100.0:7", *to = "192.0.2.11:80";
	uint32_t both = index_of("10.9.0.1:80") + index_of("10.9.0.2:80"), other;
	struct decide_result result;

	(void)state;
	result = decide(from, to, DECIDE_SYN);
	assert_int_equal(result.decision, SL_FORWARD_DSR);
	other = both - result.endpoint;
	assert_int_equal(decide(from, to, DECIDE_ACK).endpoint, result.endpoint);
	note(from, to, 2, other);
	assert_int_equal(decide(from, to, DECIDE_ACK).endpoint, other);
	assert_int_equal(decide(from, to, DECIDE_SYN).endpoint, result.endpoint);
	assert_int_equal(decide(from, to, DECIDE_ACK).endpoint, other);
	note(from, to, 1, other);
	assert_int_equal(decide(from, to, DECIDE_ACK).endpoint, result.endpoint);
}

/* The rules that the programs have, too. */
static void entries_are_judged(void **state)
{
	static const struct sl_meta meta = {
		.half_open_s = 10, .idle_tcp_s = 1000, .idle_udp_s = 60, .closed_s = 5
	};
	static const struct {
		uint8_t state;
		uint16_t port;
		bool half_open;
		enum sl_proto proto;
		uint32_t idle_s;
		enum flow_state is;
		bool lives;
	} rows[] = {
		{ 0, 1, false, SL_TCP, 0, FLOW_OPEN, true },
		{ 0, 1, false, SL_TCP, 1000, FLOW_OPEN, true },
		{ 0, 1, false, SL_TCP, 1001, FLOW_OPEN, false },
		{ 0, 1, false, SL_UDP, 60, FLOW_OPEN, true },
		{ 0, 1, false, SL_UDP, 61, FLOW_OPEN, false },
		{ 0, 1, true, SL_TCP, 10, FLOW_HALF_OPEN, true },
		{ 0, 1, true, SL_UDP, 11, FLOW_HALF_OPEN, false },
		{ SL_FLOW_ANSWERED, 1, true, SL_TCP, 0, FLOW_ANSWERED, true },
		{ SL_FLOW_ANSWERED, 1, false, SL_TCP, 0, FLOW_OPEN, true },
		{ SL_FLOW_FIN_CLIENT, 1, false, SL_TCP, 0, FLOW_CLOSING, true },
		{ SL_FLOW_FIN_ENDPOINT, 1, false, SL_TCP, 0, FLOW_CLOSING, true },
		{ SL_FLOW_FIN_CLIENT, 0, false, SL_TCP, 0, FLOW_CLOSED, false },
		{ SL_FLOW_FIN_CLIENT | SL_FLOW_FIN_ENDPOINT, 1, false, SL_TCP, 0, FLOW_CLOSED,
		  false },
		{ SL_FLOW_RESET, 1, false, SL_TCP, 0, FLOW_CLOSED, false },
		{ SL_FLOW_RESET, 1, true, SL_TCP, 0, FLOW_CLOSED, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct sl_tuple tuple = { .proto = rows[i].proto };
		const struct sl_flow flow = { .state = rows[i].state,
					      .port = rows[i].port,
					      .seen_s = 5000 - rows[i].idle_s };

		if (flow_state_of(&flow, rows[i].half_open) != rows[i].is ||
		    flow_lives(&tuple, &flow, rows[i].half_open, &meta, 5000) != rows[i].lives)
			fail_msg("row %zu", i);
		assert_true(*flow_state_name(rows[i].is));
	}
	/* A second that the daemon has not seen yet. */
	assert_true(flow_lives(&(struct sl_tuple){ .proto = SL_TCP },
			       &(struct sl_flow){ .seen_s = 5001 }, true, &meta, 5000));
}

#define OPENED(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_judged), OPENED(flows_are_listed),
		OPENED(large_tables_come_in_parts),   OPENED(flows_are_counted),
		OPENED(packets_are_decided),          OPENED(memory_is_needed),
		OPENED(tables_follow_weights),        OPENED(handshakes_are_decided),
	};

	return cmocka_run_group_tests_name("flows", tests, set_up, tear_down);
}
