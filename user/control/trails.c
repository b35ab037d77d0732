// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/trails.h"

#include <stdlib.h>
#include <string.h>

#include "control/render.h"
#include "util/clock.h"
#include "util/number.h"

#define PLACE_LEN 24 /* "65535.65535" */
#define OF_ALLOWED \
	"a list of at most 128 rows, as '3.0,3.1': the numbers of a service and of a member"

_Static_assert(TRAILS_MAX == 128, "texts name the limit");

static const char *parameter(const struct request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

/* "3.1" */
static bool parse_place(struct render_row *ret_row, const struct model *model, const char *text,
			size_t len)
{
	char buf[PLACE_LEN], *dot;
	uint64_t service, member;

	if (len >= sizeof(buf))
		return false;
	memcpy(buf, text, len);
	buf[len] = '\0';
	dot = strchr(buf, '.');
	if (!dot)
		return false;
	*dot = '\0';
	if (number_parse(&service, buf, 0, UINT32_MAX) < 0 || service >= model->n_services ||
	    number_parse(&member, dot + 1, 0, UINT32_MAX) < 0 ||
	    member >= model->services[service].n_endpoints)
		return false;
	ret_row->service = (uint32_t)service;
	ret_row->member = (uint32_t)member;
	return true;
}

static json_t *render(const struct api_context *context, const struct render_row *row)
{
	json_t *json = render_trail(context, row);

	json_put_uint(&json, "service", row->service);
	json_put_uint(&json, "member", row->member);
	return json;
}

/* False: the list is none. */
static bool render_all(json_t **trails, const struct api_context *context, const char *of)
{
	struct render_row row = { .now_ms = clock_wall_ms() };
	int n = 0;

	while (*of) {
		size_t len = strcspn(of, ",");

		if (n++ == TRAILS_MAX || !parse_place(&row, context->model, of, len))
			return false;
		if (board_is_shown(context->board,
				   context->model->services[row.service].endpoints[row.member]))
			json_push(trails, render(context, &row));
		of += len + (of[len] == ',');
	}
	return true;
}

/* Rows are numbers, which mean something else in another generation. */
static bool is_current(const struct request *request)
{
	const char *text = parameter(request, "generation");
	uint64_t generation;

	return text && number_parse(&generation, text, 0, UINT64_MAX) == 0 &&
	       generation == request->context->generation;
}

void trails_answer(const struct request *request, const char *rest, struct answer *answer)
{
	const char *of = parameter(request, "of");
	CLEANUP(json_p) json_t *trails = json_array();
	json_t *json;

	(void)rest;
	if (!is_current(request)) {
		answer_refuse(answer, MHD_HTTP_CONFLICT, "other_generation",
			      "the parameter generation is not that of the last outline: the rows "
			      "have other numbers now");
		return;
	}
	if (!of || !render_all(&trails, request->context, of)) {
		answer_refuse(answer, MHD_HTTP_BAD_REQUEST, "bad_request",
			      "the parameter of is not " OF_ALLOWED);
		return;
	}
	json = json_object();
	json_put(&json, "trails", take_ptr(trails));
	answer->json = json;
}
