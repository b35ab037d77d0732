// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/api.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "control/door.h"
#include "control/groups.h"
#include "control/listener.h"
#include "control/live.h"
#include "control/roles.h"
#include "control/routes.h"
#include "control/server.h"
#include "control/socket.h"
#include "control/waiters.h"
#include "control/web.h"
#include "dataplane/census.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/log.h"

/*
 * Of those who may change something there are few, and none of them waits for readers. Of those there may be many,
 * who wait for each other: what one may ask at a time is what another may have to wait for.
 */
#define CHANGERS_CONNECTIONS 40
#define CHANGERS_CROWD 32
#define PER_CHANGER 16
#define READERS_CONNECTIONS 64
#define READERS_CROWD 48
#define PER_READER 8

/*
 * A scraper or two, and pages: each holds a connection and asks by others. The rest is room for those who are
 * being displaced.
 */
#define WEB_CONNECTIONS 320
#define WEB_CROWD 288

/* Of answers that the door gives. Their end is that of the connection. */
#define DOOR_ANSWER(status, code, why)                                                         \
	"HTTP/1.1 " status "\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n" \
	"Connection: close\r\n\r\n{\"error\": {\"code\": \"" code "\", \"message\": \"" why    \
	"\"}}\n"
#define STRANGER                                                             \
	"not permitted: only root and members of the groups '" ROLES_READERS \
	"', to read, and '" ROLES_CHANGERS "' may ask"
#define CROWD                                                                                 \
	"there is no room for another connection: a user may have 8 at a time, and 16 if he " \
	"may change something"
_Static_assert(PER_READER == 8 && PER_CHANGER == 16, "a text says so");

/*
 * The main thread waits meanwhile, and verdicts with it: of those that many may keep waiting, little.
 * A scrape that is cut off is made again.
 */
#define CHANGERS_PAUSE_MS 1000
#define READERS_PAUSE_MS 500
#define WEB_PAUSE_MS 200

struct api {
	struct api_context context; /* its census is ours */
	struct groups groups;
	struct live_cache cache;
	struct waiters waiters; /* of all servers */
	struct roles roles;
	struct door *door; /* of the Unix socket, to the next two: all there is */
	struct server changers, readers;
	struct server web; /* on TCP: to be looked at */
	struct listen listen; /* where web is, or was before it failed to move back */
	struct socket_file file;
};

static struct request request_of(struct api *api, const struct server_request *request)
{
	return (struct request){
		.context = &api->context,
		.groups = &api->groups,
		.cache = &api->cache,
		.waiters = &api->waiters,
		.connection = request->connection,
		.caller = request->caller,
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

/* --- the door --------------------------------------------------------------------------------- */

static void tell_refused(const struct api *api, const struct caller *caller, const char *why)
{
	const struct refusal refusal = { .caller = caller, .what = "a connection", .why = why };

	api->context.refused(api->context.refused_arg, &refusal);
}

static const char *let_in(void *arg, int fd, const struct caller *caller)
{
	struct api *api = arg;

	if (caller->role == ROLE_NONE) {
		tell_refused(api, caller, STRANGER);
		return DOOR_ANSWER("403 Forbidden", "not_permitted", STRANGER);
	}
	if (server_enter(caller->role == ROLE_CHANGE ? &api->changers : &api->readers, fd,
			 caller) == 0)
		return NULL;
	tell_refused(api, caller, CROWD);
	return DOOR_ANSWER("503 Service Unavailable", "busy", CROWD);
}

/* --- running ---------------------------------------------------------------------------------- */

int api_listen(struct api **ret, const char *path, const struct listen *listen, struct err *err)
{
	CLEANUP(api_stop_p) struct api *api = calloc(1, sizeof(*api));
	const struct server_handlers changers = { .wants_body = wants_body,
						  .answer = answer_api,
						  .arg = api,
						  .connections = CHANGERS_CONNECTIONS,
						  .crowd = CHANGERS_CROWD,
						  .per_user = PER_CHANGER,
						  .waiters = api ? &api->waiters : NULL,
						  .pause_ms = CHANGERS_PAUSE_MS };
	const struct server_handlers readers = { .wants_body = wants_body,
						 .answer = answer_api,
						 .arg = api,
						 .connections = READERS_CONNECTIONS,
						 .crowd = READERS_CROWD,
						 .per_user = PER_READER,
						 .waiters = api ? &api->waiters : NULL,
						 .pause_ms = READERS_PAUSE_MS };
	const struct server_handlers web = { .answer = answer_web,
					     .arg = api,
					     .connections = WEB_CONNECTIONS,
					     .crowd = WEB_CROWD,
					     .waiters = api ? &api->waiters : NULL,
					     .modest = true,
					     .pause_ms = WEB_PAUSE_MS };
	int fd, r;

	if (!api)
		return -ENOMEM;
	live_cache_init(&api->cache);
	server_init(&api->changers, -1, &changers);
	server_init(&api->readers, -1, &readers);
	server_init(&api->web, -1, &web);
	fd = socket_listen(&api->file, path, err);
	if (fd < 0)
		return fd;
	r = door_new(&api->door, fd, let_in, api);
	if (r < 0) {
		close(fd);
		return err_set(err, r, "socket '%s': %s", path, strerror(-r));
	}
	fd = listener_open(listen, err);
	if (fd < 0 && fd != -ENOENT)
		return fd;
	api->web.fd = fd < 0 ? -1 : fd;
	api->listen = *listen;
	api_find_roles(api);

	*ret = take_ptr(api);
	return 0;
}

void api_find_roles(struct api *api)
{
	struct roles roles = roles_find();

	if (!roles_equal(&roles, &api->roles) || !api->context.model)
		roles_log(&roles);
	api->roles = roles;
	door_set_roles(api->door, &roles);
}

void api_expire(struct api *api)
{
	server_expire(&api->changers);
	server_expire(&api->readers);
	server_expire(&api->web);
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
	api->context.generation = clock_wall_us();
	r = groups_init(&api->groups, context->model);
	if (r < 0)
		return r;
	r = census_start(&api->context.census, context->dataplane);
	if (r < 0)
		return err_set(err, r, "the thread that counts flows did not start: %s",
			       strerror(-r));
	r = waiters_start(&api->waiters);
	if (r < 0)
		return err_set(err, r, "the thread that wakes readers did not start: %s",
			       strerror(-r));
	r = server_start(&api->changers);
	if (r == 0)
		r = server_start(&api->readers);
	if (r == 0)
		r = door_open(api->door);
	if (r < 0)
		return err_set(err, r, "socket '%s': the API did not start", api->file.path);
	r = server_start(&api->web);
	if (r < 0)
		return err_set(err, r, "address %s: the metrics did not start", api->listen.text);
	return 0;
}

void api_pause(struct api *api)
{
	door_close(api->door);
	waiters_stop(&api->waiters);
	server_pause(&api->readers);
	server_pause(&api->changers);
	server_pause(&api->web);
	live_cache_clear(&api->cache);
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
	door_free(api->door);
	waiters_stop(&api->waiters);
	server_stop(&api->readers);
	server_stop(&api->changers);
	server_stop(&api->web);
	live_cache_clear(&api->cache);
	census_stop(api->context.census);
	groups_done(&api->groups);
	free(api);
}
