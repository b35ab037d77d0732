// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/sweep.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "util/cleanup.h"

/* Entries per system call. A bucket that has more than what is asked for would fail the call. */
#define CHUNK 4096

struct chunk {
	struct sl_tuple tuples[CHUNK];
	struct sl_flow flows[CHUNK];
};

int sweep(const struct mapset *maps, enum map_id id, sweep_fn *fn, void *arg)
{
	CLEANUP(free_p) struct chunk *chunk = malloc(sizeof(*chunk));
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	__u32 bucket = 0;
	bool first = true, last = false;

	if (!chunk)
		return -ENOMEM;
	while (!last) {
		__u32 n = CHUNK;

		if (bpf_map_lookup_batch(maps->fd[id], first ? NULL : &bucket, &bucket,
					 chunk->tuples, chunk->flows, &n, &opts) < 0) {
			if (errno != ENOENT)
				return -errno;
			last = true;
		}
		first = false;
		for (__u32 i = 0; i < n; i++)
			if (!fn(arg, &chunk->tuples[i], &chunk->flows[i]))
				return 0;
	}
	return 0;
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
