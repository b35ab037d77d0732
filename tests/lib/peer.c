// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/peer.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BACKLOG 1024

/* Turns of the loop between two bytes: enough for the other side to have read the first. */
#define DRIBBLE_TURNS 3

struct client {
	struct peer *peer;
	struct client *next;
	uv_tcp_t tcp;
	uv_timer_t timer;
	uv_write_t write;
	const struct peer_step *step;
	size_t dribbled;
	int turns, n_handles;
	size_t received;
	char request[PEER_REQUEST_MAX];
	bool closing;
};

struct peer {
	uv_tcp_t tcp;
	const struct peer_step *script;
	struct client *clients;
	uint16_t port;
	bool closing;
	char request[PEER_REQUEST_MAX];
	atomic_uint accepted, open_now, open_max, resets;
};

static void must(bool truth)
{
	if (!truth)
		abort();
}

static void on_freed(uv_handle_t *handle)
{
	free(handle->data);
}

/* The listener's memory outlives its clients, which point to it. */
static void free_when_idle(struct peer *peer)
{
	if (peer->closing && !peer->clients && !uv_is_closing((uv_handle_t *)&peer->tcp))
		uv_close((uv_handle_t *)&peer->tcp, on_freed);
}

static void on_client_closed(uv_handle_t *handle)
{
	struct client *client = handle->data, **link = &client->peer->clients;

	if (--client->n_handles)
		return;
	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	free_when_idle(client->peer);
	free(client);
}

static void close_client(struct client *client, bool reset)
{
	if (client->closing)
		return;
	client->closing = true;
	atomic_fetch_sub(&client->peer->open_now, 1);
	uv_close((uv_handle_t *)&client->timer, on_client_closed);
	if (!reset || uv_tcp_close_reset(&client->tcp, on_client_closed) < 0)
		uv_close((uv_handle_t *)&client->tcp, on_client_closed);
}

static void run_script(struct client *client);

static void on_written(uv_write_t *write, int status)
{
	struct client *client = write->data;

	if (status < 0 || client->closing)
		return;
	client->step++;
	run_script(client);
}

static void on_turn(uv_timer_t *timer)
{
	struct client *client = timer->data;
	const struct peer_step *step = client->step;
	size_t len = step->len ? step->len : strlen(step->text);
	uv_buf_t buf;

	if (++client->turns % DRIBBLE_TURNS == 0) {
		buf = uv_buf_init((char *)(uintptr_t)step->text + client->dribbled, 1);
		if (uv_try_write((uv_stream_t *)&client->tcp, &buf, 1) == 1)
			client->dribbled++;
	}
	if (client->dribbled < len) {
		uv_timer_start(timer, on_turn, 0, 0);
		return;
	}
	client->dribbled = 0;
	client->step++;
	run_script(client);
}

static void send_text(struct client *client)
{
	const struct peer_step *step = client->step;
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)step->text,
				   (unsigned int)(step->len ? step->len : strlen(step->text)));

	client->write.data = client;
	must(!uv_write(&client->write, (uv_stream_t *)&client->tcp, &buf, 1, on_written));
}

static void run_script(struct client *client)
{
	switch (client->step->action) {
	case PEER_HOLD:
		break;
	case PEER_AWAIT:
		if (!strstr(client->request, "\r\n\r\n"))
			break;
		client->step++;
		run_script(client);
		break;
	case PEER_SEND:
		send_text(client);
		break;
	case PEER_DRIBBLE:
		uv_timer_start(&client->timer, on_turn, 0, 0);
		break;
	case PEER_CLOSE:
		close_client(client, false);
		break;
	case PEER_RESET:
		close_client(client, true);
		break;
	}
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct client *client = handle->data;

	(void)size;
	/* The last byte stays free for the NUL; a full buffer ends the reading. */
	*buf = uv_buf_init(client->request + client->received,
			   (unsigned int)(PEER_REQUEST_MAX - 1 - client->received));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct client *client = stream->data;

	(void)buf;
	if (n < 0) {
		if (n == UV_ECONNRESET)
			atomic_fetch_add(&client->peer->resets, 1);
		close_client(client, false);
		return;
	}
	client->received += (size_t)n;
	memcpy(client->peer->request, client->request, PEER_REQUEST_MAX);
	if (client->step->action == PEER_AWAIT)
		run_script(client);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct peer *peer = listener->data;
	struct client *client = calloc(1, sizeof(*client));
	unsigned int open_now;

	must(client && !status);
	client->peer = peer;
	client->next = peer->clients;
	peer->clients = client;
	client->step = peer->script;
	client->n_handles = 2;
	must(!uv_tcp_init(listener->loop, &client->tcp));
	must(!uv_timer_init(listener->loop, &client->timer));
	client->tcp.data = client;
	client->timer.data = client;
	must(!uv_accept(listener, (uv_stream_t *)&client->tcp));
	uv_tcp_nodelay(&client->tcp, 1);

	atomic_fetch_add(&peer->accepted, 1);
	open_now = atomic_fetch_add(&peer->open_now, 1) + 1;
	if (open_now > atomic_load(&peer->open_max))
		atomic_store(&peer->open_max, open_now);

	must(!uv_read_start((uv_stream_t *)&client->tcp, on_alloc, on_read));
	if (peer->closing)
		close_client(client, false);
	else
		run_script(client);
}

static uint16_t bound_port(const uv_tcp_t *tcp)
{
	struct sockaddr_storage ss;
	int len = sizeof(ss);

	must(!uv_tcp_getsockname(tcp, (struct sockaddr *)&ss, &len));
	return ntohs(ss.ss_family == AF_INET ? ((struct sockaddr_in *)&ss)->sin_port
					     : ((struct sockaddr_in6 *)&ss)->sin6_port);
}

struct peer *peer_new(uv_loop_t *loop, const char *address, uint16_t port,
		      const struct peer_step *script)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	struct sockaddr_storage ss;

	must(peer);
	peer->script = script;
	if (strchr(address, ':'))
		must(!uv_ip6_addr(address, port, (struct sockaddr_in6 *)&ss));
	else
		must(!uv_ip4_addr(address, port, (struct sockaddr_in *)&ss));
	must(!uv_tcp_init(loop, &peer->tcp));
	peer->tcp.data = peer;
	must(!uv_tcp_bind(&peer->tcp, (struct sockaddr *)&ss, 0));
	must(!uv_listen((uv_stream_t *)&peer->tcp, BACKLOG, on_connection));
	peer->port = bound_port(&peer->tcp);

	return peer;
}

void peer_free(struct peer *peer)
{
	peer->closing = true;
	for (struct client *client = peer->clients; client; client = client->next)
		close_client(client, false);
	free_when_idle(peer);
}

uint16_t peer_port(const struct peer *peer)
{
	return peer->port;
}

const char *peer_request(const struct peer *peer)
{
	return peer->request;
}

uint32_t peer_accepted(const struct peer *peer)
{
	return atomic_load(&peer->accepted);
}

uint32_t peer_open_now(const struct peer *peer)
{
	return atomic_load(&peer->open_now);
}

uint32_t peer_open_max(const struct peer *peer)
{
	return atomic_load(&peer->open_max);
}

uint32_t peer_resets(const struct peer *peer)
{
	return atomic_load(&peer->resets);
}
