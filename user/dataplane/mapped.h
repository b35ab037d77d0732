/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapped - a BPF array in our address space: reads and writes without system calls.
 */
#ifndef SLUICE_DATAPLANE_MAPPED_H
#define SLUICE_DATAPLANE_MAPPED_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sluice/abi.h"

struct mapped {
	void *start;
	size_t bytes;
};

/* Map entries * value_size bytes of the array fd. -errno from mmap. */
int mapped_open(struct mapped *ret_mapped, int fd, size_t value_size, uint32_t entries);

/* Unmap; fine for one that was never opened. */
void mapped_close(struct mapped *mapped);

/* One load and one store: the programs never see half a word. */
static inline struct sl_word mapped_word(const struct mapped *words, uint32_t id)
{
	uint64_t bits = __atomic_load_n((const uint64_t *)words->start + id, __ATOMIC_RELAXED);
	struct sl_word word;

	memcpy(&word, &bits, sizeof(word));
	return word;
}

static inline void mapped_store_word(const struct mapped *words, uint32_t id, struct sl_word word)
{
	uint64_t bits;

	memcpy(&bits, &word, sizeof(bits));
	__atomic_store_n((uint64_t *)words->start + id, bits, __ATOMIC_RELEASE);
}

#endif
