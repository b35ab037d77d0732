// SPDX-License-Identifier: GPL-2.0-or-later
/* events_read - pages of what is kept and of what waits to be. */
#include <errno.h>
#include <string.h>

#include "store/events_work.h"
#include "store/rows.h"

/* Of one page and one source; one more than fits tells whether there are more. */
struct found {
	struct event *events;
	size_t n;
};

static void found_done(struct found *found)
{
	free(found->events);
}

static size_t count(const struct waiting_list *list, const struct rows_query *query)
{
	size_t n = 0;

	for (const struct waiting *w = list->first; w; w = w->next)
		n += rows_match(query, &w->event);
	return n;
}

static void take(struct found *found, const struct waiting_list *list,
		 const struct rows_query *query, size_t *skip)
{
	for (const struct waiting *w = list->first; w && found->n < query->limit; w = w->next) {
		if (!rows_match(query, &w->event))
			continue;
		if (*skip)
			(*skip)--;
		else
			found->events[found->n++] = w->event;
	}
}

static int find_waiting(struct found *found, struct events *events, const struct rows_query *query,
			uint64_t *ret_last)
{
	size_t n, skip = 0;

	found->events = calloc(query->limit, sizeof(*found->events));
	if (!found->events)
		return -ENOMEM;
	pthread_mutex_lock(&events->lock);
	n = count(&events->writing, query) + count(&events->queue, query);
	if (query->newest && n > query->limit)
		skip = n - query->limit;
	take(found, &events->writing, query, &skip);
	take(found, &events->queue, query, &skip);
	*ret_last = events->last_id;
	pthread_mutex_unlock(&events->lock);
	return 0;
}

/* The thread that writes finds out what is wrong, and what to do. */
static void suspect(struct events *events)
{
	pthread_mutex_lock(&events->lock);
	events->suspect = true;
	pthread_cond_broadcast(&events->changed);
	pthread_mutex_unlock(&events->lock);
}

/* Nothing, if it cannot be read. */
static int find_kept(struct found *found, struct events *events, const struct rows_query *query)
{
	CLEANUP(sqlite3_close_p) sqlite3 *db = NULL;

	found->events = calloc(query->limit, sizeof(*found->events));
	if (!found->events)
		return -ENOMEM;
	if (database_open_reader(&db, &database_of_events, events->directory) < 0)
		return 0;
	if (rows_read(db, query, found->events, &found->n, NULL) == -EUCLEAN)
		suspect(events);
	return 0;
}

/* What was written since the queue was looked at is found in both. */
static int join(struct found *joined, const struct found *kept, const struct found *waiting)
{
	uint64_t last = kept->n ? kept->events[kept->n - 1].id : 0;

	joined->events = calloc(kept->n + waiting->n + 1, sizeof(*joined->events));
	if (!joined->events)
		return -ENOMEM;
	memcpy(joined->events, kept->events, kept->n * sizeof(*kept->events));
	joined->n = kept->n;
	for (size_t i = 0; i < waiting->n; i++)
		if (waiting->events[i].id > last)
			joined->events[joined->n++] = waiting->events[i];
	return 0;
}

int events_read(struct events *events, const struct events_query *query,
		struct events_page *ret_page)
{
	const struct rows_query rows = {
		.after = query->after,
		.since_us = query->since_us,
		.pool = query->pool,
		.limit = query->limit + 1,
		.newest = query->newest,
	};
	CLEANUP(found_done) struct found waiting = { 0 }, kept = { 0 }, joined = { 0 };
	struct events_page page = { 0 };
	int r;

	/* In this order: what is written in between is in the database then. */
	r = find_waiting(&waiting, events, &rows, &page.last);
	if (r == 0)
		r = find_kept(&kept, events, &rows);
	if (r == 0)
		r = join(&joined, &kept, &waiting);
	if (r < 0)
		return r;
	page.more = joined.n > query->limit;
	if (page.more && query->newest)
		memmove(joined.events, joined.events + joined.n - query->limit,
			query->limit * sizeof(*joined.events));
	page.n = page.more ? query->limit : joined.n;
	/* The database may be ahead of what the queue was then. */
	if (page.n && joined.events[page.n - 1].id > page.last)
		page.last = joined.events[page.n - 1].id;
	page.events = take_ptr(joined.events);
	*ret_page = page;
	return 0;
}

void events_state(struct events *events, struct events_state *ret_state)
{
	struct events_state state = { 0 };

	snprintf(state.path, sizeof(state.path), "%.*s/" DATABASE_FILE, PATH_MAX - 16,
		 events->directory);
	pthread_mutex_lock(&events->lock);
	state.usable = !events->failed;
	if (events->failed)
		snprintf(state.why, sizeof(state.why), "%s", events->why.text);
	state.kept = events->kept;
	state.max = events->max;
	state.waiting = events->queue.n + events->writing.n;
	state.lost = events->lost;
	pthread_mutex_unlock(&events->lock);
	*ret_state = state;
}
