// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/http.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/printable.h"

#define EXCERPT_LEN 32 /* of an answer that is not HTTP, for people */

/* First byte of the TLS records that a server may open with: alert and handshake. */
#define TLS_ALERT 0x15
#define TLS_HANDSHAKE 0x16
#define TLS_MAJOR 0x03

/* The head of a SETTINGS frame, with which every HTTP/2 server opens: length, type, flags, stream. */
#define H2_HEAD_LEN 9
#define H2_TYPE_AT 3
#define H2_SETTINGS 4

static void on_body(void *arg, const uint8_t *data, size_t len)
{
	struct http *http = arg;

	if (http->search)
		search_feed(http->search, data, len);
}

int http_init(struct http *http, const struct plan *plan)
{
	const char *body = plan->match->body;

	*http = (struct http){ .match = plan->match };
	http_parser_init(&http->parser, on_body, http);
	if (!body || !*body)
		return 0;

	http->search = search_new(body);
	return http->search ? 0 : -ENOMEM;
}

void http_done(struct http *http)
{
	search_free(http->search);
	http->search = NULL;
	h2_free(http->h2);
	http->h2 = NULL;
}

/* A blank or a line end would let a host or path write header fields of its own. */
static bool is_printable_word(const char *text)
{
	for (; *text; text++)
		if (!isgraph((unsigned char)*text) && !((unsigned char)*text & 0x80))
			return false;
	return true;
}

bool http_can_be_sent(const struct plan *plan)
{
	return is_printable_word(plan->host) && is_printable_word(plan->path) &&
	       plan->path[0] == '/';
}

int http_use_h2(struct http *http, const struct plan *plan)
{
	struct h2_request request = {
		.method = "GET",
		.scheme = "https",
		.authority = plan->host,
		.path = plan->path,
	};

	if (!http_can_be_sent(plan))
		return -EINVAL;
	return h2_new(&http->h2, &request, &(struct h2_sink){ .on_body = on_body, .arg = http });
}

int http_request(char buf[HTTP_REQUEST_MAX], const struct plan *plan)
{
	int len;

	if (!http_can_be_sent(plan))
		return -EINVAL;

	/* The host goes out as configured: the default probe is documented as "127.0.0.1". */
	len = snprintf(buf, HTTP_REQUEST_MAX,
		       "GET %s HTTP/1.1\r\n"
		       "Host: %s\r\n"
		       "User-Agent: sluice/" SLUICE_VERSION "\r\n"
		       "Accept: */*\r\n"
		       "Accept-Encoding: identity\r\n"
		       "Connection: close\r\n"
		       "\r\n",
		       plan->path, plan->host);
	return len < HTTP_REQUEST_MAX ? len : -EINVAL;
}

/* What both versions of HTTP say of an answer. */
struct answer {
	enum http_state state;
	const char *error;
	uint16_t status;
	uint64_t body_bytes;
};

static struct answer answer_of(const struct http *http)
{
	const struct http_parser *parser = &http->parser;

	if (http->h2)
		return (struct answer){ h2_state(http->h2), h2_error(http->h2), h2_status(http->h2),
					h2_body_bytes(http->h2) };
	return (struct answer){ parser->state, parser->error, parser->status, parser->data_bytes };
}

enum stage http_stage(const struct http *http)
{
	return answer_of(http).status ? STAGE_BODY : STAGE_HEADER;
}

static bool status_fits(const struct probe_match *match, uint16_t status)
{
	for (uint32_t i = 0; i < match->n_status; i++)
		if (status >= match->status[i].low && status <= match->status[i].high)
			return true;
	return false;
}

/* Short, of settings, and for the connection, not a stream. */
static bool is_settings_frame(const uint8_t *data, size_t len)
{
	return len >= H2_HEAD_LEN && !data[0] && !data[1] && data[H2_TYPE_AT] == H2_SETTINGS &&
	       !data[H2_HEAD_LEN - 1];
}

static const char *spoken_instead(const uint8_t *data, size_t len)
{
	if (len > 1 && (data[0] == TLS_ALERT || data[0] == TLS_HANDSHAKE) && data[1] == TLS_MAJOR)
		return "TLS";
	return is_settings_frame(data, len) ? "HTTP/2 only, which needs TLS to be agreed on" : NULL;
}

/* data: the piece in which the error came up; first: the answer begins with it. */
static void judge_malformed(const struct http *http, const uint8_t *data, size_t len, bool first,
			    struct verdict *v)
{
	char text[EXCERPT_LEN + 1];
	const char *spoken;

	v->code = SL_MSG_HTTP_MALFORMED;
	snprintf(v->detail, sizeof(v->detail), "%s", answer_of(http).error);
	if (http->h2 || !first || http->parser.section != HTTP_START_LINE || http->parser.n_interim)
		return;

	spoken = spoken_instead(data, len);
	if (spoken) {
		snprintf(v->detail, sizeof(v->detail), "%s: the port speaks %s", http->parser.error,
			 spoken);
		return;
	}
	printable_line(text, sizeof(text), data, len);
	snprintf(v->detail, sizeof(v->detail), "%s: '%s'", http->parser.error, text);
}

/*
 * What is known already: a header that fails, or one that passes when no body is asked for,
 * decides, whatever comes after it. false: more is needed.
 */
static bool judge_known(const struct http *http, struct verdict *v)
{
	const struct answer answer = answer_of(http);

	if (!answer.status)
		return false;
	v->http_status = answer.status;
	if (!status_fits(http->match, answer.status)) {
		v->code = SL_MSG_HTTP_STATUS_MISMATCH;
		return true;
	}
	if (!http->search || search_found(http->search)) {
		v->code = SL_MSG_OK;
		return true;
	}
	if (answer.state != HTTP_DONE && answer.state != HTTP_CUT)
		return false;

	v->code = SL_MSG_HTTP_BODY_MISMATCH;
	snprintf(v->detail, sizeof(v->detail), "not in the %s%" PRIu64 " bytes of the body",
		 answer.state == HTTP_CUT ? "first " : "", answer.body_bytes);
	return true;
}

static void feed(struct http *http, const uint8_t *data, size_t len)
{
	if (http->h2)
		h2_receive(http->h2, data, len);
	else
		http_parser_feed(&http->parser, data, len);
}

bool http_receive(struct http *http, const uint8_t *data, size_t len, struct verdict *ret_verdict)
{
	bool first = !http->received;

	http->received += len;
	feed(http, data, len);
	ret_verdict->stage = http_stage(http);

	if (judge_known(http, ret_verdict))
		return true;
	switch (answer_of(http).state) {
	case HTTP_BAD:
		judge_malformed(http, data, len, first, ret_verdict);
		return true;
	case HTTP_ENDED_EARLY:
		ret_verdict->code = SL_MSG_CONN_CLOSED_EARLY;
		snprintf(ret_verdict->detail, sizeof(ret_verdict->detail), "%s",
			 answer_of(http).error);
		return true;
	case HTTP_HEADER:
	case HTTP_BODY:
	case HTTP_DONE:
	case HTTP_CUT:
		break;
	}
	return false;
}

void http_end(struct http *http, enum stream_end end, int os_errno, struct verdict *ret_verdict)
{
	/* A body that ends with the stream is only complete if the peer said so. */
	if (end == END_ORDERLY && !http->h2)
		http_parser_end(&http->parser);
	ret_verdict->stage = http_stage(http);
	if (judge_known(http, ret_verdict))
		return;

	ret_verdict->code = SL_MSG_CONN_CLOSED_EARLY;
	ret_verdict->os_errno = os_errno;
	snprintf(ret_verdict->detail, sizeof(ret_verdict->detail),
		 "%safter %" PRIu64 " bytes of the answer, its %s incomplete",
		 end == END_CUT ? "no close_notify, " : "", http->received,
		 answer_of(http).status ? "body" : "header");
}
