// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Services whose flows are translated: how a flow opens and is believed, and what leaves in both
 * directions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/nat_flow.h"

#define UDP_CHECK (14 + 20 + 6)
#define PORTS (RIG_PORT_HIGH - RIG_PORT_LOW + 1)

static const struct services_kind plain_nat = { .method = SL_METHOD_NAT, .none = SL_ACTION_REJECT };

static int setup_plain(void **state)
{
	struct rig *rig = *state = rig_new_plain_nat();

	services_make(rig, &plain_nat);
	return 0;
}

static void check_entries(const struct flow *flow, enum rig_table table)
{
	const struct flavour_facts *facts = &flavours[flow->flavour];
	struct sl_tuple client = rig_tuple(facts->client, 0, facts->source, 0, SL_TCP);
	struct sl_flow request, reply;

	assert_true(services_request_flow(flow->rig, table, flow->flavour, &request));
	assert_true(services_reply_flow(flow->rig, table, flow->flavour, flow->endpoint, flow->port,
					&reply));
	assert_int_equal(request.kind, SL_FLOW_TO_ENDPOINT);
	assert_int_equal(reply.kind, SL_FLOW_TO_CLIENT);
	assert_int_equal(request.endpoint, 2 * flow->flavour + flow->endpoint);
	assert_int_equal(reply.endpoint, request.endpoint);
	assert_int_equal(request.service, flow->flavour);
	assert_int_equal(reply.service, flow->flavour);
	assert_int_equal(request.generation, SERVICES_GENERATION);
	assert_int_equal(reply.generation, SERVICES_GENERATION);
	assert_int_equal(request.port, flow->port);
	assert_int_equal(reply.port, SERVICES_CLIENT_PORT);
	assert_memory_equal(request.addr, client.daddr, SL_ADDR_LEN);
	assert_memory_equal(reply.addr, client.saddr, SL_ADDR_LEN);
	assert_in_range(now_s() - request.seen_s, 0, 2);
	assert_in_range(now_s() - reply.seen_s, 0, 2);
}

static void test_life_of_a_flow(void **state)
{
	struct rig *rig = *state;

	for_each_program (p) {
		for_each_flavour (f) {
			struct packet_desc desc;
			struct sl_flow entry;
			struct flow flow;

			rig_forget_flows(rig);
			flow = open_flow(rig, *p, f);
			assert_in_range(flow.port, RIG_PORT_LOW, RIG_PORT_HIGH);
			check_entries(&flow, RIG_HALF_OPEN_TABLE);
			assert_int_equal(rig_flows(rig, RIG_HALF_OPEN_TABLE), 2);

			/* Sent again, it takes the same way. */
			desc = services_request(f, PACKET_SYN);
			request_passes(&flow, &desc);
			assert_int_equal(rig_flows(rig, RIG_HALF_OPEN_TABLE), 2);

			desc = reply_of(&flow, SYN_ACK);
			reply_passes(&flow, &desc);
			assert_int_equal(rig_flows(rig, RIG_FLOWS_TABLE), 0);
			desc = services_request(f, PACKET_ACK);
			request_passes(&flow, &desc);
			check_entries(&flow, RIG_FLOWS_TABLE);
			assert_int_equal(rig_flows(rig, RIG_FLOWS_TABLE), 2);
			assert_false(services_request_flow(rig, RIG_HALF_OPEN_TABLE, f, &entry));

			request_passes(&flow, &desc);
			desc = reply_of(&flow, PACKET_ACK);
			reply_passes(&flow, &desc);
		}
	}
}

/* What a spoofed client cannot know does not open a flow; but the endpoint may judge it. */
static void test_not_believed(void **state)
{
	struct rig *rig = *state;

	for_each_program (p) {
		struct packet_desc desc = services_request(TCP4, PACKET_ACK), answer;
		struct flow flow;

		rig_forget_flows(rig);
		flow = open_flow(rig, *p, TCP4);
		request_passes(&flow, &desc); /* before the endpoint's answer */
		answer = reply_of(&flow, PACKET_ACK);
		reply_passes(&flow, &answer);
		request_passes(&flow, &desc); /* what it sent was no answer */
		answer = reply_of(&flow, SYN_ACK);
		reply_passes(&flow, &answer);
		desc.ack--;
		request_passes(&flow, &desc);
		desc.ack += 2;
		request_passes(&flow, &desc);
		desc.ack--;
		desc.tcp_flags = SYN_ACK;
		request_passes(&flow, &desc);
		assert_int_equal(rig_flows(rig, RIG_FLOWS_TABLE), 0);
		desc.tcp_flags = PACKET_ACK;
		request_passes(&flow, &desc);
		assert_int_equal(rig_flows(rig, RIG_FLOWS_TABLE), 2);

		rig_forget_flows(rig);
		flow = open_flow(rig, *p, UDP6);
		desc = services_request(UDP6, 0);
		request_passes(&flow, &desc); /* many datagrams, and no answer */
		request_passes(&flow, &desc);
		assert_int_equal(rig_flows(rig, RIG_FLOWS_TABLE), 0);
	}
}

static void test_of_no_flow(void **state)
{
	for_each_program (p) {
		for_each_flavour (f) {
			struct packet_desc desc = services_request(f, PACKET_ACK);
			struct rig_result result;

			if (flavours[f].proto != SL_TCP)
				continue;
			result = services_run(*state, *p, &desc);
			assert_int_equal(result.decision, SL_REJECT_NO_FLOW);
			assert_int_equal(result.verdict, RIG_REPLY);
			assert_true(packet_checksums_ok(result.frame, result.len));
			desc.tcp_flags = PACKET_RST;
			result = services_run(*state, *p, &desc);
			assert_int_equal(result.decision, SL_DROP_NO_REPLY);
			assert_int_equal(result.verdict, RIG_DROP);
		}
		assert_int_equal(rig_flows(*state, RIG_HALF_OPEN_TABLE), 0);
	}
}

/* Many flows, and every packet right; ports differ where they must. */
static void test_many_flows(void **state)
{
	static uint8_t used[2][PORTS];
	struct sl_meta meta = rig_default_meta();
	struct rig *rig = *state;

	meta.half_open_s = 3600; /* no port may be free again, however slow the machine */
	rig_meta(rig, &meta);
	for_each_flavour (f) {
		memset(used, 0, sizeof(used));
		for (uint16_t i = 0; i < 3000; i++) {
			struct packet_desc desc = services_request(f, PACKET_SYN), out;
			struct sl_tuple tuple = services_tuple(f, (uint16_t)(1024 + i));
			int endpoint = services_choice(rig, f, (uint16_t)(1024 + i));
			struct flow flow = { .flavour = f,
					     .endpoint = endpoint,
					     .source = flavours[f].source };
			struct sl_route route = services_route();
			struct rig_result result;
			struct sl_flow entry;

			if (i % SL_ROUTE_USES == 0)
				services_make(rig, &nat);
			desc.sport = (uint16_t)(1024 + i);
			desc.payload = i % 7;
			result = services_run(rig, programs[i % PROGRAMS], &desc);
			assert_true(rig_flow(rig, RIG_HALF_OPEN_TABLE, &tuple, &entry));
			flow.port = entry.port;
			out = translated(&flow, &desc);
			services_expect(&result, SL_FORWARD_NAT, &out, &route);
			assert_in_range(entry.port, RIG_PORT_LOW, RIG_PORT_HIGH);
			assert_int_equal(used[endpoint][entry.port - RIG_PORT_LOW]++, 0);
		}
	}
}

/* UDP's two ways to write zero: none, which stays; and a sum of zero, which is written as ones. */
static void test_udp_checksums(void **state)
{
	for_each_program (p) {
		struct packet_desc desc = services_request(UDP4, 0);
		int zeros = 0;
		struct flow flow;

		rig_forget_flows(*state);
		flow = open_flow(*state, *p, UDP4);
		desc.udp_unchecked = true;
		request_passes(&flow, &desc);
		desc = reply_of(&flow, 0);
		desc.udp_unchecked = true;
		reply_passes(&flow, &desc);

		/* Among all payloads of two bytes one makes the sum come out as zero. */
		for (int i = 0; i < 0x10000 && !zeros; i++) {
			uint8_t frame[PACKET_MAX];
			struct packet_desc out;

			desc = services_request(UDP4, 0);
			desc.payload = 2;
			desc.fill = (uint16_t)i;
			out = translated(&flow, &desc);
			packet_build(frame, &out);
			zeros = frame[UDP_CHECK] == 0xff && frame[UDP_CHECK + 1] == 0xff;
		}
		assert_true(zeros);
		request_passes(&flow, &desc);
	}
}

static void test_no_source(void **state)
{
	static const char *const sources[FLAVOURS] = { "::", "fd00::fe", "::", "10.0.0.254" };

	for_each_flavour (f) {
		struct packet_desc desc = services_request(f, PACKET_SYN);

		for (uint32_t i = 0; i < 2; i++)
			rig_source(*state, 2 * f + i, sources[f], SERVICES_GENERATION);
		for_each_program (p) {
			struct rig_result result = services_run(*state, *p, &desc);

			services_expect(&result, SL_DROP_NO_ROUTE, NULL, NULL);
			assert_int_equal(result.service.failed, 1);
			assert_int_equal(rig_flows(*state, RIG_HALF_OPEN_TABLE), 0);
		}
	}
}

/* Replies to nobody: to a port out of range, of a flow the other way, of a port nobody asked; and a packet to who has gone. */
static void test_no_reply_of_ours(void **state)
{
	struct rig *rig = *state;

	for_each_program (p) {
		struct packet_desc desc = services_reply(TCP4, 0, RIG_PORT_LOW, PACKET_ACK);
		const struct flavour_facts *facts = &flavours[TCP4];
		struct sl_tuple tuple;
		struct sl_flow entry = { .generation = SERVICES_GENERATION,
					 .kind = SL_FLOW_TO_CLIENT };
		struct flow flow;

		rig_forget_flows(rig);
		assert_int_equal(services_run(rig, *p, &desc).decision, SL_PASS_NOT_OURS);

		desc.dport = RIG_PORT_HIGH + 1;
		tuple = rig_tuple(desc.src, desc.sport, desc.dst, desc.dport, SL_TCP);
		rig_put_flow(rig, RIG_FLOWS_TABLE, &tuple, &entry);
		assert_int_equal(services_run(rig, *p, &desc).decision, SL_PASS_NOT_OURS);

		desc.dport = RIG_PORT_HIGH;
		tuple = rig_tuple(desc.src, desc.sport, desc.dst, desc.dport, SL_TCP);
		entry.kind = SL_FLOW_TO_ENDPOINT;
		rig_put_flow(rig, RIG_FLOWS_TABLE, &tuple, &entry);
		assert_int_equal(services_run(rig, *p, &desc).decision, SL_PASS_NOT_OURS);

		rig_forget_flows(rig);
		flow = establish(rig, *p, TCP4);
		desc = reply_of(&flow, PACKET_ACK);
		desc.sport++;
		assert_int_equal(services_run(rig, *p, &desc).decision, SL_PASS_NOT_OURS);
		for (uint32_t id = 0; id < 2; id++)
			rig_source(rig, id, facts->source, SERVICES_GENERATION + 1);
		desc = services_request(TCP4, PACKET_ACK);
		assert_int_equal(services_run(rig, *p, &desc).decision, SL_REJECT_NO_FLOW);
		services_make(rig, &nat);
	}
}

static void test_reply_ttl(void **state)
{
	for_each_program (p) {
		struct packet_desc desc;
		struct flow flow;

		rig_forget_flows(*state);
		flow = establish(*state, *p, TCP6);
		desc = reply_of(&flow, PACKET_ACK);
		desc.ttl = 1;
		assert_int_equal(services_run(*state, *p, &desc).decision, SL_DROP_TTL);
		desc = services_request(TCP6, PACKET_ACK);
		desc.ttl = 1;
		assert_int_equal(services_run(*state, *p, &desc).decision, SL_DROP_TTL);
	}
}

static void test_observe(void **state)
{
	struct sl_meta meta = rig_default_meta();
	struct rig *rig = *state;

	for_each_program (p) {
		for_each_flavour (f) {
			struct packet_desc desc = services_request(f, PACKET_SYN);
			struct rig_result result;
			struct flow flow;

			meta.mode = SL_MODE_OBSERVE;
			rig_meta(rig, &meta);
			rig_forget_flows(rig);
			result = services_run(rig, *p, &desc);
			assert_int_equal(result.decision, SL_FORWARD_NAT);
			assert_int_equal(result.verdict, RIG_PASS);
			assert_int_equal(rig_flows(rig, RIG_HALF_OPEN_TABLE), 0);
			meta.mode = SL_MODE_ENFORCE;
			rig_meta(rig, &meta);
			flow = open_flow(rig, *p, f);
			meta.mode = SL_MODE_OBSERVE;
			rig_meta(rig, &meta);
			desc = reply_of(&flow, SYN_ACK);
			result = services_run(rig, *p, &desc);
			assert_int_equal(result.decision, SL_FORWARD_REPLY);
			assert_int_equal(result.verdict, RIG_PASS);
			desc = services_request(f, PACKET_ACK);
			services_run(rig, *p, &desc);
			assert_int_equal(rig_flows(rig, RIG_FLOWS_TABLE), 0);
			assert_int_equal(rig_flows(rig, RIG_HALF_OPEN_TABLE), 2);
		}
		meta.mode = SL_MODE_ENFORCE;
		rig_meta(rig, &meta);
	}
}

/* Without source NAT the endpoint sees the client's address, and its port if that is free. */
static void test_plain(void **state)
{
	struct rig *rig = *state;

	for_each_program (p) {
		for_each_flavour (f) {
			const struct flavour_facts *facts = &flavours[f];
			struct packet_desc desc = services_request(f, PACKET_SYN);
			struct flow flow = { .rig = rig,
					     .program = *p,
					     .flavour = f,
					     .endpoint =
						     services_choice(rig, f, SERVICES_CLIENT_PORT),
					     .port = SERVICES_CLIENT_PORT,
					     .source = facts->client };
			struct sl_tuple tuple =
				rig_tuple(facts->endpoints[flow.endpoint], facts->endpoint_port,
					  facts->client, SERVICES_CLIENT_PORT, facts->proto);
			struct sl_flow entry = { .kind = SL_FLOW_TO_CLIENT,
						 .seen_s = now_s(),
						 .port = 1 };

			rig_forget_flows(rig);
			request_passes(&flow, &desc);
			desc = reply_of(&flow, SYN_ACK);
			reply_passes(&flow, &desc);
			desc = services_request(f, PACKET_ACK);
			request_passes(&flow, &desc);
			assert_int_equal(rig_flows(rig, RIG_FLOWS_TABLE), 2);

			rig_forget_flows(rig);
			rig_put_flow(rig, RIG_FLOWS_TABLE, &tuple, &entry);
			desc = services_request(f, PACKET_SYN);
			services_run(rig, *p, &desc);
			assert_true(services_request_flow(rig, RIG_HALF_OPEN_TABLE, f, &entry));
			assert_in_range(entry.port, RIG_PORT_LOW, RIG_PORT_HIGH);
			flow.port = entry.port;
			request_passes(&flow, &desc);
			desc = reply_of(&flow, SYN_ACK);
			reply_passes(&flow, &desc);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		row(test_life_of_a_flow),
		row(test_not_believed),
		row(test_of_no_flow),
		row(test_many_flows),
		row(test_udp_checksums),
		row(test_no_source),
		row(test_no_reply_of_ours),
		row(test_reply_ttl),
		row(test_observe),
		cmocka_unit_test_setup_teardown(test_plain, setup_plain, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
