// SPDX-License-Identifier: GPL-2.0-or-later
/* What operators order, and what the next configuration and the next daemon take over. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "daemon/changes.h"
#include "model/overlay.h"
#include "model/weights.h"
#include "tests/unit/pipeline_run.h"
#include "util/clock.h"

/* What the operator ordered, and until when, outlives the daemon. */
static void orders_are_adopted(void **state)
{
	struct fixture f;

	(void)state;
	adopted[0] = adopted[1] = true;
	words[0] = (struct sl_word){ .health = SL_HEALTHY, .admin = SL_DRAINING, .deadline_s = 42 };
	words[1] = (struct sl_word){ .health = SL_HEALTHY, .admin = SL_DISABLED };
	words[2] = (struct sl_word){ .admin = SL_DISABLED }; /* not adopted: left-over */
	begin(&f, 0);
	assert_int_equal(words[0].admin, SL_DRAINING);
	assert_int_equal(words[0].deadline_s, 42);
	assert_int_equal(board_read(f.board, 0).admin, SL_DRAINING);
	assert_int_equal(words[1].admin, SL_DISABLED);
	assert_int_equal(board_read(f.board, 1).admin, SL_DISABLED);
	assert_int_equal(words[2].admin, SL_ENABLED);
	end(&f);
}

static struct overlay overlay;

static void order(struct fixture *f, enum change_action action, const char *address, uint32_t n)
{
	struct change change = { .action = action, .timeout_ms = n, .weight = n };

	snprintf(change.address, sizeof(change.address), "%s", address);
	changes_make(f->pipeline, f->model, &overlay, &change);
}

/*
 * The next configuration's pipeline takes over what is known: counts that are not yet a change, and
 * what people see. An endpoint that the one before has not begins anew.
 */
static void next_inherits(void **state)
{
	struct pipeline_parts parts;
	struct fixture f, next = { .model = NULL };
	struct health before;

	(void)state;
	begin(&f, 0);
	report(&f, 0, SL_MSG_OK);
	report(&f, 0, SL_MSG_TCP_CONNECT_FAILED);
	report(&f, 1, SL_MSG_TCP_CONNECT_FAILED);
	report(&f, 2, SL_MSG_OK);
	order(&f, CHANGE_WEIGHT, "10.0.0.1", 7);
	before = board_health(f.board, 0);
	/* What was found out beside the probes is of another's making, who is no more. */
	board_set_suspected(f.board, 0, true);
	board_set_disagreement(f.board, 0, "green_but_broken");
	board_set_stretch(f.board, 0, 4);
	board_set_mark(f.board, 0, &(struct traffic_mark){ .set = true, .mono_ms = 1 });

	next.model = make_model(0);
	/* Somebody else at the third place. */
	next.model->endpoints[2].key.addr[15] = 99;
	next.model->settings[0].on_unhealthy = SL_ACTION_DROP;
	for (uint32_t i = 0; i < next.model->n_endpoints; i++)
		next.plans[i] = plan_endpoint(next.model, &next.model->endpoints[i]);
	next.board = board_new(next.model->n_endpoints);
	parts = (struct pipeline_parts){
		.loop = &f.loop, .model = next.model, .plans = next.plans, .board = next.board
	};
	words[2] = (struct sl_word){ 0 };
	assert_int_equal(pipeline_new(&next.pipeline, &parts), 0);
	pipeline_inherit(next.pipeline, f.pipeline);
	assert_int_equal(weights_get(pipeline_weights(next.pipeline), 0, 0), 1);
	/* Weights are the model's, with what was changed over it. */
	assert_int_equal(weights_get(pipeline_weights(next.pipeline), 0, 1), 1);

	assert_int_equal(board_health(next.board, 0).shown, SL_HEALTHY);
	assert_int_equal(board_health(next.board, 0).failures, 1);
	assert_int_equal(board_health(next.board, 0).since_ms, before.since_ms);
	assert_int_equal(board_read(next.board, 0).n_verdicts, 2);
	assert_false(board_read(next.board, 0).suspected);
	assert_null(board_read(next.board, 0).disagreement);
	assert_int_equal(board_read(next.board, 0).stretch, 0);
	assert_false(board_read(next.board, 0).mark.set);
	assert_int_equal(board_read(next.board, 0).recent[0].verdict.code,
			 SL_MSG_TCP_CONNECT_FAILED);
	assert_int_equal(board_health(next.board, 1).shown, SL_UNHEALTHY);
	assert_int_equal(words[1].health, SL_UNHEALTHY);
	assert_int_equal(words[1].action, SL_ACTION_DROP);
	assert_int_equal(board_health(next.board, 2).shown, SL_UNKNOWN);
	assert_int_equal(board_read(next.board, 2).n_verdicts, 0);

	/* The second failure in a row counts the first, which the one before saw. */
	pipeline_free(f.pipeline);
	f.pipeline = next.pipeline;
	report(&f, 0, SL_MSG_TCP_CONNECT_FAILED);
	assert_int_equal(board_health(next.board, 0).shown, SL_UNHEALTHY);
	end(&f);
	board_free(next.board);
	model_free(next.model);
}

/* What an operator orders is in the word at once, and the tables follow. */
static void orders_are_carried_out(void **state)
{
	uint64_t before_s = clock_mono_ms() / MS_PER_SEC;
	struct fixture f;

	(void)state;
	with_listen = true;
	begin(&f, 0);
	report(&f, 0, SL_MSG_OK);
	report(&f, 1, SL_MSG_OK);
	order(&f, CHANGE_DRAIN, "10.0.0.1", 60000);
	assert_int_equal(words[1].admin, SL_DRAINING);
	assert_true(words[1].flags & SL_WORD_ORDERED);
	assert_in_range(words[1].deadline_s, before_s + 60, before_s + 70);
	assert_true(table_is(1, 0));
	assert_true(board_read(f.board, 1).ordered);
	assert_in_range(board_read(f.board, 1).deadline_ms, 1000 * (before_s + 60),
			1000 * (before_s + 70));
	assert_int_equal(words[0].admin, SL_ENABLED);

	/* Without a time: what the settings say, or half a minute. */
	order(&f, CHANGE_DRAIN, "10.0.0.1", 0);
	assert_in_range(words[1].deadline_s, before_s + 30, before_s + 40);
	f.model->settings[0].drains = true;
	f.model->settings[0].drain_ms = 600000;
	order(&f, CHANGE_DRAIN, "10.0.0.1", 0);
	assert_in_range(words[1].deadline_s, before_s + 600, before_s + 610);

	order(&f, CHANGE_ENABLE, "10.0.0.1", 0);
	assert_int_equal(words[1].admin, SL_ENABLED);
	assert_int_equal(words[1].deadline_s, 0);
	assert_false(words[1].flags & SL_WORD_ORDERED);
	assert_true(table_is(1, 1));
	order(&f, CHANGE_DISABLE, "10.0.0.0", 0);
	assert_int_equal(words[0].admin, SL_DISABLED);
	assert_int_equal(words[0].deadline_s, 0);
	assert_true(table_is(0, 1));

	pipeline_block(f.pipeline, "it is gone");
	assert_int_equal(changes_check(f.pipeline, NULL), -ENOLINK);
	assert_int_equal(words[1].admin, SL_ENABLED);
	end(&f);
	with_listen = false;
}

static void order_elsewhere(enum sl_admin admin)
{
	struct overlay_row row = overlay_row_of(&overlay, "other", "10.0.0.0");

	row.admin = admin;
	row.deadline_ms = admin == SL_DRAINING ? clock_wall_ms() + 60000 : 0;
	assert_int_equal(overlay_set(&overlay, &row), 0);
}

/* As it is kept before it is made. */
static void order_here(uint32_t timeout_ms)
{
	struct overlay_row row = overlay_row_of(&overlay, "", "10.0.0.0");

	row.admin = SL_DRAINING;
	row.deadline_ms = clock_wall_ms() + timeout_ms;
	assert_int_equal(overlay_set(&overlay, &row), 0);
}

/* An endpoint of two pools has one word: who is out of service in the one is so in the other, for as short as either says. */
static void orders_of_two_pools(void **state)
{
	uint64_t before_s = clock_mono_ms() / MS_PER_SEC;
	struct fixture f;

	(void)state;
	with_second_service = true;
	begin(&f, 0);
	snprintf(f.model->pools[1].name, SL_NAME_LEN, "other");
	snprintf(f.model->pools[0].backends[0].text, SL_TEXT_LEN, "10.0.0.0");
	order_elsewhere(SL_DRAINING);
	order(&f, CHANGE_ENABLE, "10.0.0.0", 0);
	assert_int_equal(words[0].admin, SL_DRAINING);
	assert_in_range(words[0].deadline_s, before_s + 60, before_s + 70);
	order_here(60000 * 2);
	order(&f, CHANGE_DRAIN, "10.0.0.0", 60000 * 2);
	assert_in_range(words[0].deadline_s, before_s + 60, before_s + 70);
	order_here(1000);
	order(&f, CHANGE_DRAIN, "10.0.0.0", 1000);
	assert_in_range(words[0].deadline_s, before_s + 1, before_s + 11);
	order(&f, CHANGE_DISABLE, "10.0.0.0", 0);
	assert_int_equal(words[0].admin, SL_DISABLED);
	order_elsewhere(SL_DISABLED);
	order(&f, CHANGE_DRAIN, "10.0.0.0", 1000);
	assert_int_equal(words[0].admin, SL_DISABLED);
	assert_int_equal(words[0].deadline_s, 0);
	order_elsewhere(SL_ENABLED);
	order(&f, CHANGE_ENABLE, "10.0.0.0", 0);
	assert_int_equal(words[0].admin, SL_ENABLED);
	end(&f);
	overlay_done(&overlay);
	with_second_service = false;
}

/* The model stays as it is; tables are made by the weights in force. */
static void weights_are_changed(void **state)
{
	struct fixture f;

	(void)state;
	with_listen = true;
	begin(&f, 0);
	assert_ptr_equal(weights, pipeline_weights(f.pipeline));
	assert_int_equal(weights_get(weights, 0, 1), 1);
	n_tables = 0;
	order(&f, CHANGE_WEIGHT, "10.0.0.1", 7);
	assert_int_equal(weights_get(weights, 0, 1), 7);
	assert_int_equal(weights_get(weights, 0, 0), 1);
	assert_int_equal(n_tables, 1);
	assert_true(table_is(1, 1));
	order(&f, CHANGE_WEIGHT, "10.0.0.1", 0);
	assert_true(table_is(1, 0));
	assert_int_equal(f.model->pools[0].backends[1].weight, 1);
	end(&f);
	with_listen = false;
}

/* An order for a name is one for whoever sits in its seats; DNS does not take it back. */
static void orders_for_names(void **state)
{
	struct fixture f;

	(void)state;
	with_name = true;
	begin(&f, 0);
	sit(&f, SEAT, "10.0.0.9");
	order(&f, CHANGE_DRAIN, "APP.test.", 60000);
	assert_int_equal(words[SEAT].admin, SL_DRAINING);
	assert_int_equal(pipeline_admin(f.pipeline, SEAT), SL_ENABLED);
	sit(&f, SEAT + 1, "10.0.0.10");
	assert_int_equal(words[SEAT + 1].admin, SL_DRAINING);
	assert_int_equal(board_read(f.board, SEAT + 1).admin, SL_DRAINING);

	/* The earlier of both ends is the end. */
	pipeline_set_admin(f.pipeline, SEAT, SL_DRAINING, 41001);
	assert_int_equal(words[SEAT].deadline_s, 42);
	pipeline_set_admin(f.pipeline, SEAT, SL_ENABLED, 0);
	assert_int_equal(words[SEAT].admin, SL_DRAINING);
	assert_true(words[SEAT].deadline_s > 42);
	pipeline_set_admin(f.pipeline, SEAT, SL_DRAINING, 41001);
	order(&f, CHANGE_ENABLE, "app.test", 0);
	assert_int_equal(words[SEAT].admin, SL_DRAINING);
	assert_int_equal(words[SEAT].deadline_s, 42);
	assert_false(words[SEAT].flags & SL_WORD_ORDERED);
	assert_int_equal(words[SEAT + 1].admin, SL_ENABLED);
	end(&f);
	with_name = false;
}

/* A seat's word tells a daemon who ordered, and an order is for all seats of the name. */
static void orders_for_names_are_adopted(void **state)
{
	struct fixture f;

	(void)state;
	with_name = true;
	adopt_seat(SEAT + 3, (struct sl_word){ .admin = SL_DISABLED,
					       .flags = SL_WORD_ORDERED | SL_WORD_RESET });
	begin(&f, 0);
	assert_int_equal(words[SEAT + 3].admin, SL_DISABLED);
	assert_int_equal(pipeline_admin(f.pipeline, SEAT + 3), SL_ENABLED);
	sit(&f, SEAT, "10.0.0.9");
	assert_int_equal(words[SEAT].admin, SL_DISABLED);
	assert_int_equal(words[0].admin, SL_ENABLED);
	end(&f);
	with_name = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_are_adopted),
		cmocka_unit_test(next_inherits),
		cmocka_unit_test(orders_are_carried_out),
		cmocka_unit_test(orders_of_two_pools),
		cmocka_unit_test(weights_are_changed),
		cmocka_unit_test(orders_for_names),
		cmocka_unit_test(orders_for_names_are_adopted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
