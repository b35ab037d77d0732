/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * schedule - which of n endpoints is due when, and who waits for a free place.
 *
 * Times are milliseconds of any monotonic clock, given by the caller. An endpoint is in one place
 * at a time: it waits for its time, waits in the queue, or is out (being probed). Not thread-safe.
 */
#ifndef SLUICE_PROBE_SCHEDULE_H
#define SLUICE_PROBE_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"

struct schedule;

/* For endpoints 0..n-1, all of them out. NULL: out of memory. */
struct schedule *schedule_new(uint32_t n);
void schedule_free(struct schedule *schedule);
DEFINE_CLEANUP(struct schedule, schedule_free)

/* Let an endpoint that is out wait until at_ms. */
void schedule_set(struct schedule *schedule, uint32_t id, uint64_t at_ms);

/* Take an endpoint out, wherever it is; nothing to do for one that is out. Looks at the queue only. */
void schedule_remove(struct schedule *schedule, uint32_t id);

/* When the next endpoint is due, or UINT64_MAX. */
uint64_t schedule_next_ms(const struct schedule *schedule);

/* Move all that are due at now_ms to the end of the queue, the earliest first. */
void schedule_queue_due(struct schedule *schedule, uint64_t now_ms);

/* Take the head of the queue out. false: the queue is empty. */
bool schedule_take(struct schedule *schedule, uint32_t *ret_id);

uint32_t schedule_queued(const struct schedule *schedule);

/* The i-th endpoint of the queue, 0 being the head. i < schedule_queued(). */
uint32_t schedule_peek(const struct schedule *schedule, uint32_t i);

/*
 * Delay of the k-th of n first probes: spread over the interval, or 1 ms each if that is less. settled: it
 * is known how the endpoint is, and they are spread over the interval, or a minute if that is less, the last
 * one coming at its end.
 */
uint64_t schedule_first_ms(uint32_t k, uint32_t n, uint32_t interval_ms, bool settled);

/*
 * Start of the next probe after one that started at start_ms: an interval later, give or take a
 * twentieth of it as random says (any number). Each start is measured from the one before, so
 * that endpoints which started together drift apart, and none keeps pace with another.
 */
uint64_t schedule_again_ms(uint64_t start_ms, uint32_t interval_ms, uint32_t random);

#endif
