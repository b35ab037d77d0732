// SPDX-License-Identifier: GPL-2.0-or-later
/* events_keep - verdicts on their way into the database of the events, by the thread that writes those. */
#include "store/events_work.h"

void events_keep(struct events *events, struct verdicts_batch *batch)
{
	struct verdicts_batch **last;

	batch->next = NULL;
	pthread_mutex_lock(&events->lock);
	for (last = &events->verdicts; *last; last = &(*last)->next)
		;
	*last = batch;
	pthread_cond_broadcast(&events->changed);
	pthread_mutex_unlock(&events->lock);
}

bool events_is_keeping(struct events *events)
{
	bool is;

	pthread_mutex_lock(&events->lock);
	is = events->verdicts != NULL;
	pthread_mutex_unlock(&events->lock);
	return is;
}

/* Only this thread takes from the front, so what is there stays there while it is written. */
int events_write_verdicts(struct events *events, struct err *err)
{
	struct verdicts_batch *batch;
	int r;

	pthread_mutex_lock(&events->lock);
	batch = events->verdicts;
	pthread_mutex_unlock(&events->lock);
	if (!batch)
		return 0;
	r = verdicts_write(database_handle(events->database), batch, err);
	if (r < 0)
		return r;
	pthread_mutex_lock(&events->lock);
	events->verdicts = batch->next;
	pthread_mutex_unlock(&events->lock);
	verdicts_batch_free(batch);
	return 0;
}

void events_forget_verdicts(struct events *events)
{
	while (events->verdicts) {
		struct verdicts_batch *batch = events->verdicts;

		events->verdicts = batch->next;
		verdicts_batch_free(batch);
	}
}
