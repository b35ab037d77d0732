// SPDX-License-Identifier: GPL-2.0-or-later
/* render_l7 - HAProxy, which carries services of layer 7: its process, its configuration, what it counted. */
#include <stdio.h>
#include <string.h>

#include "control/render.h"
#include "l7/supervisor.h"

static json_t *render_clients(const struct l7_clients *clients)
{
	json_t *json = json_object();

	json_put_uint(&json, "connected", clients->connected);
	json_put_uint(&json, "allowed", clients->allowed);
	json_put_uint(&json, "waiting", clients->waiting);
	return json;
}

json_t *render_l7(const struct api_context *context)
{
	struct supervisor_status status = { .wanted = false };
	json_t *json = json_object();

	if (context->supervisor)
		supervisor_status(context->supervisor, &status);
	json_put_uint(&json, "services", model_l7(context->model));
	json_put_bool(&json, "wanted", status.wanted);
	json_put_bool(&json, "running", status.running);
	json_put_bool(&json, "current", status.current);
	if (status.running) {
		json_put_uint(&json, "pid", (uint64_t)status.pid);
		json_put_time(&json, "since", status.started_ms);
	}
	json_put(&json, "clients", render_clients(&status.clients));
	json_put_uint(&json, "configuration", status.plan);
	json_put_uint(&json, "starts", status.starts);
	json_put_uint(&json, "reloads", status.reloads);
	json_put_uint(&json, "failures", status.failures);
	json_put_uint(&json, "told", status.pushes);
	json_put_uint(&json, "told_us", status.told_us);
	json_put_uint(&json, "slowest_us", status.slowest_us);
	if (status.error[0])
		json_put_text(&json, "error", status.error);
	return json;
}

/* Keys are for HAProxy's eyes, and those of whoever may read its file. */
static const char *shown(const char *line)
{
	return strstr(line, "dynamic-cookie-key") ? "    dynamic-cookie-key (not shown)" : line;
}

json_t *render_l7_configuration(const struct api_context *context)
{
	json_t *json = json_object(), *lines = json_array();
	CLEANUP(fclose_p) FILE *file = NULL;
	CLEANUP(free_p) char *line = NULL, *wide = NULL;
	char path[PATH_MAX + 64];
	size_t room = 0;

	snprintf(path, sizeof(path), "%s/" L7_CONFIGURATION, context->model->gateway.state_dir);
	file = context->supervisor && model_l7(context->model) ? fopen(path, "re") : NULL;
	while (file && getline(&line, &room, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		free(take_ptr(wide));
		if (asprintf(&wide, "%s%s", line[0] == '\t' ? "    " : "",
			     line + (line[0] == '\t')) < 0)
			wide = NULL;
		json_push(&lines, json_text(wide ? shown(wide) : ""));
	}
	if (file)
		json_put_text(&json, "path", path);
	json_put(&json, "lines", lines);
	return json;
}

/* "le_ms" as far as, with the last without end. Cumulative, as in the metrics. */
static json_t *times(const struct l7_numbers *n)
{
	json_t *json = json_array();

	for (size_t i = 0; i <= L7_TIMES; i++) {
		json_t *bucket = json_object();

		if (i < L7_TIMES)
			json_put_uint(&bucket, "le_ms", l7_times_ms[i]);
		else
			json_put(&bucket, "le_ms", json_null());
		json_put_uint(&bucket, "responses", l7_numbers_within(n, i));
		json_push(&json, bucket);
	}
	return json;
}

void render_l7_numbers(json_t **json, const struct api_context *context, uint32_t endpoint)
{
	static const char *const classes[L7_STATUS_CLASSES] = { "1xx", "2xx", "3xx",
								"4xx", "5xx", "other" };
	json_t *l7, *statuses;
	struct l7_numbers n;

	if (!context->supervisor || !supervisor_numbers(context->supervisor, endpoint, &n))
		return;
	l7 = json_object();
	statuses = json_object();
	for (size_t i = 0; i < L7_STATUS_CLASSES; i++)
		json_put_uint(&statuses, classes[i], n.by_status[i]);
	json_put_uint(&l7, "requests", n.requests);
	json_put(&l7, "status", statuses);
	json_put_uint(&l7, "response_ms", n.response_ms);
	json_put(&l7, "response_times", times(&n));
	json_put_uint(&l7, "retries", n.retries);
	json_put_uint(&l7, "redispatches", n.redispatches);
	json_put_uint(&l7, "queued", n.queued);
	json_put_uint(&l7, "sessions", n.sessions);
	json_put_uint(&l7, "bytes_in", n.bytes_in);
	json_put_uint(&l7, "bytes_out", n.bytes_out);
	json_put_uint(&l7, "connect_errors", n.connect_errors);
	json_put_uint(&l7, "response_errors", n.response_errors);
	json_put(json, "l7", l7);
}
