// SPDX-License-Identifier: GPL-2.0-or-later
/* The board: entries are copies, the newest verdict comes first, the oldest gives way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "model/board.h"
#include "tests/lib/fault.h"

static void test_entries(void **state)
{
	CLEANUP(board_free_p) struct board *board = board_new(2);
	const struct health health = { .shown = SL_HEALTHY, .failures = 3 };
	struct board_entry entry;

	(void)state;
	assert_non_null(board);
	board_set_health(board, 1, &health, true);
	entry = board_read(board, 1);
	assert_int_equal(entry.health.shown, SL_HEALTHY);
	assert_int_equal(entry.health.failures, 3);
	assert_true(entry.adopted);
	board_set_health(board, 1, &health, false);
	assert_true(entry.adopted);
	assert_false(board_read(board, 1).adopted);
	/* The other one is as it was. */
	assert_int_equal(board_read(board, 0).health.shown, SL_UNKNOWN);
	assert_int_equal(board_read(board, 0).n_verdicts, 0);
}

static void test_verdicts(void **state)
{
	CLEANUP(board_free_p) struct board *board = board_new(1);
	struct board_entry entry;

	(void)state;
	for (uint32_t i = 1; i <= BOARD_RECENT + 2; i++) {
		const struct verdict verdict = { .elapsed_ms = i };

		board_add_verdict(board, 0, &verdict, 100 + i);
		entry = board_read(board, 0);
		assert_int_equal(entry.n_verdicts, i);
		for (uint32_t j = 0; j < BOARD_RECENT; j++) {
			assert_int_equal(entry.recent[j].at_ms, j < i ? 100 + i - j : 0);
			assert_int_equal(entry.recent[j].verdict.elapsed_ms, j < i ? i - j : 0);
		}
	}
}

/* What a later verdict pushes down is still there, but for the certificates. */
static void test_past(void **state)
{
	CLEANUP(board_free_p) struct board *board = board_new(1);
	const struct verdict full = {
		.code = SL_MSG_UDP_ANSWER_MISMATCH,
		.stage = STAGE_BODY,
		.os_errno = ECONNRESET,
		.has_icmp = true,
		.icmp_type = 3,
		.icmp_code = 13,
		.http_status = 503,
		.grpc_status = 14,
		.elapsed_ms = 70000,
		.timing = { 1, 2, 3, 4, 5 },
		.tls = { .alert = 112,
			 .x509_code = 20,
			 .x509_depth = 1,
			 .warnings = 3,
			 .n_also = 2,
			 .also = { SL_MSG_CERT_DATE_INVALID, SL_MSG_CERT_NAME_MISMATCH } },
		.detail = "in words",
	};
	struct verdict first = full;
	struct board_entry entry;

	(void)state;
	first.tls.version = 0x0304;
	first.tls.certs = certs_new(1);
	board_add_verdict(board, 0, &first, 7);
	certs_unref(first.tls.certs);
	entry = board_read(board, 0);
	assert_memory_equal(&entry.recent[0].verdict, &first, sizeof(first));
	board_entry_done(&entry);

	for (int i = 0; i < BOARD_RECENT - 1; i++)
		board_add_verdict(board, 0, &(struct verdict){ .code = SL_MSG_OK }, 8);
	entry = board_read(board, 0);
	assert_int_equal(entry.recent[BOARD_RECENT - 1].at_ms, 7);
	assert_memory_equal(&entry.recent[BOARD_RECENT - 1].verdict, &full, sizeof(full));
	board_entry_done(&entry);
	board_add_verdict(board, 0, &(struct verdict){ .code = SL_MSG_OK }, 9);
}

/* Only what is to be seen of an entry counts as a change, and each has a revision of its own. */
static void test_revisions(void **state)
{
	CLEANUP(board_free_p) struct board *board = board_new(2);
	struct health health = { .shown = SL_HEALTHY };
	struct verdict verdict = { .code = SL_MSG_OK, .timing.connect_us = 7 };
	uint64_t before;

	(void)state;
	assert_true(board_changed(board, 0) > 0);
	assert_true(board_changed(board, 1) <= board_revision(board));
	before = board_revision(board);
	board_set_health(board, 1, &health, false);
	assert_int_equal(board_changed(board, 1), before + 1);
	assert_true(board_changed(board, 0) <= before);
	health.successes = 5;
	board_set_health(board, 1, &health, false);
	board_set_suspected(board, 1, false);
	assert_int_equal(board_revision(board), before + 1);
	board_add_verdict(board, 1, &verdict, 1);
	assert_int_equal(board_revision(board), before + 2);
	verdict.timing.connect_us = verdict.elapsed_ms = 9;
	board_add_verdict(board, 1, &verdict, 2);
	assert_int_equal(board_revision(board), before + 2);
	verdict.http_status = 503;
	board_add_verdict(board, 1, &verdict, 3);
	board_set_suspected(board, 1, true);
	board_set_admin(board, 1, SL_DRAINING, true, 5);
	board_seat(board, 1, BOARD_VACANT, NULL);
	assert_int_equal(board_revision(board), before + 6);
	assert_int_equal(board_changed(board, 1), before + 6);
}

static void test_trail(void **state)
{
	CLEANUP(board_free_p) struct board *board = board_new(1);
	struct board_trail trail;

	(void)state;
	assert_int_equal(board_trail(board, 0).n, 0);
	for (uint32_t i = 1; i <= BOARD_TRAIL + 3; i++) {
		const struct verdict verdict = { .code = i % 2 ? SL_MSG_OK : SL_MSG_BACKEND_TIMEOUT,
						 .timing = { .total_us = i } };

		board_add_verdict(board, 0, &verdict, i);
		trail = board_trail(board, 0);
		assert_int_equal(trail.n, i < BOARD_TRAIL ? i : BOARD_TRAIL);
		for (uint32_t j = 0; j < trail.n; j++) {
			assert_int_equal(trail.steps[j].took_us, i - j);
			assert_int_equal(trail.steps[j].passed, (i - j) % 2);
		}
	}
}

/* Of long times the first digits, and never more than it was. */
static void test_trail_times(void **state)
{
	static const uint32_t took[] = { 1023, 1024, 1025, 123456, 2000000, 86400000, UINT32_MAX };
	CLEANUP(board_free_p) struct board *board = board_new(1);

	(void)state;
	for (size_t i = 0; i < sizeof(took) / sizeof(took[0]); i++) {
		const struct verdict verdict = { .timing = { .connect_us = took[i],
							     .total_us = 1 } };
		struct board_trail trail;

		board_add_verdict(board, 0, &verdict, 1);
		trail = board_trail(board, 0);
		assert_in_range(trail.steps[0].took_us, took[i] - took[i] / 500, took[i]);
	}
}

/* A sheet has the certificates that were shown last, even if the newest probe saw none. */
static void test_sheets(void **state)
{
	CLEANUP(board_free_p) struct board *board = board_new(2);
	const struct verdict silent = { .code = SL_MSG_TCP_CONNECT_FAILED,
					.timing = { .total_us = 5 } };
	struct verdict showing = { .code = SL_MSG_CERT_DATE_INVALID };
	struct certs *first = certs_new(1), *second = certs_new(2);
	struct board_sheet sheet = board_sheet(board, 0);

	(void)state;
	assert_null(sheet.certs);
	assert_int_equal(sheet.at_ms, 0);
	board_sheet_done(&sheet);
	showing.tls.certs = first;
	board_add_verdict(board, 0, &showing, 1);
	showing.tls.certs = second;
	board_add_verdict(board, 0, &showing, 2);
	board_add_verdict(board, 0, &silent, 3);
	certs_unref(first);
	certs_unref(second);
	sheet = board_sheet(board, 0);
	assert_ptr_equal(sheet.certs, second);
	assert_int_equal(sheet.code, SL_MSG_TCP_CONNECT_FAILED);
	assert_int_equal(sheet.at_ms, 3);
	assert_int_equal(outcomes_verdicts(&sheet.outcomes, SL_MSG_CERT_DATE_INVALID), 2);
	assert_int_equal(outcomes_times(&sheet.outcomes, OUTCOMES_TOTAL)->sum_us, 5);
	/* What was read stays, whatever becomes of the entry. */
	board_seat(board, 0, BOARD_NAME, NULL);
	assert_int_equal(sheet.certs->n, 2);
	board_sheet_done(&sheet);
	sheet = board_sheet(board, 0);
	assert_null(sheet.certs);
	assert_int_equal(outcomes_verdicts(&sheet.outcomes, SL_MSG_CERT_DATE_INVALID), 0);
	assert_int_equal(board_seatings(board), 1);
	board_sheet_done(&sheet);
}

/* Who comes into a seat is not held to what was known of who went. */
static void test_seats(void **state)
{
	CLEANUP(board_free_p) struct board *board = board_new(2);
	const struct board_name name = { .state = NAME_KEPT, .ttl_s = 5, .why = "x" };
	const struct verdict verdict = { .elapsed_ms = 1 };
	struct addr addr, found;

	(void)state;
	assert_int_equal(board_name(board, 0).ttl_s, 0);
	assert_int_equal(board_add_names(board, 1), 0);
	board_set_name(board, 0, &name);
	assert_int_equal(board_name(board, 0).state, NAME_KEPT);
	assert_int_equal(board_name(board, 0).ttl_s, 5);

	assert_int_equal(addr_parse(&addr, "10.0.0.5"), 0);
	assert_true(board_is_shown(board, 0));
	board_seat(board, 0, BOARD_VACANT, NULL);
	assert_false(board_is_shown(board, 0));
	board_seat(board, 0, BOARD_FOUND, &addr);
	board_add_verdict(board, 0, &verdict, 1);
	board_set_admin(board, 0, SL_DRAINING, true, 41);
	assert_int_equal(board_read(board, 0).admin, SL_DRAINING);
	assert_true(board_read(board, 0).ordered);
	assert_int_equal(board_read(board, 0).deadline_ms, 41);
	assert_int_equal(board_where(board, 0, &found), BOARD_FOUND);
	assert_memory_equal(found.bytes, addr.bytes, sizeof(addr.bytes));
	assert_memory_equal(board_read(board, 0).addr.bytes, addr.bytes, sizeof(addr.bytes));
	board_seat(board, 0, BOARD_NAME, NULL);
	assert_true(board_is_shown(board, 0));
	assert_int_equal(board_read(board, 0).n_verdicts, 0);
	assert_int_equal(board_read(board, 0).admin, SL_ENABLED);
	assert_int_equal(board_read(board, 1).seat, BOARD_ADDRESS);
	assert_string_equal(name_state_name(NAME_PENDING), "pending");
	assert_string_equal(name_state_name(NAME_FRESH), "fresh");
	assert_string_equal(name_state_name(NAME_KEPT), "last_known_good");
	assert_string_equal(name_state_name(NAME_FAILED), "failed");
}

static void test_memory(void **state)
{
	struct board *board;

	(void)state;
	for (int n = 0; n < 2; n++) {
		fault_after(FAULT_MEMORY, n, ENOMEM);
		assert_null(board_new(1));
		assert_true(fault_clear(FAULT_MEMORY));
	}
	board = board_new(0);
	assert_non_null(board);
	board_free(board);
	board_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),     cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_past),        cmocka_unit_test(test_seats),
		cmocka_unit_test(test_memory),      cmocka_unit_test(test_sheets),
		cmocka_unit_test(test_revisions),   cmocka_unit_test(test_trail),
		cmocka_unit_test(test_trail_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
