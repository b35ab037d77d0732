// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/answer.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "control/print.h"
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

static ssize_t read_source(void *arg, uint64_t position, char *buf, size_t size)
{
	const struct source *source = arg;
	ssize_t n = source->read(source->arg, buf, size);

	(void)position;
	if (n < 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	return n ? n : MHD_CONTENT_READER_END_OF_STREAM;
}

static void free_source(void *arg)
{
	struct source *source = arg;

	source->free(source->arg);
	free(source);
}

/* Takes over what the source reads from. */
static struct MHD_Response *respond_source(const struct source *source)
{
	struct source *copy = malloc(sizeof(*copy));
	struct MHD_Response *response = NULL;

	if (copy) {
		*copy = *source;
		response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES,
							     read_source, copy, free_source);
	}
	if (!response) {
		source->free(source->arg);
		free(copy);
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
static struct MHD_Response *respond(struct answer *answer)
{
	CLEANUP(json_p) json_t *json = answer->json;

	return answer->source.arg ? respond_source(&answer->source) : respond_json(json);
}

static struct MHD_Response *respond_no_memory(void)
{
	static char text[] = "{\"error\": {\"code\": \"out_of_memory\", "
			     "\"message\": \"the daemon is out of memory\"}}\n";

	return MHD_create_response_from_buffer(sizeof(text) - 1, text, MHD_RESPMEM_PERSISTENT);
}

enum MHD_Result answer_send(struct answer *answer, struct MHD_Connection *connection)
{
	struct MHD_Response *response = respond(answer);
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
	/* Without a length libmicrohttpd ends what has no body with an empty chunk, in HTTP/1.1. */
	if (answer->head)
		MHD_set_response_options(response, MHD_RF_HTTP_VERSION_1_0_ONLY, MHD_RO_END);
	if (answer->allow)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, answer->allow);
	result = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}
