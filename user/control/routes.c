// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/routes.h"

#include <errno.h>
#include <string.h>

#include "control/answer.h"
#include "control/changing.h"
#include "control/deciding.h"
#include "control/flow_stream.h"
#include "control/history.h"
#include "control/jobs.h"
#include "control/live.h"
#include "control/stream.h"
#include "control/trails.h"
#include "control/wanted.h"
#include "util/clock.h"
#include "util/number.h"

#define ROUTES_LEN 320

static const char *parameter(const struct request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

static uint32_t find_pool(const struct request *request, const char *name, struct answer *answer)
{
	const struct model *model = request->context->model;
	const struct pool *pool = model_find_pool(model, name);

	if (pool)
		return (uint32_t)(pool - model->pools);
	/* Services and pools are easily taken for each other. */
	for (uint32_t i = 0; i < model->n_services; i++) {
		const struct service *service = &model->services[i];

		if (strcmp(service->name, name) != 0)
			continue;
		answer_refuse(answer, MHD_HTTP_NOT_FOUND, "not_found",
			      "there is no pool '%s'; the service of that name uses the pool '%s'",
			      name, model->pools[service->pool].name);
		return INDEX_NONE;
	}
	answer_refuse(answer, MHD_HTTP_NOT_FOUND, "not_found", "there is no pool '%.*s'",
		      ANSWER_NAMED_MAX, name);
	return INDEX_NONE;
}

static void answer_status(const struct request *request, const char *rest, struct answer *answer)
{
	(void)rest;
	answer->json = render_status(request->context);
	if (request->caller->role < ROLE_CHANGE)
		jobs_withhold(json_object_get(answer->json, "reload"));
}

static void answer_maps(const struct request *request, const char *rest, struct answer *answer)
{
	(void)rest;
	answer->json = render_maps(request->context);
}

static void answer_l7(const struct request *request, const char *rest, struct answer *answer)
{
	(void)rest;
	answer->json = render_l7(request->context);
}

static void answer_l7_configuration(const struct request *request, const char *rest,
				    struct answer *answer)
{
	(void)rest;
	answer->json = render_l7_configuration(request->context);
}

static void answer_pools(const struct request *request, const char *rest, struct answer *answer)
{
	(void)rest;
	answer->json = render_pools(request->context, request->groups);
}

static ssize_t read_stream(void *arg, char *buf, size_t size)
{
	return stream_read(arg, buf, size);
}

static void free_stream(void *arg)
{
	stream_free(arg);
}

/* Up to 65,536 endpoints may be one pool's. */
static void answer_pool(const struct request *request, const char *rest, struct answer *answer)
{
	struct stream_options options = { .context = request->context,
					  .groups = request->groups,
					  .whole = render_service,
					  .pool = find_pool(request, rest, answer) };
	CLEANUP(stream_free_p) struct stream *stream = NULL;
	json_t *backends, *weights;
	int r;

	if (options.pool == INDEX_NONE)
		return;
	stream = stream_new(&options);
	if (!stream)
		return;
	backends = render_pool_backends(request->context, options.pool, &weights);
	r = stream_lead(stream, "name",
			json_string(request->context->model->pools[options.pool].name));
	r |= stream_lead(stream, "backends", backends);
	r |= stream_lead(stream, "weights", weights);
	if (r == 0)
		answer->source = (struct source){ take_ptr(stream), read_stream, free_stream };
}

/* The stream, or NULL: refused, or out of memory. */
static struct stream *answer_stream(const struct request *request,
				    const struct stream_options *what, struct answer *answer)
{
	const char *name = parameter(request, "pool");
	struct stream_options options = *what;
	struct stream *stream;

	options.context = request->context;
	options.groups = request->groups;
	options.pool = INDEX_NONE;
	if (name) {
		options.pool = find_pool(request, name, answer);
		if (options.pool == INDEX_NONE)
			return NULL;
	}
	stream = stream_new(&options);
	answer->source = (struct source){ stream, read_stream, free_stream };
	return stream;
}

/* Takes over the value. */
static void lead(struct answer *answer, struct stream *stream, const char *key, json_t *value)
{
	if (stream_lead(stream, key, value) == 0)
		return;
	stream_free(stream);
	answer->source.arg = NULL;
}

static void answer_health(const struct request *request, const char *rest, struct answer *answer)
{
	const struct stream_options options = { .row = render_health };
	struct stream *stream = answer_stream(request, &options, answer);
	json_t *unguarded;

	(void)rest;
	if (!stream)
		return;
	unguarded = render_unguarded(request->context);
	if (json_array_size(unguarded))
		lead(answer, stream, "unguarded", unguarded);
	else
		json_decref(unguarded);
}

static void answer_stats(const struct request *request, const char *rest, struct answer *answer)
{
	const struct stream_options options = { .row = render_stats,
						.service = render_service_stats };
	struct stream *stream = answer_stream(request, &options, answer);
	json_t *decisions;

	(void)rest;
	if (!stream || parameter(request, "pool"))
		return;
	decisions = render_decisions(request->context);
	if (decisions)
		lead(answer, stream, "decisions", decisions);
}

static bool find_wanted(struct wanted *ret_wanted, const struct request *request,
			const char *address, struct answer *answer)
{
	if (wanted_parse(ret_wanted, request->context->model, address))
		return true;
	answer_refuse(answer, MHD_HTTP_BAD_REQUEST, "bad_request",
		      "'%.*s' is not an IP address, with or without a port, and no name of a "
		      "backend",
		      ANSWER_NAMED_MAX, address);
	return false;
}

static void refuse_absent(struct answer *answer, const char *pool, const char *address)
{
	answer_refuse(answer, MHD_HTTP_NOT_FOUND, "not_found",
		      "pool '%s' has no guarded endpoint '%.*s'", pool, ANSWER_NAMED_MAX, address);
}

static void push_matches(const struct request *request, const struct wanted *wanted,
			 uint32_t service_index, json_t **endpoints)
{
	const struct model *model = request->context->model;
	const struct service *service = &model->services[service_index];
	struct render_row row = { .service = service_index, .now_ms = clock_wall_ms() };

	for (row.member = 0; row.member < service->n_endpoints; row.member++)
		if (wanted_is(wanted, request->context, service->endpoints[row.member]))
			json_push(endpoints, render_why(request->context, &row));
}

static void answer_why(const struct request *request, const char *rest, struct answer *answer)
{
	const char *name = parameter(request, "pool");
	const char *address = parameter(request, "address");
	const struct groups *groups = request->groups;
	CLEANUP(json_p) json_t *endpoints = json_array();
	struct wanted wanted;
	json_t *json;
	uint32_t pool;

	(void)rest;
	if (!name || !address) {
		answer_refuse(answer, MHD_HTTP_BAD_REQUEST, "bad_request",
			      "the parameters pool and address are required");
		return;
	}
	pool = find_pool(request, name, answer);
	if (pool == INDEX_NONE)
		return;
	if (!find_wanted(&wanted, request, address, answer))
		return;

	for (uint32_t i = groups->first[pool]; i < groups->first[pool + 1]; i++)
		push_matches(request, &wanted, groups->services[i], &endpoints);
	if (endpoints && !json_array_size(endpoints)) {
		answer_refuse(answer, MHD_HTTP_NOT_FOUND, "not_found",
			      "pool '%s' has no guarded endpoint '%.*s'", name, ANSWER_NAMED_MAX,
			      address);
		return;
	}

	json = json_object();
	json_put_text(&json, "pool", name);
	json_put_text(&json, "address", address);
	json_put(&json, "endpoints", take_ptr(endpoints));
	answer->json = json;
}

static ssize_t read_flows(void *arg, char *buf, size_t size)
{
	return flow_stream_read(arg, buf, size);
}

static void free_flows(void *arg)
{
	flow_stream_free(arg);
}

static void answer_flows(const struct request *request, const char *rest, struct answer *answer)
{
	const char *name = parameter(request, "pool"), *address = parameter(request, "address");
	const char *limit = parameter(request, "limit");
	struct flow_stream_options options = { .context = request->context, .pool = INDEX_NONE };
	struct flow_stream *stream = NULL;
	struct wanted wanted;
	uint64_t n = FLOW_STREAM_LIMIT;
	int r;

	(void)rest;
	if (limit && number_parse(&n, limit, 0, FLOW_STREAM_LIMIT_MAX) < 0) {
		answer_refuse(answer, MHD_HTTP_BAD_REQUEST, "bad_request",
			      "limit '%.*s' is not a whole number from 0 to %d", ANSWER_NAMED_MAX,
			      limit, FLOW_STREAM_LIMIT_MAX);
		return;
	}
	if (address && !name) {
		answer_refuse(answer, MHD_HTTP_BAD_REQUEST, "bad_request",
			      "the parameter address needs the parameter pool");
		return;
	}
	if (name) {
		options.pool = find_pool(request, name, answer);
		if (options.pool == INDEX_NONE)
			return;
	}
	if (address && !find_wanted(&wanted, request, address, answer))
		return;
	options.wanted = address ? &wanted : NULL;
	options.limit = (uint32_t)n;
	r = flow_stream_new(&stream, &options);
	if (r == -ENOENT)
		refuse_absent(answer, name, address);
	answer->source = (struct source){ stream, read_flows, free_flows };
}

/* A path that ends in '/' takes a name after it. */
static const struct route {
	const char *path;
	void (*answer)(const struct request *request, const char *rest, struct answer *answer);
	enum {
		LOOKS,
		SHOWS,
		CHANGES
	} does; /* SHOWS: over TCP, too. CHANGES: to POST, not to GET */
} routes[] = {
	{ "/v1/status", answer_status, SHOWS },
	{ "/v1/health", answer_health, LOOKS },
	{ "/v1/pools", answer_pools, LOOKS },
	{ "/v1/pools/", answer_pool, LOOKS },
	{ "/v1/why", answer_why, SHOWS },
	{ "/v1/stats", answer_stats, LOOKS },
	{ "/v1/l7", answer_l7, LOOKS },
	{ "/v1/l7/configuration", answer_l7_configuration, LOOKS },
	{ "/v1/maps", answer_maps, LOOKS },
	{ "/v1/flows", answer_flows, LOOKS },
	{ "/v1/decide", deciding_answer, LOOKS },
	{ "/v1/events", history_answer, SHOWS },
	{ "/v1/live", live_answer, SHOWS },
	{ "/v1/trails", trails_answer, SHOWS },
	{ "/v1/changes", changing_list, LOOKS },
	{ "/v1/jobs/", changing_job, LOOKS },
	{ "/v1/backend", changing_backend, CHANGES },
	{ "/v1/pool", changing_pool, CHANGES },
	{ "/v1/interface", changing_interface, CHANGES },
	{ "/v1/reload", changing_reload, CHANGES },
};

#define N_ROUTES (sizeof(routes) / sizeof(routes[0]))

/* What follows the route's path, or NULL: another route. */
static const char *rest_of(const struct route *route, const char *path)
{
	size_t len = strlen(route->path);
	bool takes_name = route->path[len - 1] == '/';

	if (strncmp(path, route->path, len) != 0 || (path[len] != '\0') != takes_name)
		return NULL;
	return path + len;
}

static const struct route *find_route(const struct request *request, const char **ret_rest)
{
	for (size_t i = 0; i < N_ROUTES; i++) {
		*ret_rest = rest_of(&routes[i], request->path);
		if (*ret_rest)
			return &routes[i];
	}
	return NULL;
}

/* "/v1/status, /v1/health, ..." */
static const char *list_routes(char buf[ROUTES_LEN])
{
	size_t len = 0;

	for (size_t i = 0; i < N_ROUTES && len < ROUTES_LEN; i++)
		len += (size_t)snprintf(
			buf + len, ROUTES_LEN - len, "%s%s%s", i ? ", " : "", routes[i].path,
			routes[i].path[strlen(routes[i].path) - 1] == '/' ? "NAME" : "");
	return buf;
}

static bool is_method(const struct request *request, const char *method)
{
	return strcmp(request->method, method) == 0;
}

static void dispatch(const struct request *request, struct answer *answer)
{
	bool asks =
		is_method(request, MHD_HTTP_METHOD_GET) || is_method(request, MHD_HTTP_METHOD_HEAD);
	const struct route *route;
	char paths[ROUTES_LEN];
	const char *rest;

	route = find_route(request, &rest);
	if (!route) {
		answer_refuse(answer, MHD_HTTP_NOT_FOUND, "not_found",
			      "there is nothing at '%.*s'; what there is: %s", ANSWER_NAMED_MAX,
			      request->path, list_routes(paths));
		return;
	}
	if (route->does == CHANGES ? !is_method(request, MHD_HTTP_METHOD_POST) : !asks) {
		answer->allow = route->does == CHANGES ? "POST" : "GET, HEAD";
		answer_refuse(answer, MHD_HTTP_METHOD_NOT_ALLOWED, "method_not_allowed",
			      "'%.*s' answers %s only", ANSWER_NAMED_MAX, request->path,
			      route->does == CHANGES ? "to POST" : "to GET and HEAD");
		return;
	}
	route->answer(request, rest, answer);
}

bool routes_answer_anybody(const struct request *request, struct answer *answer)
{
	const char *rest;
	const struct route *route = find_route(request, &rest);

	if (!route || route->does != SHOWS)
		return false;
	route->answer(request, rest, answer);
	return true;
}

/* Without a length it is as long as it is: see body_add(). */
static bool says_too_long(const struct request *request)
{
	const char *length = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t n;

	return length && number_parse(&n, length, 0, BODY_MAX) < 0;
}

bool routes_wants_body(const struct request *request)
{
	const char *rest;
	const struct route *route = find_route(request, &rest);

	return route && route->does == CHANGES && is_method(request, MHD_HTTP_METHOD_POST) &&
	       !says_too_long(request);
}

enum MHD_Result routes_answer(const struct request *request)
{
	struct answer answer = { .status = MHD_HTTP_OK,
				 .head = is_method(request, MHD_HTTP_METHOD_HEAD) };

	dispatch(request, &answer);
	return answer_send(&answer, request->connection);
}
