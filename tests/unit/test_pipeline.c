// SPDX-License-Identifier: GPL-2.0-or-later
/* The pipeline over a fake data plane: which words it stores, and what the board says then. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/fault.h"
#include "tests/unit/pipeline_run.h"
#include "util/clock.h"

static void nothing_reaches_the_kernel(void **state)
{
	struct board_entry entry;
	struct fixture f;

	(void)state;
	begin(&f, 0);
	report(&f, 0, SL_MSG_OK);
	pipeline_block(f.pipeline, "it is gone");
	entry = board_read(f.board, 0);
	assert_int_equal(entry.health.shown, SL_UNKNOWN);
	assert_int_equal(entry.health.proven, SL_HEALTHY);
	assert_int_equal(entry.recent[0].verdict.code, SL_MSG_UNKNOWN_CONTROL_BLOCKED);
	assert_string_equal(entry.recent[0].verdict.detail, "it is gone");

	/* What probes find from now on moves nothing. */
	n_stores = 0;
	for (int i = 0; i < 3; i++)
		report(&f, 0, SL_MSG_TCP_CONNECT_FAILED);
	assert_int_equal(board_health(f.board, 0).shown, SL_UNKNOWN);
	assert_int_equal(board_health(f.board, 0).proven, SL_HEALTHY);
	assert_int_equal(n_stores, 0);
	end(&f);
}

static void stores_words_on_change_only(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 0);
	assert_int_equal(words[0].health, SL_UNKNOWN);
	assert_int_equal(words[0].action, SL_ACTION_REJECT);
	assert_int_equal(words[0].flags, SL_WORD_RESET);

	n_stores = 0;
	report(&f, 0, SL_MSG_OK);
	assert_int_equal(words[0].health, SL_HEALTHY);
	report(&f, 0, SL_MSG_OK);
	report(&f, 0, SL_MSG_TCP_CONNECT_FAILED);
	assert_int_equal(words[0].health, SL_HEALTHY);
	assert_int_equal(n_stores, 1);
	report(&f, 0, SL_MSG_TCP_CONNECT_FAILED);
	assert_int_equal(words[0].health, SL_UNHEALTHY);
	assert_int_equal(n_stores, 2);
	end(&f);
}

static void own_trouble_moves_no_word(void **state)
{
	struct board_entry entry;
	struct fixture f;

	(void)state;
	begin(&f, 0);
	report(&f, 1, SL_MSG_OK);
	n_stores = 0;
	report(&f, 1, SL_MSG_PROBER_OVERLOADED);
	assert_int_equal(n_stores, 0);
	entry = board_read(f.board, 1);
	assert_int_equal(entry.health.shown, SL_UNKNOWN);
	assert_int_equal(entry.health.proven, SL_HEALTHY);
	assert_int_equal(entry.n_verdicts, 2);
	assert_int_equal(entry.recent[0].verdict.code, SL_MSG_PROBER_OVERLOADED);
	assert_int_equal(entry.recent[1].verdict.code, SL_MSG_OK);
	end(&f);
}

/* By the clock that nobody sets: what is compared with it must not wait for the wall clock to come round. */
static void standing_is_monotonic(void **state)
{
	uint64_t before_us = clock_mono_ns() / NS_PER_US;
	struct fixture f;

	(void)state;
	begin(&f, 0);
	assert_int_equal(pipeline_standing(f.pipeline, 0).passed_us, 0);
	report(&f, 0, SL_MSG_OK);
	assert_in_range(pipeline_standing(f.pipeline, 0).passed_us, before_us,
			clock_mono_ns() / NS_PER_US);
	end(&f);
}

static void adopts_what_is_in_force(void **state)
{
	struct fixture f;

	(void)state;
	adopted[0] = adopted[1] = true;
	words[0] = (struct sl_word){ .health = SL_UNHEALTHY };
	words[2] = (struct sl_word){ .health = SL_UNHEALTHY }; /* not adopted: left-over */
	begin(&f, 0);
	assert_int_equal(words[0].health, SL_UNHEALTHY);
	assert_int_equal(words[0].flags, SL_WORD_RESET);
	assert_int_equal(words[2].health, SL_UNKNOWN);
	assert_true(board_read(f.board, 0).adopted);
	assert_false(board_read(f.board, 1).adopted);
	assert_false(board_read(f.board, 2).adopted);

	report(&f, 0, SL_MSG_OK);
	assert_int_equal(words[0].health, SL_HEALTHY);
	assert_false(board_read(f.board, 0).adopted);
	end(&f);
}

static void min_servers_forces_open(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 1);
	for (uint32_t i = 0; i < N_BACKENDS; i++)
		report(&f, i, SL_MSG_TCP_CONNECT_FAILED);
	for (uint32_t i = 0; i < N_BACKENDS; i++)
		assert_int_equal(words[i].health, SL_UNHEALTHY);
	assert_int_equal(n_open(), 1);
	/* On the way there was no moment at which all were closed. */
	assert_int_equal(n_open_min, 1);

	report(&f, 1, SL_MSG_OK);
	for (uint32_t i = 0; i < N_BACKENDS; i++) {
		assert_false(words[i].flags & SL_WORD_FORCED);
		assert_false(board_read(f.board, i).health.forced);
	}
	end(&f);
}

static void min_servers_prefers_the_last_healthy(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 1);
	report(&f, 1, SL_MSG_OK);
	report(&f, 0, SL_MSG_TCP_CONNECT_FAILED);
	report(&f, 1, SL_MSG_TCP_CONNECT_FAILED);
	report(&f, 1, SL_MSG_TCP_CONNECT_FAILED);
	report(&f, 2, SL_MSG_TCP_CONNECT_FAILED);
	/* The others failed before and after it, and have never been healthy. */
	assert_false(words[0].flags & SL_WORD_FORCED);
	assert_true(words[1].flags & SL_WORD_FORCED);
	assert_false(words[2].flags & SL_WORD_FORCED);
	assert_int_equal(n_open_min, 1);
	end(&f);
}

/* An endpoint of two services is forced as long as one of them needs it. */
static void min_servers_counts_in_each_service(void **state)
{
	struct fixture f;

	(void)state;
	with_second_service = true;
	begin(&f, 1);
	with_second_service = false;
	report(&f, 1, SL_MSG_OK);
	report(&f, 2, SL_MSG_OK);
	report(&f, 0, SL_MSG_TCP_CONNECT_FAILED);
	assert_true(words[0].flags & SL_WORD_FORCED);
	report(&f, 1, SL_MSG_TCP_CONNECT_FAILED);
	report(&f, 1, SL_MSG_TCP_CONNECT_FAILED);
	assert_true(words[0].flags & SL_WORD_FORCED);
	assert_int_equal(words[1].health, SL_UNHEALTHY);
	assert_false(words[1].flags & SL_WORD_FORCED);
	assert_true(board_read(f.board, 0).health.forced);
	/* Now the first service needs one as well: the last that was healthy. */
	report(&f, 2, SL_MSG_TCP_CONNECT_FAILED);
	report(&f, 2, SL_MSG_TCP_CONNECT_FAILED);
	assert_true(words[0].flags & SL_WORD_FORCED);
	assert_true(words[2].flags & SL_WORD_FORCED);
	report(&f, 0, SL_MSG_OK);
	assert_int_equal(words[0].flags & SL_WORD_FORCED, 0);
	assert_int_equal(words[2].flags & SL_WORD_FORCED, 0);
	end(&f);
}

/* Words of endpoints that are all unhealthy; the last was kept open. */
static void close_all(void)
{
	for (int i = 0; i < N_BACKENDS; i++) {
		adopted[i] = true;
		words[i] = (struct sl_word){ .health = SL_UNHEALTHY };
	}
	words[2].flags = SL_WORD_FORCED;
}

static void min_servers_may_have_gone(void **state)
{
	struct fixture f;

	(void)state;
	close_all();
	begin(&f, 0);
	assert_int_equal(n_open(), 0);
	assert_false(board_read(f.board, 2).health.forced);
	assert_true(board_read(f.board, 2).adopted);
	end(&f);
}

static void min_servers_may_have_come(void **state)
{
	struct fixture f;

	(void)state;
	close_all();
	begin(&f, 2);
	assert_int_equal(n_open(), 2);
	/* Who was kept open still is. */
	assert_true(words[2].flags & SL_WORD_FORCED);
	assert_true(words[0].flags & SL_WORD_FORCED);
	assert_true(board_read(f.board, 0).health.forced);
	assert_true(board_read(f.board, 0).adopted);
	assert_int_equal(n_open_min, 2);
	end(&f);
}

static void adopts_no_nonsense(void **state)
{
	struct fixture f;

	(void)state;
	adopted[0] = true;
	words[0] = (struct sl_word){ .health = (enum sl_health)77 };
	begin(&f, 0);
	assert_int_equal(words[0].health, SL_UNKNOWN);
	assert_false(board_read(f.board, 0).adopted);
	end(&f);
}

static void says_when_memory_ends(void **state)
{
	struct fixture f;
	int n = 0;

	(void)state;
	begin(&f, 0);
	for (;; n++) {
		struct pipeline_parts parts = {
			.loop = &f.loop,
			.model = f.model,
			.plans = f.plans,
			.board = f.board,
		};
		struct pipeline *other;
		int r;

		fault_after(FAULT_MEMORY, n, ENOMEM);
		r = pipeline_new(&other, &parts);
		if (!fault_clear(FAULT_MEMORY)) {
			assert_int_equal(r, 0);
			pipeline_free(other);
			break;
		}
		assert_int_equal(r, -ENOMEM);
	}
	assert_true(n >= 5);
	end(&f);
}

/* The tables follow health, in one go for everything that came at once, and only when it moved. */
static void tables_follow(void **state)
{
	struct verdict down = { .code = SL_MSG_TCP_CONNECT_FAILED };
	struct fixture f;

	(void)state;
	with_listen = true;
	begin(&f, 0);
	assert_int_equal(n_tables, 1);
	assert_true(table_is(1, 1));
	report(&f, 0, SL_MSG_OK);
	assert_int_equal(n_tables, 2);
	assert_true(table_is(1, 0));
	report(&f, 0, SL_MSG_OK);
	assert_int_equal(n_tables, 2);
	report(&f, 1, SL_MSG_OK);
	assert_true(table_is(1, 1));

	/* Two failures in a row close it; what comes in one go makes one table. */
	n_tables = 0;
	for (int i = 0; i < 2; i++)
		for (uint32_t e = 0; e < 2; e++)
			pipeline_report(f.pipeline, e, &down);
	uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_int_equal(n_tables, 1);
	assert_true(table_is(0, 0));

	report(&f, 1, SL_MSG_OK);
	assert_true(table_is(0, 1));
	pipeline_set_admin(f.pipeline, 1, SL_DRAINING, 0);
	assert_true(table_is(0, 0));
	pipeline_set_admin(f.pipeline, 1, SL_ENABLED, 0);
	assert_true(table_is(0, 1));
	end(&f);
	with_listen = false;
}

/* One that has come back gets its share bit by bit. */
static void tables_start_slowly(void **state)
{
	struct fixture f;

	(void)state;
	with_listen = true;
	begin(&f, 0);
	f.model->settings[0].slow_start_ms = 3600000;
	report(&f, 0, SL_MSG_OK);
	report(&f, 1, SL_MSG_OK);
	/* The first time is no recovery. */
	assert_int_equal(table[0], table[1]);
	report(&f, 1, SL_MSG_TCP_CONNECT_FAILED);
	report(&f, 1, SL_MSG_TCP_CONNECT_FAILED);
	report(&f, 1, SL_MSG_OK);
	assert_in_range(table[1], 1, table[0] / 2);
	end(&f);
	with_listen = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_reaches_the_kernel),
		cmocka_unit_test(stores_words_on_change_only),
		cmocka_unit_test(own_trouble_moves_no_word),
		cmocka_unit_test(standing_is_monotonic),
		cmocka_unit_test(adopts_what_is_in_force),
		cmocka_unit_test(tables_follow),
		cmocka_unit_test(tables_start_slowly),
		cmocka_unit_test(min_servers_forces_open),
		cmocka_unit_test(min_servers_prefers_the_last_healthy),
		cmocka_unit_test(min_servers_counts_in_each_service),
		cmocka_unit_test(min_servers_may_have_gone),
		cmocka_unit_test(min_servers_may_have_come),
		cmocka_unit_test(adopts_no_nonsense),
		cmocka_unit_test(says_when_memory_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
