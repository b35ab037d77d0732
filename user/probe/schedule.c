// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/schedule.h"

#define FIRST_GAP_MS 1
#define SETTLED_PHASE_MS 60000
#define JITTER_PART 20 /* of the interval, in both directions */

struct due {
	uint64_t at_ms;
	uint32_t id;
};

#define NOWHERE UINT32_MAX

/*
 * heap: a binary heap, the earliest first; place: where in it each endpoint is, or NOWHERE. queue: a ring; each
 * endpoint is in it at most once.
 */
struct schedule {
	uint32_t n, n_due, head, n_queued;
	struct due *heap;
	uint32_t *place;
	uint32_t *queue;
};

static bool earlier(const struct due *a, const struct due *b)
{
	return a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->id < b->id);
}

static void put(struct schedule *s, uint32_t i, struct due due)
{
	s->heap[i] = due;
	s->place[due.id] = i;
}

static void swap(struct schedule *s, uint32_t i, uint32_t j)
{
	struct due t = s->heap[i];

	put(s, i, s->heap[j]);
	put(s, j, t);
}

static void sift_up(struct schedule *s, uint32_t i)
{
	while (i && earlier(&s->heap[i], &s->heap[(i - 1) / 2])) {
		swap(s, i, (i - 1) / 2);
		i = (i - 1) / 2;
	}
}

static void sift_down(struct schedule *s, uint32_t i)
{
	uint32_t first;

	for (;; i = first) {
		first = i;
		for (uint32_t child = 2 * i + 1; child <= 2 * i + 2 && child < s->n_due; child++)
			if (earlier(&s->heap[child], &s->heap[first]))
				first = child;
		if (first == i)
			return;
		swap(s, i, first);
	}
}

struct schedule *schedule_new(uint32_t n)
{
	CLEANUP(schedule_free_p) struct schedule *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->n = n;
	s->heap = calloc(n ? n : 1, sizeof(*s->heap));
	s->place = calloc(n ? n : 1, sizeof(*s->place));
	s->queue = calloc(n ? n : 1, sizeof(*s->queue));
	if (!s->heap || !s->place || !s->queue)
		return NULL;
	for (uint32_t id = 0; id < n; id++)
		s->place[id] = NOWHERE;

	return take_ptr(s);
}

void schedule_free(struct schedule *schedule)
{
	if (!schedule)
		return;
	free(schedule->heap);
	free(schedule->place);
	free(schedule->queue);
	free(schedule);
}

void schedule_set(struct schedule *schedule, uint32_t id, uint64_t at_ms)
{
	put(schedule, schedule->n_due, (struct due){ .at_ms = at_ms, .id = id });
	sift_up(schedule, schedule->n_due++);
}

static void remove_due(struct schedule *s, uint32_t i)
{
	s->place[s->heap[i].id] = NOWHERE;
	if (i == --s->n_due)
		return;
	put(s, i, s->heap[s->n_due]);
	sift_up(s, i);
	sift_down(s, i);
}

static void remove_queued(struct schedule *s, uint32_t i)
{
	for (; i + 1 < s->n_queued; i++)
		s->queue[(s->head + i) % s->n] = s->queue[(s->head + i + 1) % s->n];
	s->n_queued--;
}

void schedule_remove(struct schedule *schedule, uint32_t id)
{
	if (schedule->place[id] != NOWHERE) {
		remove_due(schedule, schedule->place[id]);
		return;
	}
	for (uint32_t i = 0; i < schedule->n_queued; i++)
		if (schedule_peek(schedule, i) == id) {
			remove_queued(schedule, i);
			return;
		}
}

uint64_t schedule_next_ms(const struct schedule *schedule)
{
	return schedule->n_due ? schedule->heap[0].at_ms : UINT64_MAX;
}

static uint32_t take_due(struct schedule *s)
{
	uint32_t id = s->heap[0].id;

	remove_due(s, 0);
	return id;
}

void schedule_queue_due(struct schedule *schedule, uint64_t now_ms)
{
	while (schedule_next_ms(schedule) <= now_ms) {
		schedule->queue[(schedule->head + schedule->n_queued) % schedule->n] =
			take_due(schedule);
		schedule->n_queued++;
	}
}

bool schedule_take(struct schedule *schedule, uint32_t *ret_id)
{
	if (!schedule->n_queued)
		return false;
	*ret_id = schedule->queue[schedule->head];
	schedule->head = (schedule->head + 1) % schedule->n;
	schedule->n_queued--;
	return true;
}

uint32_t schedule_queued(const struct schedule *schedule)
{
	return schedule->n_queued;
}

uint32_t schedule_peek(const struct schedule *schedule, uint32_t i)
{
	return schedule->queue[(schedule->head + i) % schedule->n];
}

uint64_t schedule_first_ms(uint32_t k, uint32_t n, uint32_t interval_ms, bool settled)
{
	uint64_t phase_ms = (uint64_t)n * FIRST_GAP_MS;

	if (settled && phase_ms < SETTLED_PHASE_MS)
		phase_ms = SETTLED_PHASE_MS;
	if (phase_ms > interval_ms)
		phase_ms = interval_ms;
	return (k + (settled ? 1 : 0)) * phase_ms / n;
}

uint64_t schedule_again_ms(uint64_t start_ms, uint32_t interval_ms, uint32_t random)
{
	uint32_t jitter_ms = interval_ms / JITTER_PART;

	return start_ms + interval_ms - jitter_ms + random % (2 * jitter_ms + 1);
}
