// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/doubt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/*
 * A timeout is not believed when the loop was late by this part of it; short ones, of which a busy
 * machine's usual delays are more than a tenth, are allowed a larger part, up to a number.
 */
#define LATE_PART 10
#define LATE_PART_SHORT 4
#define LATE_SHORT_MAX_MS 500

static bool is_timeout(const struct verdict *v)
{
	switch (v->code) {
	case SL_MSG_BACKEND_TIMEOUT:
		return true;
	case SL_MSG_TCP_CONNECT_FAILED:
	case SL_MSG_TLS_HANDSHAKE_FAILED:
		return v->os_errno == ETIMEDOUT;
	default:
		return false;
	}
}

static uint64_t late_limit_ms(uint32_t timeout_ms)
{
	uint32_t limit_ms = timeout_ms / LATE_PART, short_ms = timeout_ms / LATE_PART_SHORT;

	if (short_ms > LATE_SHORT_MAX_MS)
		short_ms = LATE_SHORT_MAX_MS;
	return limit_ms > short_ms ? limit_ms : short_ms;
}

static void blame_stall(struct verdict *v, uint64_t stalled_ms)
{
	const char *saw = message_id(v->code);

	snprintf(v->detail, sizeof(v->detail),
		 "it stood still for %" PRIu64 " ms during the probe, which saw %s", stalled_ms,
		 saw ?: "a failure");
	v->code = SL_MSG_UNKNOWN_GATEWAY_UNHEALTHY;
	v->os_errno = 0;
}

static void blame_lateness(struct verdict *v, uint64_t late_ms)
{
	snprintf(v->detail, sizeof(v->detail),
		 "the prober's event loop was %" PRIu64 " ms late during the probe", late_ms);
	v->code = SL_MSG_PROBER_OVERLOADED;
	v->os_errno = 0;
}

void doubt_verdict(struct verdict *v, uint32_t timeout_ms, struct lag_reading during)
{
	if (message_passed(v->code) || message_ours(v->code))
		return;
	if (lag_is_stall(during))
		blame_stall(v, during.stalled_ms);
	else if (is_timeout(v) && during.late_ms > late_limit_ms(timeout_ms))
		blame_lateness(v, during.late_ms);
}
