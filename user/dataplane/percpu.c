// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/percpu.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "util/cleanup.h"

/* One value per possible CPU, or NULL. *ret_cpus: their number. */
static uint64_t *values_new(size_t value_size, size_t *ret_cpus)
{
	int cpus = libbpf_num_possible_cpus();

	if (cpus < 1)
		return NULL;
	*ret_cpus = (size_t)cpus;
	return calloc((size_t)cpus, value_size);
}

static void add_up(uint64_t *sums, const uint64_t *values, size_t cpus, size_t counters)
{
	memcpy(sums, values, counters * sizeof(*sums));
	for (size_t cpu = 1; cpu < cpus; cpu++)
		for (size_t i = 0; i < counters; i++)
			sums[i] += values[cpu * counters + i];
}

int percpu_sum(int fd, uint32_t id, size_t value_size, uint64_t *ret_sums)
{
	size_t cpus;
	CLEANUP(free_p) uint64_t *values = values_new(value_size, &cpus);

	if (!values)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &id, values) < 0)
		return -errno;
	add_up(ret_sums, values, cpus, value_size / sizeof(*values));
	return 0;
}

int percpu_clear(int fd, uint32_t id, size_t value_size)
{
	size_t cpus;
	CLEANUP(free_p) uint64_t *values = values_new(value_size, &cpus);

	if (!values)
		return -ENOMEM;
	return bpf_map_update_elem(fd, &id, values, BPF_ANY) < 0 ? -errno : 0;
}

int percpu_copy(int to_fd, uint32_t to, int from_fd, uint32_t from, size_t value_size)
{
	size_t cpus;
	CLEANUP(free_p) uint64_t *values = values_new(value_size, &cpus);

	if (!values)
		return -ENOMEM;
	if (bpf_map_lookup_elem(from_fd, &from, values) < 0)
		return -errno;
	return bpf_map_update_elem(to_fd, &to, values, BPF_ANY) < 0 ? -errno : 0;
}
