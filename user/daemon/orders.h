/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * orders - changes on their way from threads that were asked for them to the loop's, and back.
 *
 * Whoever gives an order waits until it has been carried out, or until the time for that is over: then
 * it is withdrawn, unless the loop's thread has begun with it.
 */
#ifndef SLUICE_DAEMON_ORDERS_H
#define SLUICE_DAEMON_ORDERS_H

#include <uv.h>

#include "control/change.h"

struct orders;
struct rehearsal;

/* Carries out an order. As change_fn; ret_rest: of a rehearsal, what the giver finds out himself. */
typedef int order_fn(void *arg, const struct change *change, struct difference **ret,
		     struct rehearsal **ret_rest, struct err *err);

/* Loop and arg are borrowed; fn is called on the loop's thread. -ENOMEM, or what libuv returned. */
int orders_new(struct orders **ret, uv_loop_t *loop, order_fn *fn, void *arg);

/*
 * Any thread but the loop's. ret (may be NULL) is set as fn does; what is left of a rehearsal takes as long again. 0 or
 * what fn returned, or
 *   -ETIMEDOUT  not carried out in time; err says whether it still may be
 *   -ESHUTDOWN  orders_close() was called   -ENOMEM
 */
int orders_give(struct orders *orders, const struct change *change, uint32_t timeout_ms,
		struct difference **ret, struct err *err);

/* A change_fn: orders_give() within CHANGE_TIMEOUT_MS. arg: the orders. */
int orders_change(void *arg, const struct change *change, struct difference **ret, struct err *err);

/* Take no more, and send away who waits. Before threads are joined that may wait. NULL is fine. */
void orders_close(struct orders *orders);

/* Take orders again. */
void orders_reopen(struct orders *orders);

/*
 * After orders_close(), when nobody can give orders any more. The loop must run once more for the
 * handle to close. NULL is fine.
 */
void orders_free(struct orders *orders);

#endif
