/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events - what happened, kept over restarts in the state database.
 *
 * Whoever adds an event only puts it into a queue in memory; a thread of its own writes. When the
 * database cannot be used (no such directory, full disk, another daemon), events stay in that queue,
 * the last EVENTS_WAITING_MAX of them, and the thread tries again every few seconds. A damaged file
 * is set aside and a new one begun. What the queue had to give up is counted, and the count becomes
 * an event itself.
 *
 * Any thread may call anything here.
 */
#ifndef SLUICE_STORE_EVENTS_H
#define SLUICE_STORE_EVENTS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "model/event.h"
#include "util/cleanup.h"

struct err;
struct events;
struct verdicts_batch;

#define EVENTS_WAITING_MAX 4096
#define EVENTS_RETRY_MS 5000
#define EVENTS_PAGE_MAX 1000

/* Called on the writer's thread with what it has to say of itself; the event is added already. */
typedef void events_tell_fn(void *arg, const struct event *event);

struct events_options {
	const char *directory; /* copied */
	uint64_t max; /* how many are kept */
	uint32_t retry_ms; /* 0: EVENTS_RETRY_MS */
	events_tell_fn *tell; /* may be NULL */
	void *tell_arg;
};

/* Start the thread. A database that cannot be used is no error. -ENOMEM, or why no thread started. */
int events_open(struct events **ret, const struct events_options *options);

/* Write what waits, for two seconds at most, and stop. NULL is fine. */
void events_close(struct events *events);
DEFINE_CLEANUP(struct events, events_close)

/* Keep a copy, with an id and, where it has none, a time. Never waits for the disk. */
void events_add(struct events *events, const struct event *event);

/*
 * Have verdicts (store/verdicts.h) written, too; the batch is taken over. What cannot be written waits: whoever
 * gives one asks first whether others do, so that they do not pile up.
 */
void events_keep(struct events *events, struct verdicts_batch *batch);
bool events_is_keeping(struct events *events);

/* Keep that many from now on. */
void events_set_max(struct events *events, uint64_t max);

struct events_query {
	uint64_t after; /* ids greater than this */
	uint64_t since_us; /* wall clock: not earlier */
	const char *pool; /* NULL: all */
	uint32_t limit; /* 1..EVENTS_PAGE_MAX */
	bool newest; /* the last ones that fit, not the first; in the order of ids all the same */
};

struct events_page {
	struct event *events; /* the caller frees them */
	size_t n;
	bool more; /* others fit, but not into the limit: later ones, with newest earlier ones */
	uint64_t last; /* the greatest id of all; later events have greater ones */
};

/* Kept and waiting ones alike; while the database cannot be read, waiting ones alone. -ENOMEM. */
int events_read(struct events *events, const struct events_query *query,
		struct events_page *ret_page);

struct events_state {
	bool usable; /* the database is */
	char why[512]; /* it is not; "": it is */
	char path[PATH_MAX];
	uint64_t kept, max;
	uint64_t waiting; /* not written yet */
	uint64_t lost; /* since the start */
};
void events_state(struct events *events, struct events_state *ret_state);

#endif
