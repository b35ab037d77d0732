// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/web.h"

#include <string.h>

#include "control/answer.h"
#include "control/metrics.h"

#define METRICS_PATH "/metrics"

static ssize_t read_metrics(void *arg, char *buf, size_t size)
{
	return metrics_read(arg, buf, size);
}

static void free_metrics(void *arg)
{
	metrics_free(arg);
}

/* Which parts were asked for, and what was wrong with that. */
struct wish {
	unsigned int parts;
	const char *unknown; /* the first name that is none; NULL: fine */
};

static enum MHD_Result take_part(void *arg, enum MHD_ValueKind kind, const char *key,
				 const char *value)
{
	struct wish *wish = arg;
	enum metrics_part part;

	(void)kind;
	if (strcmp(key, "collect[]") != 0)
		return MHD_YES;
	part = metrics_part(value ?: "");
	if (part == METRICS_PART_COUNT)
		wish->unknown = value ?: "";
	else
		wish->parts |= 1u << part;
	return wish->unknown ? MHD_NO : MHD_YES;
}

static void answer_metrics(const struct request *request, struct answer *answer)
{
	const char *accept = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_ACCEPT);
	enum exposition_form form = exposition_choose(accept);
	struct wish wish = { 0 };

	MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, take_part, &wish);
	if (wish.unknown) {
#define PART_TEXT(NAME, name) " " name
		answer_refuse(answer, MHD_HTTP_BAD_REQUEST, "bad_request",
			      "'%.*s' is no part of the metrics; what collect[] may be:%s",
			      ANSWER_NAMED_MAX, wish.unknown, METRICS_PARTS(PART_TEXT));
#undef PART_TEXT
		return;
	}
	answer->type = exposition_content_type(form);
	answer->source = (struct source){
		metrics_new(request->context, form, wish.parts ? wish.parts : METRICS_ALL),
		read_metrics,
		free_metrics,
	};
}

enum MHD_Result web_answer(const struct request *request)
{
	struct answer answer = { .status = MHD_HTTP_OK,
				 .head = !strcmp(request->method, MHD_HTTP_METHOD_HEAD) };

	if (strcmp(request->path, METRICS_PATH) != 0) {
		answer_refuse(&answer, MHD_HTTP_NOT_FOUND, "not_found",
			      "there is nothing at '%.*s'; what there is: " METRICS_PATH,
			      ANSWER_NAMED_MAX, request->path);
	} else if (strcmp(request->method, MHD_HTTP_METHOD_GET) != 0 && !answer.head) {
		answer.allow = "GET, HEAD";
		answer_refuse(&answer, MHD_HTTP_METHOD_NOT_ALLOWED, "method_not_allowed",
			      "'" METRICS_PATH "' answers to GET and HEAD only");
	} else {
		answer_metrics(request, &answer);
	}
	return answer_send(&answer, request->connection);
}
