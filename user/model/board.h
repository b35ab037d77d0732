/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * board - what is known of every endpoint now, for whoever wants to show it.
 *
 * One writer (the pipeline), any number of readers. Readers take a copy of an entry under the
 * board's lock, which nobody holds for longer than a copy takes; the gate never waits for it.
 * Entries are parallel to model->endpoints.
 */
#ifndef SLUICE_MODEL_BOARD_H
#define SLUICE_MODEL_BOARD_H

#include "model/health.h"
#include "util/cleanup.h"

#define BOARD_RECENT 8

struct board_verdict {
	struct verdict verdict;
	uint64_t at_ms; /* wall clock; 0: the slot is empty */
};

struct board_entry {
	struct health health;
	uint64_t n_verdicts;
	bool adopted; /* health was taken over from the kernel; nothing probed since */
	/* Newest first; only that one has all its TLS facts and shows the certificates. */
	struct board_verdict recent[BOARD_RECENT];
};

struct board;

/* A board of n entries, all zero. NULL: out of memory. */
struct board *board_new(uint32_t n);
void board_free(struct board *board);
DEFINE_CLEANUP(struct board, board_free)

/* Replace the entry's health. */
void board_set_health(struct board *board, uint32_t i, const struct health *health, bool adopted);

/* Put a verdict in front of the entry's recent ones. */
void board_add_verdict(struct board *board, uint32_t i, const struct verdict *verdict,
		       uint64_t at_ms);

/* The entry's health alone. */
struct health board_health(const struct board *board, uint32_t i);

/* A consistent copy of one entry; to be given back with board_entry_done(). */
struct board_entry board_read(const struct board *board, uint32_t i);
void board_entry_done(struct board_entry *entry);

#endif
