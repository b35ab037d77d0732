// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Translated flows where there is no room left: which entry is forgotten for a new one, and whose port is
 * taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/packet.h"
#include "tests/lib/rig.h"
#include "tests/lib/services.h"
#include "util/clock.h"

#define SYN_ACK (PACKET_SYN | PACKET_ACK)
#define FIN_ACK (PACKET_FIN | PACKET_ACK)
#define CLOSED (SL_FLOW_FIN_CLIENT | SL_FLOW_FIN_ENDPOINT)
#define FIRST_PORT 1024

static const struct services_kind nat = { .method = SL_METHOD_NAT,
					  .none = SL_ACTION_REJECT,
					  .flags = SL_SERVICE_SOURCE_NAT };

static int setup(void **state)
{
	struct rig *rig = *state = rig_new_small();

	services_make(rig, &nat);
	return 0;
}

static uint32_t now_s(void)
{
	return (uint32_t)(clock_mono_ns() / NS_PER_SEC);
}

/* --- entries --------------------------------------------------------------------------------- */

/* How far behind the newest flow one is when this is sent; each step of it waits for so many others. */
static const struct step {
	int behind;
	bool from_client;
	uint8_t flags;
} steps[] = {
	{ 0, true, PACKET_SYN },  { 10, false, SYN_ACK },    { 30, true, PACKET_ACK },
	{ 40, true, PACKET_ACK }, { 50, false, PACKET_ACK }, { 60, false, FIN_ACK },
	{ 60, true, FIN_ACK },
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))
#define MANY RIG_FLOWS_SMALL /* each has two entries */

static uint16_t client_port(int flow)
{
	return (uint16_t)(FIRST_PORT + flow);
}

static void take_step(struct rig *rig, enum rig_program program, const struct step *step, int flow,
		      uint16_t *nat_port)
{
	struct packet_desc desc = services_request(TCP4, step->flags);
	struct sl_tuple tuple = services_tuple(TCP4, client_port(flow));
	enum sl_decision wanted = SL_FORWARD_NAT;
	struct sl_flow entry;

	desc.sport = client_port(flow);
	if (!step->from_client) {
		desc = services_reply(TCP4, services_choice(rig, TCP4, client_port(flow)),
				      *nat_port, step->flags);
		wanted = SL_FORWARD_REPLY;
	}
	assert_int_equal(services_run(rig, program, &desc).decision, wanted);
	if (step->flags == PACKET_SYN) {
		assert_true(rig_flow(rig, RIG_HALF_OPEN_TABLE, &tuple, &entry));
		*nat_port = entry.port;
	}
}

/* Flows that have just begun outlast those that are over, wherever they have got to. */
static void test_begun_outlast_ended(void **state)
{
	static uint16_t nat_ports[MANY];

	for_each_program (p) {
		rig_forget_flows(*state);
		for (int newest = 0; newest < MANY; newest++) {
			if (newest % (SL_ROUTE_USES / (int)STEPS) == 0)
				services_make(*state, &nat); /* its routes are used up */
			for (size_t s = 0; s < STEPS; s++)
				if (newest >= steps[s].behind)
					take_step(*state, *p, &steps[s], newest - steps[s].behind,
						  &nat_ports[newest - steps[s].behind]);
		}
		assert_in_range(rig_flows(*state, RIG_FLOWS_TABLE), RIG_FLOWS_SMALL / 2,
				RIG_FLOWS_SMALL);
	}
}

/* --- ports ----------------------------------------------------------------------------------- */

struct holder {
	uint16_t client_port, port; /* the client's, and the one that is held */
	enum rig_table table;
	uint8_t state;
	uint32_t age_s;
	bool has_partner;
};

/* A flow of the endpoint that the client of port 40000 is placed on. */
static void put_holder(struct rig *rig, const struct holder *holder)
{
	int endpoint = services_choice(rig, TCP4, SERVICES_CLIENT_PORT);
	const struct flavour_facts *facts = &flavours[TCP4];
	struct sl_tuple request = services_tuple(TCP4, holder->client_port);
	struct sl_tuple reply = rig_tuple(facts->endpoints[endpoint], facts->endpoint_port,
					  facts->source, holder->port, facts->proto);
	struct sl_flow flow = { .endpoint = 2 * TCP4 + endpoint,
				.service = TCP4,
				.generation = SERVICES_GENERATION,
				.kind = SL_FLOW_TO_CLIENT,
				.state = holder->state,
				.seen_s = now_s() - holder->age_s,
				.port = holder->client_port };

	memcpy(flow.addr, request.saddr, sizeof(flow.addr));
	rig_put_flow(rig, holder->table, &reply, &flow);
	flow.kind = SL_FLOW_TO_ENDPOINT;
	flow.port = holder->port;
	memcpy(flow.addr, reply.daddr, sizeof(flow.addr));
	if (holder->has_partner)
		rig_put_flow(rig, holder->table, &request, &flow);
}

static bool has_request(const struct rig *rig, enum rig_table table, uint16_t port,
			struct sl_flow *ret_flow)
{
	struct sl_tuple tuple = services_tuple(TCP4, port);

	return rig_flow(rig, table, &tuple, ret_flow);
}

#define FEW_PORTS 16

/* A port of a closed flow is taken before one whose client may believe that it is open. */
static void test_half_open_keeps_its_port(void **state)
{
	struct packet_desc syn = services_request(TCP4, PACKET_SYN);
	struct sl_meta meta = rig_default_meta();
	struct rig *rig = *state;

	meta.port_high = meta.port_low + FEW_PORTS - 1;
	rig_meta(rig, &meta);
	for_each_program (p) {
		for (uint16_t kept = 0; kept < FEW_PORTS; kept++) {
			struct sl_flow flow;

			rig_forget_flows(rig);
			for (uint16_t i = 0; i < FEW_PORTS; i++)
				put_holder(rig,
					   &(struct holder){
						   .client_port = client_port(i),
						   .port = RIG_PORT_LOW + i,
						   .table = i == kept ? RIG_HALF_OPEN_TABLE
								      : RIG_FLOWS_TABLE,
						   .state = i == kept ? SL_FLOW_ANSWERED : CLOSED,
						   .age_s = i == kept ? 1 : 3,
						   .has_partner = true });
			assert_int_equal(services_run(rig, *p, &syn).decision, SL_FORWARD_NAT);
			assert_true(
				has_request(rig, RIG_HALF_OPEN_TABLE, client_port(kept), &flow));
			assert_true(
				has_request(rig, RIG_HALF_OPEN_TABLE, SERVICES_CLIENT_PORT, &flow));
			assert_int_not_equal(flow.port, RIG_PORT_LOW + kept);
			assert_false(has_request(rig, RIG_FLOWS_TABLE,
						 client_port(flow.port - RIG_PORT_LOW), &flow));
		}
	}
}

/*
 * What is left of a flow whose client has opened another from the same port says nothing of that one, and
 * takes nothing away with it.
 */
static void test_leftover(void **state)
{
	struct packet_desc syn = services_request(TCP4, PACKET_SYN);
	struct holder leftover = {
		.client_port = FIRST_PORT, .port = RIG_PORT_LOW, .state = CLOSED, .age_s = 600
	};
	struct holder open = { .client_port = FIRST_PORT,
			       .port = RIG_PORT_LOW + 1,
			       .has_partner = true };
	struct sl_meta meta = rig_default_meta();
	struct rig *rig = *state;

	meta.port_high = meta.port_low;
	rig_meta(rig, &meta);
	for_each_program (p) {
		struct sl_flow flow;

		rig_forget_flows(rig);
		put_holder(rig, &leftover);
		put_holder(rig, &open);
		assert_int_equal(services_run(rig, *p, &syn).decision, SL_FORWARD_NAT);
		assert_true(has_request(rig, RIG_HALF_OPEN_TABLE, SERVICES_CLIENT_PORT, &flow));
		assert_int_equal(flow.port, RIG_PORT_LOW);
		assert_true(has_request(rig, RIG_FLOWS_TABLE, FIRST_PORT, &flow));
		assert_int_equal(flow.port, RIG_PORT_LOW + 1);
	}
}

#define row(test) cmocka_unit_test_setup_teardown(test, setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		row(test_begun_outlast_ended),
		row(test_half_open_keeps_its_port),
		row(test_leftover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
