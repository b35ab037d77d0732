// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/changing.h"

#include <errno.h>
#include <stdio.h>

#include "control/change.h"
#include "control/jobs.h"
#include "control/layers.h"
#include "control/render.h"
#include "diagnose/json.h"
#include "model/difference.h"
#include "util/cleanup.h"
#include "util/err.h"
#include "util/number.h"

#define WHAT_LEN 192 /* of a request's first line */

/* How a change_fn's error is told. */
static const struct failure {
	int code;
	unsigned int status;
	const char *name;
} failures[] = {
	{ -ENOENT, MHD_HTTP_NOT_FOUND, "not_found" },
	{ -ENODEV, MHD_HTTP_NOT_FOUND, "not_found" },
	{ -EOPNOTSUPP, MHD_HTTP_CONFLICT, "not_attachable" },
	{ -EEXIST, MHD_HTTP_CONFLICT, "exists" },
	{ -ESTALE, MHD_HTTP_CONFLICT, "stale" },
	{ -EBUSY, MHD_HTTP_CONFLICT, "in_use" },
	{ -EINVAL, MHD_HTTP_BAD_REQUEST, "bad_request" },
	{ -E2BIG, MHD_HTTP_CONFLICT, "too_many" },
	{ -ENOSPC, MHD_HTTP_CONFLICT, "too_many" },
	{ -EIO, MHD_HTTP_INSUFFICIENT_STORAGE, "not_kept" },
	{ -ENOLINK, MHD_HTTP_CONFLICT, "gate_removed" },
	{ -ETIMEDOUT, MHD_HTTP_GATEWAY_TIMEOUT, "timeout" },
	{ -ESHUTDOWN, MHD_HTTP_SERVICE_UNAVAILABLE, "stopping" },
	{ -ENOMEM, MHD_HTTP_INTERNAL_SERVER_ERROR, "out_of_memory" },
};

static void refuse_change(struct answer *answer, int code, const struct err *err)
{
	struct failure failure = { code, MHD_HTTP_INTERNAL_SERVER_ERROR, "failed" };

	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (failures[i].code == code)
			failure = failures[i];
	answer_refuse(answer, failure.status, failure.name, "%s", err->text);
}

/* change: what was asked for, or NULL. */
static void tell_refused(const struct request *request, const struct change *change,
			 const struct answer *answer)
{
	const struct api_context *context = request->context;
	char what[WHAT_LEN];
	const struct refusal refusal = {
		.caller = request->caller,
		.what = what,
		.change = change,
		.why = json_string_value(
			       json_object_get(json_object_get(answer->json, "error"), "message"))
			       ?: "out of memory",
	};

	snprintf(what, sizeof(what), "%s %s", request->method, request->path);
	context->refused(context->refused_arg, &refusal);
}

static void queue(const struct request *request, const struct change *change, struct answer *answer)
{
	uint64_t number = jobs_queue(request->context->jobs, change);

	if (!number) {
		answer_refuse(answer, MHD_HTTP_SERVICE_UNAVAILABLE, "busy",
			      "%d changes wait already, and that is all that may: nothing was "
			      "changed",
			      JOBS_WAITING_MAX);
		tell_refused(request, change, answer);
		return;
	}
	answer->status = MHD_HTTP_ACCEPTED;
	answer->json = json_object();
	json_put_uint(&answer->json, "number", number);
}

static void order(const struct request *request, const struct change *change, struct answer *answer)
{
	const struct api_context *context = request->context;
	CLEANUP(difference_free_p) struct difference *difference = NULL;
	struct err err = { "out of memory" };
	int r;

	r = context->change(context->change_arg, change, &difference, &err);
	if (r < 0) {
		refuse_change(answer, r, &err);
		if (!change->is_rehearsal)
			tell_refused(request, change, answer);
	} else if (difference) {
		answer->json = render_difference(context, difference);
	} else {
		answer->json = render_change(context, request->groups, change);
	}
}

/* -EMSGSIZE: there is more of it than may be; otherwise as change_parse(). */
static int read_change(struct change *ret_change, const struct request *request,
		       enum change_subject subject, struct err *err)
{
	const struct body *body = request->body;

	if (!body || body->lost)
		return err_set(err, -EMSGSIZE, "the body is too long; allowed: %d bytes", BODY_MAX);
	return change_parse(ret_change, subject, body->data, body->len, err);
}

static void answer_change(const struct request *request, enum change_subject subject,
			  struct answer *answer)
{
	struct err err = { "out of memory" };
	struct change change;
	int r;

	r = read_change(&change, request, subject, &err);
	if (request->caller->role < ROLE_CHANGE)
		answer_refuse(answer, MHD_HTTP_FORBIDDEN, "read_only",
			      "not permitted: only root and members of the group '" ROLES_CHANGERS
			      "' may change anything");
	else if (r == -EMSGSIZE)
		answer_refuse(answer, MHD_HTTP_CONTENT_TOO_LARGE, "too_large", "%s", err.text);
	else if (r < 0)
		answer_refuse(answer, MHD_HTTP_BAD_REQUEST, "bad_request", "%s", err.text);
	if (answer->json) {
		tell_refused(request, r < 0 ? NULL : &change, answer);
		return;
	}
	change.giver = caller_giver(request->caller);
	if (change_is_job(change.action) && !change.is_rehearsal)
		queue(request, &change, answer);
	else
		order(request, &change, answer);
}

void changing_backend(const struct request *request, const char *rest, struct answer *answer)
{
	(void)rest;
	answer_change(request, CHANGE_OF_BACKEND, answer);
}

void changing_pool(const struct request *request, const char *rest, struct answer *answer)
{
	(void)rest;
	answer_change(request, CHANGE_OF_POOL, answer);
}

void changing_interface(const struct request *request, const char *rest, struct answer *answer)
{
	(void)rest;
	answer_change(request, CHANGE_OF_INTERFACE, answer);
}

void changing_reload(const struct request *request, const char *rest, struct answer *answer)
{
	(void)rest;
	answer_change(request, CHANGE_OF_FILE, answer);
}

void changing_job(const struct request *request, const char *rest, struct answer *answer)
{
	uint64_t number;

	if (number_parse(&number, rest, 1, UINT64_MAX) < 0) {
		answer_refuse(answer, MHD_HTTP_BAD_REQUEST, "bad_request",
			      "'%.*s' is no number of a job", ANSWER_NAMED_MAX, rest);
		return;
	}
	answer->json = jobs_render(request->context->jobs, number);
	if (request->caller->role < ROLE_CHANGE)
		jobs_withhold(answer->json);
	if (!answer->json)
		answer_refuse(answer, MHD_HTTP_NOT_FOUND, "not_found",
			      "there is no job %s, or it was over long ago", rest);
}

void changing_list(const struct request *request, const char *rest, struct answer *answer)
{
	struct layers_copy copy;

	(void)rest;
	if (layers_read(request->context->layers, &copy) < 0)
		return;
	answer->json = render_layers(request->context, &copy);
	layers_copy_done(&copy);
}
