// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/attempts.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/dataplane.h"
#include "dataplane/mapset.h"
#include "dataplane/percpu.h"
#include "util/clock.h"

#define TICKS(ms) ((uint16_t)((uint64_t)(ms)*1000000 >> SL_ATTEMPT_TICK_SHIFT))

uint32_t attempts_needed(const struct gateway *gateway)
{
	if (!gateway->watch)
		return 0;
	return gateway->max_attempts ? gateway->max_attempts : ATTEMPTS_AUTO;
}

static struct sl_evidence *evidence_of(const struct attempts *attempts, uint32_t id)
{
	return (struct sl_evidence *)attempts->evidence.start + id;
}

int attempts_open(struct attempts *attempts, const struct mapset *maps,
		  const struct map_sizes *sizes)
{
	int r;

	attempts->n_slots = sizes->attempts;
	attempts->n_endpoints = sizes->endpoints;
	attempts->stats_fd = maps->fd[MAP_ATTEMPT_STATS];
	attempts->late = calloc(sizes->endpoints, sizeof(*attempts->late));
	attempts->cleared = calloc(sizes->endpoints, sizeof(*attempts->cleared));
	if (!attempts->late || !attempts->cleared)
		return -ENOMEM;
	r = mapped_open(&attempts->slots, maps->fd[MAP_ATTEMPTS], sizeof(struct sl_attempt),
			sizes->entries[MAP_ATTEMPTS]);
	if (r < 0)
		return r;
	return mapped_open(&attempts->evidence, maps->fd[MAP_EVIDENCE], sizeof(struct sl_evidence),
			   sizes->entries[MAP_EVIDENCE]);
}

void attempts_done(struct attempts *attempts)
{
	mapped_close(&attempts->slots);
	mapped_close(&attempts->evidence);
	free(attempts->late);
	free(attempts->cleared);
	attempts->late = attempts->cleared = NULL;
}

static uint16_t tick_of(uint64_t ns)
{
	return (uint16_t)(ns >> SL_ATTEMPT_TICK_SHIFT);
}

int attempts_clear(struct attempts *attempts, uint32_t id)
{
	attempts->cleared[id] = tick_of(clock_mono_ns()) + 1u;
	attempts->late[id] = 0;
	*evidence_of(attempts, id) = (struct sl_evidence){ 0 };
	return percpu_clear(attempts->stats_fd, id, sizeof(struct sl_attempt_stats));
}

void attempts_carry(struct attempts *attempts, uint32_t id, const struct mapped *old, uint32_t was)
{
	*evidence_of(attempts, id) = ((const struct sl_evidence *)old->start)[was];
}

/* --- the sweep --------------------------------------------------------------------------------- */

struct sweeping {
	struct attempts *attempts;
	uint16_t now;
};

/* Whether the attempt was made before its endpoint's id was given to whom it stands for now. */
static bool is_anothers(const struct attempts *attempts, uint32_t id, uint16_t since)
{
	uint32_t cleared = attempts->cleared[id];

	return cleared && (int16_t)(since - (uint16_t)(cleared - 1)) < 0;
}

/* Add to what has been seen of the attempt, unless something was seen meanwhile. True: it is ours to count. */
static bool mark(struct sl_attempt *slot, uint64_t before, uint8_t seen)
{
	struct sl_attempt_head head;
	uint64_t after;

	memcpy(&head, &before, sizeof(head));
	head.state |= seen;
	memcpy(&after, &head, sizeof(after));
	return __atomic_compare_exchange_n((uint64_t *)&slot->head, &before, after, false,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static void count(__u64 *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

static void settle_sent(const struct sweeping *s, struct sl_attempt *slot, uint64_t whole,
			uint16_t age, bool anothers)
{
	uint32_t id = slot->endpoint;

	if (age >= TICKS(ATTEMPT_SETTLE_MS)) {
		if (mark(slot, whole, SL_ATTEMPT_FAILED) && !anothers)
			count(&evidence_of(s->attempts, id)->unanswered);
	} else if (age >= TICKS(ATTEMPT_LATE_MS) && !anothers) {
		s->attempts->late[id]++;
	}
}

static void settle_answered(const struct sweeping *s, struct sl_attempt *slot, uint64_t whole,
			    uint8_t state, uint16_t age, bool anothers)
{
	struct sl_evidence *evidence = evidence_of(s->attempts, slot->endpoint);

	if (!(state & SL_ATTEMPT_REPEATED)) {
		if (age >= TICKS(ATTEMPT_SETTLE_MS) && mark(slot, whole, SL_ATTEMPT_COMPLETED) &&
		    !anothers)
			count(&evidence->completed);
	} else if (age >= TICKS(ATTEMPT_ABANDON_MS)) {
		if (mark(slot, whole, SL_ATTEMPT_FAILED) && !anothers)
			count(&evidence->abandoned);
	}
}

static void sweep_slot(const struct sweeping *s, struct sl_attempt *slot)
{
	uint64_t whole = __atomic_load_n((const uint64_t *)&slot->head, __ATOMIC_RELAXED);
	struct sl_attempt_head head;
	bool anothers;
	uint16_t age;

	memcpy(&head, &whole, sizeof(head));
	if (!head.state || head.state & (SL_ATTEMPT_COMPLETED | SL_ATTEMPT_FAILED))
		return;
	/* In the first microseconds the rest of the slot is still its former owner's. */
	age = (uint16_t)(s->now - head.since);
	if (age < TICKS(ATTEMPT_LATE_MS) || slot->endpoint >= s->attempts->n_endpoints)
		return;
	anothers = is_anothers(s->attempts, slot->endpoint, head.since);
	if (head.state == SL_ATTEMPT_SENT)
		settle_sent(s, slot, whole, age, anothers);
	else
		settle_answered(s, slot, whole, head.state, age, anothers);
}

void attempts_sweep(struct attempts *attempts, uint64_t now_ns)
{
	const struct sweeping s = { .attempts = attempts, .now = tick_of(now_ns) };
	struct sl_attempt *slots = attempts->slots.start;

	memset(attempts->late, 0, attempts->n_endpoints * sizeof(*attempts->late));
	for (uint32_t i = 0; i < attempts->n_slots; i++)
		sweep_slot(&s, &slots[i]);
}

/* --- what is known ------------------------------------------------------------------------------ */

struct sl_evidence attempts_evidence(const struct attempts *attempts, uint32_t id)
{
	const struct sl_evidence *live = evidence_of(attempts, id);

	return (struct sl_evidence){
		.refused = __atomic_load_n(&live->refused, __ATOMIC_RELAXED),
		.unreachable = __atomic_load_n(&live->unreachable, __ATOMIC_RELAXED),
		.retransmitted = __atomic_load_n(&live->retransmitted, __ATOMIC_RELAXED),
		.seen = __atomic_load_n(&live->seen, __ATOMIC_RELAXED),
		.unanswered = __atomic_load_n(&live->unanswered, __ATOMIC_RELAXED),
		.completed = __atomic_load_n(&live->completed, __ATOMIC_RELAXED),
		.abandoned = __atomic_load_n(&live->abandoned, __ATOMIC_RELAXED),
	};
}

int attempts_read(const struct attempts *attempts, uint32_t id, struct attempt_report *ret)
{
	uint64_t sums[sizeof(struct sl_attempt_stats) / sizeof(uint64_t)];
	struct sl_evidence evidence = attempts_evidence(attempts, id);
	int r;

	r = percpu_sum(attempts->stats_fd, id, sizeof(sums), sums);
	if (r < 0)
		return r;
	memcpy(&ret->stats, sums, sizeof(ret->stats));
	ret->unanswered = evidence.unanswered;
	ret->stats.completed += evidence.completed;
	ret->stats.abandoned += evidence.abandoned;
	return 0;
}
