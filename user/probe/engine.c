// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/engine.h"

#include <errno.h>
#include <sys/resource.h>
#include <uv.h>

#include "probe/worker.h"
#include "util/err.h"

/*
 * Probes in flight. Each takes one descriptor, so the limit on those is the bound whatever is asked
 * for: a probe that waits its turn is better than one that finds no descriptor. What the daemon
 * itself needs (loops, maps, links, API clients) is kept back, or half where the limit is very low.
 * Where nobody asks, 4,096 waiting probes cost about 20 MB, nearly all of it the
 * kernel's sockets, and are enough for 65,536 healthy endpoints at the shortest sensible
 * intervals; whoever has thousands of silent ones can ask for more.
 */
#define DESCRIPTORS_KEPT 256
#define IN_FLIGHT_AUTO_MAX 4096

struct engine {
	uint32_t n_workers;
	struct worker *workers[];
};

static uint32_t workers_wanted(const struct engine_options *options)
{
	uint32_t n = options->workers ? options->workers : uv_available_parallelism();

	return n < LIMIT_WORKERS ? n : LIMIT_WORKERS;
}

static uint32_t in_flight_wanted(const struct engine_options *options)
{
	uint32_t wanted = options->in_flight ? options->in_flight : IN_FLIGHT_AUTO_MAX;
	struct rlimit limit;
	rlim_t n;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		limit.rlim_cur = 2 * DESCRIPTORS_KEPT;
	n = limit.rlim_cur > 2 * DESCRIPTORS_KEPT ? limit.rlim_cur - DESCRIPTORS_KEPT
						  : limit.rlim_cur / 2;
	return n < wanted ? (uint32_t)n : wanted;
}

/* Worker i's part of the bound; one that could start nothing would never report anything. */
static uint32_t in_flight_share(uint32_t total, uint32_t n_workers, uint32_t i)
{
	uint32_t share = total / n_workers + (i < total % n_workers);

	return share ? share : 1;
}

int engine_start(struct engine **ret, const struct plan *plans, uint32_t n,
		 const struct engine_options *options, struct err *err)
{
	uint32_t n_workers = workers_wanted(options);
	uint32_t in_flight = in_flight_wanted(options);
	CLEANUP(engine_stop_p)
	struct engine *engine = calloc(1, sizeof(*engine) + n_workers * sizeof(struct worker *));
	int r;

	if (!engine)
		return err_set(err, -ENOMEM, "probe engine: out of memory");
	for (uint32_t i = 0; i < n_workers; i++) {
		struct worker_share share = {
			.plans = plans,
			.n = n,
			.first = i,
			.step = n_workers,
			.in_flight_max = in_flight_share(in_flight, n_workers, i),
		};

		r = worker_start(&engine->workers[i], &share, options, err);
		if (r < 0)
			return r;
		engine->n_workers++;
	}

	*ret = take_ptr(engine);
	return 0;
}

void engine_stop(struct engine *engine)
{
	if (!engine)
		return;
	/* All are asked before any is waited for. */
	for (uint32_t i = 0; i < engine->n_workers; i++)
		worker_stop(engine->workers[i]);
	for (uint32_t i = 0; i < engine->n_workers; i++)
		worker_join(engine->workers[i]);
	free(engine);
}

int engine_set(struct engine *engine, uint32_t index, const struct plan *plan)
{
	/* Worker w has the endpoints w, w + n_workers, ...: see engine_start(). */
	return worker_set(engine->workers[index % engine->n_workers], index / engine->n_workers,
			  plan);
}

int engine_stretch(struct engine *engine, uint32_t index, uint32_t times)
{
	return worker_stretch(engine->workers[index % engine->n_workers], index / engine->n_workers,
			      times);
}

struct engine_stats engine_stats(const struct engine *engine)
{
	struct engine_stats stats = { 0 };

	for (uint32_t i = 0; i < engine->n_workers; i++)
		worker_add_stats(engine->workers[i], &stats);
	return stats;
}
