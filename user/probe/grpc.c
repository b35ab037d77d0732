// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/grpc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/printable.h"

#define CHECK_PATH "/grpc.health.v1.Health/Check"
#define CONTENT_TYPE "application/grpc"
#define STATUS_OK 200

/* A message goes behind a byte that says whether it is compressed and four of its length. */
#define PREFIX_LEN 5

/* Protocol buffers: a field's tag is its number and how its value is written. */
#define WIRE_BITS 3
enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };
#define FIELD_SERVICE 1 /* HealthCheckRequest.service */
#define FIELD_STATUS 1 /* HealthCheckResponse.status */
#define VARINT_BITS 7
#define VARINT_MORE 0x80
#define VARINT_MAX 10 /* bytes of 64 bits */

#define REQUEST_MAX (PREFIX_LEN + 1 + VARINT_MAX + LIMIT_PATH_BYTES)

static const char *const grpc_codes[] = {
	"OK",
	"CANCELLED",
	"UNKNOWN",
	"INVALID_ARGUMENT",
	"DEADLINE_EXCEEDED",
	"NOT_FOUND",
	"ALREADY_EXISTS",
	"PERMISSION_DENIED",
	"RESOURCE_EXHAUSTED",
	"FAILED_PRECONDITION",
	"ABORTED",
	"OUT_OF_RANGE",
	"UNIMPLEMENTED",
	"INTERNAL",
	"UNAVAILABLE",
	"DATA_LOSS",
	"UNAUTHENTICATED",
};

enum health { HEALTH_UNKNOWN, HEALTH_SERVING, HEALTH_NOT_SERVING, HEALTH_SERVICE_UNKNOWN };
static const char *const healths[] = { "UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN" };

static const char *name_in(const char *const *names, size_t n, uint32_t i)
{
	return i < n ? names[i] : "a number without a name";
}

/* --- messages --------------------------------------------------------------------------------- */

size_t grpc_write_request(uint8_t *buf, const char *service)
{
	size_t len = strlen(service), at = PREFIX_LEN, body;

	/* A field that is empty is left out. */
	if (len) {
		buf[at++] = FIELD_SERVICE << WIRE_BITS | WIRE_BYTES;
		for (body = len; body >= VARINT_MORE; body >>= VARINT_BITS)
			buf[at++] = (uint8_t)(body | VARINT_MORE);
		buf[at++] = (uint8_t)body;
		memcpy(buf + at, service, len);
		at += len;
	}
	body = at - PREFIX_LEN;
	buf[0] = 0; /* not compressed */
	for (int i = 1; i < PREFIX_LEN; i++)
		buf[i] = (uint8_t)(body >> (8 * (PREFIX_LEN - 1 - i)));
	return at;
}

static bool take_varint(const uint8_t **at, const uint8_t *end, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (int i = 0; i < VARINT_MAX && *at < end; i++) {
		uint8_t c = *(*at)++;

		value |= (uint64_t)(c & ~VARINT_MORE) << (i * VARINT_BITS);
		if (!(c & VARINT_MORE)) {
			*ret_value = value;
			return true;
		}
	}
	return false;
}

/* Step over a field's value; of a varint, give it. false: the message ends in it. */
static bool take_value(const uint8_t **at, const uint8_t *end, uint64_t tag, uint64_t *ret_value)
{
	uint64_t len;

	switch ((enum wire)(tag & ((1 << WIRE_BITS) - 1))) {
	case WIRE_VARINT:
		return take_varint(at, end, ret_value);
	case WIRE_FIXED64:
		len = sizeof(uint64_t);
		break;
	case WIRE_FIXED32:
		len = sizeof(uint32_t);
		break;
	case WIRE_BYTES:
		if (!take_varint(at, end, &len))
			return false;
		break;
	default:
		return false;
	}
	if (len > (uint64_t)(end - *at))
		return false;
	*at += len;
	return true;
}

const char *grpc_parse_answer(uint32_t *ret_health, const uint8_t *data, size_t len)
{
	const uint8_t *at = data + PREFIX_LEN, *end = data + len;
	uint64_t tag, value = 0, body = 0, health = HEALTH_UNKNOWN;

	if (len < PREFIX_LEN)
		return "the answer is shorter than a gRPC message";
	if (data[0])
		return "the answer is compressed, which was not offered";
	for (int i = 1; i < PREFIX_LEN; i++)
		body = body << 8 | data[i];
	if (body != len - PREFIX_LEN)
		return "the answer is not one gRPC message";

	while (at < end) {
		if (!take_varint(&at, end, &tag) || !take_value(&at, end, tag, &value))
			return "the answer is not a protocol buffer";
		if (tag == (FIELD_STATUS << WIRE_BITS | WIRE_VARINT))
			health = value;
	}
	*ret_health = health < UINT32_MAX ? (uint32_t)health : UINT32_MAX;
	return NULL;
}

/* --- what comes in ----------------------------------------------------------------------------- */

static void on_body(void *arg, const uint8_t *data, size_t len)
{
	struct grpc *grpc = arg;

	if (grpc->answer_len + len > GRPC_ANSWER_MAX) {
		grpc->answer_len = GRPC_ANSWER_MAX + 1;
		return;
	}
	memcpy(grpc->answer + grpc->answer_len, data, len);
	grpc->answer_len += (uint32_t)len;
}

static bool field_is(const struct h2_field *field, const char *name)
{
	return field->name_len == strlen(name) && !memcmp(field->name, name, field->name_len);
}

/* false: not a number of at most five digits. */
static bool parse_status(uint32_t *ret_status, const struct h2_field *field)
{
	uint32_t status = 0;

	if (!field->value_len || field->value_len > 5)
		return false;
	for (size_t i = 0; i < field->value_len; i++) {
		if (field->value[i] < '0' || field->value[i] > '9')
			return false;
		status = status * 10 + (uint32_t)(field->value[i] - '0');
	}
	*ret_status = status < UINT16_MAX ? status : UINT16_MAX;
	return true;
}

static void on_field(void *arg, const struct h2_field *field)
{
	struct grpc *grpc = arg;
	const uint8_t *value = (const uint8_t *)field->value;

	if (field_is(field, "content-type")) {
		grpc->has_type = true;
		printable_line(grpc->type, sizeof(grpc->type), value, field->value_len);
	} else if (field_is(field, "grpc-status")) {
		grpc->has_status = parse_status(&grpc->status, field);
	} else if (field_is(field, "grpc-message")) {
		printable_line(grpc->message, sizeof(grpc->message), value, field->value_len);
	}
}

/* --- the call --------------------------------------------------------------------------------- */

int grpc_init(struct grpc *grpc, const struct plan *plan)
{
	struct h2_sink sink = { .on_body = on_body, .on_field = on_field, .arg = grpc };
	uint8_t body[REQUEST_MAX];
	struct h2_request request = {
		.method = "POST",
		.scheme = plan->tls.enabled ? "https" : "http",
		.authority = plan->host,
		.path = CHECK_PATH,
		.grpc = true,
		.body = body,
	};

	*grpc = (struct grpc){ .h2 = NULL };
	if (!http_can_be_sent(plan) || strlen(plan->path) > LIMIT_PATH_BYTES)
		return -EINVAL;
	request.body_len = grpc_write_request(body, plan->path + 1);
	return h2_new(&grpc->h2, &request, &sink);
}

void grpc_done(struct grpc *grpc)
{
	h2_free(take_ptr(grpc->h2));
}

enum stage grpc_stage(const struct grpc *grpc)
{
	return h2_status(grpc->h2) ? STAGE_BODY : STAGE_HEADER;
}

__attribute__((format(printf, 3, 4))) static bool settle(struct verdict *v, enum sl_message code,
							 const char *fmt, ...)
{
	va_list args;

	v->code = code;
	va_start(args, fmt);
	vsnprintf(v->detail, sizeof(v->detail), fmt, args);
	va_end(args);
	return true;
}

static bool is_grpc(const char *type)
{
	size_t len = strlen(CONTENT_TYPE);

	return !strncmp(type, CONTENT_TYPE, len) &&
	       (!type[len] || type[len] == '+' || type[len] == ';');
}

/* The call is over. */
static bool judge_call(const struct grpc *grpc, struct verdict *v)
{
	uint32_t health;
	const char *wrong;

	if (!grpc->has_status)
		return settle(v, SL_MSG_HTTP_MALFORMED, "the answer has no grpc-status");
	v->grpc_status = (uint16_t)grpc->status;
	if (grpc->status)
		return settle(v, SL_MSG_GRPC_NOT_SERVING, *grpc->message ? "%s: %s" : "%s",
			      name_in(grpc_codes, sizeof(grpc_codes) / sizeof(grpc_codes[0]),
				      grpc->status),
			      grpc->message);
	wrong = grpc_parse_answer(&health, grpc->answer, grpc->answer_len);
	if (wrong)
		return settle(v, SL_MSG_HTTP_MALFORMED, "%s", wrong);
	if (health == HEALTH_SERVING)
		return settle(v, SL_MSG_OK, "%s", "");

	v->grpc_status = (uint16_t)(health < UINT16_MAX ? health : UINT16_MAX);
	return settle(v, SL_MSG_GRPC_NOT_SERVING, "the service is %s",
		      name_in(healths, sizeof(healths) / sizeof(healths[0]), health));
}

static bool judge_known(const struct grpc *grpc, struct verdict *v)
{
	enum http_state state = h2_state(grpc->h2);

	v->http_status = h2_status(grpc->h2);
	if (v->http_status && v->http_status != STATUS_OK)
		return settle(v, SL_MSG_HTTP_STATUS_MISMATCH,
			      "gRPC answers come with HTTP status %d", STATUS_OK);
	if (v->http_status && !is_grpc(grpc->type))
		return settle(v, SL_MSG_HTTP_MALFORMED,
			      grpc->has_type ? "content-type is not " CONTENT_TYPE ": '%s'"
					     : "the answer has no content-type%s",
			      grpc->type);

	if (grpc->answer_len > GRPC_ANSWER_MAX)
		return settle(v, SL_MSG_HTTP_MALFORMED, "the answer is longer than %d bytes",
			      GRPC_ANSWER_MAX);

	switch (state) {
	case HTTP_DONE:
		return judge_call(grpc, v);
	case HTTP_BAD:
		return settle(v, SL_MSG_HTTP_MALFORMED, "%s", h2_error(grpc->h2));
	case HTTP_ENDED_EARLY:
		return settle(v, SL_MSG_CONN_CLOSED_EARLY, "%s", h2_error(grpc->h2));
	case HTTP_HEADER:
	case HTTP_BODY:
	case HTTP_CUT:
		break;
	}
	return false;
}

bool grpc_receive(struct grpc *grpc, const uint8_t *data, size_t len, struct verdict *ret_verdict)
{
	grpc->received += len;
	h2_receive(grpc->h2, data, len);
	ret_verdict->stage = grpc_stage(grpc);
	return judge_known(grpc, ret_verdict);
}

void grpc_end(struct grpc *grpc, enum stream_end end, int os_errno, struct verdict *ret_verdict)
{
	ret_verdict->stage = grpc_stage(grpc);
	if (judge_known(grpc, ret_verdict))
		return;
	ret_verdict->os_errno = os_errno;
	settle(ret_verdict, SL_MSG_CONN_CLOSED_EARLY,
	       "%safter %" PRIu64 " bytes of the answer, its %s incomplete",
	       end == END_CUT ? "no close_notify, " : "", grpc->received,
	       h2_status(grpc->h2) ? "body" : "header");
}
