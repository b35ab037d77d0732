// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/suspicion.h"

/* Begin to count anew: what was before is no reason any more. */
static void forget(struct suspicion *s, uint32_t failed, uint64_t now_ms)
{
	s->failed_before = s->failed_at_half = failed;
	s->turned_ms = now_ms;
}

static void turn(struct suspicion *s, const struct suspicion_policy *policy, uint32_t failed,
		 uint64_t now_ms)
{
	if (now_ms - s->turned_ms < policy->window_ms / 2)
		return;
	s->failed_before = s->failed_at_half;
	s->failed_at_half = failed;
	s->turned_ms = now_ms;
}

static void rest(struct suspicion *s, const struct suspicion_policy *policy, uint64_t now_ms)
{
	uint64_t rest_ms = s->rest_ms ? 2ull * s->rest_ms : SUSPICION_REST_MIN_MS;

	if (rest_ms > policy->rest_max_ms)
		rest_ms = policy->rest_max_ms;
	s->rest_ms = (uint32_t)rest_ms;
	s->rest_until_ms = now_ms + rest_ms;
}

static enum suspicion_step settle(struct suspicion *s, const struct suspicion_policy *policy,
				  const struct suspicion_sample *sample, uint64_t now_ms)
{
	if (sample->blind)
		s->rest_ms = 0; /* it was right */
	else if (sample->acquitted || now_ms - s->raised_ms >= policy->limit_ms)
		rest(s, policy, now_ms);
	else
		return SUSPICION_NONE;
	s->raised = false;
	forget(s, sample->failed, now_ms);
	return SUSPICION_CLEARED;
}

bool suspicion_is_idle(const struct suspicion *suspicion, const struct suspicion_sample *sample)
{
	return suspicion->begun && !suspicion->raised && !suspicion->rest_ms && !sample->late &&
	       suspicion->failed_before == sample->failed &&
	       suspicion->failed_at_half == sample->failed;
}

enum suspicion_step suspicion_step(struct suspicion *suspicion,
				   const struct suspicion_policy *policy,
				   const struct suspicion_sample *sample, uint64_t now_ms)
{
	uint64_t failures;

	if (!suspicion->begun) {
		suspicion->begun = true;
		forget(suspicion, sample->failed, now_ms);
	}
	if (suspicion->raised)
		return settle(suspicion, policy, sample, now_ms);
	if (!policy->enabled || sample->blind) {
		forget(suspicion, sample->failed, now_ms);
		return SUSPICION_NONE;
	}
	failures = (uint64_t)(uint32_t)(sample->failed - suspicion->failed_before) + sample->late;
	turn(suspicion, policy, sample->failed, now_ms);
	/* As long without reason as the longest rest: its past is forgotten. */
	if (now_ms >= suspicion->rest_until_ms + policy->rest_max_ms)
		suspicion->rest_ms = 0;
	if (failures < policy->failures || now_ms < suspicion->rest_until_ms)
		return SUSPICION_NONE;
	suspicion->raised = true;
	suspicion->raised_ms = now_ms;
	suspicion->failures = failures < UINT32_MAX ? (uint32_t)failures : UINT32_MAX;
	return SUSPICION_RAISED;
}
