// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/probe.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "probe/conn.h"
#include "probe/probe_work.h"
#include "probe/proxy.h"
#include "probe/tls.h"
#include "util/clock.h"
#include "util/errqueue.h"

uint32_t probe_us_since(uint64_t since_ns, uint64_t now_ns)
{
	uint64_t us = (now_ns - since_ns) / NS_PER_US;

	/* 0 says "not reached", so what took less than a microsecond counts as one. */
	if (!us)
		return 1;
	return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
	struct probe *p = handle->data;

	verdict_done(&p->verdict);
	free(p);
}

/* The socket leaves the poller and is closed before anybody is told. */
static void release(struct probe *p)
{
	p->watch.fn = NULL;
	if (p->poller && p->stream.fd >= 0)
		poller_remove(p->poller, p->stream.fd);
	stream_done(&p->stream, p->reset);
	if (p->has_exchange)
		exchange_done(&p->exchange);
	p->has_exchange = false;
	poller_put(take_ptr(p->poller));
}

void probe_settle(struct probe *p, enum sl_message code)
{
	uint64_t now_ns = clock_mono_ns();

	if (p->state && p->stream.ssl && code == SL_MSG_OK)
		tls_save(&p->stream, p->plan, p->state, &p->verdict.tls);
	else
		probe_state_reset(p->state);
	p->settled = true;
	p->verdict.code = code;
	p->verdict.timing.total_us = probe_us_since(p->started_ns, now_ns);
	p->verdict.elapsed_ms = (uint32_t)((now_ns - p->started_ns) / NS_PER_MS);
	release(p);
}

void probe_deliver(struct probe *p)
{
	p->done(p->arg, &p->verdict);
	uv_close((uv_handle_t *)&p->timer, on_closed);
}

/* --- stages: each returns whether the next can go on at once ----------------------------------- */

bool probe_fail_locally(struct probe *p, int os_errno, const char *call)
{
	p->verdict.stage = p->stage;
	p->verdict.os_errno = os_errno;
	snprintf(p->verdict.detail, sizeof(p->verdict.detail), "%s", call);
	probe_settle(p, SL_MSG_LOCAL_RESOURCE);
	return false;
}

static bool fail_connect(struct probe *p, int os_errno)
{
	struct icmp_error icmp;

	if (p->stream.fd >= 0 && errqueue_take_icmp(p->stream.fd, &icmp)) {
		p->verdict.has_icmp = true;
		p->verdict.icmp_type = icmp.type;
		p->verdict.icmp_code = icmp.code;
	}
	/* ICMP errors map to errnos that our own firewall causes as well. */
	if (conn_errno_is_local(os_errno) && !p->verdict.has_icmp)
		return probe_fail_locally(p, os_errno, "connect");

	p->verdict.stage = STAGE_CONNECT;
	p->verdict.os_errno = os_errno;
	probe_settle(p, p->plan->protocol == PROTO_UDP ? SL_MSG_UDP_UNREACHABLE
						       : SL_MSG_TCP_CONNECT_FAILED);
	return false;
}

int probe_flush(struct probe *p)
{
	int r = stream_flush(&p->stream);

	if (r == -EAGAIN)
		return r;
	if (r < 0 && conn_errno_is_local(-r)) {
		probe_fail_locally(p, -r, "send");
		return r;
	}
	return 0;
}

/* --- connect ---------------------------------------------------------------------------------- */

static int put_proxy_header(struct probe *p)
{
	uint8_t header[PROXY_HEADER_MAX];
	struct proxy_ends ends;
	int r;

	r = proxy_ends_of(&ends, p->stream.fd, &p->plan->addr, p->plan->port);
	if (r < 0)
		return r;
	return stream_put(&p->stream, header, proxy_header(header, p->plan->proxy_protocol, &ends));
}

/* The handshake has had its time: what is left is for the rest. */
static void extend_timer(struct probe *p)
{
	uint64_t spent_ms = (clock_mono_ns() - p->started_ns) / NS_PER_MS;
	uint64_t timeout_ms = p->plan->timeout_ms;

	if (p->plan->connect_ms)
		probe_set_timer(p, timeout_ms > spent_ms ? timeout_ms - spent_ms + 1 : 1);
}

static bool connected(struct probe *p)
{
	const struct plan *plan = p->plan;
	int r;

	extend_timer(p);

	p->verdict.timing.connect_us = probe_us_since(p->started_ns, clock_mono_ns());
	p->verdict.stage = STAGE_CONNECT;
	if (plan->proxy_protocol) {
		r = put_proxy_header(p);
		if (r < 0)
			return probe_fail_locally(p, -r, "PROXY header");
	}
	if (plan->protocol == PROTO_TCP) {
		/* Who has said something closes in good order, that it may be read. */
		p->reset = !stream_has_output(&p->stream);
		(void)probe_flush(p);
		if (!p->settled)
			probe_settle(p, SL_MSG_OK);
		return false;
	}
	conn_ignore_icmp(p->stream.fd, addr_is_v4(&plan->addr));
	p->reset = plan->protocol != PROTO_TLS;
	return plan->tls.enabled ? probe_begin_tls(p) : probe_begin_exchange(p);
}

/* events: what the poller said, or 0: ask the socket. */
static bool finish_connect(struct probe *p, uint32_t events)
{
	/* Writable and nothing else is said of connected sockets only. */
	bool clear = (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == EPOLLOUT;
	int r;

	r = clear ? 0 : conn_state(p->stream.fd);
	if (r == -EINPROGRESS)
		return false;
	/* Reset after it was connected: that is the next stage's to find. */
	if (r == -ECONNRESET || r == -EPIPE)
		p->stream.pending_errno = ECONNRESET;
	else if (r < 0)
		return fail_connect(p, -r);
	else if (conn_is_self(p->stream.fd, &p->plan->addr, p->plan->port))
		return fail_connect(p, ECONNREFUSED);
	return connected(p);
}

static bool step(struct probe *p, uint32_t events)
{
	switch (p->stage) {
	case STAGE_CONNECT:
		return finish_connect(p, events);
	case STAGE_TLS:
		return probe_shake_hands(p);
	case STAGE_CERTIFICATE:
		return probe_await_word(p);
	case STAGE_REQUEST:
	case STAGE_HEADER:
	case STAGE_BODY:
		return probe_converse(p);
	case STAGE_RESOLVE:
	case STAGE_NONE:
	case STAGE_QUEUE:
		break;
	}
	assert(!"a probe that runs is in a stage of its own");
	return false;
}

static void advance(struct probe *p, uint32_t events)
{
	stream_turn(&p->stream, events);
	while (step(p, events))
		;
	if (!p->settled && p->stream.starved)
		poller_again(p->poller, p->stream.fd, &p->watch);
}

/* --- events ----------------------------------------------------------------------------------- */

static void on_event(struct watch *watch, uint32_t events)
{
	struct probe *p = (struct probe *)watch;

	advance(p, events);
	if (p->settled)
		probe_deliver(p);
}

static void time_out(struct probe *p)
{
	p->verdict.stage = p->stage;
	switch (p->stage) {
	case STAGE_CONNECT:
		fail_connect(p, ETIMEDOUT);
		break;
	case STAGE_TLS:
		probe_fail_tls(p, -ETIMEDOUT);
		break;
	case STAGE_CERTIFICATE:
		probe_settle(p, SL_MSG_OK); /* silence is consent: see probe_await_word() */
		break;
	default:
		if (p->stream.renegotiation_asked && !p->answered)
			probe_fail_tls(p, -ETIMEDOUT);
		else
			probe_settle(p, SL_MSG_BACKEND_TIMEOUT);
	}
}

/* The timeout, or the first turn of the loop after a start that failed. */
static void on_timer(uv_timer_t *handle)
{
	struct probe *p = handle->data;

	/* A loop that was late may have the answer waiting: that is not the backend's fault. */
	if (!p->settled) {
		p->stream.readable = true;
		advance(p, 0);
	}
	if (!p->settled)
		time_out(p);
	probe_deliver(p);
}

void probe_set_timer(struct probe *p, uint64_t in_ms)
{
	uv_timer_start(&p->timer, on_timer, in_ms, 0);
}

/* --- the beginning ---------------------------------------------------------------------------- */

static void begin(struct probe *p, uv_loop_t *loop)
{
	const char *call;
	int r, fd;

	r = poller_get(&p->poller, loop);
	if (r < 0) {
		probe_fail_locally(p, -r, "epoll");
		return;
	}
	r = conn_open(&fd, &call, p->plan);
	if (r < 0) {
		if (call)
			probe_fail_locally(p, -r, call);
		else
			fail_connect(p, -r);
		return;
	}
	p->stream.fd = fd;
	p->watch.fn = on_event;
	r = poller_add(p->poller, fd, &p->watch);
	if (r < 0)
		probe_fail_locally(p, -r, "epoll");
	else if (p->plan->protocol == PROTO_UDP)
		probe_begin_udp(p);
}

static uint64_t probe_connect_ms(const struct plan *plan)
{
	return plan->connect_ms && plan->connect_ms < plan->timeout_ms ? plan->connect_ms
								       : plan->timeout_ms;
}

static void start_timer(struct probe *p)
{
	/* The loop counts whole milliseconds, and the one that has begun is not a whole one. */
	uint64_t timeout_ms = probe_connect_ms(p->plan) + 1;
	bool udp = p->plan->protocol == PROTO_UDP;

	if (udp)
		timeout_ms = udp_wait_ms(&p->udp, p->plan) + 1;
	uv_timer_start(&p->timer, udp ? probe_on_udp_timer : on_timer, p->settled ? 0 : timeout_ms,
		       0);
}

struct probe *probe_start(uv_loop_t *loop, const struct plan *plan, struct probe_state *state,
			  probe_done_fn *done, void *arg)
{
	struct probe *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->plan = plan;
	p->state = state;
	p->done = done;
	p->arg = arg;
	stream_init(&p->stream, -1);
	p->stage = STAGE_CONNECT;
	p->started_ns = clock_mono_ns();
	p->verdict.tls.alert = TLS_ALERT_NONE;

	/* The loop's idea of now is as old as its turn; the timeout must not be shorter for it. */
	uv_update_time(loop);
	uv_timer_init(loop, &p->timer);
	p->timer.data = p;

	begin(p, loop);
	start_timer(p);

	return p;
}

void probe_cancel(struct probe *probe)
{
	release(probe);
	uv_close((uv_handle_t *)&probe->timer, on_closed);
}
