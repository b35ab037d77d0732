// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/routes.h"

#include <stdarg.h>
#include <string.h>

#include "control/print.h"
#include "control/stream.h"
#include "util/clock.h"

#define STREAM_BLOCK_BYTES 32768
#define ROUTES_LEN 256
#define NAMED_MAX 160 /* of what the client sent, in an error text */

/* What a route made of a request: a document, a stream or an error. */
struct answer {
	unsigned int status;
	json_t *json;
	struct stream *stream;
};

static void __attribute__((format(printf, 4, 5)))
refuse(struct answer *answer, unsigned int status, const char *code, const char *fmt, ...)
{
	json_t *json = json_object();
	json_t *error = json_object();
	char message[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);

	json_put_text(&error, "code", code);
	json_put_text(&error, "message", message);
	json_put(&json, "error", error);
	answer->status = status;
	answer->json = json;
}

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
		refuse(answer, MHD_HTTP_NOT_FOUND, "not_found",
		       "there is no pool '%s'; the service of that name uses the pool '%s'", name,
		       model->pools[service->pool].name);
		return INDEX_NONE;
	}
	refuse(answer, MHD_HTTP_NOT_FOUND, "not_found", "there is no pool '%.*s'", NAMED_MAX, name);
	return INDEX_NONE;
}

static void answer_status(const struct request *request, const char *rest, struct answer *answer)
{
	(void)rest;
	answer->json = render_status(request->context);
}

static void answer_maps(const struct request *request, const char *rest, struct answer *answer)
{
	(void)rest;
	answer->json = render_maps(request->context);
}

static void answer_pools(const struct request *request, const char *rest, struct answer *answer)
{
	(void)rest;
	answer->json = render_pools(request->context, request->groups);
}

static void answer_pool(const struct request *request, const char *rest, struct answer *answer)
{
	uint32_t pool = find_pool(request, rest, answer);

	if (pool != INDEX_NONE)
		answer->json = render_pool(request->context, request->groups, pool);
}

static void answer_stream(const struct request *request, stream_row_fn *row, struct answer *answer)
{
	const char *name = parameter(request, "pool");
	struct stream_options options = {
		.context = request->context,
		.groups = request->groups,
		.row = row,
		.pool = INDEX_NONE,
	};

	if (name) {
		options.pool = find_pool(request, name, answer);
		if (options.pool == INDEX_NONE)
			return;
	}
	answer->stream = stream_new(&options);
}

static void answer_health(const struct request *request, const char *rest, struct answer *answer)
{
	(void)rest;
	answer_stream(request, render_health, answer);
}

static void answer_stats(const struct request *request, const char *rest, struct answer *answer)
{
	json_t *decisions;

	(void)rest;
	answer_stream(request, render_stats, answer);
	if (!answer->stream || parameter(request, "pool"))
		return;
	decisions = render_decisions(request->context);
	if (decisions && stream_lead(answer->stream, "decisions", decisions) < 0)
		stream_free(take_ptr(answer->stream));
}

/* "10.0.0.5", or "10.0.0.5:443" for one port only; or the name of a backend. */
struct wanted {
	const char *name; /* NULL: addr */
	struct addr addr;
	uint16_t port; /* 0: any */
};

static bool is_name(const struct model *model, const char *text)
{
	for (uint32_t i = 0; i < model->n_names; i++)
		if (!strcasecmp(model->names[i], text))
			return true;
	return false;
}

static bool parse_wanted(struct wanted *ret_wanted, const struct model *model, const char *text)
{
	struct wanted wanted = { .port = 0 };

	if (addr_parse(&wanted.addr, text) < 0 &&
	    addr_port_parse(&wanted.addr, &wanted.port, text) < 0) {
		if (!is_name(model, text))
			return false;
		wanted.name = text;
	}
	*ret_wanted = wanted;
	return true;
}

static bool is_wanted(const struct request *request, const struct wanted *wanted, uint32_t index)
{
	const struct endpoint *endpoint = &request->context->model->endpoints[index];
	CLEANUP(board_entry_done)
	struct board_entry entry = board_read(request->context->board, index);

	if (entry.seat == BOARD_VACANT)
		return false;
	if (wanted->name)
		return endpoint->name && !strcasecmp(endpoint->name, wanted->name);
	if (wanted->port && wanted->port != endpoint->key.port)
		return false;
	if (entry.seat == BOARD_FOUND)
		return !memcmp(&entry.addr, &wanted->addr, sizeof(entry.addr));
	return entry.seat == BOARD_ADDRESS &&
	       !memcmp(endpoint->key.addr, wanted->addr.bytes, sizeof(endpoint->key.addr));
}

static void push_matches(const struct request *request, const struct wanted *wanted,
			 uint32_t service_index, json_t **endpoints)
{
	const struct model *model = request->context->model;
	const struct service *service = &model->services[service_index];
	struct render_row row = { .service = service_index, .now_ms = clock_wall_ms() };

	for (row.member = 0; row.member < service->n_endpoints; row.member++)
		if (is_wanted(request, wanted, service->endpoints[row.member]))
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
		refuse(answer, MHD_HTTP_BAD_REQUEST, "bad_request",
		       "the parameters pool and address are required");
		return;
	}
	pool = find_pool(request, name, answer);
	if (pool == INDEX_NONE)
		return;
	if (!parse_wanted(&wanted, request->context->model, address)) {
		refuse(answer, MHD_HTTP_BAD_REQUEST, "bad_request",
		       "'%.*s' is not an IP address, with or without a port, and no name of a "
		       "backend",
		       NAMED_MAX, address);
		return;
	}

	for (uint32_t i = groups->first[pool]; i < groups->first[pool + 1]; i++)
		push_matches(request, &wanted, groups->services[i], &endpoints);
	if (endpoints && !json_array_size(endpoints)) {
		refuse(answer, MHD_HTTP_NOT_FOUND, "not_found",
		       "pool '%s' has no guarded endpoint '%.*s'", name, NAMED_MAX, address);
		return;
	}

	json = json_object();
	json_put_text(&json, "pool", name);
	json_put_text(&json, "address", address);
	json_put(&json, "endpoints", take_ptr(endpoints));
	answer->json = json;
}

/* A path that ends in '/' takes a name after it. */
static const struct route {
	const char *path;
	void (*answer)(const struct request *request, const char *rest, struct answer *answer);
} routes[] = {
	{ "/v1/status", answer_status }, { "/v1/health", answer_health },
	{ "/v1/pools", answer_pools },   { "/v1/pools/", answer_pool },
	{ "/v1/why", answer_why },       { "/v1/stats", answer_stats },
	{ "/v1/maps", answer_maps },
};

/* What follows the route's path, or NULL: another route. */
static const char *rest_of(const struct route *route, const char *path)
{
	size_t len = strlen(route->path);
	bool takes_name = route->path[len - 1] == '/';

	if (strncmp(path, route->path, len) != 0 || (path[len] != '\0') != takes_name)
		return NULL;
	return path + len;
}

/* "/v1/status, /v1/health, ..." */
static const char *list_routes(char buf[ROUTES_LEN])
{
	size_t len = 0;

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]) && len < ROUTES_LEN; i++)
		len += (size_t)snprintf(
			buf + len, ROUTES_LEN - len, "%s%s%s", i ? ", " : "", routes[i].path,
			routes[i].path[strlen(routes[i].path) - 1] == '/' ? "NAME" : "");
	return buf;
}

static void dispatch(const struct request *request, struct answer *answer)
{
	char paths[ROUTES_LEN];

	if (strcmp(request->method, MHD_HTTP_METHOD_GET) != 0 &&
	    strcmp(request->method, MHD_HTTP_METHOD_HEAD) != 0) {
		refuse(answer, MHD_HTTP_METHOD_NOT_ALLOWED, "method_not_allowed",
		       "only GET and HEAD are answered");
		return;
	}
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		const char *rest = rest_of(&routes[i], request->path);

		if (rest) {
			routes[i].answer(request, rest, answer);
			return;
		}
	}
	refuse(answer, MHD_HTTP_NOT_FOUND, "not_found",
	       "there is nothing at '%.*s'; what there is: %s", NAMED_MAX, request->path,
	       list_routes(paths));
}

static ssize_t read_stream(void *arg, uint64_t position, char *buf, size_t size)
{
	ssize_t n = stream_read(arg, buf, size);

	(void)position;
	if (n < 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	return n ? n : MHD_CONTENT_READER_END_OF_STREAM;
}

static void free_stream(void *arg)
{
	stream_free(arg);
}

static struct MHD_Response *respond_json(const json_t *json)
{
	char *text = print_json(json, PRINT_TREE);
	struct MHD_Response *response;

	if (!text)
		return NULL;
	response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(text);
	return response;
}

/* Takes over what the answer holds. */
static struct MHD_Response *respond(struct answer *answer)
{
	CLEANUP(stream_free_p) struct stream *stream = answer->stream;
	CLEANUP(json_p) json_t *json = answer->json;
	struct MHD_Response *response;

	if (!stream)
		return respond_json(json);
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES,
						     read_stream, stream, free_stream);
	if (response)
		stream = NULL;
	return response;
}

static struct MHD_Response *respond_no_memory(void)
{
	static char text[] = "{\"error\": {\"code\": \"out_of_memory\", "
			     "\"message\": \"the daemon is out of memory\"}}\n";

	return MHD_create_response_from_buffer(sizeof(text) - 1, text, MHD_RESPMEM_PERSISTENT);
}

enum MHD_Result routes_answer(const struct request *request)
{
	struct answer answer = { .status = MHD_HTTP_OK };
	struct MHD_Response *response;
	enum MHD_Result result;

	dispatch(request, &answer);
	response = respond(&answer);
	if (!response) {
		answer.status = MHD_HTTP_INTERNAL_SERVER_ERROR;
		response = respond_no_memory();
	}
	if (!response)
		return MHD_NO;

	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (answer.status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(request->connection, answer.status, response);
	MHD_destroy_response(response);
	return result;
}
