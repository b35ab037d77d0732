// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/api.h"

#include <errno.h>
#include <string.h>

#include "control/groups.h"
#include "control/listener.h"
#include "control/routes.h"
#include "control/server.h"
#include "control/socket.h"
#include "control/web.h"
#include "dataplane/census.h"
#include "util/err.h"
#include "util/log.h"

#define API_CONNECTIONS 64
/* A scraper or two and somebody with a browser; the rest is room for those who are being displaced. */
#define WEB_CONNECTIONS 24
#define WEB_CROWD 16

/*
 * The main thread waits meanwhile, and verdicts with it: of those that anybody may keep waiting, little.
 * A scrape that is cut off is made again.
 */
#define API_PAUSE_MS 1000
#define WEB_PAUSE_MS 200

struct api {
	struct api_context context; /* its census is ours */
	struct groups groups;
	struct server server; /* on the Unix socket: all there is */
	struct server web; /* on TCP: to be looked at */
	struct listen listen; /* where web is, or was before it failed to move back */
	struct socket_file file;
};

static struct request request_of(const struct api *api, const struct server_request *request)
{
	return (struct request){
		.context = &api->context,
		.groups = &api->groups,
		.connection = request->connection,
		.method = request->method,
		.path = request->path,
		.body = request->body,
	};
}

static bool wants_body(void *arg, const struct server_request *request)
{
	const struct request full = request_of(arg, request);

	return routes_wants_body(&full);
}

static enum MHD_Result answer_api(void *arg, const struct server_request *request)
{
	const struct request full = request_of(arg, request);

	return routes_answer(&full);
}

static enum MHD_Result answer_web(void *arg, const struct server_request *request)
{
	const struct request full = request_of(arg, request);

	return web_answer(&full);
}

int api_listen(struct api **ret, const char *path, const struct listen *listen, struct err *err)
{
	CLEANUP(api_stop_p) struct api *api = calloc(1, sizeof(*api));
	const struct server_handlers all = { .wants_body = wants_body,
					     .answer = answer_api,
					     .arg = api,
					     .connections = API_CONNECTIONS,
					     .pause_ms = API_PAUSE_MS };
	const struct server_handlers some = { .answer = answer_web,
					      .arg = api,
					      .connections = WEB_CONNECTIONS,
					      .crowd = WEB_CROWD,
					      .pause_ms = WEB_PAUSE_MS };
	int fd;

	if (!api)
		return -ENOMEM;
	server_init(&api->server, -1, &all);
	server_init(&api->web, -1, &some);
	fd = socket_listen(&api->file, path, err);
	if (fd < 0)
		return fd;
	api->server.fd = fd;
	fd = listener_open(listen, err);
	if (fd < 0 && fd != -ENOENT)
		return fd;
	api->web.fd = fd < 0 ? -1 : fd;
	api->listen = *listen;

	*ret = take_ptr(api);
	return 0;
}

int api_move(struct api *api, const struct listen *listen, struct err *err)
{
	int r;

	r = listener_move(&api->web.fd, &api->listen, listen, err);
	if (r == 0)
		api->listen = *listen;
	else if (api->web.fd < 0 && api->listen.key.port)
		log_error("nothing listens at %s any more: somebody else took it meanwhile",
			  api->listen.text);
	return r;
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
	r = server_start(&api->server);
	if (r < 0)
		return err_set(err, r, "socket '%s': the API did not start", api->file.path);
	r = server_start(&api->web);
	if (r < 0)
		return err_set(err, r, "address %s: the metrics did not start", api->listen.text);
	return 0;
}

void api_pause(struct api *api)
{
	server_pause(&api->server);
	server_pause(&api->web);
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
	server_stop(&api->server);
	server_stop(&api->web);
	census_stop(api->context.census);
	groups_done(&api->groups);
	free(api);
}
