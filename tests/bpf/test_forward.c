// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets to services, as far as all methods are alike, and those of dsr: which endpoint is chosen,
 * and what leaves, byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sluice/hash.h"
#include "tests/lib/dsr_flow.h"
#include "util/clock.h"

#define FLOWS 1000
#define TTL 64

static const struct sl_word unhealthy = { .health = SL_UNHEALTHY };

/* The same packet on its way: one hop further. */
static struct packet_desc sent_on(const struct packet_desc *desc)
{
	struct packet_desc out = *desc;

	out.ttl = (uint8_t)((desc->ttl ?: TTL) - 1);
	return out;
}

static void test_sent_as_it_is(void **state)
{
	struct rig *rig = *state;
	struct sl_route route = services_route();

	for_each_program (p) {
		for_each_flavour (f) {
			bool tcp = flavours[f].proto == SL_TCP;
			struct packet_desc desc = services_request(f, PACKET_SYN);
			struct packet_desc out = sent_on(&desc);
			struct rig_result result;
			struct sl_flow flow;

			rig_forget_flows(rig);
			result = services_run(rig, *p, &desc);
			services_expect(&result, SL_FORWARD_DSR, &out, &route);
			assert_int_equal(result.verdict, *p == RIG_XDP ? RIG_FORWARD : RIG_REPLY);
			assert_int_equal(result.stats.packets, 1);
			assert_int_equal(result.stats.syn, tcp);
			assert_int_equal(result.service.packets, 1);
			assert_int_equal(result.service.bytes, result.len);
			assert_int_equal(result.service.flows, 1);
			assert_int_equal(result.service.moved + result.service.none, 0);
			/* A SYN leaves nothing behind that a flood could fill. */
			assert_int_equal(is_known(rig, f, &flow), !tcp);

			desc = services_request(f, PACKET_ACK);
			out = sent_on(&desc);
			result = services_run(rig, *p, &desc);
			services_expect(&result, SL_FORWARD_DSR, &out, &route);
			assert_int_equal(result.service.flows, 0);
			assert_true(is_known(rig, f, &flow));
			assert_int_equal(flow.endpoint,
					 2 * f + services_choice(rig, f, SERVICES_CLIENT_PORT));
			assert_int_equal(flow.service, f);
			assert_int_equal(flow.generation, SERVICES_GENERATION);
			assert_int_equal(flow.kind, SL_FLOW_TO_ENDPOINT);
			assert_int_equal(flow.port, 0);
			assert_int_equal(flow.state, 0);
			assert_in_range(clock_mono_ns() / NS_PER_SEC - flow.seen_s, 0, 2);
			assert_int_equal(rig_flows(rig, RIG_FLOWS_TABLE), 1);
			assert_int_equal(rig_flows(rig, RIG_HALF_OPEN_TABLE), 0);
		}
	}
}

/* Odd packets, which must leave as they came. */
static void test_awkward(void **state)
{
	static const struct {
		const char *name;
		bool v6;
		struct packet_desc desc;
	} rows[] = {
		{ "IP options", false, { .ip_options = 40 } },
		{ "first fragment", false, { .frag_off = 0x2000 } },
		{ "extensions", true, { .extensions = "hdrda" } },
		{ "first fragment v6", true, { .extensions = "f" } },
		{ "padding", false, { .padding = 6 } },
		{ "large TTL", true, { .ttl = 255 } },
		{ "smallest TTL", false, { .ttl = 2 } },
		{ "don't fragment", false, { .frag_off = 0x4000, .ip_id = 0xffff } },
	};
	struct sl_route route = services_route();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for_each_program (p) {
			enum flavour f = rows[i].v6 ? TCP6 : TCP4;
			struct packet_desc desc = services_request(f, PACKET_SYN), out;
			struct rig_result result;

			desc.ip_options = rows[i].desc.ip_options;
			desc.frag_off = rows[i].desc.frag_off;
			desc.ip_id = rows[i].desc.ip_id;
			desc.extensions = rows[i].desc.extensions;
			desc.padding = rows[i].desc.padding;
			desc.ttl = rows[i].desc.ttl;
			out = sent_on(&desc);
			result = services_run(*state, *p, &desc);
			print_message("%s\n", rows[i].name);
			services_expect(&result, SL_FORWARD_DSR, &out, &route);
		}
	}
}

/* Every value of the checksum around its corners. */
static void test_ttl_checksums(void **state)
{
	for (uint32_t i = 0; i < 3000; i++) {
		struct packet_desc desc = services_request(TCP4, PACKET_SYN), out;
		struct sl_route route = services_route();
		struct rig_result result;

		desc.ttl = (uint8_t)(2 + i % 254);
		desc.ip_id = (uint16_t)(i * 40503u);
		if (i % SL_ROUTE_USES == 0)
			services_make(*state, &dsr);
		out = sent_on(&desc);
		result = services_run(*state, RIG_XDP, &desc);
		services_expect(&result, SL_FORWARD_DSR, &out, &route);
	}
}

static void test_spent_ttl(void **state)
{
	for_each_program (p) {
		for_each_flavour (f) {
			struct packet_desc desc = services_request(f, PACKET_ACK);
			struct rig_result result;

			desc.ttl = 1;
			result = services_run(*state, *p, &desc);
			services_expect(&result, SL_DROP_TTL, NULL, NULL);
			assert_int_equal(result.verdict, RIG_DROP);
			assert_int_equal(rig_flows(*state, RIG_FLOWS_TABLE), 0);
		}
	}
}

/* By the hash that every gateway shares; and both endpoints get their share. */
static void test_selection(void **state)
{
	struct rig *rig = *state;

	for_each_flavour (f) {
		int first = 0;

		for (uint16_t i = 0; i < FLOWS; i++) {
			uint16_t port = (uint16_t)(1024 + i * 7);
			struct packet_desc desc = services_request(f, PACKET_ACK);
			struct sl_tuple tuple = services_tuple(f, port);
			int choice = services_choice(rig, f, port);
			struct sl_flow flow;

			desc.sport = port;
			services_run(rig, programs[i % PROGRAMS], &desc);
			assert_true(rig_flow(rig, RIG_FLOWS_TABLE, &tuple, &flow));
			assert_int_equal(flow.endpoint, 2 * f + choice);
			first += !choice;
		}
		assert_in_range(first, FLOWS * 4 / 10, FLOWS * 6 / 10);
	}
}

static void test_affinity(void **state)
{
	struct rig *rig = *state;
	struct services_kind kind = dsr;

	kind.flags = SL_SERVICE_AFFINITY;
	services_make(rig, &kind);
	for_each_flavour (f) {
		struct sl_tuple any = services_tuple(f, 1);
		uint32_t id = rig_selected(rig, services_slice(f), sl_client_hash(&any));

		for (uint16_t port = 2000; port < 2050; port++) {
			struct packet_desc desc = services_request(f, PACKET_ACK);
			struct sl_tuple tuple = services_tuple(f, port);
			struct sl_flow flow;

			desc.sport = port;
			services_run(rig, programs[port % PROGRAMS], &desc);
			assert_true(rig_flow(rig, RIG_FLOWS_TABLE, &tuple, &flow));
			assert_int_equal(flow.endpoint, id);
		}
	}
}

/* The first choice has this word and the other that one: who gets a new flow? */
static const struct choice_row {
	const char *name;
	struct sl_word first, other;
	uint8_t flags;
	enum { FIRST, OTHER, NONE } taken;
} choice_rows[] = {
	{ "both healthy", WORD(SL_HEALTHY, 0, 0), WORD(SL_HEALTHY, 0, 0), 0, FIRST },
	{ "unknown", WORD(SL_UNKNOWN, 0, 0), WORD(SL_HEALTHY, 0, 0), 0, FIRST },
	{ "unhealthy", WORD(SL_UNHEALTHY, 0, 0), WORD(SL_HEALTHY, 0, 0), 0, OTHER },
	{ "forced", WORD(SL_UNHEALTHY, 0, SL_WORD_FORCED), WORD(SL_HEALTHY, 0, 0), 0, FIRST },
	{ "draining", WORD(SL_HEALTHY, SL_DRAINING, 0), WORD(SL_HEALTHY, 0, 0), 0, OTHER },
	{ "disabled", WORD(SL_HEALTHY, SL_DISABLED, 0), WORD(SL_HEALTHY, 0, 0), 0, OTHER },
	{ "disabled although forced", WORD(SL_UNHEALTHY, SL_DISABLED, SL_WORD_FORCED),
	  WORD(SL_HEALTHY, 0, 0), 0, OTHER },
	{ "none", WORD(SL_UNHEALTHY, 0, 0), WORD(SL_UNHEALTHY, 0, 0), 0, NONE },
	{ "none, the other draining", WORD(SL_UNHEALTHY, 0, 0), WORD(SL_HEALTHY, SL_DRAINING, 0), 0,
	  NONE },
	{ "none, but the last are used", WORD(SL_UNHEALTHY, 0, 0), WORD(SL_UNHEALTHY, 0, 0),
	  SL_SERVICE_ANY, FIRST },
	{ "the last, but never one that is disabled", WORD(SL_UNHEALTHY, SL_DISABLED, 0),
	  WORD(SL_UNHEALTHY, 0, 0), SL_SERVICE_ANY, OTHER },
};

static void check_choice(struct rig *rig, enum rig_program program, const struct choice_row *row,
			 enum flavour f)
{
	int choice = services_choice(rig, f, SERVICES_CLIENT_PORT);
	struct packet_desc desc = services_request(f, PACKET_SYN);
	struct rig_result result;
	struct sl_flow flow;

	rig_forget_flows(rig);
	services_words(rig, f, choice ? row->other : row->first, choice ? row->first : row->other);
	result = services_run(rig, program, &desc);
	print_message("%s, flavour %u\n", row->name, f);
	assert_int_equal(result.service.moved, row->taken == OTHER);
	assert_int_equal(result.service.flows, row->taken != NONE);
	assert_int_equal(result.service.none, row->taken == NONE);
	assert_int_equal(result.stats.packets, row->taken != NONE);
	if (row->taken == NONE) {
		assert_int_equal(result.verdict, RIG_REPLY);
		assert_int_equal(result.decision,
				 flavours[f].proto == SL_TCP ? SL_REJECT_TCP : SL_REJECT_UDP);
		return;
	}
	assert_int_equal(result.decision, SL_FORWARD_DSR);
	desc = services_request(f, PACKET_ACK);
	services_run(rig, program, &desc);
	assert_true(is_known(rig, f, &flow));
	assert_int_equal(flow.endpoint, 2 * f + (row->taken == FIRST ? choice : !choice));
}

static void test_eligible(void **state)
{
	for (size_t i = 0; i < sizeof(choice_rows) / sizeof(choice_rows[0]); i++) {
		struct services_kind kind = dsr;

		kind.flags = choice_rows[i].flags;
		services_make(*state, &kind);
		for_each_program (p)
			for_each_flavour (f)
				check_choice(*state, *p, &choice_rows[i], f);
	}
}

static void test_none(void **state)
{
	static const struct {
		enum sl_action none;
		enum sl_decision tcp, udp;
		enum rig_verdict verdict;
	} rows[] = {
		{ SL_ACTION_REJECT, SL_REJECT_TCP, SL_REJECT_UDP, RIG_REPLY },
		{ SL_ACTION_DROP, SL_DROP_SERVICE, SL_DROP_SERVICE, RIG_DROP },
		{ SL_ACTION_PASS, SL_PASS_SERVICE, SL_PASS_SERVICE, RIG_PASS },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct services_kind kind = { .method = SL_METHOD_DSR, .none = rows[i].none };

		services_make(*state, &kind);
		for_each_program (p) {
			for_each_flavour (f) {
				struct packet_desc desc = services_request(f, PACKET_SYN);
				const uint32_t nobody = SL_ID_NONE;
				struct rig_result result;

				services_words(*state, f, unhealthy, unhealthy);
				for (int empty = 0; empty < 2; empty++) {
					result = services_run(*state, *p, &desc);
					assert_int_equal(result.decision,
							 flavours[f].proto == SL_TCP ? rows[i].tcp
										     : rows[i].udp);
					assert_int_equal(result.verdict, rows[i].verdict);
					assert_int_equal(result.service.none, 1);
					if (result.verdict == RIG_REPLY)
						assert_true(packet_checksums_ok(result.frame,
										result.len));
					rig_select(*state, services_slice(f), &nobody, 1);
				}
			}
		}
	}
}

static void test_observe(void **state)
{
	struct sl_meta meta = rig_default_meta();

	meta.mode = SL_MODE_OBSERVE;
	rig_meta(*state, &meta);
	for_each_program (p) {
		for_each_flavour (f) {
			struct packet_desc desc = services_request(f, PACKET_ACK);
			uint8_t frame[PACKET_MAX];
			size_t len = packet_build(frame, &desc);
			struct rig_result result = services_run(*state, *p, &desc);

			assert_int_equal(result.decision, SL_FORWARD_DSR);
			assert_int_equal(result.verdict, RIG_PASS);
			assert_int_equal(result.len, len);
			assert_memory_equal(result.frame, frame, len);
			assert_int_equal(rig_flows(*state, RIG_FLOWS_TABLE), 0);

			services_words(*state, f, unhealthy, unhealthy);
			result = services_run(*state, *p, &desc);
			assert_int_equal(result.verdict, RIG_PASS);
			assert_int_equal(result.decision, flavours[f].proto == SL_TCP
								  ? SL_REJECT_TCP
								  : SL_REJECT_UDP);
			services_words(*state, f, healthy, healthy);
		}
	}
}

/* Back out of the device that it came in by. */
static void test_one_armed(void **state)
{
	struct sl_route route = services_route();

	route.ifindex = RIG_IFINDEX_IN;
	rig_route(*state, flavours[TCP4].endpoints[0], route);
	rig_route(*state, flavours[TCP4].endpoints[1], route);
	for_each_program (p) {
		struct packet_desc desc = services_request(TCP4, PACKET_SYN);
		struct packet_desc out = sent_on(&desc);
		struct rig_result result = services_run(*state, *p, &desc);

		services_expect(&result, SL_FORWARD_DSR, &out, &route);
		assert_int_equal(result.verdict, RIG_REPLY);
	}
}

/* What the cache does not hold for sure is asked for; here there is nobody who knows. */
static void test_stale_route(void **state)
{
	struct sl_route route = services_route();
	struct sl_meta meta = rig_default_meta();
	struct rig *rig = *state;

	for_each_program (p) {
		struct packet_desc desc = services_request(TCP6, PACKET_ACK);
		struct rig_result result;

		services_make(rig, &dsr);
		result = services_run(rig, *p, &desc);
		assert_int_equal(result.decision, SL_FORWARD_DSR);
		meta.route_epoch++;
		rig_meta(rig, &meta);
		result = services_run(rig, *p, &desc);
		services_expect(&result, SL_DROP_NO_ROUTE, NULL, NULL);
		assert_int_equal(result.verdict, RIG_DROP);
		assert_int_equal(result.service.failed, 1);

		route.uses = SL_ROUTE_USES - 1;
		for (int i = 0; i < 2; i++)
			rig_route(rig, flavours[TCP6].endpoints[i], route);
		result = services_run(rig, *p, &desc);
		assert_int_equal(result.decision, SL_FORWARD_DSR);
		result = services_run(rig, *p, &desc);
		assert_int_equal(result.decision, SL_DROP_NO_ROUTE);
	}
}

/* While the words are not to be believed, flows are neither refused nor reset for them. */
static void test_daemon_lost(void **state)
{
	struct sl_meta meta = rig_default_meta();
	const struct sl_word gone = { .health = SL_UNHEALTHY, .flags = SL_WORD_RESET };

	meta.on_daemon_loss = SL_LOSS_OPEN;
	meta.daemon_loss_after_ns = NS_PER_SEC;
	meta.heartbeat_ns = 1;
	rig_meta(*state, &meta);
	for_each_program (p) {
		for_each_flavour (f) {
			struct packet_desc desc = services_request(f, PACKET_SYN);
			struct rig_result result;

			services_words(*state, f, gone, gone);
			result = services_run(*state, *p, &desc);
			assert_int_equal(result.decision, SL_FORWARD_DSR);
			desc = services_request(f, PACKET_ACK);
			for (int i = 0; i < 2; i++) {
				result = services_run(*state, *p, &desc);
				assert_int_equal(result.decision, SL_FORWARD_DSR);
			}
			services_words(*state, f, (struct sl_word){ .admin = SL_DISABLED },
				       (struct sl_word){ .admin = SL_DISABLED });
			desc.sport++;
			result = services_run(*state, *p, &desc);
			assert_int_equal(result.verdict, RIG_REPLY);
		}
	}
}

/* What this host itself sends to a service is not balanced. */
static void test_egress_passes(void **state)
{
	for_each_flavour (f) {
		struct packet_desc desc = services_request(f, PACKET_SYN);
		struct rig_result result = services_run(*state, RIG_TC_EGRESS, &desc);

		assert_int_equal(result.decision, SL_PASS_NOT_OURS);
		assert_int_equal(result.verdict, RIG_PASS);
	}
}

/* Another target may lie in a service's slot of the index, and the other way round. */
static void test_shared_slots(void **state)
{
	const struct flavour_facts *facts = &flavours[TCP4];
	struct packet_desc desc = services_request(TCP4, PACKET_SYN);
	struct rig *rig = *state;

	for_each_program (p) {
		rig_index(rig, facts->vip, facts->port, SL_TCP,
			  (struct sl_target){ SL_TARGET_ENDPOINT, 0 });
		assert_int_equal(services_run(rig, *p, &desc).decision, SL_FORWARD_DSR);
		rig_index(rig, facts->vip, facts->port, SL_TCP,
			  (struct sl_target){ SL_TARGET_SERVICE, UDP4 });
		assert_int_equal(services_run(rig, *p, &desc).decision, SL_FORWARD_DSR);
		rig_index(rig, facts->vip, facts->port, SL_TCP, (struct sl_target){ 0 });
		assert_int_equal(services_run(rig, *p, &desc).decision, SL_PASS_NOT_OURS);
		rig_index(rig, facts->endpoints[0], facts->endpoint_port, SL_TCP,
			  (struct sl_target){ SL_TARGET_SERVICE, TCP4 });
		desc.dst = facts->endpoints[0];
		desc.dport = facts->endpoint_port;
		assert_int_equal(services_run(rig, *p, &desc).decision, SL_PASS_HEALTHY);
		desc = services_request(TCP4, PACKET_SYN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		row(test_sent_as_it_is), row(test_awkward),      row(test_ttl_checksums),
		row(test_spent_ttl),     row(test_selection),    row(test_affinity),
		row(test_eligible),      row(test_none),         row(test_observe),
		row(test_one_armed),     row(test_stale_route),  row(test_daemon_lost),
		row(test_egress_passes), row(test_shared_slots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
