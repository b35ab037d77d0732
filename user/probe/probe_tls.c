// SPDX-License-Identifier: GPL-2.0-or-later
/* probe_tls - the stages of the handshake and the certificates. */
#include <errno.h>

#include "probe/probe_work.h"
#include "probe/tls.h"
#include "probe/tls_fault.h"
#include "util/clock.h"

/*
 * How long a probe that only shakes hands waits for what a server says after the handshake: about a
 * client certificate that it asked for and did not get, or the ticket for the next time.
 */
#define AFTERWORD_CERTIFICATE_MS 1000
#define AFTERWORD_TICKET_MS 100

bool probe_fail_tls(struct probe *p, int r)
{
	p->stage = STAGE_TLS;
	p->verdict.stage = STAGE_TLS;
	tls_fault_explain(&p->stream, r, &p->verdict);
	probe_settle(p, SL_MSG_TLS_HANDSHAKE_FAILED);
	return false;
}

/* The verdict is clear, but for what the server may still say. */
bool probe_await_word(struct probe *p)
{
	uint8_t data[PROBE_READ_BYTES];
	ssize_t n = stream_recv(&p->stream, data, sizeof(data));

	if (n == -EPROTO || n == -ECONNRESET)
		return probe_fail_tls(p, (int)n);
	/* Anything else is beside the point: the handshake stands. */
	if (n == -EAGAIN && tls_awaits_word(&p->stream, p->state))
		return false;
	tls_close_notify(&p->stream);
	(void)probe_flush(p);
	probe_settle(p, SL_MSG_OK);
	return false;
}

static bool begin_afterword(struct probe *p)
{
	uint64_t left_ms = uv_timer_get_due_in(&p->timer);
	uint64_t wait_ms =
		p->stream.certificate_asked ? AFTERWORD_CERTIFICATE_MS : AFTERWORD_TICKET_MS;

	(void)probe_flush(p);
	if (p->settled)
		return false;
	if (tls_awaits_word(&p->stream, p->state) && wait_ms < left_ms)
		probe_set_timer(p, wait_ms);
	return true;
}

static bool judge_certificates(struct probe *p)
{
	enum sl_message code;

	p->stage = STAGE_CERTIFICATE;
	code = tls_judge(&p->stream, p->plan, p->state, &p->verdict.tls);
	p->verdict.timing.tls_us = probe_us_since(p->tls_ns, clock_mono_ns());
	p->verdict.stage = STAGE_CERTIFICATE;
	if (code == SL_MSG_LOCAL_RESOURCE)
		return probe_fail_locally(p, ENOMEM, "malloc");
	if (code != SL_MSG_OK) {
		probe_settle(p, code);
		return false;
	}
	if (p->plan->protocol == PROTO_TLS)
		return begin_afterword(p);
	return probe_begin_exchange(p);
}

bool probe_shake_hands(struct probe *p)
{
	int r = tls_handshake(&p->stream);

	if (r == -ENOMEM)
		return probe_fail_locally(p, ENOMEM, "malloc");
	/* The last flight waits for the judgement; others go out at once. */
	if (r == -EAGAIN)
		(void)probe_flush(p);
	if (p->settled || r == -EAGAIN)
		return false;
	return r < 0 ? probe_fail_tls(p, r) : judge_certificates(p);
}

bool probe_begin_tls(struct probe *p)
{
	int r;

	p->stage = STAGE_TLS;
	p->tls_ns = clock_mono_ns();
	r = tls_start(&p->stream, p->plan, p->state);
	if (r == -EINVAL)
		return probe_fail_locally(p, EINVAL, "the server name cannot be sent");
	return r < 0 ? probe_fail_locally(p, -r, "malloc") : true;
}
