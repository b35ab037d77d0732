// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Flows that are open: what becomes of them when their endpoint's word changes, which entries are not
 * theirs, how they end, and when none is entered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/dsr_flow.h"

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

/* A flow of another service's, of another kind, or of maps that are yet to come: a new one. */
static void test_foreign_flows(void **state)
{
	struct rig *rig = *state;

	for_each_program (p) {
		for_each_flavour (f) {
			int choice = services_choice(rig, f, SERVICES_CLIENT_PORT);
			struct sl_tuple tuple = services_tuple(f, SERVICES_CLIENT_PORT);
			const struct sl_flow foreign[] = {
				{ .endpoint = 2 * f + !choice,
				  .service = f,
				  .generation = SERVICES_GENERATION + 1 },
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

/* A flow whose endpoint's id has been given to another: a connection ends, and what opens one goes to the next. */
static void test_flows_of_nobody(void **state)
{
	static const struct {
		uint8_t flags;
		enum sl_decision decision; /* of TCP */
	} rows[] = {
		{ PACKET_ACK, SL_REJECT_NO_FLOW },
		{ PACKET_ACK | PACKET_FIN, SL_REJECT_NO_FLOW },
		{ PACKET_ACK | PACKET_RST, SL_DROP_NO_REPLY },
		{ PACKET_SYN, SL_FORWARD_DSR },
	};
	struct rig *rig = *state;

	for_each_program (p) {
		for_each_flavour (f) {
			int choice = services_choice(rig, f, SERVICES_CLIENT_PORT);
			struct sl_tuple tuple = services_tuple(f, SERVICES_CLIENT_PORT);
			struct sl_flow old = { .endpoint = 2 * f + !choice,
					       .service = f,
					       .generation = SERVICES_GENERATION - 1 };
			bool tcp = f == TCP4 || f == TCP6;

			for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
				struct packet_desc desc = services_request(f, rows[i].flags);
				struct rig_result result;
				struct sl_flow flow;

				rig_put_flow(rig, RIG_FLOWS_TABLE, &tuple, &old);
				result = services_run(rig, *p, &desc);
				assert_int_equal(result.decision,
						 tcp ? rows[i].decision : SL_FORWARD_DSR);
				assert_int_equal(is_known(rig, f, &flow), !tcp);
				if (!tcp)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		row(test_open_flows),      row(test_open_flows_stay),  row(test_foreign_flows),
		row(test_flows_of_nobody), row(test_tuple_used_again), row(test_ends_are_noted),
		row(test_stray_rst),       row(test_flow_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
