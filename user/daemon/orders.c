// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/orders.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/rehearsal.h"
#include "model/difference.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/err.h"

enum state {
	ORDER_QUEUED,
	ORDER_BEGUN,
	ORDER_DONE,
	ORDER_LEFT /* whoever gave it has gone; who carries it out releases it */
};

struct order {
	struct order *next;
	enum state state;
	struct change change;
	struct difference *difference; /* of a rehearsal */
	struct rehearsal *rest; /* of it, too: what takes its time; NULL: nothing */
	int result;
	struct err err;
};

struct orders {
	order_fn *fn;
	void *arg;
	uv_async_t wake;
	pthread_mutex_t lock;
	pthread_cond_t done; /* an order is, or no more are taken */
	struct order *first, **end; /* those that are queued, oldest first */
	atomic_bool closed; /* also looked at without the lock */
};

static void order_free(struct order *order)
{
	difference_free(order->difference);
	rehearsal_free(order->rest);
	free(order);
}

static struct order *take_first(struct orders *orders)
{
	struct order *order;

	pthread_mutex_lock(&orders->lock);
	order = orders->first;
	if (order) {
		orders->first = order->next;
		if (!orders->first)
			orders->end = &orders->first;
		order->state = ORDER_BEGUN;
	}
	pthread_mutex_unlock(&orders->lock);
	return order;
}

static void hand_back(struct orders *orders, struct order *order)
{
	bool left;

	pthread_mutex_lock(&orders->lock);
	left = order->state == ORDER_LEFT;
	order->state = ORDER_DONE;
	pthread_cond_broadcast(&orders->done);
	pthread_mutex_unlock(&orders->lock);
	if (left)
		order_free(order);
}

static void on_wake(uv_async_t *wake)
{
	struct orders *orders = wake->data;
	struct order *order;

	while ((order = take_first(orders))) {
		order->result = orders->fn(orders->arg, &order->change, &order->difference,
					   &order->rest, &order->err);
		hand_back(orders, order);
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct orders *orders = handle->data;

	pthread_cond_destroy(&orders->done);
	pthread_mutex_destroy(&orders->lock);
	free(orders);
}

int orders_new(struct orders **ret, uv_loop_t *loop, order_fn *fn, void *arg)
{
	struct orders *orders = calloc(1, sizeof(*orders));
	pthread_condattr_t attributes;
	int r;

	if (!orders)
		return -ENOMEM;
	r = uv_async_init(loop, &orders->wake, on_wake);
	if (r < 0) {
		free(orders);
		return r;
	}
	orders->wake.data = orders;
	orders->fn = fn;
	orders->arg = arg;
	orders->end = &orders->first;
	pthread_mutex_init(&orders->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&orders->done, &attributes);
	pthread_condattr_destroy(&attributes);

	*ret = orders;
	return 0;
}

static void withdraw(struct orders *orders, const struct order *order)
{
	struct order **link = &orders->first;

	while (*link != order)
		link = &(*link)->next;
	*link = order->next;
	if (!*link)
		orders->end = link;
}

/* Under the lock, as all that follows. False: the time is over, or no more are taken. */
static bool wait_for(struct orders *orders, const struct order *order, uint32_t timeout_ms)
{
	uint64_t until_ns = clock_mono_ns() + timeout_ms * NS_PER_MS;
	struct timespec until = { .tv_sec = (time_t)(until_ns / NS_PER_SEC),
				  .tv_nsec = (long)(until_ns % NS_PER_SEC) };
	int r = 0; /* nothing to wait for is no failure */

	while (order->state != ORDER_DONE && !orders->closed && r == 0)
		r = pthread_cond_timedwait(&orders->done, &orders->lock, &until);
	return order->state == ORDER_DONE;
}

static int refuse_closed(struct err *err)
{
	return err_set(err, -ESHUTDOWN, "the daemon is stopping or reloading: nothing was changed");
}

/* Whether the order is this thread's to release. */
static bool give_up(struct orders *orders, struct order *order, struct err *err)
{
	bool queued = order->state == ORDER_QUEUED;

	if (queued)
		withdraw(orders, order);
	else
		order->state = ORDER_LEFT;
	if (queued && orders->closed)
		refuse_closed(err);
	else
		err_set(err, -ETIMEDOUT, "the daemon did not answer in time: %s",
			queued ? "nothing was changed" : "the change may still be made");
	return queued;
}

int orders_give(struct orders *orders, const struct change *change, uint32_t timeout_ms,
		struct difference **ret, struct err *err)
{
	CLEANUP(rehearsal_free_p) struct rehearsal *rest = NULL;
	CLEANUP(difference_free_p) struct difference *difference = NULL;
	struct order *order = calloc(1, sizeof(*order));
	bool ours = true;
	int r;

	if (!order)
		return -ENOMEM;
	order->change = *change;

	pthread_mutex_lock(&orders->lock);
	if (orders->closed) {
		r = refuse_closed(err);
	} else {
		*orders->end = order;
		orders->end = &order->next;
		uv_async_send(&orders->wake);
		if (wait_for(orders, order, timeout_ms)) {
			r = order->result;
			if (r < 0 && err)
				*err = order->err;
			difference = take_ptr(order->difference);
			rest = take_ptr(order->rest);
		} else {
			r = orders->closed && order->state == ORDER_QUEUED ? -ESHUTDOWN
									   : -ETIMEDOUT;
			ours = give_up(orders, order, err);
		}
	}
	pthread_mutex_unlock(&orders->lock);
	if (ours)
		order_free(order);
	if (r == 0 && rest)
		r = rehearsal_run(rest, (int)timeout_ms, &orders->closed, err);
	if (r == 0 && ret)
		*ret = take_ptr(difference);
	return r;
}

int orders_change(void *arg, const struct change *change, struct difference **ret, struct err *err)
{
	return orders_give(arg, change, CHANGE_TIMEOUT_MS, ret, err);
}

void orders_close(struct orders *orders)
{
	if (!orders)
		return;
	pthread_mutex_lock(&orders->lock);
	orders->closed = true;
	pthread_cond_broadcast(&orders->done);
	pthread_mutex_unlock(&orders->lock);
}

void orders_reopen(struct orders *orders)
{
	pthread_mutex_lock(&orders->lock);
	orders->closed = false;
	pthread_mutex_unlock(&orders->lock);
}

void orders_free(struct orders *orders)
{
	if (orders)
		uv_close((uv_handle_t *)&orders->wake, on_closed);
}
