// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/sweep.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "dataplane/mapread.h"

/* Entries at once: more than a bucket of flows ever has. */
#define CHUNK 4096

struct sweeper {
	struct map_reader reader;
	struct sl_tuple tuples[CHUNK];
	struct sl_flow flows[CHUNK];
};

struct sweeper *sweeper_new(const struct mapset *maps, enum map_id id)
{
	struct sweeper *sweeper = malloc(sizeof(*sweeper));

	if (!sweeper)
		return NULL;
	sweeper->reader = (struct map_reader){ .fd = maps->fd[id], .at_once = CHUNK };
	return sweeper;
}

void sweeper_free(struct sweeper *sweeper)
{
	free(sweeper);
}

int sweeper_next(struct sweeper *sweeper, sweep_fn *fn, void *arg)
{
	__u32 n;
	int more = map_reader_next(&sweeper->reader, sweeper->tuples, sweeper->flows, &n);

	for (__u32 i = 0; i < n; i++)
		if (!fn(arg, &sweeper->tuples[i], &sweeper->flows[i]))
			return 0;
	return more;
}

int sweep(const struct mapset *maps, enum map_id id, sweep_fn *fn, void *arg)
{
	CLEANUP(sweeper_free_p) struct sweeper *sweeper = sweeper_new(maps, id);
	int r;

	if (!sweeper)
		return -ENOMEM;
	do
		r = sweeper_next(sweeper, fn, arg);
	while (r > 0);
	return r;
}

struct forgetting {
	int fd;
	uint32_t service;
};

static bool forget(void *arg, const struct sl_tuple *tuple, const struct sl_flow *flow)
{
	const struct forgetting *forgetting = arg;

	if (flow->service == forgetting->service)
		bpf_map_delete_elem(forgetting->fd, tuple);
	return true;
}

void sweep_service(const struct mapset *maps, uint32_t service)
{
	static const enum map_id ids[] = { MAP_HALF_OPEN, MAP_FLOWS };

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct forgetting forgetting = { maps->fd[ids[i]], service };

		sweep(maps, ids[i], forget, &forgetting);
	}
}
