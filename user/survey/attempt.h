/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attempt - what becomes of connections that are tried, or of datagrams.
 *
 * Each connection is reset as soon as it is made: the server has nothing of it.
 */
#ifndef SLUICE_SURVEY_ATTEMPT_H
#define SLUICE_SURVEY_ATTEMPT_H

#include "survey/way.h"

#define ATTEMPTS_MAX 100

/* Plain data; each attempt is counted under one outcome. */
struct attempt_tally {
	uint32_t sent;
	uint32_t answered; /* connected, or a datagram came back */
	uint32_t refused; /* by a RST; a datagram's port by the target's own ICMP */
	uint32_t icmp; /* ended by an ICMP error: the last of them is in error */
	uint32_t silent;
	uint32_t local; /* never left: our own trouble, the last errno is in os_errno */
	struct icmp_error error;
	int os_errno; /* positive */
	uint32_t min_us, max_us; /* until answered */
	uint64_t sum_us;
};

/*
 * Try count times (1..ATTEMPTS_MAX), and wait for answers, for wait_ms in all; datagrams are empty.
 * -ENOMEM, or -errno: no socket could be had.
 */
int attempts_make(struct attempt_tally *ret_attempts, const struct way *way, uint32_t count,
		  uint32_t wait_ms);

#endif
