// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/web.h"

#include <string.h>
#include <strings.h>

#include "control/answer.h"
#include "control/assets.h"
#include "control/listener.h"
#include "control/metrics.h"
#include "util/addr.h"

#define METRICS_PATH "/metrics"

/* --- metrics ---------------------------------------------------------------------------------- */

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

/* --- who may ask ------------------------------------------------------------------------------ */

/* "127.0.0.1:9477", "[::1]", "localhost:8080": an address, which no name server can make up. */
static bool is_this_host(const char *host)
{
	char name[SL_TEXT_LEN];
	size_t len = host[0] == '[' ? strcspn(host, "]") : strcspn(host, ":");
	struct addr addr;

	if (host[0] == '[' && host[len]) {
		host++;
		len--;
	}
	if (len >= sizeof(name))
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	return !strcasecmp(name, "localhost") || addr_parse(&addr, name) == 0;
}

/*
 * A page from elsewhere may have its own name resolve to the loopback address, and its browser would let it read what
 * is there. So who asks at an address that only this host reaches has to call it by an address.
 */
static bool is_rebound(const struct request *request)
{
	const char *host = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
						       MHD_HTTP_HEADER_HOST);

	return listener_is_local(&request->context->model->gateway.listen) && host &&
	       !is_this_host(host);
}

/* --- what there is ---------------------------------------------------------------------------- */

static void answer_asset(const struct asset *asset, struct answer *answer)
{
	answer->type = asset->type;
	answer->is_page = true;
	answer->fixed.data = asset->data;
	answer->fixed.len = asset->len;
}

static void answer_path(const struct request *request, struct answer *answer)
{
	struct asset asset;

	if (!strcmp(request->path, METRICS_PATH)) {
		answer_metrics(request, answer);
	} else if (is_rebound(request)) {
		answer_refuse(answer, MHD_HTTP_FORBIDDEN, "forbidden",
			      "this is to be asked for by the address of the host, or as "
			      "localhost, and by no other name");
	} else if (assets_find(&asset, request->path)) {
		answer_asset(&asset, answer);
	} else if (!routes_answer_anybody(request, answer)) {
		answer_refuse(answer, MHD_HTTP_NOT_FOUND, "not_found",
			      "there is nothing at '%.*s'; what there is: /, " METRICS_PATH
			      ", and of the API what the page reads",
			      ANSWER_NAMED_MAX, request->path);
	}
}

enum MHD_Result web_answer(const struct request *request)
{
	struct answer answer = { .status = MHD_HTTP_OK,
				 .head = !strcmp(request->method, MHD_HTTP_METHOD_HEAD) };

	if (strcmp(request->method, MHD_HTTP_METHOD_GET) != 0 && !answer.head) {
		answer.allow = "GET, HEAD";
		answer_refuse(&answer, MHD_HTTP_METHOD_NOT_ALLOWED, "method_not_allowed",
			      "'%.*s' answers to GET and HEAD only", ANSWER_NAMED_MAX,
			      request->path);
	} else {
		answer_path(request, &answer);
	}
	return answer_send(&answer, request->connection);
}
