/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_run - servers on a thread, an engine and what it reports, for tests; included by one .c of
 * each.
 */
#ifndef SLUICE_TESTS_ENGINE_RUN_H
#define SLUICE_TESTS_ENGINE_RUN_H

#include <pthread.h>
#include <stdlib.h>

#include "probe/engine.h"
#include "tests/lib/peer.h"
#include "util/clock.h"
#include "util/err.h"

#define PATIENT_MS 20000

#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define DO(what)                 \
	{                        \
		.action = (what) \
	}

static const struct probe_match match_default = { .status = { { 200, 399 } }, .n_status = 1 };

/* --- servers on a thread of their own ---------------------------------------------------------- */

struct servers {
	uv_loop_t loop;
	uv_thread_t thread;
	uv_async_t stop;
	struct peer *peers[2];
	uint32_t n;
};

static void on_stop(uv_async_t *async)
{
	struct servers *servers = async->data;

	for (uint32_t i = 0; i < servers->n; i++)
		peer_free(servers->peers[i]);
	uv_close((uv_handle_t *)async, NULL);
}

static void run_loop(void *arg)
{
	uv_run(arg, UV_RUN_DEFAULT);
}

static void servers_start(struct servers *servers, const char *address,
			  const struct peer_step *script, const struct peer_step *second)
{
	const struct peer_step *scripts[] = { script, second };

	*servers = (struct servers){ .n = second ? 2 : 1 };
	assert_int_equal(uv_loop_init(&servers->loop), 0);
	assert_int_equal(uv_async_init(&servers->loop, &servers->stop, on_stop), 0);
	servers->stop.data = servers;
	for (uint32_t i = 0; i < servers->n; i++)
		servers->peers[i] = peer_new(&servers->loop, address, 0, scripts[i]);
	assert_int_equal(uv_thread_create(&servers->thread, run_loop, &servers->loop), 0);
}

static void servers_stop(struct servers *servers)
{
	uv_async_send(&servers->stop);
	uv_thread_join(&servers->thread);
	assert_int_equal(uv_loop_close(&servers->loop), 0);
}

/* --- what was reported ------------------------------------------------------------------------- */

struct seen {
	struct verdict verdict;
	uint64_t at_ms;
	uint32_t index;
};

/* pause_ms: how long the next report keeps the worker's loop from its work. */
struct log {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct seen *seen;
	size_t n, max;
	uint32_t pause_ms;
};

static void on_report(void *arg, uint32_t index, const struct verdict *verdict)
{
	struct log *log = arg;
	uint32_t pause_ms;

	pthread_mutex_lock(&log->lock);
	if (log->n < log->max)
		log->seen[log->n++] = (struct seen){ *verdict, clock_mono_ms(), index };
	pause_ms = log->pause_ms;
	log->pause_ms = 0;
	pthread_cond_broadcast(&log->more);
	pthread_mutex_unlock(&log->lock);
	uv_sleep(pause_ms);
}

static void log_open(struct log *log, size_t max)
{
	*log = (struct log){ .lock = PTHREAD_MUTEX_INITIALIZER,
			     .more = PTHREAD_COND_INITIALIZER,
			     .seen = calloc(max, sizeof(struct seen)),
			     .max = max };
	assert_non_null(log->seen);
}

/* Wait until n verdicts were reported. */
static void log_await(struct log *log, size_t n)
{
	struct timespec deadline;
	bool in_time = true;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += PATIENT_MS / 1000;
	pthread_mutex_lock(&log->lock);
	while (log->n < n && in_time)
		in_time = !pthread_cond_timedwait(&log->more, &log->lock, &deadline);
	pthread_mutex_unlock(&log->lock);
	assert_true(in_time);
}

static struct plan plan_to(enum protocol protocol, const char *address, uint16_t port)
{
	struct plan plan = {
		.protocol = protocol,
		.port = port,
		.host = "127.0.0.1",
		.path = "/",
		.match = &match_default,
		.interval_ms = 30000,
		.timeout_ms = PATIENT_MS,
		.unhealthy_threshold = 3,
		.healthy_threshold = 1,
	};

	assert_int_equal(addr_parse(&plan.addr, address), 0);
	return plan;
}

static struct engine *start(const struct plan *plans, uint32_t n, uint32_t workers,
			    uint32_t in_flight, struct log *log)
{
	struct engine_options options = {
		.workers = workers, .in_flight = in_flight, .report = on_report, .arg = log
	};
	struct engine *engine = NULL;
	struct err err = { "" };

	if (engine_start(&engine, plans, n, &options, &err) < 0)
		fail_msg("%s", err.text);
	return engine;
}

#endif
