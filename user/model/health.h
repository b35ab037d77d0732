/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * health - one endpoint's health as a pure function of what was learned about it.
 *
 *   Unknown --first verdict--> Healthy or Unhealthy
 *   Healthy --unhealthy_threshold failures in a row--> Unhealthy
 *   Unhealthy --healthy_threshold successes in a row--> Healthy
 *   any --prober's own trouble--> shown Unknown; the proven state and its counts are kept
 *
 * A server counts as unhealthy until its first success, so the first failure of an endpoint that
 * nothing is known about is enough. The prober's trouble never moves the proven state, which is
 * what the gate acts on. No clock, no I/O.
 */
#ifndef SLUICE_MODEL_HEALTH_H
#define SLUICE_MODEL_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/verdict.h"

struct health_policy {
	uint32_t unhealthy_threshold, healthy_threshold;
};

struct health {
	enum sl_health shown; /* what people see */
	enum sl_health proven; /* what the gate acts on */
	uint32_t failures, successes; /* in a row, of verdicts that were not ours */
	uint64_t since_ms; /* wall clock: when shown last changed */
	uint64_t
		lapsed; /* grows: the later proven was last Healthy; 0: never. Orders min_servers */
	bool forced; /* kept open by min_servers */
};

/* Nothing probed yet. proven: what the kernel already acts on (SL_UNKNOWN at a first start). */
void health_init(struct health *health, enum sl_health proven, uint64_t now_ms);

/* Take a verdict in. Returns whether shown or proven changed. */
bool health_step(struct health *health, const struct health_policy *policy, enum sl_message verdict,
		 uint64_t now_ms);

/*
 * min_servers: when fewer than min of the members are open (Unknown counts as open, since the gate
 * lets it pass), choose the most recently healthy of the others until there are min.
 */
void health_force(const struct health *const members[], uint32_t n_members, uint32_t min,
		  bool ret_forced[]);

/* "Healthy", "Unhealthy", "Unknown". */
const char *health_name(enum sl_health health);

/* The other way round; false: none of these. */
bool health_parse(enum sl_health *ret_health, const char *name);

/* The word that tells the kernel what to do with new flows to an endpoint in this state. */
struct sl_word health_word(const struct health *health, enum sl_action on_unhealthy,
			   bool reset_established);

#endif
