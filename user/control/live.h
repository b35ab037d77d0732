/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * live - what there is to see and every change of it, as server-sent events that do not end.
 *
 *   outline   the pools and services, first and whenever everything else is to be forgotten
 *   rows      endpoints that have changed, all of them at first; "gone": what is no more
 *   complete  all changes up to here were sent. Its id is what Last-Event-ID, or the parameter "after", goes on from
 *   status    the gateway, every second
 *
 * Nothing is kept for a reader but how far he has come: who is slow gets what is true when he reads, not what was in
 * between, and costs no more memory than who is quick.
 */
#ifndef SLUICE_CONTROL_LIVE_H
#define SLUICE_CONTROL_LIVE_H

#include <pthread.h>

#include "control/answer.h"
#include "control/edition.h"
#include "control/routes.h"

/* What is made once for all readers: the status, until it is a second old, and all endpoints. */
struct live_cache {
	struct edition_cache edition;
	pthread_mutex_t lock;
	uint64_t made_ms; /* monotonic; 0: never */
	char *text;
};

void live_cache_init(struct live_cache *cache);
/* What it holds was of another generation. */
void live_cache_clear(struct live_cache *cache);

/* GET /v1/live. */
void live_answer(const struct request *request, const char *rest, struct answer *answer);

#endif
