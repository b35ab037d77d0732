// SPDX-License-Identifier: GPL-2.0-or-later
/* What is handed to whoever writes, and when; what was kept before, and for whom. */
#include "tests/unit/events_run.h"

#include <uv.h>

#include "daemon/keeper.h"
#include "store/verdicts.h"

#define N 3
#define TICK_MS 1000

static uv_loop_t loop;
static struct events *events;
static bool vacant[N];
static int n_read;

static struct sl_target_key key_of(uint32_t endpoint)
{
	struct sl_target_key key = { .port = 80, .proto = SL_TCP };

	memcpy(key.addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0", 15);
	key.addr[15] = (uint8_t)endpoint;
	return key;
}

static bool read_endpoint(void *arg, uint32_t endpoint, struct kept *ret_kept)
{
	(void)arg;
	n_read++;
	if (vacant[endpoint])
		return false;
	ret_kept->key = key_of(endpoint);
	ret_kept->health = (struct health){ .shown = SL_HEALTHY, .proven = SL_HEALTHY };
	ret_kept->verdict.code = SL_MSG_OK;
	return true;
}

static struct keeper *made[2];

static struct keeper *make(struct kept_list *kept)
{
	const struct keeper_parts parts = { &loop, N, events, read_endpoint, NULL };
	struct keeper **keeper = made[0] ? &made[1] : &made[0];

	assert_int_equal(keeper_new(keeper, &parts, kept), 0);
	return *keeper;
}

static int begin(void **arg)
{
	set_up(arg);
	memset(vacant, 0, sizeof(vacant));
	n_read = 0;
	events = start(100);
	await(events, true);
	return uv_loop_init(&loop);
}

static int finish(void **arg)
{
	for (int i = 0; i < 2; i++)
		keeper_free(take_ptr(made[i]));
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	events_close(events);
	return tear_down(arg);
}

static void await_kept(void)
{
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	while (events_is_keeping(events)) {
		assert_true(clock_mono_ms() < until_ms);
		nap();
	}
}

static struct kept_list read_all(void)
{
	struct kept_list list;
	struct err err;

	await_kept();
	assert_int_equal(verdicts_read(&list, state, &err), 0);
	return list;
}

static uint32_t n_kept(void)
{
	struct kept_list list = read_all();
	uint32_t n = list.n;

	kept_list_done(&list);
	return n;
}

static void on_over(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, NULL);
	uv_stop(&loop);
}

/* Long enough for a tick. */
static void go_on(void)
{
	static uv_timer_t over;

	uv_timer_init(&loop, &over);
	uv_timer_start(&over, on_over, TICK_MS + TICK_MS / 2, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_run(&loop, UV_RUN_NOWAIT);
}

static void note(struct keeper *keeper, uint32_t endpoint, enum sl_health proven, uint32_t failures)
{
	const struct health health = { proven, proven, .failures = failures, .successes = 5 };

	keeper_note(keeper, endpoint, &health, failures ? SL_MSG_TCP_CONNECT_FAILED : SL_MSG_OK);
}

/* A change soon, and what goes on as it was not for a long time: but at the end. */
static void test_changes(void **arg)
{
	struct keeper *keeper = make(NULL);
	struct kept_list list;
	uint64_t heard_ms;

	(void)arg;
	go_on();
	assert_int_equal(n_read, 0);
	note(keeper, 1, SL_HEALTHY, 0);
	heard_ms = clock_boot_ms();
	go_on();
	assert_int_equal(n_read, 1);
	list = read_all();
	assert_int_equal(list.n, 1);
	assert_memory_equal(&list.rows[0].key, &(struct sl_target_key[]){ key_of(1) }[0],
			    sizeof(list.rows[0].key));
	assert_true(list.rows[0].at.boot == clock_boot_id() && clock_boot_id() != 0);
	assert_in_range(list.rows[0].at.boot_ms, heard_ms - 50, heard_ms);
	assert_in_range(clock_wall_ms() - list.rows[0].at.wall_ms, clock_boot_ms() - heard_ms - 50,
			clock_boot_ms() - heard_ms + 100);
	kept_list_done(&list);

	for (int i = 0; i < 10; i++)
		note(keeper, 1, SL_HEALTHY, 0);
	go_on();
	assert_int_equal(n_read, 1);
	/* On the way to another state; once it is there, how long it has been is no news. */
	note(keeper, 1, SL_HEALTHY, 1);
	go_on();
	assert_int_equal(n_read, 2);
	note(keeper, 1, SL_UNHEALTHY, 2);
	go_on();
	assert_int_equal(n_read, 3);
	note(keeper, 1, SL_UNHEALTHY, 3);
	go_on();
	assert_int_equal(n_read, 3);
	keeper_flush(keeper);
	assert_int_equal(n_read, 4);
	assert_int_equal(n_kept(), 1);
}

/* Who has gone goes, who comes has not been heard of, and what is vacant has nothing to keep. */
static void test_seats(void **arg)
{
	struct keeper *keeper = make(NULL);
	const struct sl_target_key first = key_of(0);

	(void)arg;
	note(keeper, 0, SL_HEALTHY, 0);
	note(keeper, 1, SL_HEALTHY, 0);
	vacant[1] = true;
	keeper_flush(keeper);
	assert_int_equal(n_kept(), 1);
	keeper_forget(keeper, &first);
	keeper_reset(keeper, 0);
	keeper_flush(keeper);
	assert_int_equal(n_read, 2);
	assert_int_equal(n_kept(), 0);
	/* The same one at once again. */
	keeper_forget(keeper, &first);
	note(keeper, 0, SL_HEALTHY, 0);
	keeper_flush(keeper);
	assert_int_equal(n_kept(), 1);
}

static struct kept_list some_kept(void)
{
	struct kept_list list = { calloc(N, sizeof(struct kept)), N };

	for (uint32_t i = 0; i < N; i++)
		list.rows[i].key = key_of(i);
	return list;
}

/* Once for each; what was kept is not written again for its own sake, and the next generation has the rest. */
static void test_recall(void **arg)
{
	struct kept_list list = some_kept();
	struct keeper *keeper = make(&list), *next;
	const struct sl_target_key keys[] = { key_of(0), key_of(1), key_of(2), key_of(3) };
	const struct kept *kept;
	struct kept same;

	(void)arg;
	assert_int_equal(list.n, 0);
	assert_null(keeper_recall(keeper, &keys[3]));
	kept = keeper_recall(keeper, &keys[1]);
	assert_non_null(kept);
	same = *kept;
	same.at.boot = clock_boot_id();
	keeper_restored(keeper, 1, &same, 1000);
	assert_null(keeper_recall(keeper, &keys[1]));
	keeper_flush(keeper);
	assert_int_equal(n_read, 0);
	/* Only this boot's clock tells its age if somebody sets the other one. */
	keeper_restored(keeper, 1, kept, 5000);
	keeper_flush(keeper);
	assert_int_equal(n_read, 1);
	n_read = 0;

	note(keeper, 2, SL_HEALTHY, 0);
	keeper_forget(keeper, &keys[0]);
	next = make(NULL);
	keeper_inherit(next, 0, keeper, 2);
	keeper_succeed(next, keeper);
	assert_null(keeper_recall(next, &keys[1]));
	assert_non_null(keeper_recall(next, &keys[2]));
	keeper_flush(next);
	assert_int_equal(n_read, 1);
	assert_int_equal(n_kept(), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_changes, begin, finish),
		cmocka_unit_test_setup_teardown(test_seats, begin, finish),
		cmocka_unit_test_setup_teardown(test_recall, begin, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
