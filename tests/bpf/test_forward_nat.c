// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Services whose flows are translated: how a flow opens and is believed, which port it gets, what
 * leaves in both directions, and how it ends.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/packet.h"
#include "tests/lib/rig.h"
#include "tests/lib/services.h"
#include "util/clock.h"

#define TTL 64
#define SYN_ACK (PACKET_SYN | PACKET_ACK)
#define UDP_CHECK (14 + 20 + 6)
#define PORTS (RIG_PORT_HIGH - RIG_PORT_LOW + 1)

static const struct services_kind nat = { .method = SL_METHOD_NAT,
					  .none = SL_ACTION_REJECT,
					  .flags = SL_SERVICE_SOURCE_NAT };
static const struct services_kind plain_nat = { .method = SL_METHOD_NAT, .none = SL_ACTION_REJECT };

static const struct sl_word healthy = { .health = SL_HEALTHY };

static int setup(void **state)
{
	struct rig *rig = *state = rig_new();

	services_make(rig, &nat);
	return 0;
}

static int setup_plain(void **state)
{
	struct rig *rig = *state = rig_new_plain_nat();

	services_make(rig, &plain_nat);
	return 0;
}

static uint32_t now_s(void)
{
	return (uint32_t)(clock_mono_ns() / NS_PER_SEC);
}

/* A flow of the client's, as the test believes that it is. */
struct flow {
	struct rig *rig;
	enum rig_program program;
	enum flavour flavour;
	int endpoint;
	uint16_t port;
	const char *source;
};

static struct packet_desc translated(const struct flow *flow, const struct packet_desc *desc)
{
	const struct flavour_facts *facts = &flavours[flow->flavour];
	struct packet_desc out = *desc;

	out.src = flow->source;
	out.sport = flow->port;
	out.dst = facts->endpoints[flow->endpoint];
	out.dport = facts->endpoint_port;
	out.ttl = (uint8_t)((desc->ttl ?: TTL) - 1);
	return out;
}

static struct packet_desc translated_back(const struct flow *flow, const struct packet_desc *desc)
{
	const struct flavour_facts *facts = &flavours[flow->flavour];
	struct packet_desc out = *desc;

	out.src = facts->vip;
	out.sport = facts->port;
	out.dst = facts->client;
	out.dport = SERVICES_CLIENT_PORT;
	out.ttl = (uint8_t)((desc->ttl ?: TTL) - 1);
	return out;
}

/* A packet from the client must reach the endpoint as it should look there. */
static void request_passes(const struct flow *flow, const struct packet_desc *desc)
{
	struct rig_result result = services_run(flow->rig, flow->program, desc);
	struct packet_desc out = translated(flow, desc);
	struct sl_route route = services_route();

	services_expect(&result, SL_FORWARD_NAT, &out, &route);
	assert_int_equal(result.stats.packets, 1);
	assert_int_equal(result.service.packets, 1);
	assert_int_equal(result.service.replies, 0);
}

static struct packet_desc reply_of(const struct flow *flow, uint8_t flags)
{
	struct packet_desc desc = services_reply(flow->flavour, flow->endpoint, flow->port, flags);

	desc.dst = flow->source;
	return desc;
}

static void reply_passes(const struct flow *flow, const struct packet_desc *desc)
{
	struct rig_result result = services_run(flow->rig, flow->program, desc);
	struct packet_desc out = translated_back(flow, desc);
	struct sl_route route = services_route();

	services_expect(&result, SL_FORWARD_REPLY, &out, &route);
	assert_int_equal(result.stats.packets, 0);
	assert_int_equal(result.service.packets, 0);
	assert_int_equal(result.service.replies, 1);
	assert_int_equal(result.service.reply_bytes, result.len);
}

/* Send what opens a flow, and learn its port. */
static struct flow open_flow(struct rig *rig, enum rig_program program, enum flavour f)
{
	struct packet_desc desc = services_request(f, PACKET_SYN);
	struct flow flow = { .rig = rig,
			     .program = program,
			     .flavour = f,
			     .endpoint = services_choice(rig, f, SERVICES_CLIENT_PORT),
			     .source = flavours[f].source };
	struct rig_result result = services_run(rig, program, &desc);
	struct sl_route route = services_route();
	struct packet_desc out;
	struct sl_flow entry;

	assert_int_equal(result.decision, SL_FORWARD_NAT);
	assert_int_equal(result.service.flows, 1);
	assert_true(services_request_flow(rig, RIG_HALF_OPEN_TABLE, f, &entry));
	flow.port = entry.port;
	out = translated(&flow, &desc);
	services_expect(&result, SL_FORWARD_NAT, &out, &route);
	return flow;
}

/* All the way to a flow whose client is believed. */
static struct flow establish(struct rig *rig, enum rig_program program, enum flavour f)
{
	struct flow flow = open_flow(rig, program, f);
	struct packet_desc answer = reply_of(&flow, SYN_ACK);
	struct packet_desc proof = services_request(f, PACKET_ACK);
	struct sl_flow entry;

	reply_passes(&flow, &answer);
	request_passes(&flow, &proof);
	assert_true(services_request_flow(rig, RIG_FLOWS_TABLE, f, &entry));
	return flow;
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

/* How flows end: what each packet leaves in both entries, and when a SYN begins anew. */
static void test_ends(void **state)
{
	static const struct {
		bool from_client;
		uint8_t flags, state;
		bool closed;
	} rows[] = {
		{ true, PACKET_ACK, 0, false },
		{ true, PACKET_ACK | PACKET_FIN, SL_FLOW_FIN_CLIENT, false },
		{ false, PACKET_ACK, SL_FLOW_FIN_CLIENT, false },
		{ false, PACKET_ACK | PACKET_FIN, SL_FLOW_FIN_CLIENT | SL_FLOW_FIN_ENDPOINT, true },
	};
	struct rig *rig = *state;

	for_each_program (p) {
		for (enum flavour f = TCP4; f < FLAVOURS; f += 2) {
			struct packet_desc syn = services_request(f, PACKET_SYN);
			struct flow flow;

			rig_forget_flows(rig);
			flow = establish(rig, *p, f);
			for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
				struct packet_desc desc =
					rows[i].from_client ? services_request(f, rows[i].flags)
							    : reply_of(&flow, rows[i].flags);
				struct sl_flow request, reply;
				struct rig_result result;

				if (rows[i].from_client)
					request_passes(&flow, &desc);
				else
					reply_passes(&flow, &desc);
				assert_true(
					services_request_flow(rig, RIG_FLOWS_TABLE, f, &request));
				assert_true(services_reply_flow(rig, RIG_FLOWS_TABLE, f,
								flow.endpoint, flow.port, &reply));
				assert_int_equal(request.state & ~SL_FLOW_ANSWERED, rows[i].state);
				assert_int_equal(reply.state & ~SL_FLOW_ANSWERED, rows[i].state);
				result = services_run(rig, *p, &syn);
				assert_int_equal(result.service.flows, rows[i].closed);
				assert_int_equal(
					services_request_flow(rig, RIG_FLOWS_TABLE, f, &request),
					!rows[i].closed);
			}
		}
	}
}

static void test_rst_ends(void **state)
{
	struct rig *rig = *state;

	for_each_program (p) {
		for (int by_client = 0; by_client < 2; by_client++) {
			struct packet_desc desc, syn = services_request(TCP4, PACKET_SYN);
			struct sl_flow entry;
			struct flow flow;

			/* A refusal, in the table of half-open flows. */
			rig_forget_flows(rig);
			flow = open_flow(rig, *p, TCP4);
			desc = reply_of(&flow, PACKET_RST | PACKET_ACK);
			reply_passes(&flow, &desc);
			assert_true(services_request_flow(rig, RIG_HALF_OPEN_TABLE, TCP4, &entry));
			assert_true(entry.state & SL_FLOW_RESET);
			assert_int_equal(services_run(rig, *p, &syn).service.flows, 1);

			rig_forget_flows(rig);
			flow = establish(rig, *p, TCP4);
			if (by_client) {
				desc = services_request(TCP4, PACKET_RST);
				request_passes(&flow, &desc);
			} else {
				desc = reply_of(&flow, PACKET_RST);
				reply_passes(&flow, &desc);
			}
			assert_int_equal(services_run(rig, *p, &syn).service.flows, 1);
		}
	}
}

/* What the client gets of a packet that came too late. */
static struct packet_desc cut_off(const struct flow *flow, const struct packet_desc *desc)
{
	struct packet_desc out = translated_back(flow, desc);

	out.tcp_flags = PACKET_RST | (desc->tcp_flags & PACKET_ACK);
	out.tcp_options = 0;
	out.payload = 0;
	out.padding = 0;
	return out;
}

/* With the endpoint's time over, whoever speaks first ends the flow: the client hears of it either way. */
static void test_reset(void **state)
{
	static const struct sl_word closed = { .health = SL_UNHEALTHY, .flags = SL_WORD_RESET };
	static const struct sl_word drained = { .health = SL_HEALTHY,
						.admin = SL_DRAINING,
						.deadline_s = 1 };
	struct sl_route route = services_route();
	struct rig *rig = *state;

	for_each_program (p) {
		for (enum flavour f = TCP4; f < FLAVOURS; f += 2) {
			for (int i = 0; i < 4; i++) {
				const struct sl_word word = i & 1 ? closed : drained;
				struct packet_desc desc;
				struct rig_result result;
				struct flow flow;

				rig_forget_flows(rig);
				services_words(rig, f, healthy, healthy);
				flow = establish(rig, *p, f);
				services_words(rig, f, word, word);
				desc = i & 2 ? services_request(f, PACKET_ACK)
					     : reply_of(&flow, PACKET_ACK);
				result = services_run(rig, *p, &desc);
				if (i & 2) {
					assert_int_equal(result.decision, SL_RESET);
					assert_int_equal(result.verdict, RIG_REPLY);
				} else {
					struct packet_desc out = cut_off(&flow, &desc);

					services_expect(&result, SL_FORWARD_RESET, &out, &route);
				}
				assert_int_equal(result.stats.reset, 1);
				assert_true(packet_checksums_ok(result.frame, result.len));
				assert_int_equal(rig_flows(rig, RIG_FLOWS_TABLE), 0);
				assert_int_equal(rig_flows(rig, RIG_HALF_OPEN_TABLE), 0);

				desc = i & 2 ? reply_of(&flow, PACKET_ACK)
					     : services_request(f, PACKET_ACK);
				result = services_run(rig, *p, &desc);
				assert_int_equal(result.decision,
						 i & 2 ? SL_PASS_NOT_OURS : SL_REJECT_NO_FLOW);
			}
		}
	}
}

/* Whatever the packet that came too late looks like, a RST of the least length leaves. */
static void test_reset_awkward(void **state)
{
	static const struct {
		bool v6;
		struct packet_desc desc;
	} rows[] = {
		{ false, { .payload = 1400, .tcp_options = 12 } },
		{ false, { .payload = 0, .padding = 6 } },
		{ false, { .payload = 1, .ip_options = 40 } },
		{ false, { .payload = 1, .tcp_options = 40, .frag_off = 0x4000, .ip_id = 7 } },
		{ true, { .payload = 1400, .tcp_options = 12 } },
		{ true, { .payload = 33, .extensions = "hd" } },
	};
	static const struct sl_word closed = { .health = SL_UNHEALTHY, .flags = SL_WORD_RESET };
	struct sl_route route = services_route();
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for_each_program (p) {
			enum flavour f = rows[i].v6 ? TCP6 : TCP4;
			const struct packet_desc *row = &rows[i].desc;
			struct packet_desc desc, out;
			struct rig_result result;
			struct flow flow;

			print_message("row %zu, %s\n", i, rig_program_name(*p));
			rig_forget_flows(rig);
			services_words(rig, f, healthy, healthy);
			flow = establish(rig, *p, f);
			services_words(rig, f, closed, closed);
			desc = reply_of(&flow, PACKET_ACK);
			desc.payload = row->payload;
			desc.tcp_options = row->tcp_options;
			desc.padding = row->padding;
			desc.ip_options = row->ip_options;
			desc.frag_off = row->frag_off;
			desc.ip_id = row->ip_id;
			desc.extensions = row->extensions;
			out = cut_off(&flow, &desc);
			result = services_run(rig, *p, &desc);
			services_expect(&result, SL_FORWARD_RESET, &out, &route);
		}
	}
}

/* Nothing is cut off while it is only observed. */
static void test_reset_observed(void **state)
{
	static const struct sl_word closed = { .health = SL_UNHEALTHY, .flags = SL_WORD_RESET };
	struct sl_meta meta = rig_default_meta();
	struct rig *rig = *state;

	for_each_program (p) {
		struct packet_desc desc;
		struct rig_result result;
		struct flow flow;

		rig_forget_flows(rig);
		services_words(rig, TCP4, healthy, healthy);
		flow = establish(rig, *p, TCP4);
		services_words(rig, TCP4, closed, closed);
		meta.mode = SL_MODE_OBSERVE;
		rig_meta(rig, &meta);
		desc = reply_of(&flow, PACKET_ACK);
		result = services_run(rig, *p, &desc);
		assert_int_equal(result.decision, SL_FORWARD_RESET);
		assert_int_equal(result.verdict, RIG_PASS);
		assert_int_equal(rig_flows(rig, RIG_FLOWS_TABLE), 2);
		meta.mode = SL_MODE_ENFORCE;
		rig_meta(rig, &meta);
	}
}

/* Its RST passes; and an endpoint that is only unhealthy keeps its flows. */
static void test_closed_but_open(void **state)
{
	static const struct sl_word closed = { .health = SL_UNHEALTHY, .flags = SL_WORD_RESET };
	static const struct sl_word unhealthy = { .health = SL_UNHEALTHY };
	struct rig *rig = *state;

	for_each_program (p) {
		struct packet_desc desc;
		struct flow flow;

		rig_forget_flows(rig);
		services_words(rig, TCP4, healthy, healthy);
		flow = establish(rig, *p, TCP4);
		services_words(rig, TCP4, unhealthy, unhealthy);
		desc = services_request(TCP4, PACKET_ACK);
		request_passes(&flow, &desc);
		desc = reply_of(&flow, PACKET_ACK);
		reply_passes(&flow, &desc);
		services_words(rig, TCP4, closed, closed);
		desc = reply_of(&flow, PACKET_RST);
		reply_passes(&flow, &desc);
		desc = services_request(TCP4, PACKET_RST);
		request_passes(&flow, &desc);
	}
}

/* Replies to nobody: to a port out of range, of an endpoint that has gone, of a flow the other way. */
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
		desc = reply_of(&flow, PACKET_ACK);
		assert_int_equal(services_run(rig, *p, &desc).decision, SL_PASS_NOT_OURS);
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

#define row(test) cmocka_unit_test_setup_teardown(test, setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		row(test_life_of_a_flow),
		row(test_not_believed),
		row(test_of_no_flow),
		row(test_many_flows),
		row(test_udp_checksums),
		row(test_port_rests),
		row(test_port_taken),
		row(test_half_forgotten),
		row(test_next_port),
		row(test_no_ports),
		row(test_no_source),
		row(test_ends),
		row(test_rst_ends),
		row(test_reset),
		row(test_reset_awkward),
		row(test_reset_observed),
		row(test_closed_but_open),
		row(test_no_reply_of_ours),
		row(test_reply_ttl),
		row(test_observe),
		cmocka_unit_test_setup_teardown(test_plain, setup_plain, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
