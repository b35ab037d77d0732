/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server - an HTTP server on a thread of its own, that can pause and go on. It listens itself, or is given
 * connections that somebody else has accepted.
 *
 * Memory, connections and times are bounded, and so is what one user can take of them: nobody keeps others out by
 * being many, slow, or silent.
 */
#ifndef SLUICE_CONTROL_SERVER_H
#define SLUICE_CONTROL_SERVER_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/body.h"
#include "control/caller.h"
#include "control/waiters.h"

#define SERVER_CONNECTIONS_MAX 320

struct server_request {
	struct MHD_Connection *connection;
	const struct caller *caller; /* over TCP: zero */
	const char *method, *path;
	const struct body *body; /* NULL: it was not read */
};

struct server_handlers {
	/* Whether a body is to be read before the request is answered; NULL: never. */
	bool (*wants_body)(void *arg, const struct server_request *request);
	enum MHD_Result (*answer)(void *arg, const struct server_request *request);
	void *arg;
	unsigned int connections; /* at most SERVER_CONNECTIONS_MAX */
	/*
	 * From so many on, the next one costs a place of the user who has the most of them: the one that got nothing done
	 * for longest. Less than connections, since it takes a moment to leave.
	 */
	unsigned int crowd;
	unsigned int
		per_user; /* who has so many is given no more; 0: it listens, and all are one user's */
	struct waiters *waiters; /* where clients sleep; NULL: nowhere */
	bool modest; /* its thread gives way to others that want a CPU */
	unsigned int pause_ms; /* how long a pause waits for those who are slow to read */
};

struct server;

struct server_client {
	struct server *server;
	int fd; /* -1: nobody */
	struct caller caller;
	uint64_t since_ms; /* monotonic: came, asked, or was answered last */
	bool started; /* libmicrohttpd knows it */
	bool idle; /* has been answered, and asked nothing since */
	bool answering;
	bool lasts; /* what he gets has no end, and nobody waits for it */
	bool leaving; /* displaced, or too slow: it is only waited for */
};

struct server {
	struct server_handlers handlers;
	struct MHD_Daemon *http; /* NULL: it does not run */
	int fd; /* listening, until http takes it; -1 */
	pthread_mutex_t lock; /* of all that follows */
	unsigned int n_clients;
	struct server_client clients[SERVER_CONNECTIONS_MAX];
};

/*
 * The client has read all that there is for now, of an answer without an end: he is getting on, and a pause does not
 * wait for him. From the content reader. False: he has lost his place, or is none of those who are known.
 */
bool server_lasts(struct MHD_Connection *connection);

/* fd listens, and belongs to the server from now on; -1: nobody can reach it, but by server_enter(). */
void server_init(struct server *server, int fd, const struct server_handlers *handlers);

/* Answer from now on, those who wait first; one that listens, but has no descriptor, does nothing. -errno */
int server_start(struct server *server);

/*
 * Any thread, while it runs, of one that does not listen: take over a connection, which does not block. -EBUSY: this
 * user has as many as one may have, or all places are taken; fd is still the caller's then.
 */
int server_enter(struct server *server, int fd, const struct caller *caller);

/* Any thread, every few seconds: end connections that take too long to ask, or to read the answer. */
void server_expire(struct server *server);

/*
 * Finish what has been asked, for pause_ms at most; what is asked from now on waits for the next
 * server_start(). server->fd is there again.
 */
void server_pause(struct server *server);

/* Stop, and close the socket. Fine for one that does not run. */
void server_stop(struct server *server);

#endif
