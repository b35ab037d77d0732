// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/changing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/change.h"
#include "control/jobs.h"
#include "control/layers.h"
#include "control/render.h"
#include "diagnose/json.h"
#include "model/difference.h"
#include "util/cleanup.h"
#include "util/err.h"
#include "util/number.h"
#include "util/printable.h"

/* Who it was when the connection was made. */
static bool peer_of(struct ucred *ret_peer, const struct request *request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	socklen_t len = sizeof(*ret_peer);

	return info && getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, ret_peer, &len) == 0;
}

/* What the process was started as; it waits for the answer, unless it is gone. */
static void read_command(char command[GIVER_COMMAND_LEN], pid_t pid)
{
	char path[32];
	CLEANUP(close_p) int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, command, GIVER_COMMAND_LEN - 1);
	if (n < 0)
		n = 0;
	/* Words end with a NUL each. */
	while (n && !command[n - 1])
		n--;
	for (ssize_t i = 0; i < n; i++)
		if (!command[i])
			command[i] = ' ';
	command[n] = '\0';
	printable_clean(command);
}

static struct change_giver giver_of(const struct request *request)
{
	struct change_giver giver = { .known = false };
	struct ucred peer;

	if (!peer_of(&peer, request))
		return giver;
	giver.known = true;
	giver.uid = peer.uid;
	giver.pid = peer.pid;
	if (peer.pid > 0)
		read_command(giver.command, peer.pid);
	return giver;
}

bool changing_is_permitted(const struct request *request)
{
	struct ucred peer;

	return peer_of(&peer, request) && (peer.uid == 0 || peer.uid == geteuid());
}

/* How a change_fn's error is told. */
static const struct failure {
	int code;
	unsigned int status;
	const char *name;
} failures[] = {
	{ -ENOENT, MHD_HTTP_NOT_FOUND, "not_found" },
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

/* Refuse the answer, and return false, unless who asks may change something and said no more than fits. */
static bool may(const struct request *request, struct answer *answer)
{
	if (!request->body) {
		answer_refuse(answer, MHD_HTTP_FORBIDDEN, "not_permitted",
			      "not permitted: only root and the user that sluiced runs as may "
			      "change anything");
		return false;
	}
	if (request->body->too_long) {
		answer_refuse(answer, MHD_HTTP_CONTENT_TOO_LARGE, "too_large",
			      "the body is too long; allowed: %d bytes", BODY_MAX);
		return false;
	}
	return true;
}

static void queue(const struct request *request, const struct change *change, struct answer *answer)
{
	uint64_t number = jobs_queue(request->context->jobs, change);

	if (!number) {
		answer_refuse(answer, MHD_HTTP_SERVICE_UNAVAILABLE, "busy",
			      "%d changes wait already, and that is all that may: nothing was "
			      "changed",
			      JOBS_WAITING_MAX);
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
	if (r < 0)
		refuse_change(answer, r, &err);
	else if (difference)
		answer->json = render_difference(context, difference);
	else
		answer->json = render_change(context, request->groups, change);
}

static void answer_change(const struct request *request, enum change_subject subject,
			  struct answer *answer)
{
	struct err err = { "out of memory" };
	struct change change;
	int r;

	if (!may(request, answer))
		return;
	r = change_parse(&change, subject, request->body->data, request->body->len, &err);
	if (r < 0) {
		answer_refuse(answer, MHD_HTTP_BAD_REQUEST, "bad_request", "%s", err.text);
		return;
	}
	change.giver = giver_of(request);
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
