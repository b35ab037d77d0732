// SPDX-License-Identifier: GPL-2.0-or-later
/* probe_exchange - the stage of question and answer. */
#include <errno.h>
#include <stdio.h>

#include "probe/probe_work.h"
#include "probe/tls.h"
#include "util/clock.h"

static bool fail_speaking(struct probe *p, int r)
{
	if (r == -EINVAL)
		return probe_fail_locally(p, EINVAL, "host or path cannot be sent");
	if (r == -ENOMEM)
		return probe_fail_locally(p, ENOMEM, "malloc");
	/* The server made us say more than it takes. */
	p->verdict.stage = p->stage;
	snprintf(p->verdict.detail, sizeof(p->verdict.detail), "it asks for more than it reads");
	probe_settle(p, SL_MSG_HTTP_MALFORMED);
	return false;
}

static bool speak(struct probe *p)
{
	int r;

	r = exchange_speak(&p->exchange, p->plan, &p->stream);
	if (r < 0)
		return fail_speaking(p, r);
	r = probe_flush(p);
	if (p->settled)
		return false;
	if (p->stage != STAGE_REQUEST || r == -EAGAIN)
		return true;
	p->sent_ns = clock_mono_ns();
	p->stage = STAGE_HEADER;
	return true;
}

/* n: what stream_recv() said instead of bytes. */
static bool end_exchange(struct probe *p, ssize_t n)
{
	/* With TLS 1.3 a server's objection to the handshake comes as the first thing after it. */
	if (!p->answered && (n == -EPROTO || n == -EOVERFLOW || p->stream.renegotiation_asked))
		return probe_fail_tls(p, (int)n);
	if (n == -EMSGSIZE || n == -EOVERFLOW) {
		snprintf(p->verdict.detail, sizeof(p->verdict.detail),
			 n == -EMSGSIZE ? "more than %u bytes for one answer"
					: "more than %u TLS handshake messages with one answer",
			 n == -EMSGSIZE ? STREAM_IN_MAX : TLS_MESSAGES_MAX);
		p->verdict.stage = p->stage;
		probe_settle(p, SL_MSG_HTTP_MALFORMED);
		return false;
	}
	if (!n)
		exchange_end(&p->exchange, END_ORDERLY, 0, &p->verdict);
	else if (n == -ENODATA)
		exchange_end(&p->exchange, END_CUT, 0, &p->verdict);
	else
		exchange_end(&p->exchange, END_ERROR, (int)-n, &p->verdict);
	probe_settle(p, p->verdict.code);
	return false;
}

/* Bytes of the answer go to the exchange, and what it says to them goes out. */
bool probe_converse(struct probe *p)
{
	uint8_t data[PROBE_READ_BYTES];
	ssize_t n;

	if (!speak(p))
		return false;
	n = stream_recv(&p->stream, data, sizeof(data));
	/* What it had to say to that may have been the end: a stream reset for what came on it. */
	if (n == -EAGAIN && p->answered && exchange_receive(&p->exchange, data, 0, &p->verdict)) {
		probe_settle(p, p->verdict.code);
		return false;
	}
	if (n == -EAGAIN) {
		/* TLS may have something to say of its own. */
		(void)probe_flush(p);
		return false;
	}
	if (n <= 0)
		return end_exchange(p, n);

	if (!p->answered)
		p->verdict.timing.first_byte_us = probe_us_since(p->sent_ns, clock_mono_ns());
	p->answered = true;
	if (exchange_receive(&p->exchange, data, (size_t)n, &p->verdict))
		probe_settle(p, p->verdict.code);
	else
		p->stage = exchange_stage(&p->exchange);
	return !p->settled;
}

bool probe_begin_exchange(struct probe *p)
{
	int r;

	p->stage = STAGE_REQUEST;
	p->sent_ns = clock_mono_ns();
	r = exchange_init(&p->exchange, p->plan);
	p->has_exchange = true;
	if (r == 0 && p->stream.ssl && tls_chose_h2(&p->stream))
		r = exchange_use_h2(&p->exchange, p->plan);
	return r < 0 ? fail_speaking(p, r) : true;
}
