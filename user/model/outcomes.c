// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/outcomes.h"

#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

struct outcomes_count {
	enum sl_message code;
	uint32_t n;
};

/* From what a server on the same link takes to what a patient timeout allows. */
const uint32_t outcomes_bounds_us[OUTCOMES_BOUNDS] = {
	500, 1000, 2500, 5000, 10000, 25000, 100000, 500000, 2500000, 10000000,
};

const char *outcomes_stage_name(enum outcomes_stage stage)
{
#define STAGE_NAME(NAME, name, member) [OUTCOMES_##NAME] = name,
	static const char *const names[] = { OUTCOMES_STAGES_(STAGE_NAME) };
#undef STAGE_NAME

	return names[stage];
}

/* The counter of that code, or NULL. */
static struct outcomes_count *find(const struct outcomes *outcomes, enum sl_message code)
{
	for (uint8_t i = 0; i < outcomes->n_counts; i++)
		if (outcomes->counts[i].code == code)
			return &outcomes->counts[i];
	return NULL;
}

static void count(struct outcomes *outcomes, enum sl_message code)
{
	struct outcomes_count *counts, *found = find(outcomes, code);

	if (!found) {
		counts = realloc(outcomes->counts, (outcomes->n_counts + 1u) * sizeof(*counts));
		if (!counts)
			return;
		outcomes->counts = counts;
		found = &counts[outcomes->n_counts++];
		*found = (struct outcomes_count){ .code = code };
	}
	found->n++;
}

static void measure(struct outcomes *outcomes, enum outcomes_stage stage, uint32_t us)
{
	struct outcomes_times *times;
	size_t bucket = 0;

	if (!us)
		return;
	if (!outcomes->at[stage]) {
		times = realloc(outcomes->times, (outcomes->n_times + 1u) * sizeof(*times));
		if (!times)
			return;
		outcomes->times = times;
		times[outcomes->n_times] = (struct outcomes_times){ 0 };
		outcomes->at[stage] = ++outcomes->n_times;
	}
	times = &outcomes->times[outcomes->at[stage] - 1];
	while (bucket < OUTCOMES_BOUNDS && us > outcomes_bounds_us[bucket])
		bucket++;
	times->buckets[bucket]++;
	times->sum_us += us;
}

void outcomes_add(struct outcomes *outcomes, const struct verdict *verdict)
{
	count(outcomes, verdict->code);
#define MEASURE(NAME, name, member) measure(outcomes, OUTCOMES_##NAME, verdict->timing.member);
	OUTCOMES_STAGES_(MEASURE)
#undef MEASURE
}

void outcomes_done(struct outcomes *outcomes)
{
	free(outcomes->counts);
	free(outcomes->times);
	*outcomes = (struct outcomes){ 0 };
}

uint32_t outcomes_verdicts(const struct outcomes *outcomes, enum sl_message code)
{
	const struct outcomes_count *found = find(outcomes, code);

	return found ? found->n : 0;
}

const struct outcomes_times *outcomes_times(const struct outcomes *outcomes,
					    enum outcomes_stage stage)
{
	return outcomes->at[stage] ? &outcomes->times[outcomes->at[stage] - 1] : NULL;
}

static void *copy_of(const void *from, size_t len)
{
	void *to = len ? malloc(len) : NULL;

	return to ? memcpy(to, from, len) : NULL;
}

struct outcomes outcomes_copy(const struct outcomes *outcomes)
{
	struct outcomes copy = *outcomes;

	copy.counts = copy_of(outcomes->counts, outcomes->n_counts * sizeof(*outcomes->counts));
	copy.times = copy_of(outcomes->times, outcomes->n_times * sizeof(*outcomes->times));
	if ((outcomes->n_counts && !copy.counts) || (outcomes->n_times && !copy.times))
		outcomes_done(&copy);
	return copy;
}
