// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets to services, as far as all methods are alike, and those of dsr: which endpoint is chosen,
 * what becomes of open flows, and what leaves, byte by byte.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sluice/hash.h"
#include "tests/lib/packet.h"
#include "tests/lib/rig.h"
#include "tests/lib/services.h"
#include "util/clock.h"

#define FLOWS 1000
#define TTL 64

static const struct services_kind dsr = { .method = SL_METHOD_DSR, .none = SL_ACTION_REJECT };

static const struct sl_word healthy = { .health = SL_HEALTHY };
static const struct sl_word unhealthy = { .health = SL_UNHEALTHY };

static int setup(void **state)
{
	struct rig *rig = *state = rig_new();

	services_make(rig, &dsr);
	return 0;
}

/* The same packet on its way: one hop further. */
static struct packet_desc sent_on(const struct packet_desc *desc)
{
	struct packet_desc out = *desc;

	out.ttl = (uint8_t)((desc->ttl ?: TTL) - 1);
	return out;
}

static bool is_known(const struct rig *rig, enum flavour flavour, struct sl_flow *ret_flow)
{
	struct sl_tuple tuple = services_tuple(flavour, SERVICES_CLIENT_PORT);

	return rig_flow(rig, RIG_FLOWS_TABLE, &tuple, ret_flow);
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

#define WORD(h, a, f)                               \
	{                                           \
		.health = h, .admin = a, .flags = f \
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

/* What becomes of an open flow whose endpoint gets this word. */
static const struct open_row {
	const char *name;
	struct sl_word word;
	enum { GOES_ON, IS_RESET } tcp;
	bool udp_moves;
} open_rows[] = {
	{ "unknown", WORD(SL_UNKNOWN, 0, SL_WORD_RESET), GOES_ON, false },
	{ "unhealthy, go on", WORD(SL_UNHEALTHY, 0, 0), GOES_ON, false },
	{ "unhealthy, reset", WORD(SL_UNHEALTHY, 0, SL_WORD_RESET), IS_RESET, true },
	{ "forced", WORD(SL_UNHEALTHY, 0, SL_WORD_RESET | SL_WORD_FORCED), GOES_ON, false },
	{ "disabled, go on", WORD(SL_HEALTHY, SL_DISABLED, 0), GOES_ON, false },
	{ "disabled, reset", WORD(SL_HEALTHY, SL_DISABLED, SL_WORD_RESET), IS_RESET, true },
	{ "draining", WORD(SL_HEALTHY, SL_DRAINING, SL_WORD_RESET), GOES_ON, false },
	{ "drained",
	  { .health = SL_HEALTHY, .admin = SL_DRAINING, .deadline_s = 1 },
	  IS_RESET,
	  true },
	{ "to be drained",
	  { .health = SL_HEALTHY, .admin = SL_DRAINING, .deadline_s = UINT32_MAX },
	  GOES_ON,
	  false },
	{ "a deadline, but not draining",
	  { .health = SL_HEALTHY, .deadline_s = 1 },
	  GOES_ON,
	  false },
};

static void check_open(struct rig *rig, enum rig_program program, const struct open_row *row,
		       enum flavour f)
{
	int choice = services_choice(rig, f, SERVICES_CLIENT_PORT);
	struct packet_desc desc = services_request(f, PACKET_ACK);
	bool tcp = flavours[f].proto == SL_TCP, reset = tcp && row->tcp == IS_RESET;
	struct rig_result result;
	struct sl_flow flow;

	rig_forget_flows(rig);
	services_words(rig, f, healthy, healthy);
	services_run(rig, program, &desc);
	services_words(rig, f, choice ? healthy : row->word, choice ? row->word : healthy);
	result = services_run(rig, program, &desc);
	print_message("%s, flavour %u\n", row->name, f);
	assert_int_equal(result.decision, reset ? SL_RESET : SL_FORWARD_DSR);
	assert_int_equal(result.stats.reset, reset);
	assert_int_equal(result.stats.packets, 1);
	assert_int_equal(is_known(rig, f, &flow), !reset);
	if (reset) {
		assert_int_equal(result.verdict, RIG_REPLY);
		assert_true(packet_checksums_ok(result.frame, result.len));
		return;
	}
	assert_int_equal(flow.endpoint, 2 * f + (!tcp && row->udp_moves ? !choice : choice));
}

static void test_open_flows(void **state)
{
	for (size_t i = 0; i < sizeof(open_rows) / sizeof(open_rows[0]); i++)
		for_each_program (p)
			for_each_flavour (f)
				check_open(*state, *p, &open_rows[i], f);
}

/* An open flow keeps its endpoint when the selection changes; and its RST is no reason for one. */
static void test_open_flows_stay(void **state)
{
	struct rig *rig = *state;

	for_each_program (p) {
		for_each_flavour (f) {
			int choice = services_choice(rig, f, SERVICES_CLIENT_PORT);
			const uint32_t other = 2 * f + !choice;
			const uint32_t both[] = { 2 * f, 2 * f + 1 };
			struct packet_desc desc = services_request(f, PACKET_ACK);
			struct sl_flow flow;

			rig_forget_flows(rig);
			services_run(rig, *p, &desc);
			rig_select(rig, services_slice(f), &other, 1);
			services_run(rig, *p, &desc);
			assert_true(is_known(rig, f, &flow));
			assert_int_equal(flow.endpoint, 2 * f + choice);
			rig_select(rig, services_slice(f), both, 2);
		}
	}
}

/* What happens between a SYN and the client's next packet, and whether the flow stays where it was. */
static const struct handshake_row {
	const char *name;
	enum { NOTHING, OTHER_SELECTED, OTHER_GENERATION, OBSERVED } change;
	struct sl_word word; /* of the endpoint that the SYN went to */
	bool tcp_stays;
} handshake_rows[] = {
	{ "nothing", NOTHING, WORD(SL_HEALTHY, 0, 0), true },
	{ "selection", OTHER_SELECTED, WORD(SL_HEALTHY, 0, 0), true },
	{ "draining", NOTHING, WORD(SL_HEALTHY, SL_DRAINING, 0), true },
	{ "draining, and selection", OTHER_SELECTED, WORD(SL_HEALTHY, SL_DRAINING, 0), true },
	{ "unhealthy, go on", OTHER_SELECTED, WORD(SL_UNHEALTHY, 0, 0), true },
	{ "unhealthy, reset", OTHER_SELECTED, WORD(SL_UNHEALTHY, 0, SL_WORD_RESET), false },
	{ "disabled, reset", NOTHING, WORD(SL_HEALTHY, SL_DISABLED, SL_WORD_RESET), false },
	{ "its id is another's", OTHER_GENERATION, WORD(SL_HEALTHY, 0, 0), false },
	{ "it was only observed", OBSERVED, WORD(SL_HEALTHY, 0, 0), false },
};

static void change_between(struct rig *rig, const struct handshake_row *row, enum flavour f)
{
	int choice = services_choice(rig, f, SERVICES_CLIENT_PORT);
	const uint32_t other = 2 * f + !choice;

	services_words(rig, f, choice ? healthy : row->word, choice ? row->word : healthy);
	if (row->change != NOTHING)
		rig_select(rig, services_slice(f), &other, 1);
	if (row->change == OTHER_GENERATION)
		rig_source(rig, 2 * f + choice, flavours[f].source, SERVICES_GENERATION + 1);
}

static void check_handshake(struct rig *rig, enum rig_program program,
			    const struct handshake_row *row, enum flavour f)
{
	int choice = services_choice(rig, f, SERVICES_CLIENT_PORT);
	struct packet_desc desc = services_request(f, PACKET_SYN);
	struct sl_meta meta = rig_default_meta();
	struct rig_result result;
	struct sl_flow flow;

	meta.mode = row->change == OBSERVED ? SL_MODE_OBSERVE : SL_MODE_ENFORCE;
	rig_meta(rig, &meta);
	services_run(rig, program, &desc);
	meta.mode = SL_MODE_ENFORCE;
	rig_meta(rig, &meta);
	change_between(rig, row, f);

	desc = services_request(f, PACKET_ACK);
	result = services_run(rig, program, &desc);
	print_message("%s, flavour %u\n", row->name, f);
	assert_int_equal(result.decision, SL_FORWARD_DSR);
	assert_int_equal(result.service.flows, 0);
	assert_true(is_known(rig, f, &flow));
	assert_int_equal(flow.endpoint, 2 * f + (row->tcp_stays ? choice : !choice));
}

static void test_handshakes_stay(void **state)
{
	for (size_t i = 0; i < sizeof(handshake_rows) / sizeof(handshake_rows[0]); i++) {
		for_each_program (p) {
			for_each_flavour (f) {
				if (flavours[f].proto != SL_TCP)
					continue;
				services_make(*state, &dsr);
				rig_forget_flows(*state);
				check_handshake(*state, *p, &handshake_rows[i], f);
			}
		}
	}
}

/* Another service that got the address, or another flow that fell into the slot: neither is this one's. */
static void test_foreign_handshakes(void **state)
{
	const uint64_t hash = 0x123456789abcdef0ull;

	(void)state;
	assert_int_not_equal(sl_handshake_tag(hash, 1), sl_handshake_tag(hash, 2));
	assert_int_not_equal(sl_handshake_tag(hash, 1), sl_handshake_tag(hash + 2, 1));
	for (uint32_t service = 0; service < 100000; service++)
		assert_int_not_equal(sl_handshake_tag(0, service), 0);
}

/* A flow whose endpoint's id has been given to another, or to another service: a new one. */
static void test_foreign_flows(void **state)
{
	struct rig *rig = *state;

	for_each_program (p) {
		for_each_flavour (f) {
			int choice = services_choice(rig, f, SERVICES_CLIENT_PORT);
			struct sl_tuple tuple = services_tuple(f, SERVICES_CLIENT_PORT);
			const struct sl_flow foreign[] = {
				{ .endpoint = 2 * f + !choice, .service = f, .generation = 2 },
				{ .endpoint = 2 * f + !choice,
				  .service = f + 1,
				  .generation = SERVICES_GENERATION },
				{ .endpoint = 2 * f + !choice,
				  .service = f,
				  .generation = SERVICES_GENERATION,
				  .port = 1 },
				{ .endpoint = 2 * f + !choice,
				  .service = f,
				  .generation = SERVICES_GENERATION,
				  .kind = SL_FLOW_TO_CLIENT },
			};

			for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
				struct packet_desc desc = services_request(f, PACKET_ACK);
				struct sl_flow flow;

				rig_put_flow(rig, RIG_FLOWS_TABLE, &tuple, &foreign[i]);
				services_run(rig, *p, &desc);
				assert_true(is_known(rig, f, &flow));
				assert_int_equal(flow.endpoint, 2 * f + choice);
			}
		}
	}
}

/* A SYN on the tuple of a flow that lives stays; of one that is over, or whose endpoint is, does not. */
static void test_tuple_used_again(void **state)
{
	static const struct {
		uint8_t flags, state;
		struct sl_word word;
		bool stays;
	} rows[] = {
		{ PACKET_SYN, 0, { .health = SL_HEALTHY }, true },
		{ PACKET_SYN, SL_FLOW_FIN_CLIENT, { .health = SL_HEALTHY }, false },
		{ PACKET_SYN, SL_FLOW_RESET, { .health = SL_HEALTHY }, false },
		{ PACKET_SYN, 0, { .health = SL_UNHEALTHY }, false },
		{ PACKET_SYN, 0, { .admin = SL_DRAINING }, false },
		{ PACKET_ACK, SL_FLOW_FIN_CLIENT, { .health = SL_HEALTHY }, true },
		{ PACKET_ACK, SL_FLOW_RESET, { .health = SL_UNHEALTHY }, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for_each_program (p) {
			struct rig *rig = *state;
			int other = !services_choice(rig, TCP4, SERVICES_CLIENT_PORT);
			struct sl_tuple tuple = services_tuple(TCP4, SERVICES_CLIENT_PORT);
			struct sl_flow flow = { .endpoint = other,
						.generation = SERVICES_GENERATION,
						.state = rows[i].state };
			struct packet_desc desc = services_request(TCP4, rows[i].flags);
			struct rig_result result;

			services_words(rig, TCP4, other ? healthy : rows[i].word,
				       other ? rows[i].word : healthy);
			rig_put_flow(rig, RIG_FLOWS_TABLE, &tuple, &flow);
			result = services_run(rig, *p, &desc);
			assert_int_equal(result.decision, SL_FORWARD_DSR);
			assert_int_equal(rig_flow(rig, RIG_FLOWS_TABLE, &tuple, &flow),
					 rows[i].stays);
		}
	}
}

static void test_ends_are_noted(void **state)
{
	static const struct {
		uint8_t flags, state;
	} rows[] = {
		{ PACKET_ACK, 0 },
		{ PACKET_ACK | PACKET_FIN, SL_FLOW_FIN_CLIENT },
		{ PACKET_ACK | PACKET_RST, SL_FLOW_FIN_CLIENT | SL_FLOW_RESET },
	};

	for_each_program (p) {
		rig_forget_flows(*state);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct packet_desc desc = services_request(TCP6, rows[i].flags);
			struct sl_flow flow;

			services_run(*state, *p, &desc);
			assert_true(is_known(*state, TCP6, &flow));
			assert_int_equal(flow.state, rows[i].state);
		}
	}
}

/* The RST of an unknown flow opens none. */
static void test_stray_rst(void **state)
{
	for_each_program (p) {
		struct packet_desc desc = services_request(TCP4, PACKET_RST);
		struct rig_result result = services_run(*state, *p, &desc);

		assert_int_equal(result.decision, SL_FORWARD_DSR);
		assert_int_equal(rig_flows(*state, RIG_FLOWS_TABLE), 0);
	}
}

/* With the budget spent, packets go where the selection says, and no flow is entered. */
static void test_flow_budget(void **state)
{
	const struct sl_reply_budget spent = { .left = 0, .window_start_ns = 1 };
	const struct sl_reply_budget one = { .left = 1, .window_start_ns = 1 };
	struct sl_meta meta = rig_default_meta();

	meta.reply_window_ns = UINT64_MAX;
	rig_meta(*state, &meta);

	for_each_program (p) {
		for_each_flavour (f) {
			struct packet_desc desc = services_request(f, PACKET_ACK);
			struct rig_result result;

			rig_forget_flows(*state);
			rig_flow_budget(*state, &spent);
			result = services_run(*state, *p, &desc);
			assert_int_equal(result.decision, SL_FORWARD_DSR);
			assert_int_equal(result.service.failed, 0);
			assert_int_equal(rig_flows(*state, RIG_FLOWS_TABLE), 0);
			rig_flow_budget(*state, &one);
			services_run(*state, *p, &desc);
			assert_int_equal(rig_flows(*state, RIG_FLOWS_TABLE), 1);
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
		cmocka_unit_test_setup_teardown(test_sent_as_it_is, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_awkward, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_ttl_checksums, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_spent_ttl, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_selection, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_affinity, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_eligible, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_none, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_open_flows, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_open_flows_stay, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_handshakes_stay, setup, rig_teardown),
		cmocka_unit_test(test_foreign_handshakes),
		cmocka_unit_test_setup_teardown(test_foreign_flows, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_tuple_used_again, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_ends_are_noted, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_stray_rst, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_flow_budget, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_observe, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_one_armed, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_stale_route, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_daemon_lost, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_egress_passes, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_shared_slots, setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
