/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe_work - a probe while it runs: what its stages share. Only probe_*.c and probe.c see it.
 *
 * A stage's function returns whether the next can go on at once; if not, the probe waits for its
 * socket or its timer, or is settled.
 */
#ifndef SLUICE_PROBE_PROBE_WORK_H
#define SLUICE_PROBE_PROBE_WORK_H

#include "probe/exchange.h"
#include "probe/poller.h"
#include "probe/probe.h"
#include "probe/stream.h"
#include "probe/udp.h"

/* Read at once, on the stack: no memory is held for a probe that waits. */
#define PROBE_READ_BYTES 16384

struct probe {
	struct watch watch; /* first: a watch is its probe */
	const struct plan *plan;
	struct probe_state *state; /* NULL: none */
	probe_done_fn *done;
	void *arg;
	struct poller *poller;

	uv_timer_t timer;
	struct stream stream;
	enum stage stage;
	bool settled; /* verdict is final */
	bool has_exchange;
	bool answered; /* something of the answer came */
	bool reset; /* close with RST */
	union {
		struct exchange exchange;
		struct udp udp;
	};

	uint64_t started_ns, tls_ns, sent_ns;
	struct verdict verdict;
};

/* Microseconds, at least 1: 0 says "not reached". */
uint32_t probe_us_since(uint64_t since_ns, uint64_t now_ns);

/* The verdict is known: release everything but the probe itself. */
void probe_settle(struct probe *p, enum sl_message code);

/* Tell whoever waits for it, and go. */
void probe_deliver(struct probe *p);

/* Settle as local_resource, with the call that failed. Returns false. */
bool probe_fail_locally(struct probe *p, int os_errno, const char *call);

/* Send what waits. Returns 0 also for errors of the peer's making: it may have said why. */
int probe_flush(struct probe *p);

/* Let the timeout come in so many milliseconds. */
void probe_set_timer(struct probe *p, uint64_t in_ms);

/* TLS: start, shake hands, hear whether the server has more to say. */
bool probe_begin_tls(struct probe *p);
bool probe_shake_hands(struct probe *p);
bool probe_await_word(struct probe *p);

/* Settle as tls_handshake_failed; r: what the handshake or stream_recv() returned. Returns false. */
bool probe_fail_tls(struct probe *p, int r);

/* Question and answer over the stream. */
bool probe_begin_exchange(struct probe *p);
bool probe_converse(struct probe *p);

/* Datagrams: send the first one. */
void probe_begin_udp(struct probe *p);

/* The timer's function of a udp probe, whose timer means the next datagram. */
void probe_on_udp_timer(uv_timer_t *handle);

#endif
