// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The way to an endpoint: tunnels, what is too big for it, and VLAN tags. Byte by byte.
 */
#include <linux/if_ether.h>
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
#define IPV4_LEN 20
#define IPV6_LEN 40
#define TCP_LEN 20
#define UDP_LEN 8

static const struct services_kind kinds[] = {
	[SL_METHOD_NAT] = { .method = SL_METHOD_NAT, .flags = SL_SERVICE_SOURCE_NAT },
	[SL_METHOD_DSR] = { .method = SL_METHOD_DSR },
	[SL_METHOD_IPIP] = { .method = SL_METHOD_IPIP },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const enum sl_decision forwarded[] = {
	[SL_METHOD_NAT] = SL_FORWARD_NAT,
	[SL_METHOD_DSR] = SL_FORWARD_DSR,
	[SL_METHOD_IPIP] = SL_FORWARD_IPIP,
};

static int setup(void **state)
{
	*state = rig_new();
	return 0;
}

/* Let the endpoints of a flavour be of the other family. */
static void move_endpoints(struct rig *rig, enum flavour f)
{
	const struct flavour_facts *other = &flavours[f ^ TCP6];

	for (uint32_t i = 0; i < 2; i++) {
		rig_endpoint(rig, 2 * f + i, other->endpoints[i], 7, flavours[f].proto);
		rig_source(rig, 2 * f + i, other->source, SERVICES_GENERATION);
		rig_word(rig, 2 * f + i, (struct sl_word){ .health = SL_HEALTHY });
		rig_route(rig, other->endpoints[i], services_route());
	}
}

/* The tunnel's packet that carries the one that came in. */
static struct packet_desc tunnelled(struct packet_desc *inner, const struct flavour_facts *facts,
				    int endpoint)
{
	inner->ttl = (uint8_t)((inner->ttl ?: TTL) - 1);
	return (struct packet_desc){ .src = facts->source,
				     .dst = facts->endpoints[endpoint],
				     .inner = inner,
				     .frag_off = DONT_FRAGMENT,
				     .traffic_class = inner->traffic_class };
}

static void check_tunnel(struct rig *rig, enum rig_program program, enum flavour f,
			 const struct flavour_facts *outer, struct packet_desc desc)
{
	int choice = services_choice(rig, f, SERVICES_CLIENT_PORT);
	struct rig_result result = services_run(rig, program, &desc);
	struct packet_desc out = tunnelled(&desc, outer, choice);
	struct sl_route route = services_route();

	services_expect(&result, SL_FORWARD_IPIP, &out, &route);
	assert_true(packet_checksums_ok(result.frame, result.len));
}

static void test_tunnel(void **state)
{
	struct rig *rig = *state;

	for (int other = 0; other < 2; other++) {
		services_make(rig, &kinds[SL_METHOD_IPIP]);
		for_each_flavour (f) {
			const struct flavour_facts *outer = &flavours[other ? f ^ TCP6 : f];
			struct packet_desc desc = services_request(f, PACKET_SYN);

			if (other)
				move_endpoints(rig, f);
			for_each_program (p) {
				check_tunnel(rig, *p, f, outer, desc);
				desc = services_request(f, PACKET_ACK);
				desc.ttl = 17;
				desc.traffic_class = 0xb9; /* expedited, and congestion was met */
				desc.frag_off = flavours[f].v6 ? 0 : DONT_FRAGMENT;
				check_tunnel(rig, *p, f, outer, desc);
				desc.payload = 0;
				desc.traffic_class = 0xff;
				check_tunnel(rig, *p, f, outer, desc);
				assert_int_equal(rig_flows(rig, RIG_FLOWS_TABLE), 1);
				rig_forget_flows(rig);
			}
		}
	}
}

static void test_tunnel_awkward(void **state)
{
	static const struct {
		enum flavour flavour;
		struct packet_desc desc;
	} rows[] = {
		{ TCP4, { .ip_options = 40 } },
		{ TCP4, { .frag_off = 0x2000 } },
		{ TCP6, { .extensions = "hd" } },
		{ TCP6, { .extensions = "f" } },
	};
	struct rig *rig = *state;

	services_make(rig, &kinds[SL_METHOD_IPIP]);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for_each_program (p) {
			enum flavour f = rows[i].flavour;
			struct packet_desc desc = services_request(f, PACKET_ACK), out;
			int choice = services_choice(rig, f, SERVICES_CLIENT_PORT);
			struct sl_route route = services_route();
			struct rig_result result;

			desc.ip_options = rows[i].desc.ip_options;
			desc.frag_off = rows[i].desc.frag_off;
			desc.extensions = rows[i].desc.extensions;
			result = services_run(rig, *p, &desc);
			out = tunnelled(&desc, &flavours[f], choice);
			services_expect(&result, SL_FORWARD_IPIP, &out, &route);
		}
	}
}

static void test_tunnel_without_source(void **state)
{
	struct rig *rig = *state;

	services_make(rig, &kinds[SL_METHOD_IPIP]);
	for_each_flavour (f) {
		static const char *const sources[] = { "::", "fd00::fe", "10.0.0.254", "::" };
		struct packet_desc desc = services_request(f, PACKET_SYN);

		for (uint32_t i = 0; i < 2; i++)
			rig_source(rig, 2 * f + i, sources[f], SERVICES_GENERATION);
		for_each_program (p) {
			struct rig_result result = services_run(rig, *p, &desc);

			services_expect(&result, SL_DROP_NO_ROUTE, NULL, NULL);
			assert_int_equal(result.service.failed, 1);
		}
	}
}

/* --- too big ---------------------------------------------------------------------------------- */

static size_t header_len(enum flavour f)
{
	return (flavours[f].v6 ? IPV6_LEN : IPV4_LEN) +
	       (flavours[f].proto == SL_TCP ? TCP_LEN : UDP_LEN);
}

/* The ICMP error must come back whence the packet came. */
static void expect_too_big(const struct rig_result *result, const struct packet_desc *desc,
			   uint16_t mtu)
{
	bool v6 = strchr(desc->dst, ':');
	const struct packet_desc reply = { .src = desc->dst,
					   .dst = desc->src,
					   .tags = desc->tags,
					   .icmp_type = v6 ? 2 : 3,
					   .icmp_code = v6 ? 0 : 4,
					   .icmp_mtu = mtu,
					   .quoted = desc,
					   .quoted_bytes = desc->proto == SL_TCP ? TCP_LEN : 0,
					   .frag_off = DONT_FRAGMENT };
	const struct sl_route back = { .src_mac = { 2, 0, 0, 0, 0, 1 },
				       .dst_mac = { 2, 0, 0, 0, 0, 2 } };

	assert_int_equal(result->verdict, RIG_REPLY);
	services_expect(result, SL_ANSWER_TOO_BIG, &reply, &back);
	assert_int_equal(result->service.failed, 0);
}

static void test_too_big(void **state)
{
	struct rig *rig = *state;

	for (size_t k = 0; k < KINDS; k++) {
		services_make(rig, &kinds[k]);
		rig_forget_flows(rig);
		for_each_flavour (f) {
			size_t outer = flavours[f].v6 ? IPV6_LEN : IPV4_LEN;
			size_t usable = SERVICES_MTU;

			if (kinds[k].method == SL_METHOD_IPIP)
				usable -= outer;
			for_each_program (p) {
				struct packet_desc desc = services_request(f, PACKET_SYN);
				struct rig_result result;

				services_run(rig, *p, &desc); /* a flow, for nat */
				desc = services_request(f, PACKET_ACK);
				desc.payload = usable - header_len(f);
				desc.frag_off = k == 0 && !flavours[f].v6 ? DONT_FRAGMENT : 0;
				result = services_run(rig, *p, &desc);
				assert_int_equal(result.decision, forwarded[kinds[k].method]);
				desc.payload++;
				result = services_run(rig, *p, &desc);
				expect_too_big(&result, &desc, (uint16_t)usable);
			}
		}
	}
}

static void test_reply_too_big(void **state)
{
	struct rig *rig = *state;
	struct sl_route narrow = services_route();

	services_make(rig, &kinds[SL_METHOD_NAT]);
	narrow.mtu = 1300;
	for_each_flavour (f) {
		int choice = services_choice(rig, f, SERVICES_CLIENT_PORT);

		rig_route(rig, flavours[f].client, narrow);
		for_each_program (p) {
			struct packet_desc desc = services_request(f, PACKET_SYN);
			struct rig_result result;
			struct sl_flow flow;

			rig_forget_flows(rig);
			services_run(rig, *p, &desc);
			assert_true(services_request_flow(rig, RIG_HALF_OPEN_TABLE, f, &flow));
			desc = services_reply(f, choice, flow.port, PACKET_ACK);
			desc.payload = narrow.mtu - header_len(f);
			result = services_run(rig, *p, &desc);
			assert_int_equal(result.decision, SL_FORWARD_REPLY);
			desc.payload++;
			result = services_run(rig, *p, &desc);
			expect_too_big(&result, &desc, narrow.mtu);
		}
	}
}

/* --- VLAN ------------------------------------------------------------------------------------- */

/* Tags of the packet that comes, and of the one that leaves. */
static void check_tags(struct rig *rig, enum rig_program program, enum flavour f, uint8_t in,
		       uint8_t out_tags, const struct services_kind *kind)
{
	int choice = services_choice(rig, f, SERVICES_CLIENT_PORT);
	struct packet_desc desc = services_request(f, PACKET_SYN), out;
	struct sl_route route = services_route();
	struct rig_result result;
	struct sl_flow flow;

	route.vlan = 101;
	route.vlan_proto = out_tags ? ETH_P_8021Q : 0;
	for (int i = 0; i < 2; i++)
		rig_route(rig, flavours[f].endpoints[i], route);
	desc.tags = in;
	result = services_run(rig, program, &desc);
	out = desc;
	out.tags = out_tags;
	out.ttl = TTL - 1;
	if (kind->method == SL_METHOD_IPIP) {
		desc.tags = 0;
		out = tunnelled(&desc, &flavours[f], choice);
		out.tags = out_tags;
	} else if (kind->method == SL_METHOD_NAT) {
		assert_true(services_request_flow(rig, RIG_HALF_OPEN_TABLE, f, &flow));
		out.src = flavours[f].source;
		out.sport = flow.port;
		out.dst = flavours[f].endpoints[choice];
		out.dport = flavours[f].endpoint_port;
	}
	if (program != RIG_XDP)
		out.tags = 0; /* the kernel keeps it beside the frame; see test_forward_net */
	services_expect(&result, forwarded[kind->method], &out, &route);
}

static void test_tags(void **state)
{
	struct rig *rig = *state;

	for (size_t k = 0; k < KINDS; k++) {
		services_make(rig, &kinds[k]);
		rig_forget_flows(rig);
		for_each_flavour (f)
			for_each_program (p)
				for (uint8_t in = 0; in <= 2; in++)
					for (uint8_t out = 0; out <= 1; out++)
						check_tags(rig, *p, f, in, out, &kinds[k]);
	}
}

/* A tagged packet that is too big is answered under its tag. */
static void test_tagged_too_big(void **state)
{
	struct packet_desc desc = services_request(TCP4, PACKET_ACK);
	struct rig_result result;

	services_make(*state, &kinds[SL_METHOD_DSR]);
	desc.tags = 1;
	desc.payload = SERVICES_MTU;
	for_each_program (p) {
		result = services_run(*state, *p, &desc);
		expect_too_big(&result, &desc, SERVICES_MTU);
	}
}

#define row(test) cmocka_unit_test_setup_teardown(test, setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		row(test_tunnel),         row(test_tunnel_awkward), row(test_tunnel_without_source),
		row(test_too_big),        row(test_reply_too_big),  row(test_tags),
		row(test_tagged_too_big),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
