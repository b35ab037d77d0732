// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the XDP program keeps of flows that had a packet lately: it must not be believed for longer than
 * it is true.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/packet.h"
#include "tests/lib/rig.h"
#include "tests/lib/services.h"

#define USES 16 /* as in bpf/recent.h */
#define FLOWS 4000 /* several for each slot */

static const struct services_kind nat = { .method = SL_METHOD_NAT,
					  .none = SL_ACTION_REJECT,
					  .flags = SL_SERVICE_SOURCE_NAT };
static const struct services_kind dsr = { .method = SL_METHOD_DSR, .none = SL_ACTION_REJECT };

static int setup(void **state)
{
	*state = rig_new();
	return 0;
}

/* The clock of the programs, which goes on when the daemon says so. */
static void set_clock(struct rig *rig, uint32_t now_s)
{
	struct sl_meta meta = rig_default_meta();

	meta.now_s = now_s;
	rig_meta(rig, &meta);
}

static struct sl_flow flow_to(enum flavour f, int endpoint, uint16_t port)
{
	struct sl_tuple tuple = rig_tuple(flavours[f].source, 0, flavours[f].source, 0, SL_TCP);
	struct sl_flow flow = { .endpoint = 2 * f + (uint32_t)endpoint,
				.service = f,
				.generation = SERVICES_GENERATION,
				.kind = SL_FLOW_TO_ENDPOINT,
				.port = port };

	if (port)
		memcpy(flow.addr, tuple.saddr, sizeof(flow.addr));
	return flow;
}

static int decision_of(struct rig *rig, const struct packet_desc *desc)
{
	return services_run(rig, RIG_XDP, desc).decision;
}

/* A flow that is forgotten, perhaps by another CPU, is gone after a few packets, or with the second. */
static void test_forgotten(void **state)
{
	struct rig *rig = *state;

	services_make(rig, &nat);
	for_each_flavour (f) {
		struct packet_desc desc = services_request(f, PACKET_ACK);
		struct sl_tuple tuple = services_tuple(f, SERVICES_CLIENT_PORT);
		struct sl_flow flow = flow_to(f, 0, 20000);
		int n = 0;

		if (flavours[f].proto != SL_TCP)
			continue;
		for (int by_clock = 0; by_clock < 2; by_clock++) {
			set_clock(rig, 100);
			rig_forget_recents(rig);
			rig_put_flow(rig, RIG_FLOWS_TABLE, &tuple, &flow);
			assert_int_equal(decision_of(rig, &desc), SL_FORWARD_NAT);
			rig_forget_flow(rig, &tuple);
			if (by_clock) {
				set_clock(rig, 101);
				assert_int_equal(decision_of(rig, &desc), SL_REJECT_NO_FLOW);
				continue;
			}
			for (n = 0; decision_of(rig, &desc) == SL_FORWARD_NAT; n++)
				assert_true(n < USES);
			assert_int_equal(n, USES);
			assert_int_equal(decision_of(rig, &desc), SL_REJECT_NO_FLOW);
		}
	}
}

/* What takes the long way, as everything that opens or ends a flow does, ends it at once. */
static void test_opened_anew(void **state)
{
	static const uint8_t flags[] = { PACKET_SYN, PACKET_ACK | PACKET_RST,
					 PACKET_ACK | PACKET_FIN };
	struct rig *rig = *state;

	services_make(rig, &dsr);
	for_each_flavour (f) {
		struct sl_tuple tuple = services_tuple(f, SERVICES_CLIENT_PORT);
		int choice = services_choice(rig, f, SERVICES_CLIENT_PORT);

		if (flavours[f].proto != SL_TCP)
			continue;
		for (size_t i = 0; i < sizeof(flags); i++) {
			struct packet_desc ack = services_request(f, PACKET_ACK);
			struct packet_desc other = services_request(f, flags[i]);
			struct sl_flow flow = flow_to(f, !choice, 0);

			set_clock(rig, 100);
			rig_forget_flows(rig);
			rig_put_flow(rig, RIG_FLOWS_TABLE, &tuple, &flow);
			services_run(rig, RIG_XDP, &ack);
			rig_forget_flow(rig, &tuple);
			services_run(rig, RIG_XDP, &other);
			rig_forget_flow(rig, &tuple);
			set_clock(rig, 100);
			services_run(rig, RIG_XDP, &ack);
			assert_true(rig_flow(rig, RIG_FLOWS_TABLE, &tuple, &flow));
			assert_int_equal(flow.endpoint, 2 * f + choice);
		}
	}
}

/* Its entry is seen to be used, if only once a second. */
static void test_stays_young(void **state)
{
	struct packet_desc desc = services_request(TCP4, PACKET_ACK);
	struct sl_tuple tuple = services_tuple(TCP4, SERVICES_CLIENT_PORT);
	struct sl_flow flow = flow_to(TCP4, 1, 0);
	struct rig *rig = *state;

	services_make(rig, &dsr);
	rig_put_flow(rig, RIG_FLOWS_TABLE, &tuple, &flow);
	for (uint32_t now = 100; now < 105; now++) {
		set_clock(rig, now);
		for (int i = 0; i < 3; i++) {
			services_run(rig, RIG_XDP, &desc);
			assert_true(rig_flow(rig, RIG_FLOWS_TABLE, &tuple, &flow));
			assert_int_equal(flow.seen_s, now);
		}
	}
}

/* Ways to both endpoints that can be told apart; what is kept of them is good for so many packets. */
static void make_ways(struct rig *rig, enum flavour f)
{
	struct sl_route route = services_route();

	for (uint8_t i = 0; i < 2; i++) {
		route.dst_mac[sizeof(route.dst_mac) - 1] = i;
		rig_route(rig, flavours[f].endpoints[i], route);
	}
}

/* Flows that share a slot are still told apart. */
static void test_shared_slots(void **state)
{
	struct rig *rig = *state;

	services_make(rig, &dsr);
	set_clock(rig, 100);
	for_each_flavour (f) {
		for (uint16_t i = 0; i < FLOWS; i++) {
			struct sl_tuple tuple = services_tuple(f, (uint16_t)(1024 + i));
			struct sl_flow flow = flow_to(f, i & 1, 0);

			flow.seen_s = 100;
			rig_put_flow(rig, RIG_FLOWS_TABLE, &tuple, &flow);
		}
		for (int round = 0; round < 2; round++) {
			for (uint16_t i = 0; i < FLOWS; i++) {
				struct packet_desc desc = services_request(f, PACKET_ACK);
				struct rig_result result;

				if (i % SL_ROUTE_USES == 0)
					make_ways(rig, f);
				desc.sport = (uint16_t)(1024 + i);
				result = services_run(rig, RIG_XDP, &desc);
				assert_int_equal(result.decision, SL_FORWARD_DSR);
				assert_int_equal(result.frame[5], i & 1);
			}
		}
		rig_forget_flows(rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_forgotten, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_opened_anew, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_stays_young, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_shared_slots, setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
