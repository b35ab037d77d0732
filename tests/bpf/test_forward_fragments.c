// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fragments of what is forwarded: the later ones go where the first one went, and leave as it did, as
 * far as they have anything that could be translated.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/packet.h"
#include "tests/lib/rig.h"
#include "tests/lib/services.h"

#define TTL 64
#define ID 77
#define MORE 0x2000
#define DONT_FRAGMENT 0x4000
#define OFFSET 125 /* of 8 bytes */
#define PAYLOAD 992
#define POOL(f) (8u + (f))

static const struct services_kind kinds[] = {
	[SL_METHOD_NAT] = { .method = SL_METHOD_NAT, .flags = SL_SERVICE_SOURCE_NAT },
	[SL_METHOD_DSR] = { .method = SL_METHOD_DSR },
	[SL_METHOD_IPIP] = { .method = SL_METHOD_IPIP },
};
#define METHODS (sizeof(kinds) / sizeof(kinds[0]))
static const enum sl_decision decisions[METHODS] = { SL_FORWARD_NAT, SL_FORWARD_DSR,
						     SL_FORWARD_IPIP };

static int setup(void **state)
{
	*state = rig_new();
	return 0;
}

/* Fragments of a datagram; what has no ports is the same whatever they are, and has no checksum. */
static void make_first(struct packet_desc *desc, bool v6)
{
	desc->ip_id = ID;
	desc->payload = PAYLOAD;
	desc->udp_unchecked = true;
	if (v6)
		desc->extensions = "f";
	else
		desc->frag_off = MORE;
}

static void make_later(struct packet_desc *desc, bool v6, bool last)
{
	desc->ip_id = ID;
	desc->payload = 200;
	desc->udp_unchecked = true;
	if (v6)
		desc->extensions = "l";
	else
		desc->frag_off = OFFSET | (last ? 0 : MORE);
}

static struct packet_desc first_of(enum flavour f)
{
	struct packet_desc desc = services_request(f, PACKET_SYN);

	make_first(&desc, flavours[f].v6);
	return desc;
}

static struct packet_desc later_of(enum flavour f, bool last)
{
	struct packet_desc desc = services_request(f, PACKET_SYN);

	make_later(&desc, flavours[f].v6, last);
	return desc;
}

/* The fragment on its way to an endpoint; *inner is used if it is in a tunnel. */
static struct packet_desc on_its_way(enum sl_method method, enum flavour f,
				     const struct packet_desc *desc, struct packet_desc *inner)
{
	struct packet_desc out = *desc;

	out.ttl = TTL - 1;
	if (method == SL_METHOD_NAT)
		out.src = flavours[f].source;
	if (method != SL_METHOD_IPIP)
		return out;
	*inner = out;
	return (struct packet_desc){ .src = flavours[f].source,
				     .inner = inner,
				     .frag_off = DONT_FRAGMENT };
}

/* What was sent by a datagram's own address is one that a tunnel or translation has changed. */
static void expect_later(struct rig *rig, enum rig_program program, enum sl_method method,
			 enum flavour f, const struct packet_desc *desc)
{
	int choice = services_choice(rig, f, SERVICES_CLIENT_PORT);
	struct rig_result result = services_run(rig, program, desc);
	struct sl_route route = services_route();
	struct packet_desc inner, out = on_its_way(method, f, desc, &inner);

	if (method != SL_METHOD_DSR)
		out.dst = flavours[f].endpoints[choice];
	services_expect(&result, decisions[method], &out, &route);
	assert_int_equal(result.service.packets, 1);
	assert_int_equal(result.service.bytes, result.stats.bytes);
	assert_int_equal(result.service.flows, 0);
	assert_int_equal(result.stats.packets, 1);
	assert_int_equal(result.stats.syn, 0);
}

static void test_later_follow(void **state)
{
	struct rig *rig = *state;

	for (enum sl_method method = 0; method < METHODS; method++) {
		services_make(rig, &kinds[method]);
		for_each_program (p) {
			for_each_flavour (f) {
				struct packet_desc first = first_of(f);
				struct packet_desc middle = later_of(f, false);
				struct packet_desc last = later_of(f, true);

				print_message("%s, method %u, flavour %u\n", rig_program_name(*p),
					      method, f);
				rig_forget_flows(rig);
				rig_forget_fragmented(rig);
				assert_int_equal(services_run(rig, *p, &first).decision,
						 decisions[method]);
				assert_int_equal(rig_fragmented(rig), 1);
				/* TCP's checksum lies where the test writes one: only what is known. */
				if (flavours[f].proto == SL_TCP) {
					assert_int_equal(services_run(rig, *p, &middle).decision,
							 decisions[method]);
					continue;
				}
				expect_later(rig, *p, method, f, &middle);
				expect_later(rig, *p, method, f, &last);
				assert_int_equal(rig_fragmented(rig), 1);
			}
		}
	}
}

/* What a later fragment may differ in from the first one, and so is none of its datagram's. */
static void test_strangers_pass(void **state)
{
	struct rig *rig = *state;

	for (enum sl_method method = 0; method < METHODS; method++) {
		services_make(rig, &kinds[method]);
		for_each_program (p) {
			for (enum flavour f = UDP4; f < FLAVOURS; f += 2) {
				struct packet_desc first = first_of(f), later[4];
				struct rig_result result;

				for (int i = 0; i < 4; i++)
					later[i] = later_of(f, true);
				later[0].ip_id++;
				later[1].src = flavours[f].v6 ? "2001:db8::1234" : "198.51.100.99";
				later[2].dst = flavours[f].v6 ? "2001:db8::4321" : "203.0.113.99";
				later[3].proto = SL_TCP;

				rig_forget_flows(rig);
				rig_forget_fragmented(rig);
				result = services_run(rig, *p, &later[0]);
				services_expect(&result, SL_PASS_FRAGMENT, NULL, NULL);
				services_run(rig, *p, &first);
				for (int i = 0; i < 4; i++) {
					result = services_run(rig, *p, &later[i]);
					services_expect(&result, SL_PASS_FRAGMENT, NULL, NULL);
					assert_int_equal(result.service.packets, 0);
				}
			}
		}
	}
}

static void test_forgotten(void **state)
{
	struct rig *rig = *state;

	services_make(rig, &kinds[SL_METHOD_NAT]);
	for_each_program (p) {
		for (enum flavour f = UDP4; f < FLAVOURS; f += 2) {
			struct packet_desc first = first_of(f), later = later_of(f, true);

			services_run(rig, *p, &first);
			rig_age_fragmented(rig, SL_FRAGMENTED_S - 1);
			assert_int_equal(services_run(rig, *p, &later).decision, SL_FORWARD_NAT);
			rig_age_fragmented(rig, 2);
			assert_int_equal(services_run(rig, *p, &later).decision, SL_PASS_FRAGMENT);
			services_run(rig, *p, &first);
			assert_int_equal(services_run(rig, *p, &later).decision, SL_FORWARD_NAT);
			later.ttl = 1;
			assert_int_equal(services_run(rig, *p, &later).decision, SL_DROP_TTL);
			rig_forget_fragmented(rig);
		}
	}
}

/* A fragmented answer finds its client. */
static void test_replies(void **state)
{
	struct rig *rig = *state;
	struct sl_route route = services_route();

	services_make(rig, &kinds[SL_METHOD_NAT]);
	for_each_program (p) {
		for (enum flavour f = UDP4; f < FLAVOURS; f += 2) {
			const struct flavour_facts *facts = &flavours[f];
			struct packet_desc request = services_request(f, 0), first, later, out;
			struct rig_result result;
			struct sl_flow flow;

			rig_forget_flows(rig);
			services_run(rig, *p, &request);
			assert_true(services_request_flow(rig, RIG_HALF_OPEN_TABLE, f, &flow));
			first = services_reply(f, (int)(flow.endpoint % 2), flow.port, 0);
			later = first;
			make_first(&first, facts->v6);
			make_later(&later, facts->v6, true);

			out = first;
			out.src = facts->vip;
			out.sport = facts->port;
			out.dst = facts->client;
			out.dport = SERVICES_CLIENT_PORT;
			out.ttl = TTL - 1;
			result = services_run(rig, *p, &first);
			services_expect(&result, SL_FORWARD_REPLY, &out, &route);

			out = later;
			out.src = facts->vip;
			out.dst = facts->client;
			out.ttl = TTL - 1;
			result = services_run(rig, *p, &later);
			services_expect(&result, SL_FORWARD_REPLY, &out, &route);
			assert_int_equal(result.service.replies, 1);
			assert_int_equal(result.service.packets, 0);
		}
	}
}

/* Those of a flow that was redirected. */
static void test_redirected(void **state)
{
	static const struct sl_word open = { .health = SL_HEALTHY, .action = SL_ACTION_REDIRECT };
	static const struct sl_word closed = { .health = SL_UNHEALTHY,
					       .action = SL_ACTION_REDIRECT };
	struct sl_route route = services_route();
	struct rig *rig = *state;

	services_make(rig, &kinds[SL_METHOD_NAT]);
	for_each_flavour (f) {
		const struct rig_service pool = { .method = SL_METHOD_NAT,
						  .flags = SL_SERVICE_SOURCE_NAT,
						  .slice = services_slice(f) };

		rig_service(rig, POOL(f), &pool);
		rig_redirect(rig, 2 * f, POOL(f));
		services_words(rig, f, closed, open);
	}
	for_each_program (p) {
		for (enum flavour f = UDP4; f < FLAVOURS; f += 2) {
			struct packet_desc first = first_of(f), later = later_of(f, true), out;
			struct rig_result result;

			first.dst = later.dst = flavours[f].endpoints[0];
			first.dport = flavours[f].endpoint_port;
			rig_forget_flows(rig);
			result = services_run(rig, *p, &first);
			assert_int_equal(result.decision, SL_FORWARD_REDIRECT);
			out = later;
			out.src = flavours[f].source;
			out.dst = flavours[f].endpoints[1];
			out.ttl = TTL - 1;
			result = services_run(rig, *p, &later);
			services_expect(&result, SL_FORWARD_REDIRECT, &out, &route);
		}
	}
}

static void test_observe(void **state)
{
	struct sl_meta meta = rig_default_meta();
	struct rig *rig = *state;

	services_make(rig, &kinds[SL_METHOD_DSR]);
	for_each_program (p) {
		struct packet_desc first = first_of(UDP4), later = later_of(UDP4, true);

		meta.mode = SL_MODE_OBSERVE;
		rig_meta(rig, &meta);
		services_run(rig, *p, &first);
		assert_int_equal(rig_fragmented(rig), 0);
		meta.mode = SL_MODE_ENFORCE;
		rig_meta(rig, &meta);
		services_run(rig, *p, &first);
		meta.mode = SL_MODE_OBSERVE;
		rig_meta(rig, &meta);
		assert_int_equal(services_run(rig, *p, &later).verdict, RIG_PASS);
		rig_forget_fragmented(rig);
	}
}

/* What is no fragment leaves nothing, nor does one that goes nowhere. */
static void test_no_fragments(void **state)
{
	const struct sl_word unhealthy = { .health = SL_UNHEALTHY };
	struct rig *rig = *state;

	services_make(rig, &kinds[SL_METHOD_DSR]);
	for_each_program (p) {
		for_each_flavour (f) {
			struct packet_desc desc = services_request(f, PACKET_SYN);

			if (flavours[f].v6)
				desc.extensions = "hdo";
			services_run(rig, *p, &desc);
			rig_forget_flows(rig);
			services_words(rig, f, unhealthy, unhealthy);
			desc = first_of(f);
			services_run(rig, *p, &desc);
			services_words(rig, f, (struct sl_word){ 0 }, (struct sl_word){ 0 });
		}
	}
	assert_int_equal(rig_fragmented(rig), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_later_follow, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_strangers_pass, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_forgotten, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_replies, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_redirected, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_observe, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_no_fragments, setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
