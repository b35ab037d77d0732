// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/probe.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "probe/conn.h"
#include "probe/exchange.h"
#include "probe/poller.h"
#include "probe/proxy.h"
#include "probe/stream.h"
#include "probe/tls.h"
#include "probe/tls_fault.h"
#include "probe/udp.h"
#include "util/clock.h"

/* Read at once, on the stack: no memory is held for a probe that waits. */
#define READ_BYTES 16384

/*
 * How long a probe that only shakes hands waits for what a server says after the handshake: about a
 * client certificate that it asked for and did not get, or the ticket for the next time.
 */
#define AFTERWORD_CERTIFICATE_MS 1000
#define AFTERWORD_TICKET_MS 100

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

static uint32_t us_since(uint64_t since_ns, uint64_t now_ns)
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

/* The socket is closed before anybody is told, and with that leaves the poller. */
static void release(struct probe *p)
{
	p->watch.fn = NULL;
	stream_done(&p->stream, p->reset);
	if (p->has_exchange)
		exchange_done(&p->exchange);
	p->has_exchange = false;
	poller_put(take_ptr(p->poller));
}

static void settle(struct probe *p, enum sl_message code)
{
	uint64_t now_ns = clock_mono_ns();

	if (p->state && p->stream.ssl && code == SL_MSG_OK)
		tls_save(&p->stream, p->plan, p->state, &p->verdict.tls);
	else
		probe_state_reset(p->state);
	p->settled = true;
	p->verdict.code = code;
	p->verdict.timing.total_us = us_since(p->started_ns, now_ns);
	p->verdict.elapsed_ms = (uint32_t)((now_ns - p->started_ns) / NS_PER_MS);
	release(p);
}

static void deliver(struct probe *p)
{
	p->done(p->arg, &p->verdict);
	uv_close((uv_handle_t *)&p->timer, on_closed);
}

/* --- stages: each returns whether the next can go on at once ----------------------------------- */

static bool fail_locally(struct probe *p, int os_errno, const char *call)
{
	p->verdict.stage = p->stage;
	p->verdict.os_errno = os_errno;
	snprintf(p->verdict.detail, sizeof(p->verdict.detail), "%s", call);
	settle(p, SL_MSG_LOCAL_RESOURCE);
	return false;
}

static bool fail_connect(struct probe *p, int os_errno)
{
	struct conn_icmp icmp;

	if (p->stream.fd >= 0 && conn_take_icmp(p->stream.fd, &icmp)) {
		p->verdict.has_icmp = true;
		p->verdict.icmp_type = icmp.type;
		p->verdict.icmp_code = icmp.code;
	}
	/* ICMP errors map to errnos that our own firewall causes as well. */
	if (conn_errno_is_local(os_errno) && !p->verdict.has_icmp)
		return fail_locally(p, os_errno, "connect");

	p->verdict.stage = STAGE_CONNECT;
	p->verdict.os_errno = os_errno;
	settle(p,
	       p->plan->protocol == PROTO_UDP ? SL_MSG_UDP_UNREACHABLE : SL_MSG_TCP_CONNECT_FAILED);
	return false;
}

/* Send what waits. Returns 0 also for errors of the peer's making: it may have said why. */
static int flush(struct probe *p)
{
	int r = stream_flush(&p->stream);

	if (r == -EAGAIN)
		return r;
	if (r < 0 && conn_errno_is_local(-r)) {
		fail_locally(p, -r, "send");
		return r;
	}
	return 0;
}

/* --- exchange --------------------------------------------------------------------------------- */

static bool fail_tls(struct probe *p, int r)
{
	p->stage = STAGE_TLS;
	p->verdict.stage = STAGE_TLS;
	tls_fault_explain(&p->stream, r, &p->verdict);
	settle(p, SL_MSG_TLS_HANDSHAKE_FAILED);
	return false;
}

static bool fail_speaking(struct probe *p, int r)
{
	if (r == -EINVAL)
		return fail_locally(p, EINVAL, "host or path cannot be sent");
	if (r == -ENOMEM)
		return fail_locally(p, ENOMEM, "malloc");
	/* The server made us say more than it takes. */
	p->verdict.stage = p->stage;
	snprintf(p->verdict.detail, sizeof(p->verdict.detail), "it asks for more than it reads");
	settle(p, SL_MSG_HTTP_MALFORMED);
	return false;
}

static bool speak(struct probe *p)
{
	int r;

	r = exchange_speak(&p->exchange, p->plan, &p->stream);
	if (r < 0)
		return fail_speaking(p, r);
	r = flush(p);
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
		return fail_tls(p, (int)n);
	if (n == -EMSGSIZE || n == -EOVERFLOW) {
		snprintf(p->verdict.detail, sizeof(p->verdict.detail),
			 n == -EMSGSIZE ? "more than %u bytes for one answer"
					: "more than %u TLS handshake messages with one answer",
			 n == -EMSGSIZE ? STREAM_IN_MAX : TLS_MESSAGES_MAX);
		p->verdict.stage = p->stage;
		settle(p, SL_MSG_HTTP_MALFORMED);
		return false;
	}
	if (!n)
		exchange_end(&p->exchange, END_ORDERLY, 0, &p->verdict);
	else if (n == -ENODATA)
		exchange_end(&p->exchange, END_CUT, 0, &p->verdict);
	else
		exchange_end(&p->exchange, END_ERROR, (int)-n, &p->verdict);
	settle(p, p->verdict.code);
	return false;
}

/* Bytes of the answer go to the exchange, and what it says to them goes out. */
static bool converse(struct probe *p)
{
	uint8_t data[READ_BYTES];
	ssize_t n;

	if (!speak(p))
		return false;
	n = stream_recv(&p->stream, data, sizeof(data));
	/* What it had to say to that may have been the end: a stream reset for what came on it. */
	if (n == -EAGAIN && p->answered && exchange_receive(&p->exchange, data, 0, &p->verdict)) {
		settle(p, p->verdict.code);
		return false;
	}
	if (n == -EAGAIN) {
		/* TLS may have something to say of its own. */
		(void)flush(p);
		return false;
	}
	if (n <= 0)
		return end_exchange(p, n);

	if (!p->answered)
		p->verdict.timing.first_byte_us = us_since(p->sent_ns, clock_mono_ns());
	p->answered = true;
	if (exchange_receive(&p->exchange, data, (size_t)n, &p->verdict))
		settle(p, p->verdict.code);
	else
		p->stage = exchange_stage(&p->exchange);
	return !p->settled;
}

static bool begin_exchange(struct probe *p)
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

/* --- TLS -------------------------------------------------------------------------------------- */

/* The verdict is clear, but for what the server may still say. */
static bool await_word(struct probe *p)
{
	uint8_t data[READ_BYTES];
	ssize_t n = stream_recv(&p->stream, data, sizeof(data));

	if (n == -EPROTO || n == -ECONNRESET)
		return fail_tls(p, (int)n);
	/* Anything else is beside the point: the handshake stands. */
	if (n == -EAGAIN && tls_awaits_word(&p->stream, p->state))
		return false;
	tls_close_notify(&p->stream);
	(void)flush(p);
	settle(p, SL_MSG_OK);
	return false;
}

static void on_timer(uv_timer_t *handle);

static bool begin_afterword(struct probe *p)
{
	uint64_t left_ms = uv_timer_get_due_in(&p->timer);
	uint64_t wait_ms =
		p->stream.certificate_asked ? AFTERWORD_CERTIFICATE_MS : AFTERWORD_TICKET_MS;

	(void)flush(p);
	if (p->settled)
		return false;
	if (tls_awaits_word(&p->stream, p->state) && wait_ms < left_ms)
		uv_timer_start(&p->timer, on_timer, wait_ms, 0);
	return true;
}

static bool judge_certificates(struct probe *p)
{
	enum sl_message code;

	p->stage = STAGE_CERTIFICATE;
	code = tls_judge(&p->stream, p->plan, p->state, &p->verdict.tls);
	p->verdict.timing.tls_us = us_since(p->tls_ns, clock_mono_ns());
	p->verdict.stage = STAGE_CERTIFICATE;
	if (code == SL_MSG_LOCAL_RESOURCE)
		return fail_locally(p, ENOMEM, "malloc");
	if (code != SL_MSG_OK) {
		settle(p, code);
		return false;
	}
	if (p->plan->protocol == PROTO_TLS)
		return begin_afterword(p);
	return begin_exchange(p);
}

static bool shake_hands(struct probe *p)
{
	int r = tls_handshake(&p->stream);

	if (r == -ENOMEM)
		return fail_locally(p, ENOMEM, "malloc");
	/* The last flight waits for the judgement; others go out at once. */
	if (r == -EAGAIN)
		(void)flush(p);
	if (p->settled || r == -EAGAIN)
		return false;
	return r < 0 ? fail_tls(p, r) : judge_certificates(p);
}

static bool begin_tls(struct probe *p)
{
	int r;

	p->stage = STAGE_TLS;
	p->tls_ns = clock_mono_ns();
	r = tls_start(&p->stream, p->plan, p->state);
	if (r == -EINVAL)
		return fail_locally(p, EINVAL, "the server name cannot be sent");
	return r < 0 ? fail_locally(p, -r, "malloc") : true;
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
	return stream_put(&p->stream, header, proxy_header_v1(header, &ends));
}

static bool connected(struct probe *p)
{
	const struct plan *plan = p->plan;
	int r;

	p->verdict.timing.connect_us = us_since(p->started_ns, clock_mono_ns());
	p->verdict.stage = STAGE_CONNECT;
	if (plan->proxy_protocol) {
		r = put_proxy_header(p);
		if (r < 0)
			return fail_locally(p, -r, "PROXY header");
	}
	if (plan->protocol == PROTO_TCP) {
		/* Who has said something closes in good order, that it may be read. */
		p->reset = !stream_has_output(&p->stream);
		(void)flush(p);
		if (!p->settled)
			settle(p, SL_MSG_OK);
		return false;
	}
	conn_ignore_icmp(p->stream.fd, addr_is_v4(&plan->addr));
	p->reset = plan->protocol != PROTO_TLS;
	return plan->tls.enabled ? begin_tls(p) : begin_exchange(p);
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
		return shake_hands(p);
	case STAGE_CERTIFICATE:
		return await_word(p);
	case STAGE_REQUEST:
	case STAGE_HEADER:
	case STAGE_BODY:
		return converse(p);
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
		deliver(p);
}

static void time_out(struct probe *p)
{
	p->verdict.stage = p->stage;
	switch (p->stage) {
	case STAGE_CONNECT:
		fail_connect(p, ETIMEDOUT);
		break;
	case STAGE_TLS:
		fail_tls(p, -ETIMEDOUT);
		break;
	case STAGE_CERTIFICATE:
		settle(p, SL_MSG_OK); /* silence is consent: see await_word() */
		break;
	default:
		if (p->stream.renegotiation_asked && !p->answered)
			fail_tls(p, -ETIMEDOUT);
		else
			settle(p, SL_MSG_BACKEND_TIMEOUT);
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
	deliver(p);
}

/* --- UDP -------------------------------------------------------------------------------------- */

static void on_udp_event(struct watch *watch, uint32_t events)
{
	struct probe *p = (struct probe *)watch;

	(void)events;
	if (udp_receive(&p->udp, p->stream.fd, p->plan, &p->verdict)) {
		p->verdict.timing.first_byte_us = us_since(p->sent_ns, clock_mono_ns());
		settle(p, p->verdict.code);
		deliver(p);
	} else if (p->udp.starved) {
		poller_again(p->poller, p->stream.fd, &p->watch);
	}
}

static void on_udp_timer(uv_timer_t *handle)
{
	struct probe *p = handle->data;

	if (!p->settled && !udp_receive(&p->udp, p->stream.fd, p->plan, &p->verdict)) {
		if (udp_is_last(&p->udp, p->plan))
			udp_end(&p->udp, p->plan, &p->verdict);
		else if (!udp_send(&p->udp, p->stream.fd, p->plan, &p->verdict)) {
			uv_timer_start(&p->timer, on_udp_timer, udp_wait_ms(&p->udp, p->plan), 0);
			return;
		}
	}
	if (!p->settled)
		settle(p, p->verdict.code);
	deliver(p);
}

static void begin_udp(struct probe *p)
{
	p->watch.fn = on_udp_event;
	p->stage = STAGE_BODY;
	p->verdict.stage = STAGE_BODY;
	p->sent_ns = clock_mono_ns();
	if (udp_send(&p->udp, p->stream.fd, p->plan, &p->verdict))
		settle(p, p->verdict.code);
}

/* --- the beginning ---------------------------------------------------------------------------- */

static void begin(struct probe *p, uv_loop_t *loop)
{
	const char *call;
	int r, fd;

	r = poller_get(&p->poller, loop);
	if (r < 0) {
		fail_locally(p, -r, "epoll");
		return;
	}
	r = conn_open(&fd, &call, p->plan);
	if (r < 0) {
		if (call)
			fail_locally(p, -r, call);
		else
			fail_connect(p, -r);
		return;
	}
	p->stream.fd = fd;
	p->watch.fn = on_event;
	r = poller_add(p->poller, fd, &p->watch);
	if (r < 0)
		fail_locally(p, -r, "epoll");
	else if (p->plan->protocol == PROTO_UDP)
		begin_udp(p);
}

static void start_timer(struct probe *p)
{
	/* The loop counts whole milliseconds, and the one that has begun is not a whole one. */
	uint64_t timeout_ms = (uint64_t)p->plan->timeout_ms + 1;
	bool udp = p->plan->protocol == PROTO_UDP;

	if (udp)
		timeout_ms = udp_wait_ms(&p->udp, p->plan) + 1;
	uv_timer_start(&p->timer, udp ? on_udp_timer : on_timer, p->settled ? 0 : timeout_ms, 0);
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
