/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * traffic - how clients' attempts to connect to one endpoint have fared lately.
 *
 * Counters say what was seen since they began. To say what is seen now, they are compared with what they were at a
 * mark: about a minute ago, or, while probes fail, when these began to. No clock, no I/O.
 */
#ifndef SLUICE_MODEL_TRAFFIC_H
#define SLUICE_MODEL_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

/* Totals, which wrap, or the difference of two. */
struct traffic {
	uint32_t answered; /* with SYN-ACK; where replies bypass this host: gone on with */
	uint32_t refused, unreachable, unanswered;
	uint32_t reset; /* by the endpoint, after they were answered */
};

struct traffic_mark {
	struct traffic totals;
	bool set;
	uint64_t mono_ms; /* when they were these */
};

/* Marks are set this far apart, and the oldest of so many is compared with. */
#define TRAFFIC_MARK_MS 20000
#define TRAFFIC_MARKS 4

/* All zero: nothing is known yet. */
struct traffic_past {
	struct traffic_mark marks[TRAFFIC_MARKS]; /* newest first */
	uint64_t looked_ms; /* when totals were last taken in */
	bool failing;
};

/* Whether totals are wanted: it is time for a mark, or probes have begun to fail, or to pass. */
bool traffic_wants(const struct traffic_past *past, bool failing, uint64_t mono_ms);

/* Take them in, when they are wanted. While probes fail, the mark is where they began to. */
void traffic_note(struct traffic_past *past, const struct traffic *totals, bool failing,
		  uint64_t mono_ms);

/* What to compare with; not set: nothing yet. */
struct traffic_mark traffic_mark(const struct traffic_past *past);

/* What has come since the mark. */
struct traffic traffic_since(const struct traffic *totals, const struct traffic_mark *mark);

/* Attempts that the endpoint, or something before it, kept from being made. */
uint64_t traffic_failed(const struct traffic *traffic);

/* Enough of them, and not by chance: one client in trouble among many is none of the endpoint's. */
bool traffic_fails(const struct traffic *traffic);

/* Enough were answered, and next to none failed. */
bool traffic_works(const struct traffic *traffic);

#endif
