// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ICMP errors about the flows of services: to the client, to the endpoint, or to nobody of ours. Byte
 * by byte, the quoted packet and all checksums included.
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

#define TTL 64
#define DONT_FRAGMENT 0x4000
#define NARROW 1280

static const struct services_kind kinds[] = {
	[SL_METHOD_NAT] = { .method = SL_METHOD_NAT, .flags = SL_SERVICE_SOURCE_NAT },
	[SL_METHOD_DSR] = { .method = SL_METHOD_DSR },
	[SL_METHOD_IPIP] = { .method = SL_METHOD_IPIP },
};

/* Errors, of both families. */
static const struct {
	uint8_t type4, code4, type6, code6;
	uint16_t mtu;
} errors[] = {
	{ 3, 3, 1, 4, 0 }, /* port unreachable */
	{ 3, 1, 1, 0, 0 }, /* host unreachable, no route */
	{ 3, 4, 2, 0, NARROW }, /* too big */
	{ 11, 0, 3, 0, 0 }, /* time exceeded */
};
#define ERRORS (sizeof(errors) / sizeof(errors[0]))

static int setup(void **state)
{
	*state = rig_new();
	services_make(*state, &kinds[SL_METHOD_NAT]);
	return 0;
}

static const char *router(enum flavour f)
{
	return flavours[f].v6 ? "fd00::99" : "10.0.0.99";
}

static struct packet_desc error_about(enum flavour f, size_t error, const char *from,
				      const struct packet_desc *quoted)
{
	bool v6 = flavours[f].v6;

	return (struct packet_desc){ .src = from,
				     .dst = quoted->src,
				     .icmp_type = v6 ? errors[error].type6 : errors[error].type4,
				     .icmp_code = v6 ? errors[error].code6 : errors[error].code4,
				     .icmp_mtu = errors[error].mtu,
				     .quoted = quoted };
}

struct flow {
	int endpoint;
	uint16_t port;
};

static struct flow open_flow(struct rig *rig, enum rig_program program, enum flavour f,
			     bool established)
{
	struct packet_desc desc = services_request(f, PACKET_SYN);
	struct flow flow = { .endpoint = services_choice(rig, f, SERVICES_CLIENT_PORT) };
	struct sl_flow entry;

	rig_forget_flows(rig);
	services_run(rig, program, &desc);
	assert_true(services_request_flow(rig, RIG_HALF_OPEN_TABLE, f, &entry));
	flow.port = entry.port;
	if (!established)
		return flow;
	desc = services_reply(f, flow.endpoint, flow.port, PACKET_SYN | PACKET_ACK);
	services_run(rig, program, &desc);
	desc = services_request(f, PACKET_ACK);
	services_run(rig, program, &desc);
	assert_true(services_request_flow(rig, RIG_FLOWS_TABLE, f, &entry));
	return flow;
}

/* A packet of the flow as it looks between client and service, and between us and the endpoint. */
static struct packet_desc outside(enum flavour f)
{
	struct packet_desc desc = services_request(f, PACKET_ACK);

	desc.ttl = 7;
	return desc;
}

static struct packet_desc inside(enum flavour f, struct flow flow)
{
	struct packet_desc desc = outside(f);

	desc.src = flavours[f].source;
	desc.sport = flow.port;
	desc.dst = flavours[f].endpoints[flow.endpoint];
	desc.dport = flavours[f].endpoint_port;
	return desc;
}

/* The same packet the other way. */
static struct packet_desc turned(struct packet_desc desc)
{
	struct packet_desc out = desc;

	out.src = desc.dst;
	out.sport = desc.dport;
	out.dst = desc.src;
	out.dport = desc.sport;
	return out;
}

static void expect(struct rig *rig, enum rig_program program, const struct packet_desc *desc,
		   struct packet_desc out, int icmp_errors)
{
	struct rig_result result = services_run(rig, program, desc);
	struct sl_route route = services_route();

	out.ttl = TTL - 1;
	services_expect(&result, SL_FORWARD_ICMP, &out, &route);
	assert_int_equal(result.stats.icmp_errors, icmp_errors);
	assert_int_equal(result.stats.packets, 0);
}

static void check_to_client(struct rig *rig, enum rig_program program, enum flavour f,
			    struct flow flow, size_t error)
{
	struct packet_desc sent = inside(f, flow), seen = outside(f), desc, out;

	desc = error_about(f, error, flavours[f].endpoints[flow.endpoint], &sent);
	out = error_about(f, error, flavours[f].vip, &seen);
	expect(rig, program, &desc, out, 1);
	desc = error_about(f, error, router(f), &sent);
	out = error_about(f, error, router(f), &seen);
	expect(rig, program, &desc, out, 1);
	if (flavours[f].proto != SL_UDP || flavours[f].v6)
		return;
	sent.udp_unchecked = seen.udp_unchecked = true;
	expect(rig, program, &desc, out, 1);
}

static void check_to_endpoint(struct rig *rig, enum rig_program program, enum flavour f,
			      struct flow flow, size_t error)
{
	struct packet_desc seen = turned(outside(f)), sent = turned(inside(f, flow)), desc, out;

	desc = error_about(f, error, flavours[f].client, &seen);
	out = error_about(f, error, flavours[f].source, &sent);
	expect(rig, program, &desc, out, 0);
	rig_route(rig, flavours[f].endpoints[flow.endpoint], services_route());
	desc = error_about(f, error, router(f), &seen);
	out = error_about(f, error, router(f), &sent);
	expect(rig, program, &desc, out, 0);
}

static void test_translated(void **state)
{
	struct rig *rig = *state;

	for_each_program (p) {
		for_each_flavour (f) {
			for (int established = 0; established < 2; established++) {
				struct flow flow = open_flow(rig, *p, f, established);

				for (size_t e = 0; e < ERRORS; e++) {
					check_to_client(rig, *p, f, flow, e);
					check_to_endpoint(rig, *p, f, flow, e);
				}
			}
		}
	}
}

/* The quoted packet has options, the error a tag, or more is quoted than need be. */
static void test_awkward(void **state)
{
	static const struct {
		enum flavour flavour;
		struct packet_desc quoted;
		uint8_t tags, quoted_bytes;
	} rows[] = {
		{ TCP4, { .ip_options = 40 }, 0, 0 },    { UDP4, { .ip_options = 4 }, 1, 0 },
		{ TCP6, { .extensions = "hd" }, 0, 0 },  { UDP6, { .extensions = "hd" }, 2, 0 },
		{ UDP4, { .frag_off = 0x4000 }, 0, 60 }, { UDP6, { 0 }, 1, 33 },
		{ TCP4, { .frag_off = 0x2000 }, 0, 15 }, { TCP6, { 0 }, 0, 12 },
	};
	struct sl_route route = services_route();
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for_each_program (p) {
			enum flavour f = rows[i].flavour;
			struct flow flow = open_flow(rig, *p, f, true);
			struct packet_desc sent = inside(f, flow), seen = outside(f), desc, out;
			struct rig_result result;

			sent.ip_options = seen.ip_options = rows[i].quoted.ip_options;
			sent.extensions = seen.extensions = rows[i].quoted.extensions;
			sent.frag_off = seen.frag_off = rows[i].quoted.frag_off;
			desc = error_about(f, 0, router(f), &sent);
			out = error_about(f, 0, router(f), &seen);
			desc.quoted_bytes = out.quoted_bytes = rows[i].quoted_bytes;
			desc.tags = rows[i].tags;
			out.ttl = TTL - 1;
			result = services_run(rig, *p, &desc);
			services_expect(&result, SL_FORWARD_ICMP, &out, &route);
		}
	}
}

/* Not translated: what a client's side complains of is the chosen endpoint's to hear, as it is. */
static void test_as_it_is(void **state)
{
	struct rig *rig = *state;

	for (enum sl_method method = SL_METHOD_DSR; method <= SL_METHOD_IPIP; method++) {
		services_make(rig, &kinds[method]);
		for_each_program (p) {
			for_each_flavour (f) {
				struct packet_desc seen = turned(outside(f));
				struct packet_desc desc = error_about(f, 2, router(f), &seen);
				int choice = services_choice(rig, f, SERVICES_CLIENT_PORT);
				struct sl_tuple tuple = services_tuple(f, SERVICES_CLIENT_PORT);
				struct sl_flow entry = { .endpoint = 2 * f + !choice,
							 .service = f,
							 .generation = SERVICES_GENERATION };

				for (int known = 0; known < 2; known++) {
					struct sl_route route = services_route();
					struct packet_desc inner = desc, out;
					struct rig_result result;
					int endpoint = known ? !choice : choice;

					route.dst_mac[5] = 0x77;
					rig_route(rig, flavours[f].endpoints[endpoint], route);
					if (known)
						rig_put_flow(rig, RIG_FLOWS_TABLE, &tuple, &entry);
					inner.ttl = TTL - 1;
					out = inner;
					if (method == SL_METHOD_IPIP)
						out = (struct packet_desc){
							.src = flavours[f].source,
							.dst = flavours[f].endpoints[endpoint],
							.inner = &inner,
							.frag_off = DONT_FRAGMENT
						};
					result = services_run(rig, *p, &desc);
					services_expect(&result, SL_FORWARD_ICMP, &out, &route);
					rig_route(rig, flavours[f].endpoints[endpoint],
						  services_route());
				}
				rig_forget_flows(rig);
			}
		}
	}
}

/* About nobody's flow, or not to him who sent the quoted packet: as if there were no services. */
static void test_not_ours(void **state)
{
	struct rig *rig = *state;

	for_each_program (p) {
		for_each_flavour (f) {
			struct flow flow = open_flow(rig, *p, f, true);
			struct packet_desc sent = inside(f, flow), desc;
			struct rig_result result;

			desc = error_about(f, 0, router(f), &sent);
			desc.dst = flavours[f].client;
			result = services_run(rig, *p, &desc);
			assert_int_equal(result.decision, SL_PASS_ICMP_ERROR);
			assert_int_equal(result.stats.icmp_errors, 1);

			sent.sport++;
			desc = error_about(f, 0, router(f), &sent);
			result = services_run(rig, *p, &desc);
			assert_int_equal(result.decision, SL_PASS_ICMP_ERROR);

			sent = turned(outside(f));
			sent.dport++;
			desc = error_about(f, 0, router(f), &sent);
			result = services_run(rig, *p, &desc);
			assert_int_equal(result.decision, SL_PASS_NOT_OURS);
			sent.sport++;
			result = services_run(rig, *p, &desc);
			assert_int_equal(result.decision, SL_PASS_NOT_OURS);

			for (uint32_t i = 0; i < 2; i++)
				rig_source(rig, 2 * f + i, flavours[f].source,
					   SERVICES_GENERATION + 1);
			sent = inside(f, flow);
			desc = error_about(f, 0, router(f), &sent);
			result = services_run(rig, *p, &desc);
			assert_int_equal(result.decision, SL_PASS_ICMP_ERROR);
			sent = turned(outside(f));
			desc = error_about(f, 0, router(f), &sent);
			result = services_run(rig, *p, &desc);
			assert_int_equal(result.decision, SL_PASS_NOT_OURS);
			services_make(rig, &kinds[SL_METHOD_NAT]);
		}
	}
}

/* A ping to the service's address is the host's to answer. */
static void test_echo(void **state)
{
	for_each_program (p) {
		for_each_flavour (f) {
			struct packet_desc desc = { .src = flavours[f].client,
						    .dst = flavours[f].vip,
						    .icmp_type = flavours[f].v6 ? 128 : 8 };

			assert_int_equal(services_run(*state, *p, &desc).decision,
					 SL_PASS_NOT_OURS);
		}
	}
}

static void test_ttl_and_observe(void **state)
{
	struct sl_meta meta = rig_default_meta();
	struct rig *rig = *state;

	for_each_program (p) {
		struct flow flow = open_flow(rig, *p, TCP4, true);
		struct packet_desc sent = inside(TCP4, flow), desc;
		uint8_t frame[PACKET_MAX];
		struct rig_result result;

		desc = error_about(TCP4, 0, router(TCP4), &sent);
		desc.ttl = 1;
		result = services_run(rig, *p, &desc);
		services_expect(&result, SL_DROP_TTL, NULL, NULL);
		assert_int_equal(result.verdict, RIG_DROP);

		desc.ttl = 0;
		meta.mode = SL_MODE_OBSERVE;
		rig_meta(rig, &meta);
		result = services_run(rig, *p, &desc);
		assert_int_equal(result.decision, SL_FORWARD_ICMP);
		assert_int_equal(result.verdict, RIG_PASS);
		assert_int_equal(result.len, packet_build(frame, &desc));
		assert_memory_equal(result.frame, frame, result.len);
		meta.mode = SL_MODE_ENFORCE;
		rig_meta(rig, &meta);
	}
}

#define row(test) cmocka_unit_test_setup_teardown(test, setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		row(test_translated), row(test_awkward), row(test_as_it_is),
		row(test_not_ours),   row(test_echo),    row(test_ttl_and_observe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
