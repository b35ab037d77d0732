// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/server.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"

#define CONNECTION_MEMORY_BYTES 32768 /* request line and header; a response's buffer */
#define CONNECTION_TIMEOUT_S 10 /* of silence */
#define MODEST_NICE 10

/* Who sends or takes a byte now and then is not silent. The command line waits as long for an answer. */
#define ASK_MAX_MS 30000
#define ANSWER_MAX_MS 120000

/* Who has been let in, or whose question has begun, is about to say the rest of it; a pause waits for that. */
#define FRESH_MS 20

/* --- clients ---------------------------------------------------------------------------------- */

static struct server_client *client_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void free_clients(struct server *server)
{
	server->n_clients = 0;
	for (size_t i = 0; i < SERVER_CONNECTIONS_MAX; i++)
		server->clients[i] = (struct server_client){ .fd = -1 };
}

/* Under the lock, as all that follows up to the callbacks. */
static void leave(struct server *server, struct server_client *client)
{
	*client = (struct server_client){ .fd = -1 };
	server->n_clients--;
}

static struct server_client *take_place(struct server *server, int fd, const struct caller *caller)
{
	/*
	 * What is more than it was told to take, libmicrohttpd closes without a word. Places are looked through once a
	 * connection, not once a request, and only those that this server may have.
	 */
	for (size_t i = 0; i < server->handlers.connections; i++) {
		struct server_client *client = &server->clients[i];

		if (client->fd >= 0)
			continue;
		*client = (struct server_client){
			.server = server, .fd = fd, .caller = *caller, .since_ms = clock_mono_ms()
		};
		server->n_clients++;
		return client;
	}
	return NULL;
}

static struct server_client *find_client(struct server *server, int fd)
{
	for (size_t i = 0; i < server->handlers.connections; i++)
		if (server->clients[i].fd == fd)
			return &server->clients[i];
	return NULL;
}

/* Those who are about to leave, too, or not. */
static unsigned int count_of(const struct server *server, uid_t uid, bool all)
{
	unsigned int n = 0;

	for (size_t i = 0; i < server->handlers.connections; i++) {
		const struct server_client *client = &server->clients[i];

		n += client->fd >= 0 && client->caller.uid == uid && (all || !client->leaving);
	}
	return n;
}

/* The server sees the end of the connection next, and lets go of it. Who sleeps has to be woken for that. */
static void send_off(struct server_client *client)
{
	struct waiters *waiters = client->server->handlers.waiters;

	shutdown(client->fd, SHUT_RDWR);
	client->leaving = true;
	if (client->lasts && waiters)
		waiters_wake(waiters);
}

/* Before libmicrohttpd has a connection, it may close it without telling. */
static bool can_be_sent_off(const struct server_client *client)
{
	return client->fd >= 0 && client->started && !client->leaving;
}

/*
 * Let in, and silent: it has not said what it wants, or nothing since it was answered. Of an answer without an end, it has
 * taken nothing since.
 */
static bool is_silent(const struct server_client *client, uint64_t now_ms)
{
	return (!client->answering || client->lasts) && now_ms - client->since_ms >= FRESH_MS;
}

/* Of two of users with as many connections each: whose place is rather taken. Who is served is let finish, if that can be. */
static bool goes_before(const struct server_client *a, const struct server_client *b,
			uint64_t now_ms)
{
	if (is_silent(a, now_ms) != is_silent(b, now_ms))
		return is_silent(a, now_ms);
	return a->since_ms < b->since_ms;
}

static void displace_one(struct server *server)
{
	struct server_client *chosen = NULL;
	uint64_t now_ms = clock_mono_ms();
	unsigned int most = 0;

	for (size_t i = 0; i < server->handlers.connections; i++) {
		struct server_client *client = &server->clients[i];
		unsigned int n;

		if (!can_be_sent_off(client))
			continue;
		n = server->handlers.per_user ? count_of(server, client->caller.uid, false) : 1;
		if (chosen && (n < most || (n == most && !goes_before(client, chosen, now_ms))))
			continue;
		chosen = client;
		most = n;
	}
	if (chosen)
		send_off(chosen);
}

static void make_room(struct server *server)
{
	if (server->n_clients >= server->handlers.crowd)
		displace_one(server);
}

static bool takes_too_long(const struct server_client *client, uint64_t now_ms)
{
	return now_ms - client->since_ms > (client->answering ? ANSWER_MAX_MS : ASK_MAX_MS);
}

void server_expire(struct server *server)
{
	uint64_t now_ms;

	pthread_mutex_lock(&server->lock);
	/* Not before: clients' times are taken under the lock, too. */
	now_ms = clock_mono_ms();
	for (size_t i = 0; i < server->handlers.connections; i++)
		if (can_be_sent_off(&server->clients[i]) &&
		    takes_too_long(&server->clients[i], now_ms))
			send_off(&server->clients[i]);
	pthread_mutex_unlock(&server->lock);
}

/* --- coming and going ------------------------------------------------------------------------- */

int server_enter(struct server *server, int fd, const struct caller *caller)
{
	/* libmicrohttpd wants to know of whom; it is not told by accept(), either. */
	const struct sockaddr_un nobody = { .sun_family = AF_UNIX };
	struct server_client *client = NULL;
	int r = -EBUSY;

	pthread_mutex_lock(&server->lock);
	if (count_of(server, caller->uid, true) < server->handlers.per_user) {
		make_room(server);
		client = take_place(server, fd, caller);
	}
	pthread_mutex_unlock(&server->lock);
	if (!client)
		return r;
	/* It closes what it does not take. */
	if (MHD_add_connection(server->http, fd, (const struct sockaddr *)&nobody,
			       sizeof(sa_family_t)) == MHD_YES)
		return 0;
	pthread_mutex_lock(&server->lock);
	leave(server, client);
	pthread_mutex_unlock(&server->lock);
	return 0;
}

static void come(struct server *server, struct MHD_Connection *connection, void **client_data)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	const struct caller anybody = { .role = ROLE_NONE };
	struct server_client *client;

	if (!info)
		return;
	if (server->handlers.per_user) {
		client = find_client(server, (int)info->connect_fd);
	} else {
		make_room(server);
		client = take_place(server, (int)info->connect_fd, &anybody);
	}
	if (!client)
		return;
	client->started = true;
	*client_data = client;
}

/* Linux has it by the thread. Where it is refused, nothing else is the worse for it. */
static void be_modest(void)
{
	static _Thread_local bool is_modest;

	if (is_modest)
		return;
	is_modest = true;
	setpriority(PRIO_PROCESS, (id_t)gettid(), MODEST_NICE);
}

/* On the server's thread, as all that follows. */
static void on_connection(void *arg, struct MHD_Connection *connection, void **client_data,
			  enum MHD_ConnectionNotificationCode code)
{
	struct server *server = arg;

	if (server->handlers.modest)
		be_modest();
	pthread_mutex_lock(&server->lock);
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		come(server, connection, client_data);
	else if (*client_data)
		leave(server, *client_data);
	pthread_mutex_unlock(&server->lock);
}

/* --- requests --------------------------------------------------------------------------------- */

static void note_asked(struct server *server, struct server_client *client)
{
	pthread_mutex_lock(&server->lock);
	client->idle = false;
	client->since_ms = clock_mono_ms();
	pthread_mutex_unlock(&server->lock);
}

static void note_answering(struct server *server, struct server_client *client, bool answering)
{
	pthread_mutex_lock(&server->lock);
	client->answering = answering;
	client->lasts = false;
	client->idle = !answering;
	client->since_ms = clock_mono_ms();
	pthread_mutex_unlock(&server->lock);
}

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
	struct server_client *client = client_of(connection);
	struct body *body = *request_data;
	const struct server_request request = { connection, client ? &client->caller : NULL, method,
						url, body };

	(void)version;
	if (!client)
		return MHD_NO;
	if (body && *upload_data_size) {
		/* What is far too long is not worth an answer at its end. */
		if (!body_add(body, upload_data, *upload_data_size))
			return MHD_NO;
		*upload_data_size = 0;
		return MHD_YES;
	}
	if (!body) {
		note_asked(server, client);
		if (handlers->wants_body && handlers->wants_body(handlers->arg, &request)) {
			*request_data = calloc(1, sizeof(*body));
			return *request_data ? MHD_YES : MHD_NO;
		}
	}
	note_answering(server, client, true);
	return handlers->answer(handlers->arg, &request);
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **request_data,
			 enum MHD_RequestTerminationCode code)
{
	struct server_client *client = client_of(connection);

	(void)code;
	if (client)
		note_answering(arg, client, false);
	free(take_ptr(*request_data));
}

bool server_lasts(struct MHD_Connection *connection)
{
	struct server_client *client = client_of(connection);
	bool has_place;

	if (!client)
		return false;
	pthread_mutex_lock(&client->server->lock);
	has_place = !client->leaving;
	client->since_ms = clock_mono_ms();
	client->lasts = true;
	pthread_mutex_unlock(&client->server->lock);
	return has_place;
}

/* --- running ---------------------------------------------------------------------------------- */

void server_init(struct server *server, int fd, const struct server_handlers *handlers)
{
	assert(handlers->connections <= SERVER_CONNECTIONS_MAX);
	*server = (struct server){ .handlers = *handlers, .fd = fd };
	pthread_mutex_init(&server->lock, NULL);
	free_clients(server);
}

int server_start(struct server *server)
{
	bool listens = !server->handlers.per_user;
	struct MHD_OptionItem listening[] = {
		{ MHD_OPTION_LISTEN_SOCKET, server->fd, NULL },
		{ MHD_OPTION_END, 0, NULL },
	};

	if (listens && server->fd < 0)
		return 0;
	/* From here on the descriptor belongs to libmicrohttpd, even where it fails to start. */
	server->fd = -1;
	server->http = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME |
			(listens ? 0 : MHD_USE_NO_LISTEN_SOCKET),
		0, NULL, NULL, on_request, server, MHD_OPTION_ARRAY,
		listens ? listening : listening + 1, MHD_OPTION_CONNECTION_LIMIT,
		server->handlers.connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned int)CONNECTION_TIMEOUT_S, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
		server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_END);
	if (!server->http)
		return errno > 0 ? -errno : -EIO;
	return 0;
}

static bool is_busy(struct server *server)
{
	bool busy = false;
	uint64_t now_ms;

	pthread_mutex_lock(&server->lock);
	now_ms = clock_mono_ms();
	for (size_t i = 0; i < server->handlers.connections; i++) {
		const struct server_client *client = &server->clients[i];

		busy |= client->fd >= 0 && !client->lasts &&
			(client->answering ||
			 (!client->idle && now_ms < client->since_ms + FRESH_MS));
	}
	pthread_mutex_unlock(&server->lock);
	return busy;
}

/* Stopping the server cuts off whoever has not read his answer to the end. */
static void await_answers(struct server *server)
{
	const struct timespec pause = { .tv_nsec = NS_PER_MS };
	uint64_t until_ms = clock_mono_ms() + server->handlers.pause_ms;

	while (is_busy(server) && clock_mono_ms() < until_ms)
		nanosleep(&pause, NULL);
}

void server_pause(struct server *server)
{
	if (!server->http)
		return;
	/* Needs MHD_USE_ITC; the descriptor is ours again. */
	if (!server->handlers.per_user)
		server->fd = (int)MHD_quiesce_daemon(server->http);
	await_answers(server);
	MHD_stop_daemon(take_ptr(server->http));
	free_clients(server);
}

void server_stop(struct server *server)
{
	if (server->http)
		MHD_stop_daemon(take_ptr(server->http));
	close_p(&server->fd);
	server->fd = -1;
	pthread_mutex_destroy(&server->lock);
}
