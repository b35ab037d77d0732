/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server - HTTP on a socket that listens: a thread of its own, with limits on what a client costs.
 *
 * Memory, connections and silence are limited. Where crowds are expected (server_limits.crowd), a
 * connection more than that displaces the one that has kept its place longest without getting anything
 * done: however many clients are slow, the next one is served.
 *
 * Started, paused and stopped on one thread. The handlers are called on the server's.
 */
#ifndef SLUICE_CONTROL_SERVER_H
#define SLUICE_CONTROL_SERVER_H

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/body.h"

#define SERVER_CONNECTIONS_MAX 64

struct server_request {
	struct MHD_Connection *connection;
	const char *method, *path;
	const struct body *body; /* NULL: it was not read */
};

struct server_handlers {
	/* Whether a body is to be read before the request is answered; NULL: never. */
	bool (*wants_body)(void *arg, const struct server_request *request);
	enum MHD_Result (*answer)(void *arg, const struct server_request *request);
	void *arg;
	unsigned int connections; /* at most SERVER_CONNECTIONS_MAX */
	unsigned int crowd; /* less than connections; 0: nobody is displaced */
	unsigned int pause_ms; /* how long a pause waits for those who are slow to read */
};

struct server_client {
	int fd; /* -1: nobody */
	uint64_t since_ms; /* monotonic: connected, asked, or answered last */
	bool is_new; /* has not asked for anything yet */
};

struct server {
	struct server_handlers handlers;
	struct MHD_Daemon *http; /* NULL: it does not run */
	int fd; /* listening, until http takes it; -1 */
	atomic_uint busy; /* requests that are being answered */
	atomic_uint n_new; /* clients that have not asked for anything yet */
	unsigned int n_clients;
	struct server_client clients[SERVER_CONNECTIONS_MAX];
};

/* fd listens, and belongs to the server from now on; -1: it has none. */
void server_init(struct server *server, int fd, const struct server_handlers *handlers);

/* Answer from now on, those who wait first; without a descriptor there is nothing to do. -errno */
int server_start(struct server *server);

/*
 * Finish what has been asked, for pause_ms at most, also by those who have just come; who comes from now on waits for
 * the next server_start(). server->fd is there again.
 */
void server_pause(struct server *server);

/* Stop, and close the socket. Fine for one that does not run, or was all zero but for fd -1. */
void server_stop(struct server *server);

#endif
