/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp - a datagram to an endpoint and what comes back: an answer, an ICMP error, or nothing.
 *
 * Datagrams get lost: the same one is sent again after each third of the timeout, so that one loss
 * condemns nobody. Where nothing is sent and nothing expected, silence is all that a good endpoint
 * can offer; what an ICMP error says is the opposite. No clock: the caller knows when to call.
 */
#ifndef SLUICE_PROBE_UDP_H
#define SLUICE_PROBE_UDP_H

#include <stdbool.h>
#include <stdint.h>

#include "model/plan.h"
#include "model/verdict.h"

struct udp {
	uint32_t n_sent, n_wrong; /* datagrams; answers that did not fit */
	bool starved; /* something was left unread: see poller_again() */
};

/* How long to wait after a datagram was sent, in milliseconds. */
uint32_t udp_wait_ms(const struct udp *udp, const struct plan *plan);

/* Whether what udp_wait_ms() said now was the last of the time. */
bool udp_is_last(const struct udp *udp, const struct plan *plan);

/* Send the datagram, or send it again. true: the verdict is known. */
bool udp_send(struct udp *udp, int fd, const struct plan *plan, struct verdict *ret_verdict);

/* Take in what has come. true: the verdict is known. */
bool udp_receive(struct udp *udp, int fd, const struct plan *plan, struct verdict *ret_verdict);

/* The time is over. */
void udp_end(const struct udp *udp, const struct plan *plan, struct verdict *ret_verdict);

#endif
