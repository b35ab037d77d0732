// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/answer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "control/print.h"
#include "control/server.h"
#include "control/waiters.h"
#include "util/cleanup.h"

#define STREAM_BLOCK_BYTES 32768
#define MESSAGE_BYTES 1024

void answer_refuse(struct answer *answer, unsigned int status, const char *code, const char *fmt,
		   ...)
{
	json_t *json = json_object();
	json_t *error = json_object();
	char message[MESSAGE_BYTES];
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

/* A source on its way to a client. */
struct sending {
	struct source source;
	struct MHD_Connection *connection;
	struct waiters *waiters;
};

static ssize_t read_source(void *arg, uint64_t position, char *buf, size_t size)
{
	const struct sending *sending = arg;
	ssize_t n = sending->source.read(sending->source.arg, buf, size);

	(void)position;
	if (n == -EAGAIN) {
		return server_lasts(sending->connection) &&
				       waiters_sleep(sending->waiters, sending->connection)
			       ? 0
			       : MHD_CONTENT_READER_END_OF_STREAM;
	}
	if (n < 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	return n ? n : MHD_CONTENT_READER_END_OF_STREAM;
}

static void free_source(void *arg)
{
	struct sending *sending = arg;

	sending->source.free(sending->source.arg);
	free(sending);
}

/* Takes over what the source reads from. */
static struct MHD_Response *respond_source(const struct answer *answer,
					   struct MHD_Connection *connection)
{
	const struct source *source = &answer->source;
	struct sending *sending = malloc(sizeof(*sending));
	struct MHD_Response *response = NULL;

	if (sending) {
		*sending = (struct sending){ *source, connection, answer->waiters };
		response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES,
							     read_source, sending, free_source);
	}
	if (!response) {
		source->free(source->arg);
		free(sending);
	}
	return response;
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
static struct MHD_Response *respond(struct answer *answer, struct MHD_Connection *connection)
{
	CLEANUP(json_p) json_t *json = answer->json;

	if (answer->source.arg)
		return respond_source(answer, connection);
	if (answer->fixed.data)
		return MHD_create_response_from_buffer(answer->fixed.len,
						       (void *)(uintptr_t)answer->fixed.data,
						       MHD_RESPMEM_PERSISTENT);
	return respond_json(json);
}

/*
 * Nothing but what this daemon serves is loaded, and no text ever becomes part of the page by being parsed: what
 * backends say stays text even where the page has a mistake.
 */
static void be_strict(struct MHD_Response *response)
{
	static const char *const headers[][2] = {
		{ "Content-Security-Policy",
		  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
		  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
		  "require-trusted-types-for 'script'; trusted-types 'none'" },
		{ "Referrer-Policy", "no-referrer" },
		{ "Cross-Origin-Opener-Policy", "same-origin" },
		{ "Permissions-Policy", "camera=(), geolocation=(), microphone=()" },
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		MHD_add_response_header(response, headers[i][0], headers[i][1]);
}

static struct MHD_Response *respond_no_memory(void)
{
	static char text[] = "{\"error\": {\"code\": \"out_of_memory\", "
			     "\"message\": \"the daemon is out of memory\"}}\n";

	return MHD_create_response_from_buffer(sizeof(text) - 1, text, MHD_RESPMEM_PERSISTENT);
}

enum MHD_Result answer_send(struct answer *answer, struct MHD_Connection *connection)
{
	struct MHD_Response *response = respond(answer, connection);
	enum MHD_Result result;

	if (!response) {
		answer->type = NULL;
		answer->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
		response = respond_no_memory();
	}
	if (!response)
		return MHD_NO;

	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				answer->type ?: "application/json");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
	if (answer->is_page)
		be_strict(response);
	/* Without a length libmicrohttpd ends what has no body with an empty chunk, in HTTP/1.1. */
	if (answer->head)
		MHD_set_response_options(response, MHD_RF_HTTP_VERSION_1_0_ONLY, MHD_RO_END);
	if (answer->allow)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, answer->allow);
	result = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}
