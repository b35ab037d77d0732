// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/api.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "control/groups.h"
#include "control/routes.h"
#include "control/socket.h"
#include "dataplane/census.h"
#include "util/clock.h"
#include "util/err.h"

#define CONNECTIONS_MAX 64
#define CONNECTION_MEMORY_BYTES 32768 /* request line and header; a response's buffer */
#define CONNECTION_TIMEOUT_S 10 /* of silence */
#define PAUSE_MAX_MS 1000 /* for a client that is slow to read its answer */

struct api {
	struct api_context context; /* its census is ours */
	struct groups groups;
	struct MHD_Daemon *server;
	struct socket_file file;
	int fd; /* listening, until the server takes it; -1 */
	atomic_uint busy; /* requests that are being answered */
};

/*
 * Called on the server's thread, once for the header of a request, for every part of its body, and once
 * more at its end. Answering at the first call refuses the body, if there is one, unread.
 */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload_data,
				  size_t *upload_data_size, void **request_data)
{
	struct api *api = arg;
	struct body *body = *request_data;
	struct request request = {
		.context = &api->context,
		.groups = &api->groups,
		.connection = connection,
		.method = method,
		.path = url,
		.body = body,
	};

	(void)version;
	if (!body)
		atomic_fetch_add(&api->busy, 1);
	if (body && *upload_data_size) {
		body_add(body, upload_data, *upload_data_size);
		*upload_data_size = 0;
		return MHD_YES;
	}
	if (body || !routes_wants_body(&request))
		return routes_answer(&request);
	*request_data = calloc(1, sizeof(*body));
	return *request_data ? MHD_YES : MHD_NO;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **request_data,
			 enum MHD_RequestTerminationCode code)
{
	struct api *api = arg;

	(void)connection;
	(void)code;
	atomic_fetch_sub(&api->busy, 1);
	free(take_ptr(*request_data));
}

int api_listen(struct api **ret, const char *path, struct err *err)
{
	CLEANUP(api_stop_p) struct api *api = calloc(1, sizeof(*api));

	if (!api)
		return -ENOMEM;
	api->fd = socket_listen(&api->file, path, err);
	if (api->fd < 0)
		return api->fd;

	*ret = take_ptr(api);
	return 0;
}

int api_serve(struct api *api, const struct api_context *context, struct err *err)
{
	int r;

	api->context = *context;
	api->context.census = NULL;
	r = groups_init(&api->groups, context->model);
	if (r < 0)
		return r;
	r = census_start(&api->context.census, context->dataplane);
	if (r < 0)
		return err_set(err, r, "the thread that counts flows did not start: %s",
			       strerror(-r));

	/* From here on the descriptor belongs to the server, even where it fails to start. */
	api->server = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, on_request, api,
		MHD_OPTION_LISTEN_SOCKET, (MHD_socket)take_fd(api->fd), MHD_OPTION_CONNECTION_LIMIT,
		(unsigned int)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned int)CONNECTION_TIMEOUT_S, MHD_OPTION_NOTIFY_COMPLETED, on_completed, api,
		MHD_OPTION_END);
	if (!api->server)
		return err_set(err, errno > 0 ? -errno : -EIO, "socket '%s': the API did not start",
			       api->file.path);
	return 0;
}

/* Stopping the server cuts off whoever has not read his answer to the end. */
static void await_answers(struct api *api)
{
	const struct timespec pause = { .tv_nsec = NS_PER_MS };
	uint64_t until_ms = clock_mono_ms() + PAUSE_MAX_MS;

	while (atomic_load(&api->busy) && clock_mono_ms() < until_ms)
		nanosleep(&pause, NULL);
}

void api_pause(struct api *api)
{
	if (!api->server)
		return;
	/* Needs MHD_USE_ITC; the descriptor is ours again. */
	api->fd = (int)MHD_quiesce_daemon(api->server);
	await_answers(api);
	MHD_stop_daemon(api->server);
	api->server = NULL;
	api->busy = 0;
	/* It counts in a data plane that may be about to go. */
	census_stop(take_ptr(api->context.census));
	groups_done(&api->groups);
	api->groups = (struct groups){ 0 };
}

void api_stop(struct api *api)
{
	if (!api)
		return;
	/* While the socket is open nobody else's file can have its inode number. */
	socket_remove(&api->file);
	if (api->server)
		MHD_stop_daemon(api->server);
	close_p(&api->fd);
	census_stop(api->context.census);
	groups_done(&api->groups);
	free(api);
}
