// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/probe.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "probe/conn.h"
#include "probe/http.h"
#include "util/clock.h"

/* Read at once, on the stack: no memory is held for a probe that waits. */
#define READ_BYTES 16384

struct probe {
	const struct plan *plan;
	probe_done_fn *done;
	void *arg;

	uv_timer_t timer;
	uv_poll_t poll;
	bool has_poll; /* poll was initialised and has to be closed */
	int events; /* what poll waits for; 0: stopped */
	uint32_t n_handles; /* not closed yet */

	int fd; /* -1: none */
	enum stage stage;
	size_t sent; /* of the request */
	struct http http;

	uint64_t started_ns, connected_ns, sent_ns;
	bool settled; /* verdict is final */
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

	if (--p->n_handles)
		return;
	http_done(&p->http);
	free(p);
}

/* A descriptor must leave the poll before it is closed, and is closed before anybody is told. */
static void close_socket(struct probe *p)
{
	if (p->has_poll)
		uv_close((uv_handle_t *)&p->poll, on_closed);
	p->has_poll = false;
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

static void settle(struct probe *p, enum sl_message code)
{
	uint64_t now_ns = clock_mono_ns();

	close_socket(p);
	p->settled = true;
	p->verdict.code = code;
	p->verdict.timing.total_us = us_since(p->started_ns, now_ns);
	p->verdict.elapsed_ms = (uint32_t)((now_ns - p->started_ns) / NS_PER_MS);
}

static void deliver(struct probe *p)
{
	p->done(p->arg, &p->verdict);
	uv_close((uv_handle_t *)&p->timer, on_closed);
}

/* --- stages: each returns once the verdict is settled or the socket has to be waited for ------- */

static void fail_locally(struct probe *p, int os_errno, const char *call)
{
	p->verdict.stage = p->stage;
	p->verdict.os_errno = os_errno;
	snprintf(p->verdict.detail, sizeof(p->verdict.detail), "%s", call);
	settle(p, SL_MSG_LOCAL_RESOURCE);
}

static void fail_connect(struct probe *p, int os_errno)
{
	struct conn_icmp icmp;

	if (p->fd >= 0 && conn_take_icmp(p->fd, &icmp)) {
		p->verdict.has_icmp = true;
		p->verdict.icmp_type = icmp.type;
		p->verdict.icmp_code = icmp.code;
	}
	/* ICMP errors map to errnos that our own firewall causes as well. */
	if (conn_errno_is_local(os_errno) && !p->verdict.has_icmp) {
		fail_locally(p, os_errno, "connect");
		return;
	}

	p->verdict.stage = STAGE_CONNECT;
	p->verdict.os_errno = os_errno;
	settle(p, SL_MSG_TCP_CONNECT_FAILED);
}

static void receive(struct probe *p)
{
	uint8_t data[READ_BYTES];
	ssize_t n = recv(p->fd, data, sizeof(data), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		p->events = UV_READABLE;
		return;
	}
	if (n <= 0) {
		http_end(&p->http, n < 0 ? errno : 0, &p->verdict);
		settle(p, p->verdict.code);
		return;
	}

	if (!p->verdict.timing.first_byte_us)
		p->verdict.timing.first_byte_us = us_since(p->sent_ns, clock_mono_ns());
	if (http_receive(&p->http, data, (size_t)n, &p->verdict))
		settle(p, p->verdict.code);
	p->stage = http_stage(&p->http);
}

/* The request is made again for every attempt to send: nearly always there is only one. */
static void send_request(struct probe *p)
{
	char request[HTTP_REQUEST_MAX];
	int len = http_request(request, p->plan);
	ssize_t n;

	if (len < 0) {
		fail_locally(p, -len, "host or path cannot be sent");
		return;
	}
	n = send(p->fd, request + p->sent, (size_t)len - p->sent, MSG_NOSIGNAL);
	if (n > 0)
		p->sent += (size_t)n;
	if (n >= 0 ? p->sent < (size_t)len : errno == EAGAIN || errno == EINTR) {
		p->events = UV_WRITABLE;
		return;
	}

	/* A peer that closed early may have said why: an error here is left to receive(). */
	p->sent_ns = clock_mono_ns();
	p->stage = STAGE_HEADER;
	p->events = UV_READABLE;
}

static void finish_connect(struct probe *p)
{
	int r = conn_state(p->fd);

	if (r == -EINPROGRESS) {
		p->events = UV_WRITABLE;
		return;
	}
	if (r < 0) {
		fail_connect(p, -r);
		return;
	}

	p->connected_ns = clock_mono_ns();
	p->verdict.timing.connect_us = us_since(p->started_ns, p->connected_ns);
	p->verdict.stage = STAGE_CONNECT;
	if (p->plan->protocol == PROTO_TCP) {
		conn_reset_on_close(p->fd);
		settle(p, SL_MSG_OK);
		return;
	}
	conn_ignore_icmp(p->fd, addr_is_v4(&p->plan->addr));
	p->stage = STAGE_REQUEST;
	send_request(p);
}

static void advance(struct probe *p)
{
	switch (p->stage) {
	case STAGE_CONNECT:
		finish_connect(p);
		break;
	case STAGE_REQUEST:
		send_request(p);
		break;
	case STAGE_HEADER:
	case STAGE_BODY:
		receive(p);
		break;
	case STAGE_RESOLVE:
	case STAGE_TLS:
	case STAGE_CERTIFICATE:
	case STAGE_NONE:
	case STAGE_QUEUE:
		assert(!"a probe that runs is in a stage of its own");
	}
}

/* --- events ----------------------------------------------------------------------------------- */

static void on_poll(uv_poll_t *handle, int status, int events);

static void wait_for(struct probe *p)
{
	/* Fails only for handles that are closing and events that do not exist. */
	(void)uv_poll_start(&p->poll, p->events, on_poll);
}

/* status < 0 says that the socket has an error for us (libuv then stops the poll): see advance(). */
static void on_poll(uv_poll_t *handle, int status, int events)
{
	struct probe *p = handle->data;
	int before = p->events;

	(void)events;
	advance(p);
	if (p->settled)
		deliver(p);
	else if (status < 0 || p->events != before)
		wait_for(p);
}

static void time_out(struct probe *p)
{
	p->verdict.stage = p->stage;
	if (p->stage == STAGE_CONNECT)
		fail_connect(p, ETIMEDOUT);
	else
		settle(p, SL_MSG_BACKEND_TIMEOUT);
}

/* The timeout, or the first turn of the loop after a start that failed. */
static void on_timer(uv_timer_t *handle)
{
	struct probe *p = handle->data;

	/* A loop that was late may have the answer waiting: that is not the backend's fault. */
	if (!p->settled)
		advance(p);
	if (!p->settled)
		time_out(p);
	deliver(p);
}

/* --- the beginning ---------------------------------------------------------------------------- */

static void begin(struct probe *p, uv_loop_t *loop)
{
	const char *call;
	int r;

	if (p->plan->protocol != PROTO_TCP) {
		r = http_init(&p->http, p->plan);
		if (r < 0) {
			fail_locally(p, -r, "malloc");
			return;
		}
	}
	r = conn_open(&p->fd, &call, p->plan);
	if (r < 0) {
		if (call)
			fail_locally(p, -r, call);
		else
			fail_connect(p, -r);
		return;
	}

	r = uv_poll_init(loop, &p->poll, p->fd);
	if (r < 0) {
		fail_locally(p, -r, "epoll");
		return;
	}
	p->poll.data = p;
	p->has_poll = true;
	p->n_handles++;
	p->events = UV_WRITABLE;
	wait_for(p);
}

struct probe *probe_start(uv_loop_t *loop, const struct plan *plan, probe_done_fn *done, void *arg)
{
	struct probe *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->plan = plan;
	p->done = done;
	p->arg = arg;
	p->fd = -1;
	p->stage = STAGE_CONNECT;
	p->started_ns = clock_mono_ns();

	/* The loop's idea of now is as old as its turn; the timeout must not be shorter for it. */
	uv_update_time(loop);
	uv_timer_init(loop, &p->timer);
	p->timer.data = p;
	p->n_handles++;

	begin(p, loop);
	/* The loop counts whole milliseconds, and the one that has begun is not a whole one. */
	uv_timer_start(&p->timer, on_timer, p->settled ? 0 : (uint64_t)plan->timeout_ms + 1, 0);

	return p;
}

void probe_cancel(struct probe *probe)
{
	close_socket(probe);
	uv_close((uv_handle_t *)&probe->timer, on_closed);
}
