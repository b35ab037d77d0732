// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/server.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "util/cleanup.h"
#include "util/clock.h"

#define CONNECTION_MEMORY_BYTES 32768 /* request line and header; a response's buffer */
#define CONNECTION_TIMEOUT_S 10 /* of silence */
#define GREETING_MS 50 /* a pause waits so long for a client that has come and says nothing */

/* --- clients ---------------------------------------------------------------------------------- */

static struct server_client *client_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void note_progress(struct MHD_Connection *connection)
{
	struct server_client *client = client_of(connection);

	if (client)
		client->since_ms = clock_mono_ms();
}

/* The server sees the end of the connection next, and lets go of it. */
static void displace_one(struct server *server)
{
	struct server_client *oldest = NULL;

	for (size_t i = 0; i < SERVER_CONNECTIONS_MAX; i++) {
		struct server_client *client = &server->clients[i];

		if (client->fd >= 0 && (!oldest || client->since_ms < oldest->since_ms))
			oldest = client;
	}
	if (!oldest)
		return;
	shutdown(oldest->fd, SHUT_RDWR);
	/* It goes by itself now, and is not to be chosen again. */
	oldest->since_ms = UINT64_MAX;
}

static struct server_client *find_place(struct server *server)
{
	for (size_t i = 0; i < SERVER_CONNECTIONS_MAX; i++)
		if (server->clients[i].fd < 0)
			return &server->clients[i];
	return NULL;
}

static void come(struct server *server, struct MHD_Connection *connection, void **client_data)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct server_client *client = find_place(server);

	if (!info || !client)
		return;
	if (server->handlers.crowd && server->n_clients >= server->handlers.crowd)
		displace_one(server);
	*client = (struct server_client){ (int)info->connect_fd, clock_mono_ms(), true };
	*client_data = client;
	server->n_clients++;
	atomic_fetch_add(&server->n_new, 1);
}

/* He asks, or goes. */
static void be_known(struct server *server, struct server_client *client)
{
	if (client && client->is_new)
		atomic_fetch_sub(&server->n_new, 1);
	if (client)
		client->is_new = false;
}

/* On the server's thread, as everything about clients is. */
static void on_connection(void *arg, struct MHD_Connection *connection, void **client_data,
			  enum MHD_ConnectionNotificationCode code)
{
	struct server *server = arg;
	struct server_client *client = *client_data;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		come(server, connection, client_data);
	} else if (client) {
		be_known(server, client);
		client->fd = -1;
		server->n_clients--;
	}
}

/* --- requests --------------------------------------------------------------------------------- */

/*
 * Called once for the header of a request, for every part of its body, and once more at its end.
 * Answering at the first call refuses the body, if there is one, unread.
 */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload_data,
				  size_t *upload_data_size, void **request_data)
{
	struct server *server = arg;
	const struct server_handlers *handlers = &server->handlers;
	struct body *body = *request_data;
	const struct server_request request = { connection, method, url, body };

	(void)version;
	if (!body) {
		atomic_fetch_add(&server->busy, 1);
		be_known(server, client_of(connection));
		note_progress(connection);
	}
	if (body && *upload_data_size) {
		body_add(body, upload_data, *upload_data_size);
		*upload_data_size = 0;
		return MHD_YES;
	}
	if (body || !handlers->wants_body || !handlers->wants_body(handlers->arg, &request))
		return handlers->answer(handlers->arg, &request);
	*request_data = calloc(1, sizeof(*body));
	return *request_data ? MHD_YES : MHD_NO;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **request_data,
			 enum MHD_RequestTerminationCode code)
{
	struct server *server = arg;

	(void)code;
	note_progress(connection);
	atomic_fetch_sub(&server->busy, 1);
	free(take_ptr(*request_data));
}

/* --- running ---------------------------------------------------------------------------------- */

void server_init(struct server *server, int fd, const struct server_handlers *handlers)
{
	assert(handlers->connections <= SERVER_CONNECTIONS_MAX);
	*server = (struct server){ .handlers = *handlers, .fd = fd };
	for (size_t i = 0; i < SERVER_CONNECTIONS_MAX; i++)
		server->clients[i].fd = -1;
}

int server_start(struct server *server)
{
	if (server->fd < 0)
		return 0;
	/* From here on the descriptor belongs to the server, even where it fails to start. */
	server->http = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, on_request, server,
		MHD_OPTION_LISTEN_SOCKET, (MHD_socket)take_fd(server->fd),
		MHD_OPTION_CONNECTION_LIMIT, server->handlers.connections,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)CONNECTION_TIMEOUT_S,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, server, MHD_OPTION_END);
	if (!server->http)
		return errno > 0 ? -errno : -EIO;
	return 0;
}

/* Stopping the server cuts off whoever has not read his answer to the end. */
static void await_answers(struct server *server)
{
	const struct timespec pause = { .tv_nsec = NS_PER_MS };
	uint64_t begun_ms = clock_mono_ms(), waited_ms;

	/* Once at least: who was let in a moment ago is counted by then. */
	do {
		nanosleep(&pause, NULL);
		waited_ms = clock_mono_ms() - begun_ms;
	} while ((atomic_load(&server->busy) && waited_ms < server->handlers.pause_ms) ||
		 (atomic_load(&server->n_new) && waited_ms < GREETING_MS));
}

void server_pause(struct server *server)
{
	if (!server->http)
		return;
	/* Needs MHD_USE_ITC; the descriptor is ours again. */
	server->fd = (int)MHD_quiesce_daemon(server->http);
	await_answers(server);
	MHD_stop_daemon(take_ptr(server->http));
	server->busy = 0;
	server->n_new = 0;
}

void server_stop(struct server *server)
{
	if (server->http)
		MHD_stop_daemon(take_ptr(server->http));
	close_p(&server->fd);
	server->fd = -1;
}
