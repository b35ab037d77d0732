/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * echo - ICMP echo of several sizes at once, none of which may be split on the way.
 *
 * Hosts need not answer it: an answer proves the way, silence proves nothing.
 */
#ifndef SLUICE_SURVEY_ECHO_H
#define SLUICE_SURVEY_ECHO_H

#include "survey/way.h"

#define ECHO_SHOTS_MAX 16
#define ECHO_PACKET_MAX 9216 /* of one, with its IP header */

struct echo_shot {
	uint32_t packet_bytes; /* with the IP header: asked for */
	bool answered;
	uint32_t rtt_us;
};

/* Plain data. */
struct echo {
	bool permitted; /* false: neither a ping socket nor a raw one could be had */
	uint32_t n, n_answered;
	struct echo_shot shots[ECHO_SHOTS_MAX];
	bool has_error; /* an ICMP error came back, for instance that a packet was too large */
	struct icmp_error error;
};

/* The smallest packet that can be asked for. */
uint32_t echo_min_bytes(const struct way *way);

/*
 * Send the n shots of *echo, whose sizes the caller has set, and wait until all are answered, at
 * most wait_ms. -errno: our own trouble; not being permitted is none.
 */
int echo_send(struct echo *echo, const struct way *way, uint32_t wait_ms);

#endif
