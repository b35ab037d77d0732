// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/top_feed.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "cli/client.h"
#include "cli/text.h"
#include "diagnose/json.h"
#include "util/clock.h"
#include "util/printable.h"

#define PERIOD_MS 1000
#define REST 4 /* times as long as the answer took */
#define PATIENCE_MS 5000

struct top_feed {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	const char *socket;
	char *path; /* NULL: nothing has been asked for */
	unsigned int asked; /* counts the paths */
	bool stop;
	bool news;
	json_t *json; /* NULL: err */
	struct err err;
};

static void explain(struct err *err, int r, const json_t *answer)
{
	if (!err->text[0])
		err_set(err, -EIO, "%s",
			r > 0 ? text_get(json_object_get(answer, "error"), "message")
			      : strerror(-r));
	printable_clean(err->text);
}

/* Without the lock. NULL: err says why. */
static json_t *fetch(const struct top_feed *feed, const char *path, struct err *err)
{
	CLEANUP(json_p) json_t *json = NULL;
	int r;

	err->text[0] = '\0';
	r = client_get_within(&json, feed->socket, path, PATIENCE_MS, err);
	if (r) {
		explain(err, r, json);
		return NULL;
	}
	return take_ptr(json);
}

/* With the lock, as the next. */
static void rest(struct top_feed *feed, unsigned int asked, uint64_t ms)
{
	uint64_t ns = clock_mono_ns() + ms * NS_PER_MS;
	struct timespec at = { (time_t)(ns / NS_PER_SEC), (long)(ns % NS_PER_SEC) };

	while (!feed->stop && feed->asked == asked)
		if (pthread_cond_timedwait(&feed->changed, &feed->lock, &at) == ETIMEDOUT)
			break;
}

/* What came of another path than is asked for by now is of no use to anybody. */
static void put(struct top_feed *feed, unsigned int asked, json_t *json, const struct err *err)
{
	if (feed->asked != asked) {
		json_decref(json);
		return;
	}
	json_decref(feed->json);
	feed->json = json;
	feed->err = *err;
	feed->news = true;
}

static void *run(void *arg)
{
	struct top_feed *feed = arg;

	pthread_mutex_lock(&feed->lock);
	while (!feed->stop) {
		CLEANUP(free_p) char *path = feed->path ? strdup(feed->path) : NULL;
		unsigned int asked = feed->asked;
		struct err err;
		uint64_t began_ms, took_ms;
		json_t *json;

		if (!path) {
			rest(feed, asked, PERIOD_MS);
			continue;
		}
		pthread_mutex_unlock(&feed->lock);
		began_ms = clock_mono_ms();
		json = fetch(feed, path, &err);
		took_ms = clock_mono_ms() - began_ms;
		pthread_mutex_lock(&feed->lock);
		put(feed, asked, json, &err);
		rest(feed, asked, took_ms * REST > PERIOD_MS ? took_ms * REST : PERIOD_MS);
	}
	pthread_mutex_unlock(&feed->lock);
	return NULL;
}

int top_feed_start(struct top_feed **ret, const char *socket)
{
	struct top_feed *feed = calloc(1, sizeof(*feed));
	pthread_condattr_t monotonic;
	int r;

	if (!feed)
		return -ENOMEM;
	feed->socket = socket;
	pthread_mutex_init(&feed->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&feed->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	r = pthread_create(&feed->thread, NULL, run, feed);
	if (r) {
		free(feed);
		return -r;
	}
	*ret = feed;
	return 0;
}

void top_feed_stop(struct top_feed *feed)
{
	if (!feed)
		return;
	pthread_mutex_lock(&feed->lock);
	feed->stop = true;
	pthread_cond_signal(&feed->changed);
	pthread_mutex_unlock(&feed->lock);
	pthread_join(feed->thread, NULL);
	pthread_cond_destroy(&feed->changed);
	pthread_mutex_destroy(&feed->lock);
	json_decref(feed->json);
	free(feed->path);
	free(feed);
}

int top_feed_ask(struct top_feed *feed, const char *path)
{
	char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	pthread_mutex_lock(&feed->lock);
	free(feed->path);
	feed->path = copy;
	feed->asked++;
	json_decref(take_ptr(feed->json));
	feed->news = false;
	pthread_cond_signal(&feed->changed);
	pthread_mutex_unlock(&feed->lock);
	return 0;
}

bool top_feed_take(struct top_feed *feed, json_t **ret, struct err *ret_err)
{
	bool news;

	pthread_mutex_lock(&feed->lock);
	news = feed->news;
	if (news) {
		*ret = take_ptr(feed->json);
		*ret_err = feed->err;
	}
	feed->news = false;
	pthread_mutex_unlock(&feed->lock);
	return news;
}
