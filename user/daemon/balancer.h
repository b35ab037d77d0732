/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * balancer - keeps the selection tables in line with what is known of the endpoints.
 *
 * A word that closes an endpoint's gate is in force before the table is: packets whose slot still
 * names the endpoint are sent to another one by the programs. The table follows when everything
 * that was learned at one time has been taken in.
 *
 * Everything happens on the loop's thread.
 */
#ifndef SLUICE_DAEMON_BALANCER_H
#define SLUICE_DAEMON_BALANCER_H

#include <uv.h>

#include "model/balance.h"
#include "util/cleanup.h"

struct balancer;
struct weights;

/* What is known of an endpoint now; its health is borrowed for the call's duration. */
typedef struct balance_member balancer_member_fn(void *arg, uint32_t endpoint);

/* As dataplane_balance(). */
typedef int balancer_publish_fn(void *arg, uint32_t service, const uint16_t shares[], bool any);

/* All borrowed until balancer_free(). */
struct balancer_parts {
	uv_loop_t *loop;
	const struct model *model;
	const struct weights *weights; /* in force */
	balancer_member_fn *member;
	balancer_publish_fn *publish;
	void *arg;
};

/* All services are due. -ENOMEM, or what libuv returned. */
int balancer_new(struct balancer **ret, const struct balancer_parts *parts);

/* The loop must run once more for the timer to close. NULL is fine. */
void balancer_free(struct balancer *balancer);
DEFINE_CLEANUP(struct balancer, balancer_free)

/* Something about the endpoint has changed: the tables of its services are due. */
void balancer_note(struct balancer *balancer, uint32_t endpoint);

/* The weight of a backend of the pool has changed: the tables of all its services are due. */
void balancer_note_pool(struct balancer *balancer, uint32_t pool);

/* Make the tables that are due. */
void balancer_run(struct balancer *balancer);

#endif
