// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Gates that redirect: while one is closed, new flows to its endpoint go to another of the pool, and
 * their clients do not notice.
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
#define POOL(f) (8u + (f)) /* the service that endpoints of this flavour redirect in */
#define SYN_ACK (PACKET_SYN | PACKET_ACK)

/* The endpoint that clients address is the first; flows are redirected to the second. */
#define ADDRESSED 0
#define OTHER 1

static const struct sl_word healthy = { .health = SL_HEALTHY, .action = SL_ACTION_REDIRECT };
static const struct sl_word closed = { .health = SL_UNHEALTHY, .action = SL_ACTION_REDIRECT };

static int setup(void **state)
{
	static const struct services_kind nat = { .method = SL_METHOD_NAT,
						  .flags = SL_SERVICE_SOURCE_NAT };
	struct rig *rig = *state = rig_new();

	services_make(rig, &nat);
	for_each_flavour (f) {
		const struct rig_service pool = { .method = SL_METHOD_NAT,
						  .none = SL_ACTION_REJECT,
						  .flags = SL_SERVICE_SOURCE_NAT,
						  .slice = services_slice(f) };

		rig_service(rig, POOL(f), &pool);
		for (uint32_t i = 0; i < 2; i++)
			rig_redirect(rig, 2 * f + i, POOL(f));
		services_words(rig, f, healthy, healthy);
	}
	return 0;
}

static struct packet_desc request(enum flavour f, uint8_t flags)
{
	struct packet_desc desc = services_request(f, flags);

	desc.dst = flavours[f].endpoints[ADDRESSED];
	desc.dport = flavours[f].endpoint_port;
	return desc;
}

static bool find(const struct rig *rig, enum rig_table table, enum flavour f, struct sl_flow *ret)
{
	const struct flavour_facts *facts = &flavours[f];
	struct sl_tuple tuple =
		rig_tuple(facts->client, SERVICES_CLIENT_PORT, facts->endpoints[ADDRESSED],
			  facts->endpoint_port, facts->proto);

	return rig_flow(rig, table, &tuple, ret);
}

static void request_is_redirected(struct rig *rig, enum rig_program program, enum flavour f,
				  uint16_t port, uint8_t flags)
{
	struct packet_desc desc = request(f, flags), out = desc;
	struct rig_result result = services_run(rig, program, &desc);
	struct sl_route route = services_route();

	out.src = flavours[f].source;
	out.sport = port;
	out.dst = flavours[f].endpoints[OTHER];
	out.ttl = TTL - 1;
	services_expect(&result, SL_FORWARD_REDIRECT, &out, &route);
	/* It was addressed to one endpoint, and sent to the other. */
	assert_int_equal(result.stats.packets, 2);
	assert_int_equal(result.service.packets, 1);
}

static void reply_is_translated(struct rig *rig, enum rig_program program, enum flavour f,
				uint16_t port, uint8_t flags)
{
	struct packet_desc desc = services_reply(f, OTHER, port, flags), out = desc;
	struct rig_result result = services_run(rig, program, &desc);
	struct sl_route route = services_route();

	out.src = flavours[f].endpoints[ADDRESSED];
	out.dst = flavours[f].client;
	out.dport = SERVICES_CLIENT_PORT;
	out.ttl = TTL - 1;
	services_expect(&result, SL_FORWARD_REPLY, &out, &route);
}

/* Redirect a new flow; returns its source port towards the other endpoint. */
static uint16_t redirect(struct rig *rig, enum rig_program program, enum flavour f, bool establish)
{
	struct packet_desc desc = request(f, PACKET_SYN);
	struct sl_flow flow;

	services_words(rig, f, closed, healthy);
	services_run(rig, program, &desc);
	assert_true(find(rig, RIG_HALF_OPEN_TABLE, f, &flow));
	if (!establish)
		return flow.port;
	reply_is_translated(rig, program, f, flow.port, SYN_ACK);
	request_is_redirected(rig, program, f, flow.port, PACKET_ACK);
	assert_true(find(rig, RIG_FLOWS_TABLE, f, &flow));
	return flow.port;
}

static void test_life_of_a_flow(void **state)
{
	struct rig *rig = *state;

	for_each_program (p) {
		for_each_flavour (f) {
			struct sl_flow reply;
			uint16_t port;

			rig_forget_flows(rig);
			port = redirect(rig, *p, f, false);
			request_is_redirected(rig, *p, f, port, PACKET_SYN);
			reply_is_translated(rig, *p, f, port, SYN_ACK);
			request_is_redirected(rig, *p, f, port, PACKET_ACK);
			assert_int_equal(rig_flows(rig, RIG_FLOWS_TABLE), 2);
			assert_true(
				services_reply_flow(rig, RIG_FLOWS_TABLE, f, OTHER, port, &reply));
			assert_int_equal(reply.answer, 2 * f + ADDRESSED);
			assert_int_equal(reply.service, POOL(f));
			reply_is_translated(rig, *p, f, port, PACKET_ACK);

			/* The gate may open: the flow stays where it is. */
			services_words(rig, f, healthy, healthy);
			request_is_redirected(rig, *p, f, port, PACKET_ACK);
			reply_is_translated(rig, *p, f, port, PACKET_ACK);
		}
	}
}

/* A gate that redirects judges like any other as long as there is nothing to be redirected. */
static void test_gate(void **state)
{
	static const struct {
		struct sl_word word;
		uint8_t flags;
		enum sl_decision tcp, udp;
	} rows[] = {
		{ { .health = SL_HEALTHY }, PACKET_SYN, SL_PASS_HEALTHY, SL_PASS_HEALTHY },
		{ { .health = SL_HEALTHY }, PACKET_ACK, SL_PASS_HEALTHY, SL_PASS_HEALTHY },
		{ { .health = SL_UNKNOWN }, PACKET_SYN, SL_PASS_UNKNOWN, SL_PASS_UNKNOWN },
		{ { .health = SL_UNHEALTHY, .flags = SL_WORD_FORCED },
		  PACKET_SYN,
		  SL_PASS_FORCED,
		  SL_PASS_FORCED },
		{ { .health = SL_UNHEALTHY },
		  PACKET_ACK,
		  SL_PASS_ESTABLISHED,
		  SL_FORWARD_REDIRECT },
		{ { .health = SL_UNHEALTHY, .flags = SL_WORD_RESET },
		  PACKET_ACK,
		  SL_RESET,
		  SL_FORWARD_REDIRECT },
		{ { .health = SL_UNHEALTHY, .flags = SL_WORD_RESET },
		  PACKET_RST,
		  SL_PASS_ESTABLISHED,
		  SL_FORWARD_REDIRECT },
		{ { .health = SL_HEALTHY, .admin = SL_DRAINING },
		  PACKET_ACK,
		  SL_PASS_ESTABLISHED,
		  SL_FORWARD_REDIRECT },
		{ { .health = SL_HEALTHY, .admin = SL_DISABLED },
		  PACKET_SYN,
		  SL_FORWARD_REDIRECT,
		  SL_FORWARD_REDIRECT },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for_each_program (p) {
			for_each_flavour (f) {
				struct packet_desc desc = request(f, rows[i].flags);
				struct sl_word word = rows[i].word;
				struct rig_result result;

				rig_forget_flows(rig);
				word.action = SL_ACTION_REDIRECT;
				services_words(rig, f, word, healthy);
				result = services_run(rig, *p, &desc);
				assert_int_equal(result.decision, flavours[f].proto == SL_TCP
									  ? rows[i].tcp
									  : rows[i].udp);
				assert_int_equal(result.stats.reset, result.decision == SL_RESET);
				if (result.decision == SL_RESET)
					assert_int_equal(result.verdict, RIG_REPLY);
			}
		}
	}
}

/* Nobody to redirect to: what the pool says of that; no pool: as if it were not to be redirected. */
static void test_nobody(void **state)
{
	struct rig *rig = *state;

	for_each_program (p) {
		for_each_flavour (f) {
			struct packet_desc desc = request(f, PACKET_SYN);
			struct rig_result result;

			services_words(rig, f, closed, closed);
			result = services_run(rig, *p, &desc);
			assert_int_equal(result.decision, flavours[f].proto == SL_TCP
								  ? SL_REJECT_TCP
								  : SL_REJECT_UDP);
			assert_int_equal(result.service.none, 1);
			rig_redirect(rig, 2 * f + ADDRESSED, SL_ID_NONE);
			result = services_run(rig, *p, &desc);
			assert_int_equal(result.decision, SL_PASS_POLICY);
			assert_int_equal(result.verdict, RIG_PASS);
			rig_redirect(rig, 2 * f + ADDRESSED, POOL(f));
		}
	}
}

/* The next flow from the same client's port, when the gate is open again, is not redirected. */
static void test_over(void **state)
{
	struct rig *rig = *state;

	for_each_program (p) {
		for_each_flavour (f) {
			bool tcp = flavours[f].proto == SL_TCP;
			struct packet_desc desc = request(f, PACKET_SYN);
			struct sl_meta meta = rig_default_meta();
			struct sl_flow flow;
			uint16_t port;

			rig_forget_flows(rig);
			port = redirect(rig, *p, f, true);
			if (tcp)
				reply_is_translated(rig, *p, f, port, PACKET_RST);
			services_words(rig, f, healthy, healthy);
			meta.now_s = (uint32_t)(clock_mono_ns() / NS_PER_SEC) +
				     (tcp ? 0 : meta.idle_udp_s + 5);
			rig_meta(rig, &meta);
			assert_int_equal(services_run(rig, *p, &desc).decision, SL_PASS_HEALTHY);
			desc = request(f, PACKET_ACK);
			assert_int_equal(services_run(rig, *p, &desc).decision, SL_PASS_HEALTHY);
			assert_false(find(rig, RIG_FLOWS_TABLE, f, &flow));
			assert_false(
				services_reply_flow(rig, RIG_FLOWS_TABLE, f, OTHER, port, &flow));
			meta = rig_default_meta();
			rig_meta(rig, &meta);
		}
	}
}

/* An error about the other endpoint is shown to the client as one about whom it addressed. */
static void test_icmp(void **state)
{
	struct rig *rig = *state;

	for_each_program (p) {
		for_each_flavour (f) {
			struct packet_desc sent, seen = request(f, PACKET_ACK), desc, out;
			struct sl_route route = services_route();
			struct rig_result result;
			uint16_t port;

			rig_forget_flows(rig);
			port = redirect(rig, *p, f, true);
			sent = seen;
			sent.src = flavours[f].source;
			sent.sport = port;
			sent.dst = flavours[f].endpoints[OTHER];
			desc = (struct packet_desc){ .src = sent.dst,
						     .dst = sent.src,
						     .icmp_type = flavours[f].v6 ? 1 : 3,
						     .quoted = &sent };
			out = desc;
			out.src = seen.dst;
			out.dst = seen.src;
			out.quoted = &seen;
			out.ttl = TTL - 1;
			result = services_run(rig, *p, &desc);
			services_expect(&result, SL_FORWARD_ICMP, &out, &route);

			seen.src = flavours[f].endpoints[ADDRESSED];
			seen.sport = flavours[f].endpoint_port;
			seen.dst = flavours[f].client;
			seen.dport = SERVICES_CLIENT_PORT;
			sent.src = flavours[f].endpoints[OTHER];
			sent.sport = flavours[f].endpoint_port;
			sent.dst = flavours[f].source;
			sent.dport = port;
			desc.src = seen.dst;
			desc.dst = seen.src;
			desc.quoted = &seen;
			out.src = sent.dst;
			out.dst = sent.src;
			out.quoted = &sent;
			result = services_run(rig, *p, &desc);
			services_expect(&result, SL_FORWARD_ICMP, &out, &route);
		}
	}
}

/* What this host itself sends is not redirected. */
static void test_egress(void **state)
{
	for_each_flavour (f) {
		struct packet_desc desc = request(f, PACKET_SYN);
		struct rig_result result;

		services_words(*state, f, closed, healthy);
		result = services_run(*state, RIG_TC_EGRESS, &desc);
		assert_int_equal(result.decision, SL_PASS_POLICY);
		assert_int_equal(result.stats.packets, 1);
	}
}

#define row(test) cmocka_unit_test_setup_teardown(test, setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		row(test_life_of_a_flow), row(test_gate), row(test_nobody),
		row(test_over),           row(test_icmp), row(test_egress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
