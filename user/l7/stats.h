/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats - what HAProxy has counted of its servers. */
#ifndef SLUICE_L7_STATS_H
#define SLUICE_L7_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "l7/plan.h"

#define L7_STATUS_CLASSES 6 /* 1xx to 5xx, others */

/* Where the buckets of response times end, in milliseconds; the last has no end. */
#define L7_TIMES 10
extern const uint32_t l7_times_ms[L7_TIMES];

/* Of one server. All but the first three only grow, over reloads of HAProxy, too. */
struct l7_numbers {
	uint64_t queued, sessions; /* now */
	uint64_t
		response_ms; /* mean of the last 1024 requests, until the first byte of the answer */
	uint64_t requests, bytes_in, bytes_out;
	uint64_t connect_errors, response_errors, retries, redispatches;
	uint64_t by_status[L7_STATUS_CLASSES];
	uint64_t slower[L7_TIMES]; /* of HTTP: answers that took longer than l7_times_ms[i] */
};

/* Of clients' connections, through all listeners. */
struct l7_clients {
	uint64_t connected, allowed; /* by the process that serves, and as many as it may have */
	uint64_t waiting; /* in the kernel, until they are accepted */
};

/* Read all but those that wait from what HAProxy says of itself ("show info"); what is missing there is left alone. */
void stats_parse_clients(struct l7_clients *clients, const char *text);

/* The process that says it; 0: it does not say. */
uint64_t stats_parse_pid(const char *text);

/*
 * Read HAProxy's table ("show stat") into numbers, parallel to plan->lines; what is missing there is left
 * alone. Changes the text. Returns how many servers were found, or -EINVAL: it is no such table.
 */
int stats_parse(struct l7_numbers *numbers, const struct l7_plan *plan, char *text);

/*
 * Read the table of a backend's response times ("show table") into numbers; at: where its servers are looked for
 * first, and found. Changes the text. Returns how many servers were found.
 */
int stats_parse_times(struct l7_numbers *numbers, const struct l7_plan *plan, uint32_t *at,
		      char *text);

/*
 * Counting goes on where a server was there before, by its name. numbers and old_numbers: parallel to the lines of
 * their plans, either of which may be NULL: nothing is done. -ENOMEM
 */
int stats_carry(struct l7_numbers *numbers, const struct l7_plan *plan,
		const struct l7_numbers *old_numbers, const struct l7_plan *old);

/* The sums of what was counted before and since; what is now is taken from since. */
struct l7_numbers stats_add(const struct l7_numbers *before, const struct l7_numbers *since);

/* Answers that took l7_times_ms[i] at most; L7_TIMES: all. Upgraded connections (101) are none. */
uint64_t l7_numbers_within(const struct l7_numbers *numbers, size_t i);

/* Of both together, now; the longer of the response times. */
struct l7_numbers stats_sum(const struct l7_numbers *a, const struct l7_numbers *b);

#endif
