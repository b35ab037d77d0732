// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/waiters.h"

#include <errno.h>
#include <time.h>

#include "util/clock.h"

static void wake_all(struct waiters *waiters)
{
	for (unsigned int i = 0; i < waiters->n; i++)
		MHD_resume_connection(waiters->sleeping[i]);
	waiters->n = 0;
}

static void next_beat(struct timespec *ret_at)
{
	uint64_t ns = clock_mono_ns() + WAITERS_BEAT_MS * NS_PER_MS;

	*ret_at = (struct timespec){ (time_t)(ns / NS_PER_SEC), (long)(ns % NS_PER_SEC) };
}

static void *beat(void *arg)
{
	struct waiters *waiters = arg;
	struct timespec at;

	pthread_mutex_lock(&waiters->lock);
	while (!waiters->closing) {
		next_beat(&at);
		pthread_cond_timedwait(&waiters->changed, &waiters->lock, &at);
		wake_all(waiters);
	}
	pthread_mutex_unlock(&waiters->lock);
	return NULL;
}

int waiters_start(struct waiters *waiters)
{
	pthread_condattr_t monotonic;
	int r;

	*waiters = (struct waiters){ .n = 0 };
	pthread_mutex_init(&waiters->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&waiters->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	r = pthread_create(&waiters->thread, NULL, beat, waiters);
	waiters->runs = r == 0;
	return -r;
}

void waiters_stop(struct waiters *waiters)
{
	if (!waiters->runs)
		return;
	pthread_mutex_lock(&waiters->lock);
	waiters->closing = true;
	pthread_cond_signal(&waiters->changed);
	pthread_mutex_unlock(&waiters->lock);
	pthread_join(waiters->thread, NULL);
	waiters->runs = false;
	/* The thread may not have come to its first beat. */
	pthread_mutex_lock(&waiters->lock);
	wake_all(waiters);
	pthread_mutex_unlock(&waiters->lock);
}

/* Without the lock, whose holder may be waiting for the server's; a signal that is lost costs the rest of a beat. */
void waiters_wake(struct waiters *waiters)
{
	pthread_cond_signal(&waiters->changed);
}

bool waiters_sleep(struct waiters *waiters, struct MHD_Connection *connection)
{
	bool sleeps;

	pthread_mutex_lock(&waiters->lock);
	sleeps = waiters->runs && !waiters->closing && waiters->n < WAITERS_MAX;
	if (sleeps) {
		MHD_suspend_connection(connection);
		waiters->sleeping[waiters->n++] = connection;
	}
	pthread_mutex_unlock(&waiters->lock);
	return sleeps;
}
