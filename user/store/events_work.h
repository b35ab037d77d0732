/* SPDX-License-Identifier: GPL-2.0-or-later */
/* events_work - what the thread that writes and those that add and read have in common. */
#ifndef SLUICE_STORE_EVENTS_WORK_H
#define SLUICE_STORE_EVENTS_WORK_H

#include <pthread.h>

#include "store/database.h"
#include "store/events.h"
#include "store/verdicts.h"
#include "util/err.h"

struct waiting {
	struct waiting *next;
	struct event event;
};

/* Oldest first. */
struct waiting_list {
	struct waiting *first, *last;
	size_t n;
};

struct events {
	char directory[PATH_MAX];
	uint32_t retry_ms;
	events_tell_fn *tell;
	void *tell_arg;
	pthread_t thread;
	struct database *database; /* the thread's; NULL: not open */

	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t changed;
	bool stopping;
	bool suspect; /* a reader met damage */
	bool failed; /* the database cannot be used, because of why */
	struct err why;
	uint64_t retry_at_ms; /* monotonic: not before, if it failed */
	uint64_t max, kept;
	uint64_t last_id;
	uint64_t lost, lost_told;
	struct waiting_list queue; /* to be written, */
	struct waiting_list writing; /* and those being written: older than the queue */
	struct verdicts_batch *verdicts; /* to be written, the first one maybe just now */
};

/* The thread's: write the first batch of verdicts, if there is one. As database_open(). */
int events_write_verdicts(struct events *events, struct err *err);

/* What was not written is lost. */
void events_forget_verdicts(struct events *events);

#endif
