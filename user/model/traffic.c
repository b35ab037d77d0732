// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/traffic.h"

#include <string.h>

/* Fewer say nothing; ... */
#define ENOUGH 5
/* ... and of these, a part of so many. */
#define PART 10

bool traffic_wants(const struct traffic_past *past, bool failing, uint64_t mono_ms)
{
	return !past->marks[0].set || past->failing != failing ||
	       mono_ms - past->looked_ms >= TRAFFIC_MARK_MS;
}

void traffic_note(struct traffic_past *past, const struct traffic *totals, bool failing,
		  uint64_t mono_ms)
{
	past->looked_ms = mono_ms;
	/* What was before belongs to the other state. */
	if (past->failing != failing)
		memset(past->marks, 0, sizeof(past->marks));
	else if (failing && past->marks[0].set)
		return;
	memmove(&past->marks[1], &past->marks[0], sizeof(past->marks) - sizeof(past->marks[0]));
	past->marks[0] =
		(struct traffic_mark){ .totals = *totals, .set = true, .mono_ms = mono_ms };
	past->failing = failing;
}

struct traffic_mark traffic_mark(const struct traffic_past *past)
{
	int oldest = 0;

	while (oldest + 1 < TRAFFIC_MARKS && past->marks[oldest + 1].set)
		oldest++;
	return past->marks[oldest];
}

struct traffic traffic_since(const struct traffic *totals, const struct traffic_mark *mark)
{
	return (struct traffic){
		.answered = totals->answered - mark->totals.answered,
		.refused = totals->refused - mark->totals.refused,
		.unreachable = totals->unreachable - mark->totals.unreachable,
		.unanswered = totals->unanswered - mark->totals.unanswered,
		.reset = totals->reset - mark->totals.reset,
	};
}

uint64_t traffic_failed(const struct traffic *traffic)
{
	return (uint64_t)traffic->refused + traffic->unreachable + traffic->unanswered;
}

bool traffic_fails(const struct traffic *traffic)
{
	uint64_t failed = traffic_failed(traffic);

	return failed >= ENOUGH && failed * PART >= failed + traffic->answered;
}

bool traffic_works(const struct traffic *traffic)
{
	return traffic->answered >= ENOUGH &&
	       traffic_failed(traffic) * PART < traffic_failed(traffic) + traffic->answered;
}
