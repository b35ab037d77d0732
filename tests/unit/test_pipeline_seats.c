// SPDX-License-Identifier: GPL-2.0-or-later
/* Seats of DNS names in the pipeline: who sits there, and what is known of whoever does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/pipeline_run.h"

/* Nobody in a seat: nothing in the kernel, and its name's first seat stands for the name. */
static void seats_begin_vacant(void **state)
{
	struct fixture f;

	(void)state;
	with_name = true;
	begin(&f, 0);
	assert_true(pipeline_taken(f.pipeline, 0));
	assert_false(pipeline_taken(f.pipeline, SEAT));
	assert_true(pipeline_plan(f.pipeline, SEAT).idle);
	assert_int_equal(board_read(f.board, SEAT).seat, BOARD_NAME);
	assert_int_equal(board_read(f.board, SEAT + 1).seat, BOARD_VACANT);
	assert_int_equal(words[SEAT].action, 0);
	pipeline_judge(f.pipeline, SEAT, &(struct verdict){ .code = SL_MSG_DNS_RESOLUTION_FAILED });
	assert_int_equal(board_health(f.board, SEAT).shown, SL_UNHEALTHY);
	assert_int_equal(words[SEAT].health, SL_UNKNOWN);
	end(&f);
	with_name = false;
}

/* Verdicts are about who sat there when the probe began, and nobody else. */
static void seats_change_hands(void **state)
{
	struct verdict verdict = { .code = SL_MSG_TCP_CONNECT_FAILED };
	struct fixture f;

	(void)state;
	with_name = true;
	begin(&f, 0);
	sit(&f, SEAT, "10.0.0.9");
	assert_int_equal(seats[SEAT].addr[15], 9);
	assert_int_equal(seats[SEAT].port, 80);
	assert_int_equal(board_read(f.board, SEAT).seat, BOARD_FOUND);
	assert_int_equal(words[SEAT].action, SL_ACTION_REJECT);
	verdict.generation = pipeline_plan(f.pipeline, SEAT).generation;
	assert_false(pipeline_plan(f.pipeline, SEAT).idle);
	pipeline_report(f.pipeline, SEAT, &verdict);
	uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_int_equal(words[SEAT].health, SL_UNHEALTHY);

	pipeline_vacate(f.pipeline, SEAT, false);
	assert_int_equal(seats[SEAT].port, 0);
	sit(&f, SEAT, "10.0.0.8");
	assert_int_equal(words[SEAT].health, SL_UNKNOWN);
	pipeline_report(f.pipeline, SEAT, &verdict);
	uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_int_equal(words[SEAT].health, SL_UNKNOWN);
	assert_int_equal(board_read(f.board, SEAT).n_verdicts, 0);
	end(&f);
	with_name = false;
}

/* Draining closes the gate for new flows, lets open ones be, and takes a member away. */
static void seats_drain(void **state)
{
	struct fixture f;

	(void)state;
	with_name = true;
	begin(&f, 1);
	sit(&f, SEAT, "10.0.0.9");
	report(&f, 0, SL_MSG_TCP_CONNECT_FAILED);
	report(&f, 1, SL_MSG_TCP_CONNECT_FAILED);
	/* The one in the seat is Unknown, which is open enough for min_servers. */
	assert_int_equal(words[0].flags & SL_WORD_FORCED, 0);
	assert_int_equal(words[1].flags & SL_WORD_FORCED, 0);
	pipeline_set_admin(f.pipeline, SEAT, SL_DRAINING, 41001);
	assert_int_equal(words[SEAT].admin, SL_DRAINING);
	assert_int_equal(words[SEAT].deadline_s, 42);
	assert_int_equal(words[SEAT].flags & SL_WORD_RESET, 0);
	assert_int_equal(board_read(f.board, SEAT).admin, SL_DRAINING);
	assert_true((words[0].flags | words[1].flags) & SL_WORD_FORCED);
	pipeline_set_admin(f.pipeline, SEAT, SL_ENABLED, 0);
	assert_int_equal(words[SEAT].admin, SL_ENABLED);
	assert_int_equal(words[SEAT].deadline_s, 0);
	assert_int_equal((words[0].flags | words[1].flags) & SL_WORD_FORCED, 0);
	pipeline_vacate(f.pipeline, SEAT, true);
	assert_true((words[0].flags | words[1].flags) & SL_WORD_FORCED);
	end(&f);
	with_name = false;
}

/* What the kernel holds for a seat, draining included, is taken over. */
static void seats_are_adopted(void **state)
{
	struct fixture f;

	(void)state;
	with_name = true;
	adopt_seat(SEAT + 3, (struct sl_word){ .health = SL_UNHEALTHY, .admin = SL_DRAINING });
	begin(&f, 0);
	assert_true(pipeline_taken(f.pipeline, SEAT + 3));
	assert_int_equal(pipeline_plan(f.pipeline, SEAT + 3).addr.bytes[0], 0xfd);
	assert_int_equal(pipeline_admin(f.pipeline, SEAT + 3), SL_DRAINING);
	assert_int_equal(words[SEAT + 3].health, SL_UNHEALTHY);
	assert_int_equal(words[SEAT + 3].admin, SL_DRAINING);
	assert_int_equal(board_read(f.board, SEAT + 3).seat, BOARD_FOUND);
	assert_true(board_read(f.board, SEAT + 3).adopted);
	end(&f);
	with_name = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seats_begin_vacant),
		cmocka_unit_test(seats_change_hands),
		cmocka_unit_test(seats_drain),
		cmocka_unit_test(seats_are_adopted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
