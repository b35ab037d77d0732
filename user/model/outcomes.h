/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outcomes - what the probes of one endpoint came to, counted.
 *
 * An idle endpoint costs its size, so counters are there only for what has happened: one for each
 * verdict that was seen, and a histogram for each stage that was reached. Plain data with one owner;
 * whoever shares it locks it.
 */
#ifndef SLUICE_MODEL_OUTCOMES_H
#define SLUICE_MODEL_OUTCOMES_H

#include <stdbool.h>
#include <stdint.h>

#include "model/verdict.h"

/* X(NAME, name, member of struct timing) */
#define OUTCOMES_STAGES_(X)                        \
	X(RESOLVE, "resolve", resolve_us)          \
	X(CONNECT, "connect", connect_us)          \
	X(TLS, "tls", tls_us)                      \
	X(FIRST_BYTE, "first_byte", first_byte_us) \
	X(TOTAL, "total", total_us)

#define OUTCOMES_STAGE_ENUM_(NAME, name, member) OUTCOMES_##NAME,
enum outcomes_stage { OUTCOMES_STAGES_(OUTCOMES_STAGE_ENUM_) OUTCOMES_STAGES };

/* Upper bounds of the buckets, included; what is longer than all is in the last one. */
#define OUTCOMES_BOUNDS 10
#define OUTCOMES_BUCKETS (OUTCOMES_BOUNDS + 1)
extern const uint32_t outcomes_bounds_us[OUTCOMES_BOUNDS];

/* At ten probes a second a bucket is full after thirteen years, and begins again. */
struct outcomes_times {
	uint64_t sum_us;
	uint32_t buckets[OUTCOMES_BUCKETS]; /* not cumulative */
};

struct outcomes_count;

/* All zero: empty. */
struct outcomes {
	struct outcomes_count *counts; /* by verdict, in order of appearance */
	struct outcomes_times *times; /* of the stages that were reached */
	uint8_t n_counts, n_times;
	uint8_t at[OUTCOMES_STAGES]; /* position in times, from 1 on; 0: none */
};

/* "connect", … */
const char *outcomes_stage_name(enum outcomes_stage stage);

/* Count a verdict and its times. Without memory a first of its kind is not counted. */
void outcomes_add(struct outcomes *outcomes, const struct verdict *verdict);
void outcomes_done(struct outcomes *outcomes);

/* How often that verdict came. */
uint32_t outcomes_verdicts(const struct outcomes *outcomes, enum sl_message code);

/* The times of a stage; NULL: it was never reached. */
const struct outcomes_times *outcomes_times(const struct outcomes *outcomes,
					    enum outcomes_stage stage);

/* A copy that is independent of the first. Without memory it is empty. */
struct outcomes outcomes_copy(const struct outcomes *outcomes);

#endif
