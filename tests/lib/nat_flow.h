/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nat_flow - flows of services that are translated, and their packets on both sides, for tests;
 * included by one .c of each.
 */
#ifndef SLUICE_TESTS_NAT_FLOW_H
#define SLUICE_TESTS_NAT_FLOW_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/packet.h"
#include "tests/lib/rig.h"
#include "tests/lib/services.h"
#include "util/clock.h"

#define TTL 64
#define SYN_ACK (PACKET_SYN | PACKET_ACK)

static const struct services_kind nat = { .method = SL_METHOD_NAT,
					  .none = SL_ACTION_REJECT,
					  .flags = SL_SERVICE_SOURCE_NAT };

static inline int setup(void **state)
{
	struct rig *rig = *state = rig_new();

	services_make(rig, &nat);
	return 0;
}

#define row(test) cmocka_unit_test_setup_teardown(test, setup, rig_teardown)

static inline uint32_t now_s(void)
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

static inline struct packet_desc translated(const struct flow *flow, const struct packet_desc *desc)
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

static inline struct packet_desc translated_back(const struct flow *flow,
						 const struct packet_desc *desc)
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
static inline void request_passes(const struct flow *flow, const struct packet_desc *desc)
{
	struct rig_result result = services_run(flow->rig, flow->program, desc);
	struct packet_desc out = translated(flow, desc);
	struct sl_route route = services_route();

	services_expect(&result, SL_FORWARD_NAT, &out, &route);
	assert_int_equal(result.stats.packets, 1);
	assert_int_equal(result.service.packets, 1);
	assert_int_equal(result.service.replies, 0);
}

static inline struct packet_desc reply_of(const struct flow *flow, uint8_t flags)
{
	struct packet_desc desc = services_reply(flow->flavour, flow->endpoint, flow->port, flags);

	desc.dst = flow->source;
	return desc;
}

static inline void reply_passes(const struct flow *flow, const struct packet_desc *desc)
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
static inline struct flow open_flow(struct rig *rig, enum rig_program program, enum flavour f)
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
static inline struct flow establish(struct rig *rig, enum rig_program program, enum flavour f)
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

#endif
