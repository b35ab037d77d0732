/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waiters - connections whose answer goes on later: they sleep, and all are woken at each beat.
 *
 * A thread of its own beats. While nobody waits it costs a wakeup a beat.
 */
#ifndef SLUICE_CONTROL_WAITERS_H
#define SLUICE_CONTROL_WAITERS_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>

#define WAITERS_MAX 384 /* more than all servers have connections */
#define WAITERS_BEAT_MS 250

struct waiters {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool runs; /* the thread is there */
	bool closing; /* nobody sleeps any more: answers are to end */
	unsigned int n;
	struct MHD_Connection *sleeping[WAITERS_MAX];
};

/* Begin to beat. -EAGAIN: no thread to be had. */
int waiters_start(struct waiters *waiters);

/* Wake all, and let nobody sleep again before the next start. Fine for those that were never started. */
void waiters_stop(struct waiters *waiters);

/* Wake all now: one of them is to end. */
void waiters_wake(struct waiters *waiters);

/*
 * Let the connection sleep until the next beat: from its content reader, which returns 0 then. False: the answer is
 * to end.
 */
bool waiters_sleep(struct waiters *waiters, struct MHD_Connection *connection);

#endif
