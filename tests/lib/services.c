// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/services.h"

#include <linux/if_ether.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sluice/hash.h"

#define FACTS4                                                                                  \
	.client = "192.0.2.1", .vip = "198.51.100.10", .endpoints = { "10.0.0.1", "10.0.0.2" }, \
	.source = "10.0.0.254"
#define FACTS6                                                                                   \
	.client = "2001:db8::1", .vip = "2001:db8:1::10", .endpoints = { "fd00::1", "fd00::2" }, \
	.source = "fd00::fe", .v6 = true

const enum rig_program programs[PROGRAMS] = { RIG_XDP, RIG_TC_INGRESS };

const struct flavour_facts flavours[FLAVOURS] = {
	[TCP4] = { FACTS4, .port = 80, .endpoint_port = 8080, .proto = SL_TCP },
	[UDP4] = { FACTS4, .port = 53, .endpoint_port = 5353, .proto = SL_UDP },
	[TCP6] = { FACTS6, .port = 80, .endpoint_port = 8080, .proto = SL_TCP },
	[UDP6] = { FACTS6, .port = 53, .endpoint_port = 5353, .proto = SL_UDP },
};

static const struct sl_word healthy = { .health = SL_HEALTHY };

struct sl_slice services_slice(enum flavour flavour)
{
	return (struct sl_slice){ .start = 100 + flavour * SERVICES_SLOTS, .size = SERVICES_SLOTS };
}

struct sl_route services_route(void)
{
	return (struct sl_route){ .ifindex = RIG_IFINDEX_OUT,
				  .mtu = SERVICES_MTU,
				  .src_mac = { 2, 0, 0, 0, 9, 1 },
				  .dst_mac = { 2, 0, 0, 0, 9, 2 } };
}

static void make_flavour(struct rig *rig, enum flavour flavour, const struct services_kind *kind)
{
	const struct flavour_facts *facts = &flavours[flavour];
	const uint32_t ids[] = { 2 * flavour, 2 * flavour + 1 };
	const struct rig_service service = { .addr = facts->vip,
					     .port = facts->port,
					     .proto = facts->proto,
					     .method = kind->method,
					     .none = kind->none,
					     .flags = kind->flags,
					     .slice = services_slice(flavour) };

	for (int i = 0; i < 2; i++) {
		rig_endpoint(rig, ids[i], facts->endpoints[i], facts->endpoint_port, facts->proto);
		rig_source(rig, ids[i], facts->source, SERVICES_GENERATION);
		rig_route(rig, facts->endpoints[i], services_route());
	}
	rig_route(rig, facts->client, services_route());
	rig_service(rig, flavour, &service);
	rig_select(rig, service.slice, ids, 2);
	services_words(rig, flavour, healthy, healthy);
}

void services_make(struct rig *rig, const struct services_kind *kind)
{
	for (enum flavour flavour = 0; flavour < FLAVOURS; flavour++)
		make_flavour(rig, flavour, kind);
}

struct packet_desc services_request(enum flavour flavour, uint8_t flags)
{
	const struct flavour_facts *facts = &flavours[flavour];

	return (struct packet_desc){ .src = facts->client,
				     .dst = facts->vip,
				     .sport = SERVICES_CLIENT_PORT,
				     .dport = facts->port,
				     .proto = facts->proto,
				     .tcp_flags = facts->proto == SL_TCP ? flags : 0,
				     .seq = 1000,
				     .ack = flags & PACKET_ACK ? 5001 : 0,
				     .payload = flags & PACKET_SYN ? 0 : 100 };
}

struct packet_desc services_reply(enum flavour flavour, int endpoint, uint16_t port, uint8_t flags)
{
	const struct flavour_facts *facts = &flavours[flavour];

	return (struct packet_desc){ .src = facts->endpoints[endpoint],
				     .dst = facts->source,
				     .sport = facts->endpoint_port,
				     .dport = port,
				     .proto = facts->proto,
				     .tcp_flags = facts->proto == SL_TCP ? flags : 0,
				     .seq = 5000,
				     .ack = 1001,
				     .payload = flags & PACKET_SYN ? 0 : 200 };
}

bool services_request_flow(const struct rig *rig, enum rig_table table, enum flavour flavour,
			   struct sl_flow *ret)
{
	struct sl_tuple tuple = services_tuple(flavour, SERVICES_CLIENT_PORT);

	return rig_flow(rig, table, &tuple, ret);
}

bool services_reply_flow(const struct rig *rig, enum rig_table table, enum flavour flavour,
			 int endpoint, uint16_t port, struct sl_flow *ret)
{
	const struct flavour_facts *facts = &flavours[flavour];
	struct sl_tuple tuple = rig_tuple(facts->endpoints[endpoint], facts->endpoint_port,
					  facts->source, port, facts->proto);

	return rig_flow(rig, table, &tuple, ret);
}

struct sl_tuple services_tuple(enum flavour flavour, uint16_t client_port)
{
	const struct flavour_facts *facts = &flavours[flavour];

	return rig_tuple(facts->client, client_port, facts->vip, facts->port, facts->proto);
}

int services_choice(const struct rig *rig, enum flavour flavour, uint16_t client_port)
{
	struct sl_tuple tuple = services_tuple(flavour, client_port);
	uint32_t id = rig_selected(rig, services_slice(flavour), sl_flow_hash(&tuple));

	return (int)(id - 2 * flavour);
}

void services_words(struct rig *rig, enum flavour flavour, struct sl_word first,
		    struct sl_word second)
{
	rig_word(rig, 2 * flavour, first);
	rig_word(rig, 2 * flavour + 1, second);
}

struct rig_result services_run(struct rig *rig, enum rig_program program,
			       const struct packet_desc *desc)
{
	uint8_t frame[PACKET_MAX];
	size_t len = packet_build(frame, desc);

	return rig_run(rig, program, frame, len, (struct rig_skb){ 0 });
}

static void print_frame(const char *what, const uint8_t *frame, size_t len)
{
	printf("%s:", what);
	for (size_t i = 0; i < len && i < 120; i++)
		printf("%s%02x", i % 16 ? " " : "\n  ", frame[i]);
	printf("\n");
}

static size_t build_sent(uint8_t *frame, const struct packet_desc *desc,
			 const struct sl_route *route)
{
	size_t len = packet_build(frame, desc);

	memcpy(frame, route->dst_mac, ETH_ALEN);
	memcpy(frame + ETH_ALEN, route->src_mac, ETH_ALEN);
	return len;
}

void services_expect(const struct rig_result *result, enum sl_decision decision,
		     const struct packet_desc *out, const struct sl_route *route)
{
	bool sent = result->verdict == RIG_REPLY || result->verdict == RIG_FORWARD;
	uint8_t expected[PACKET_MAX];
	size_t len;

	if (result->decision != (int)decision)
		fail_msg("%s instead of %s", rig_decision_name(result->decision),
			 rig_decision_name((int)decision));
	assert_int_equal(sent, out != NULL);
	if (!out)
		return;

	len = build_sent(expected, out, route);
	if (result->len != len || memcmp(result->frame, expected, len) != 0) {
		print_frame("sent", result->frame, result->len);
		print_frame("expected", expected, len);
	}
	assert_int_equal(result->len, len);
	assert_memory_equal(result->frame, expected, len);
	if (!out->padding && !out->ip_options && !out->extensions && !out->frag_off)
		assert_true(packet_checksums_ok(result->frame, result->len));
}
