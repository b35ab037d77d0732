// SPDX-License-Identifier: GPL-2.0-or-later
/* Orders between threads: done, refused, late, and sent away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/orders.h"
#include "tests/lib/fault.h"
#include "util/err.h"

#define LONG_MS 10000
#define SHORT_MS 20
#define LATE_MS 1000 /* enough for the loop to begin */
#define GIVERS 4
#define EACH 200

struct fixture {
	uv_loop_t loop;
	struct orders *orders;
	uint32_t n_done, sum;
	atomic_bool begun;
	atomic_bool go_on; /* of slow */
};

static int carry_out(void *arg, const struct change *change, struct difference **ret,
		     struct rehearsal **rest, struct err *err)
{
	(void)ret;
	(void)rest;
	struct fixture *f = arg;

	f->n_done++;
	f->sum += change->weight;
	if (change->weight == UINT32_MAX)
		return err_set(err, -ENOENT, "there is no pool '%s'", change->pool);
	return 0;
}

/* Is at it until it is told to go on. */
static int carry_out_slowly(void *arg, const struct change *change, struct difference **ret,
			    struct rehearsal **rest, struct err *err)
{
	struct fixture *f = arg;

	atomic_store(&f->begun, true);
	while (!atomic_load(&f->go_on))
		sched_yield();
	return carry_out(arg, change, ret, rest, err);
}

static void begin(struct fixture *f, order_fn *fn)
{
	memset(f, 0, sizeof(*f));
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(orders_new(&f->orders, &f->loop, fn, f), 0);
}

static void end(struct fixture *f)
{
	orders_close(f->orders);
	orders_free(f->orders);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
}

/* What a thread gives, and what came of it. */
struct giver {
	struct orders *orders;
	struct change change;
	uint32_t timeout_ms, n;
	int result;
	struct err err;
	uv_async_t *stop; /* of the loop, when all is given */
	pthread_t thread;
};

static void *give(void *arg)
{
	struct giver *giver = arg;

	for (uint32_t i = 0; i < giver->n; i++)
		giver->result = orders_give(giver->orders, &giver->change, giver->timeout_ms, NULL,
					    &giver->err);
	uv_async_send(giver->stop);
	return NULL;
}

static void on_stop(uv_async_t *stop)
{
	uv_stop(stop->loop);
}

static void *run_loop(void *arg)
{
	uv_run(arg, UV_RUN_DEFAULT);
	return NULL;
}

static void start(struct giver *giver)
{
	assert_int_equal(pthread_create(&giver->thread, NULL, give, giver), 0);
}

static void are_carried_out(void **state)
{
	struct giver givers[GIVERS];
	struct fixture f;
	uv_async_t stop;

	(void)state;
	begin(&f, carry_out);
	uv_async_init(&f.loop, &stop, on_stop);
	for (uint32_t i = 0; i < GIVERS; i++) {
		givers[i] = (struct giver){
			.orders = f.orders, .timeout_ms = LONG_MS, .n = EACH, .stop = &stop
		};
		givers[i].change.weight = i + 1;
		start(&givers[i]);
	}
	while (f.n_done < GIVERS * EACH)
		uv_run(&f.loop, UV_RUN_ONCE);
	for (uint32_t i = 0; i < GIVERS; i++) {
		pthread_join(givers[i].thread, NULL);
		assert_int_equal(givers[i].result, 0);
	}
	assert_int_equal(f.sum, EACH * (1 + 2 + 3 + 4));
	uv_close((uv_handle_t *)&stop, NULL);
	end(&f);
}

/* The text comes back with the code. */
static void say_why_not(void **state)
{
	struct giver giver = { .timeout_ms = LONG_MS, .n = 1 };
	struct fixture f;
	uv_async_t stop;

	(void)state;
	begin(&f, carry_out);
	uv_async_init(&f.loop, &stop, on_stop);
	giver.orders = f.orders;
	giver.stop = &stop;
	giver.change = (struct change){ .pool = "nowhere", .weight = UINT32_MAX };
	start(&giver);
	uv_run(&f.loop, UV_RUN_DEFAULT);
	pthread_join(giver.thread, NULL);
	assert_int_equal(giver.result, -ENOENT);
	assert_string_equal(giver.err.text, "there is no pool 'nowhere'");
	uv_close((uv_handle_t *)&stop, NULL);
	end(&f);
}

/* The loop does not run: the order is withdrawn, and never carried out. */
static void are_withdrawn(void **state)
{
	struct change change = { .weight = 1 };
	struct fixture f;
	struct err err;

	(void)state;
	begin(&f, carry_out);
	for (int i = 0; i < 3; i++)
		assert_int_equal(orders_give(f.orders, &change, SHORT_MS, NULL, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.text, "nothing was changed"));
	uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_int_equal(f.n_done, 0);
	end(&f);
}

/* Too late to withdraw: it may still be done, and whoever gave it knows. */
static void may_be_late(void **state)
{
	struct giver giver = { .timeout_ms = LATE_MS, .n = 1 };
	struct fixture f;
	uv_async_t stop;
	pthread_t loop;

	(void)state;
	begin(&f, carry_out_slowly);
	uv_async_init(&f.loop, &stop, on_stop);
	giver.orders = f.orders;
	giver.stop = &stop;
	assert_int_equal(pthread_create(&loop, NULL, run_loop, &f.loop), 0);
	start(&giver);
	pthread_join(giver.thread, NULL);
	assert_true(atomic_load(&f.begun));
	assert_int_equal(giver.result, -ETIMEDOUT);
	assert_non_null(strstr(giver.err.text, "may still be made"));
	atomic_store(&f.go_on, true);
	pthread_join(loop, NULL);
	assert_int_equal(f.n_done, 1);
	uv_close((uv_handle_t *)&stop, NULL);
	end(&f);
}

static void are_sent_away(void **state)
{
	struct giver giver = { .timeout_ms = LONG_MS, .n = 1 };
	struct change change = { .weight = 1 };
	struct fixture f;
	uv_async_t stop;
	struct err err;

	(void)state;
	begin(&f, carry_out);
	uv_async_init(&f.loop, &stop, on_stop);
	giver.orders = f.orders;
	giver.stop = &stop;
	start(&giver);
	orders_close(f.orders);
	pthread_join(giver.thread, NULL);
	assert_int_equal(giver.result, -ESHUTDOWN);
	assert_non_null(strstr(giver.err.text, "stopping"));
	assert_int_equal(orders_give(f.orders, &change, LONG_MS, NULL, &err), -ESHUTDOWN);
	uv_close((uv_handle_t *)&stop, NULL);
	end(&f);
}

static void need_memory(void **state)
{
	struct change change = { .weight = 1 };
	struct orders *orders = NULL;
	struct fixture f;
	struct err err;

	(void)state;
	begin(&f, carry_out);
	fault_after(FAULT_MEMORY, 0, ENOMEM);
	assert_int_equal(orders_give(f.orders, &change, LONG_MS, NULL, &err), -ENOMEM);
	assert_true(fault_clear(FAULT_MEMORY));
	fault_after(FAULT_MEMORY, 0, ENOMEM);
	assert_int_equal(orders_new(&orders, &f.loop, carry_out, &f), -ENOMEM);
	assert_true(fault_clear(FAULT_MEMORY));
	end(&f);
	orders_close(NULL);
	orders_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(are_carried_out), cmocka_unit_test(say_why_not),
		cmocka_unit_test(are_withdrawn),   cmocka_unit_test(may_be_late),
		cmocka_unit_test(are_sent_away),   cmocka_unit_test(need_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
