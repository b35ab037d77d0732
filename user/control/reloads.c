// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/reloads.h"

#include <pthread.h>
#include <stdlib.h>

#include "diagnose/json.h"
#include "util/clock.h"

struct reloads {
	pthread_mutex_t lock;
	uint64_t begun;
	json_t *saying; /* of the one that goes on: texts */
	struct reloads_last last;
	json_t *errors; /* of that */
};

struct reloads *reloads_new(void)
{
	struct reloads *reloads = calloc(1, sizeof(*reloads));

	if (reloads)
		pthread_mutex_init(&reloads->lock, NULL);
	return reloads;
}

void reloads_free(struct reloads *reloads)
{
	if (!reloads)
		return;
	pthread_mutex_destroy(&reloads->lock);
	json_decref(reloads->saying);
	json_decref(reloads->errors);
	free(reloads);
}

void reloads_begin(struct reloads *reloads)
{
	pthread_mutex_lock(&reloads->lock);
	reloads->begun++;
	json_decref(reloads->saying);
	reloads->saying = json_array();
	pthread_mutex_unlock(&reloads->lock);
}

void reloads_say(struct reloads *reloads, const char *line)
{
	pthread_mutex_lock(&reloads->lock);
	json_array_append_new(reloads->saying, json_text(line));
	pthread_mutex_unlock(&reloads->lock);
}

void reloads_end(struct reloads *reloads, bool refused)
{
	pthread_mutex_lock(&reloads->lock);
	json_decref(reloads->errors);
	reloads->errors = take_ptr(reloads->saying);
	reloads->last.number = reloads->begun;
	reloads->last.at_ms = clock_wall_ms();
	reloads->last.refused = refused;
	pthread_mutex_unlock(&reloads->lock);
}

uint64_t reloads_next(struct reloads *reloads)
{
	uint64_t next;

	pthread_mutex_lock(&reloads->lock);
	next = reloads->begun + 1;
	pthread_mutex_unlock(&reloads->lock);
	return next;
}

struct reloads_last reloads_last(struct reloads *reloads)
{
	struct reloads_last last;

	pthread_mutex_lock(&reloads->lock);
	last = reloads->last;
	pthread_mutex_unlock(&reloads->lock);
	return last;
}

json_t *reloads_render(struct reloads *reloads)
{
	json_t *json = NULL;

	pthread_mutex_lock(&reloads->lock);
	if (reloads->last.number) {
		json = json_object();
		json_put_uint(&json, "number", reloads->last.number);
		json_put_time(&json, "at", reloads->last.at_ms);
		json_put_bool(&json, "refused", reloads->last.refused);
		json_put(&json, "errors", json_deep_copy(reloads->errors));
	}
	pthread_mutex_unlock(&reloads->lock);
	return json;
}
