// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "store/events_work.h"
#include "store/rows.h"
#include "util/clock.h"

#define BATCH_MAX 256
#define CLOSE_WAIT_S 2

/* --- lists ------------------------------------------------------------------------------------ */

static void list_push(struct waiting_list *list, struct waiting *waiting)
{
	waiting->next = NULL;
	if (list->last)
		list->last->next = waiting;
	else
		list->first = waiting;
	list->last = waiting;
	list->n++;
}

static struct waiting *list_take(struct waiting_list *list)
{
	struct waiting *first = list->first;

	if (!first)
		return NULL;
	list->first = first->next;
	if (!list->first)
		list->last = NULL;
	list->n--;
	return first;
}

static void list_free(struct waiting_list *list)
{
	struct waiting *waiting;

	while ((waiting = list_take(list)))
		free(waiting);
}

/* Put what is in front where it came from. */
static void list_put_back(struct waiting_list *list, struct waiting_list *front)
{
	if (!front->last)
		return;
	front->last->next = list->first;
	if (!list->last)
		list->last = front->last;
	list->first = front->first;
	list->n += front->n;
	*front = (struct waiting_list){ 0 };
}

/* --- adding ----------------------------------------------------------------------------------- */

/* Grows, also when the clock does not. Never less than the event's own time: readers rely on it. */
static uint64_t next_id(struct events *events, uint64_t at_us)
{
	uint64_t id = clock_wall_us();

	if (id < at_us)
		id = at_us;
	if (id <= events->last_id)
		id = events->last_id + 1;
	events->last_id = id;
	return id;
}

/* Under the lock, as those that follow. */
static void trim_queue(struct events *events)
{
	while (events->queue.n + events->writing.n > EVENTS_WAITING_MAX && events->queue.n) {
		free(list_take(&events->queue));
		events->lost++;
	}
}

static void add(struct events *events, const struct event *event)
{
	struct waiting *waiting = malloc(sizeof(*waiting));

	if (!waiting) {
		events->lost++;
		return;
	}
	waiting->event = *event;
	if (!waiting->event.at_us)
		waiting->event.at_us = clock_wall_us();
	waiting->event.id = next_id(events, waiting->event.at_us);
	list_push(&events->queue, waiting);
	trim_queue(events);
	pthread_cond_broadcast(&events->changed);
}

void events_add(struct events *events, const struct event *event)
{
	pthread_mutex_lock(&events->lock);
	add(events, event);
	pthread_mutex_unlock(&events->lock);
}

/* --- what the thread says of itself ----------------------------------------------------------- */

static void say(struct events *events, struct event *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Not under the lock: whoever is told may take his time. */
static void say(struct events *events, struct event *event, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(event->text, sizeof(event->text), fmt, args);
	va_end(args);
	event->kind = EVENT_STORE;
	events_add(events, event);
	if (events->tell)
		events->tell(events->tell_arg, event);
}

static void say_lost(struct events *events)
{
	struct event event = { .severity = EVENT_WARNING };
	uint64_t n;

	pthread_mutex_lock(&events->lock);
	n = events->lost - events->lost_told;
	events->lost_told = events->lost;
	pthread_mutex_unlock(&events->lock);
	if (!n)
		return;
	event_set(event.reason, "events_lost");
	event_number(&event, "lost", (int64_t)n);
	say(events, &event,
	    "%" PRIu64 " events were lost: the state database did not take them in time", n);
}

/* Said when it begins, not with every attempt. */
static void fail(struct events *events, const struct err *err)
{
	struct event event = { .severity = EVENT_ERROR };
	bool known;

	pthread_mutex_lock(&events->lock);
	known = events->failed;
	events->failed = true;
	events->why = *err;
	events->retry_at_ms = clock_mono_ms() + events->retry_ms;
	pthread_mutex_unlock(&events->lock);
	if (known)
		return;
	event_set(event.reason, "database_unusable");
	event_set(event.before, "usable");
	event_set(event.after, "unusable");
	say(events, &event,
	    "the state database cannot be used: %s; events stay in memory, the last %d of them, until "
	    "it can",
	    err->text, EVENTS_WAITING_MAX);
}

static void recover(struct events *events)
{
	struct event event = { .severity = EVENT_INFO };
	bool failed;

	pthread_mutex_lock(&events->lock);
	failed = events->failed;
	events->failed = false;
	pthread_mutex_unlock(&events->lock);
	if (!failed)
		return;
	event_set(event.reason, "database_usable");
	event_set(event.before, "unusable");
	event_set(event.after, "usable");
	say(events, &event, "the state database can be used again: '%s/" DATABASE_FILE "'",
	    events->directory);
}

/* --- the thread ------------------------------------------------------------------------------- */

static int set_aside(struct events *events, const struct err *damage, struct err *err)
{
	struct event event = { .severity = EVENT_ERROR };
	char name[DATABASE_ASIDE_LEN];
	int r;

	r = database_set_aside(&database_of_events, events->directory, name, err);
	if (r < 0)
		return r;
	event_set(event.reason, "database_damaged");
	say(events, &event,
	    "the state database is damaged (%s): kept as '%s/%s', and a new one begun",
	    damage->text, events->directory, name);
	return 0;
}

/* Ids of a clock that has been set back since stay behind those that are there. */
static void take_over(struct events *events, uint64_t kept, uint64_t last)
{
	pthread_mutex_lock(&events->lock);
	events->kept = kept;
	if (last >= events->last_id ||
	    (events->queue.first && last >= events->queue.first->event.id)) {
		if (events->last_id < last)
			events->last_id = last;
		for (struct waiting *w = events->queue.first; w; w = w->next)
			w->event.id = ++events->last_id;
	}
	pthread_mutex_unlock(&events->lock);
}

static int open_once(struct events *events, struct err *err)
{
	uint64_t kept, last;
	int r;

	r = database_open(&events->database, &database_of_events, events->directory, err);
	if (r == 0)
		r = rows_count(database_handle(events->database), &kept, &last, err);
	if (r == 0)
		r = verdicts_check(database_handle(events->database), err);
	if (r == 0)
		take_over(events, kept, last);
	else
		database_close(take_ptr(events->database));
	return r;
}

static int open_database(struct events *events, struct err *err)
{
	struct err damage;
	int r;

	r = open_once(events, err);
	if (r != -EUCLEAN)
		return r;
	damage = *err;
	r = set_aside(events, &damage, err);
	return r < 0 ? r : open_once(events, err);
}

static int check_file(struct events *events)
{
	struct event event = { .severity = EVENT_ERROR };
	bool suspect;

	pthread_mutex_lock(&events->lock);
	suspect = events->suspect;
	events->suspect = false;
	pthread_mutex_unlock(&events->lock);
	if (database_is_there(events->database)) {
		/* What is wrong with it comes out when it is opened. */
		return suspect ? -EUCLEAN : 0;
	}
	event_set(event.reason, "database_gone");
	say(events, &event,
	    "the state database '%s/" DATABASE_FILE "' was removed or replaced while sluiced runs; "
	    "what was in it is lost",
	    events->directory);
	return -EUCLEAN;
}

/* Those in events->writing, which no other thread changes, for the oldest that are too many then. */
static int write_batch(struct events *events, struct err *err)
{
	const struct event *batch[BATCH_MAX];
	uint64_t kept, n_remove = 0;
	size_t n = 0;
	int r;

	for (const struct waiting *w = events->writing.first; w; w = w->next)
		batch[n++] = &w->event;
	pthread_mutex_lock(&events->lock);
	kept = events->kept + n;
	if (kept > events->max)
		n_remove = kept - events->max;
	pthread_mutex_unlock(&events->lock);
	r = rows_write(database_handle(events->database), batch, n, n_remove, err);
	if (r < 0)
		return r;
	pthread_mutex_lock(&events->lock);
	events->kept = kept - n_remove;
	list_free(&events->writing);
	pthread_mutex_unlock(&events->lock);
	return 0;
}

/* Some of the events that wait. */
static int write_events(struct events *events, struct err *err)
{
	struct waiting *next;
	int r;

	pthread_mutex_lock(&events->lock);
	while (events->writing.n < BATCH_MAX && (next = list_take(&events->queue)))
		list_push(&events->writing, next);
	pthread_mutex_unlock(&events->lock);
	if (!events->writing.n)
		return 0;
	r = write_batch(events, err);
	pthread_mutex_lock(&events->lock);
	list_put_back(&events->queue, &events->writing);
	trim_queue(events);
	pthread_mutex_unlock(&events->lock);
	return r;
}

/* One attempt: open if need be, write what there is. Not under the lock. */
static int work(struct events *events, struct err *err)
{
	int r;

	if (events->database && check_file(events) < 0)
		database_close(take_ptr(events->database));
	if (!events->database) {
		r = open_database(events, err);
		if (r < 0)
			return r;
	}
	r = write_events(events, err);
	if (r == 0)
		r = events_write_verdicts(events, err);
	/* A full disk says nothing about the file, and readers go on reading it. */
	if (r < 0 && r != -ENOSPC)
		database_close(take_ptr(events->database));
	return r;
}

/* Under the lock: whether there is something to do. */
static bool is_due(const struct events *events)
{
	if (events->failed)
		return clock_mono_ms() >= events->retry_at_ms;
	return events->queue.n || events->verdicts || events->suspect || !events->database ||
	       events->lost != events->lost_told;
}

/* Until something is due or the end has come; false: it has, and nothing can be written any more. */
static bool await(struct events *events)
{
	bool due;

	pthread_mutex_lock(&events->lock);
	while (!(due = is_due(events)) && !events->stopping) {
		struct timespec until = {
			.tv_sec = (time_t)(events->retry_at_ms / MS_PER_SEC),
			.tv_nsec = (long)(events->retry_at_ms % MS_PER_SEC * NS_PER_MS),
		};

		if (events->failed)
			pthread_cond_timedwait(&events->changed, &events->lock, &until);
		else
			pthread_cond_wait(&events->changed, &events->lock);
	}
	pthread_mutex_unlock(&events->lock);
	return due;
}

static void *run(void *arg)
{
	struct events *events = arg;

	while (await(events)) {
		struct err err = { "out of memory" };
		int r = work(events, &err);

		if (r < 0) {
			fail(events, &err);
			continue;
		}
		recover(events);
		say_lost(events);
	}
	database_close(take_ptr(events->database));
	return NULL;
}

/* --- opening and closing ---------------------------------------------------------------------- */

static void free_parts(struct events *events)
{
	pthread_cond_destroy(&events->changed);
	pthread_mutex_destroy(&events->lock);
	list_free(&events->queue);
	list_free(&events->writing);
	events_forget_verdicts(events);
	free(events);
}

int events_open(struct events **ret, const struct events_options *options)
{
	struct events *events = calloc(1, sizeof(*events));
	pthread_condattr_t attributes;
	int r;

	if (!events)
		return -ENOMEM;
	event_put(events->directory, sizeof(events->directory), options->directory);
	events->retry_ms = options->retry_ms ? options->retry_ms : EVENTS_RETRY_MS;
	events->tell = options->tell;
	events->tell_arg = options->tell_arg;
	events->max = options->max;
	/* As if there had been one just now: those of former daemons are behind it. */
	events->last_id = clock_wall_us();
	pthread_mutex_init(&events->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&events->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	r = -pthread_create(&events->thread, NULL, run, events);
	if (r < 0) {
		free_parts(events);
		return r;
	}
	*ret = events;
	return 0;
}

void events_close(struct events *events)
{
	struct timespec until;

	if (!events)
		return;
	pthread_mutex_lock(&events->lock);
	events->stopping = true;
	pthread_cond_broadcast(&events->changed);
	pthread_mutex_unlock(&events->lock);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += CLOSE_WAIT_S;
	/* A disk that hangs does not keep the process; the thread ends with it, and keeps its memory. */
	if (pthread_clockjoin_np(events->thread, NULL, CLOCK_MONOTONIC, &until) == 0)
		free_parts(events);
}

void events_set_max(struct events *events, uint64_t max)
{
	pthread_mutex_lock(&events->lock);
	events->max = max;
	pthread_mutex_unlock(&events->lock);
}
