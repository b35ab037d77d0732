// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/census.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "dataplane/open.h"
#include "util/clock.h"

#define PERIOD_MS 1000
#define WAIT_MS 200

/* One count. */
struct tally {
	uint32_t *by_endpoint; /* of the model */
	uint32_t flows;
	struct flow_fills fills;
	uint64_t at_ms; /* when it ended; 0: never */
};

struct census {
	const struct dataplane *dp;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* something is wanted, or there */
	bool wanted, stopping;
	struct tally last; /* under the lock */
	struct tally next; /* the thread's */
	uint64_t n_counts;
	uint64_t tried_ms; /* when the last count ended, whatever came of it; 0: never */
};

static void count_row(void *arg, const struct flow_row *row)
{
	struct tally *tally = arg;

	tally->by_endpoint[row->endpoint]++;
	tally->flows++;
}

static int count(struct census *census)
{
	CLEANUP(flow_list_free_p) struct flow_list *list = NULL;
	struct tally *tally = &census->next;
	int r;

	memset(tally->by_endpoint, 0, census->dp->tables.ids.n * sizeof(*tally->by_endpoint));
	tally->flows = 0;
	r = flow_list_new(&list, census->dp);
	if (r < 0)
		return r;
	do
		r = flow_list_next(list, count_row, tally);
	while (r > 0);
	if (r < 0)
		return r;
	tally->fills = flow_list_fills(list);
	tally->at_ms = clock_mono_ms();
	return 0;
}

/* Wait until something changes, or until then. */
static void wait_until(struct census *census, uint64_t until_ms)
{
	struct timespec until = { .tv_sec = (time_t)(until_ms / MS_PER_SEC),
				  .tv_nsec = (long)(until_ms % MS_PER_SEC * NS_PER_MS) };

	pthread_cond_timedwait(&census->changed, &census->lock, &until);
}

static void swap(struct census *census)
{
	struct tally last = census->last;

	census->last = census->next;
	census->next = last;
}

static void *run(void *arg)
{
	struct census *census = arg;

	pthread_mutex_lock(&census->lock);
	while (!census->stopping) {
		int r;

		if (!census->wanted) {
			pthread_cond_wait(&census->changed, &census->lock);
			continue;
		}
		pthread_mutex_unlock(&census->lock);
		r = count(census);
		pthread_mutex_lock(&census->lock);
		if (r == 0)
			swap(census);
		census->wanted = false;
		census->n_counts++;
		census->tried_ms = clock_mono_ms();
		pthread_cond_broadcast(&census->changed);
	}
	pthread_mutex_unlock(&census->lock);
	return NULL;
}

static void free_parts(struct census *census)
{
	pthread_cond_destroy(&census->changed);
	pthread_mutex_destroy(&census->lock);
	free(census->last.by_endpoint);
	free(census->next.by_endpoint);
	free(census);
}

int census_start(struct census **ret, const struct dataplane *dp)
{
	struct census *census = calloc(1, sizeof(*census));
	pthread_condattr_t attributes;
	size_t n = dp->tables.ids.n + 1; /* calloc(0) may be NULL */
	int r = -ENOMEM;

	if (!census)
		return -ENOMEM;
	census->dp = dp;
	census->last.by_endpoint = calloc(n, sizeof(uint32_t));
	census->next.by_endpoint = calloc(n, sizeof(uint32_t));
	pthread_mutex_init(&census->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&census->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (census->last.by_endpoint && census->next.by_endpoint)
		r = -pthread_create(&census->thread, NULL, run, census);
	if (r < 0) {
		free_parts(census);
		return r;
	}
	*ret = census;
	return 0;
}

void census_stop(struct census *census)
{
	if (!census)
		return;
	pthread_mutex_lock(&census->lock);
	census->stopping = true;
	pthread_cond_broadcast(&census->changed);
	pthread_mutex_unlock(&census->lock);
	pthread_join(census->thread, NULL);
	free_parts(census);
}

/* Have a new count, if it is time for one. Under the lock. */
static void refresh(struct census *census)
{
	uint64_t now_ms = clock_mono_ms(), until_ms = now_ms + WAIT_MS;
	uint64_t before = census->n_counts;

	/* Who comes while a count is under way does not wait for it. */
	if (census->wanted || !dataplane_forwards(census->dp) ||
	    (census->tried_ms && now_ms - census->tried_ms < PERIOD_MS))
		return;
	census->wanted = true;
	pthread_cond_broadcast(&census->changed);
	while (census->n_counts == before && clock_mono_ms() < until_ms)
		wait_until(census, until_ms);
}

bool census_totals(struct census *census, struct census_totals *ret_totals)
{
	bool known;

	pthread_mutex_lock(&census->lock);
	refresh(census);
	known = census->last.at_ms != 0;
	*ret_totals = (struct census_totals){
		.fills = census->last.fills,
		.flows = census->last.flows,
		.age_ms = clock_mono_ms() - census->last.at_ms,
	};
	pthread_mutex_unlock(&census->lock);
	return known;
}

bool census_flows(struct census *census, uint32_t endpoint, uint32_t *ret_flows)
{
	bool known;

	pthread_mutex_lock(&census->lock);
	refresh(census);
	known = census->last.at_ms != 0;
	*ret_flows = census->last.by_endpoint[endpoint];
	pthread_mutex_unlock(&census->lock);
	return known;
}
