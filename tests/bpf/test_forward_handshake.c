// SPDX-License-Identifier: GPL-2.0-or-later
/* Handshakes of flows that are not translated: such a flow stays where its SYN went. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sluice/hash.h"
#include "tests/lib/dsr_flow.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		row(test_handshakes_stay),
		cmocka_unit_test(test_foreign_handshakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
