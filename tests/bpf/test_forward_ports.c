// SPDX-License-Identifier: GPL-2.0-or-later
/* Which port a translated flow gets, and what becomes of one that had it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/nat_flow.h"

/* A flow whose candidates are all taken gets none; of those taken, one that has aged is free. */
struct holder_row {
	const char *name;
	enum flavour flavour;
	enum rig_table table;
	uint8_t state; /* of the holder */
	uint32_t age_s, partner_age_s; /* 0 for the partner: it is gone */
	bool is_free;
};

static const struct holder_row holder_rows[] = {
	{ "open", TCP4, RIG_FLOWS_TABLE, 0, 5, 5, false },
	{ "half open, and there is no other", TCP4, RIG_HALF_OPEN_TABLE, 0, 5, 5, true },
	{ "half open for long", TCP4, RIG_HALF_OPEN_TABLE, 0, 15, 15, true },
	{ "half open for long, v6", TCP6, RIG_HALF_OPEN_TABLE, 0, 15, 15, true },
	{ "open for long", TCP4, RIG_FLOWS_TABLE, 0, 600, 600, false },
	{ "idle for too long", TCP4, RIG_FLOWS_TABLE, 0, 905, 905, true },
	{ "idle, but not the client", TCP4, RIG_FLOWS_TABLE, 0, 905, 5, false },
	{ "idle, and the client's entry is gone", TCP4, RIG_FLOWS_TABLE, 0, 905, 0, true },
	{ "open, and the client's entry is gone", TCP4, RIG_FLOWS_TABLE, 0, 5, 0, false },
	{ "closed lately, and there is no other", TCP6, RIG_FLOWS_TABLE,
	  SL_FLOW_FIN_CLIENT | SL_FLOW_FIN_ENDPOINT, 30, 30, true },
	{ "closed", TCP6, RIG_FLOWS_TABLE, SL_FLOW_FIN_CLIENT | SL_FLOW_FIN_ENDPOINT, 65, 65,
	  true },
	{ "half closed", TCP6, RIG_FLOWS_TABLE, SL_FLOW_FIN_CLIENT, 65, 65, false },
	{ "reset", TCP4, RIG_FLOWS_TABLE, SL_FLOW_RESET, 65, 65, true },
	{ "UDP", UDP4, RIG_FLOWS_TABLE, 0, 30, 30, false },
	{ "UDP, idle for too long", UDP4, RIG_FLOWS_TABLE, 0, 65, 65, true },
	{ "UDP, half open, and there is no other", UDP6, RIG_HALF_OPEN_TABLE, 0, 5, 5, true },
	{ "UDP, half open for long", UDP6, RIG_HALF_OPEN_TABLE, 0, 15, 15, true },
};

#define HOLDER_PORT 50000

static void put_holder(struct rig *rig, const struct holder_row *row, int endpoint)
{
	const struct flavour_facts *facts = &flavours[row->flavour];
	struct sl_tuple to_client = rig_tuple(facts->endpoints[endpoint], facts->endpoint_port,
					      facts->source, RIG_PORT_LOW, facts->proto);
	struct sl_tuple to_endpoint = services_tuple(row->flavour, HOLDER_PORT);
	struct sl_flow flow = { .endpoint = 2 * row->flavour + endpoint,
				.service = row->flavour,
				.generation = SERVICES_GENERATION,
				.kind = SL_FLOW_TO_CLIENT,
				.state = row->state,
				.seen_s = now_s() - row->age_s,
				.port = HOLDER_PORT };

	memcpy(flow.addr, to_endpoint.saddr, sizeof(flow.addr));
	rig_put_flow(rig, row->table, &to_client, &flow);
	flow.kind = SL_FLOW_TO_ENDPOINT;
	flow.port = RIG_PORT_LOW;
	flow.seen_s = now_s() - row->partner_age_s;
	memcpy(flow.addr, to_client.daddr, sizeof(flow.addr));
	if (row->partner_age_s)
		rig_put_flow(rig, row->table, &to_endpoint, &flow);
}

static void test_port_taken(void **state)
{
	struct sl_meta meta = rig_default_meta();
	struct rig *rig = *state;

	meta.port_high = meta.port_low;
	rig_meta(rig, &meta);
	for (size_t i = 0; i < sizeof(holder_rows) / sizeof(holder_rows[0]); i++) {
		const struct holder_row *row = &holder_rows[i];
		struct sl_tuple partner = services_tuple(row->flavour, HOLDER_PORT);
		struct packet_desc desc = services_request(row->flavour, PACKET_SYN);

		for_each_program (p) {
			int endpoint = services_choice(rig, row->flavour, SERVICES_CLIENT_PORT);
			struct rig_result result;
			struct sl_flow flow;

			print_message("%s\n", row->name);
			rig_forget_flows(rig);
			put_holder(rig, row, endpoint);
			result = services_run(rig, *p, &desc);
			assert_int_equal(result.decision,
					 row->is_free ? SL_FORWARD_NAT : SL_DROP_NO_PORT);
			assert_int_equal(result.service.failed, !row->is_free);
			assert_int_equal(rig_flow(rig, row->table, &partner, &flow),
					 !row->is_free && row->partner_age_s);
			assert_int_equal(services_request_flow(rig, RIG_HALF_OPEN_TABLE,
							       row->flavour, &flow),
					 row->is_free);
		}
	}
}

/* A port whose flow has closed lately is left alone as long as there is a free one. */
static void test_port_rests(void **state)
{
	static const struct holder_row row = {
		"closed lately", TCP4, RIG_FLOWS_TABLE, SL_FLOW_RESET, 30, 30, false
	};
	struct sl_meta meta = rig_default_meta();
	struct packet_desc desc = services_request(TCP4, PACKET_SYN);
	struct rig *rig = *state;

	meta.port_high = meta.port_low + 1;
	rig_meta(rig, &meta);
	for_each_program (p) {
		struct sl_flow flow;

		rig_forget_flows(rig);
		put_holder(rig, &row, services_choice(rig, TCP4, SERVICES_CLIENT_PORT));
		assert_int_equal(services_run(rig, *p, &desc).decision, SL_FORWARD_NAT);
		assert_true(services_request_flow(rig, RIG_HALF_OPEN_TABLE, TCP4, &flow));
		assert_int_equal(flow.port, RIG_PORT_LOW + 1);
	}
}

/* One entry of a flow may be forgotten before the other: the flow opens again on the same port. */
static void test_half_forgotten(void **state)
{
	struct rig *rig = *state;

	for_each_program (p) {
		for_each_flavour (f) {
			struct sl_tuple tuple = services_tuple(f, SERVICES_CLIENT_PORT);
			struct flow flow, again;

			for (int in_flows = 0; in_flows < 2; in_flows++) {
				struct rig_result result;
				struct packet_desc desc = services_request(f, PACKET_SYN);
				struct sl_flow entry;

				rig_forget_flows(rig);
				flow = in_flows ? establish(rig, *p, f) : open_flow(rig, *p, f);
				rig_forget_flow(rig, &tuple);
				result = services_run(rig, *p, &desc);
				assert_int_equal(result.decision, SL_FORWARD_NAT);
				again = flow;
				assert_true(
					services_request_flow(rig, RIG_HALF_OPEN_TABLE, f, &entry));
				again.port = entry.port;
				assert_int_equal(again.port, flow.port);
				assert_false(services_reply_flow(rig, RIG_FLOWS_TABLE, f,
								 flow.endpoint, flow.port, &entry));
			}
		}
	}
}

/* With few ports, flows that are half open displace one another: no flood holds all of them. */
static void test_next_port(void **state)
{
	struct sl_meta meta = rig_default_meta();
	struct rig *rig = *state;

	meta.port_high = meta.port_low + 3;
	rig_meta(rig, &meta);
	for_each_program (p) {
		int n = 0;

		rig_forget_flows(rig);
		for (uint16_t port = 3000; port < 3020; port++) {
			struct packet_desc desc = services_request(TCP4, PACKET_SYN);

			desc.sport = port;
			assert_int_equal(services_run(rig, *p, &desc).decision, SL_FORWARD_NAT);
		}
		for (uint16_t port = 3000; port < 3020; port++) {
			struct sl_tuple tuple = services_tuple(TCP4, port);
			struct sl_flow flow;

			n += rig_flow(rig, RIG_HALF_OPEN_TABLE, &tuple, &flow);
		}
		/* Four ports towards each of two endpoints, or nearly: candidates are drawn. */
		assert_in_range(n, 7, 8);
	}
}

static void test_no_ports(void **state)
{
	struct packet_desc desc = services_request(TCP4, PACKET_SYN);
	struct sl_meta meta = rig_default_meta();

	meta.port_low = 2;
	meta.port_high = 1;
	rig_meta(*state, &meta);
	for_each_program (p)
		assert_int_equal(services_run(*state, *p, &desc).decision, SL_DROP_NO_PORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		row(test_port_rests), row(test_port_taken), row(test_half_forgotten),
		row(test_next_port),  row(test_no_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
