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

void doubt_timeout(struct verdict *v, uint32_t timeout_ms, uint64_t late_ms)
{
	if (!is_timeout(v) || late_ms <= late_limit_ms(timeout_ms))
		return;

	v->code = SL_MSG_PROBER_OVERLOADED;
	v->os_errno = 0;
	snprintf(v->detail, sizeof(v->detail),
		 "the prober's event loop was %" PRIu64 " ms late during the probe", late_ms);
}
