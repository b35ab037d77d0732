// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/stream.h"

#include <errno.h>
#include <string.h>

#include "control/print.h"
#include "util/clock.h"

enum position { AT_START, AT_POOL, AT_SERVICE, AT_ROW, AT_WHOLE, AT_END };

struct stream {
	struct stream_options options;
	json_t *lead;
	enum position at;
	bool first; /* of its list: no comma in front */
	uint32_t pool, pool_end;
	uint32_t group; /* position in groups->services */
	uint32_t member; /* position in the service's endpoints */
	uint64_t now_ms;
	char *text; /* made, but not yet read */
	size_t len, taken;
};

struct stream *stream_new(const struct stream_options *options)
{
	CLEANUP(stream_free_p) struct stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	stream->lead = json_object();
	if (!stream->lead)
		return NULL;

	stream->options = *options;
	stream->pool = options->pool == INDEX_NONE ? 0 : options->pool;
	stream->pool_end =
		options->pool == INDEX_NONE ? options->context->model->n_pools : options->pool + 1;
	stream->first = true;
	stream->now_ms = clock_wall_ms();
	return take_ptr(stream);
}

void stream_free(struct stream *stream)
{
	if (!stream)
		return;
	json_decref(stream->lead);
	free(stream->text);
	free(stream);
}

int stream_lead(struct stream *stream, const char *key, json_t *value)
{
	return json_object_set_new(stream->lead, key, value) < 0 ? -ENOMEM : 0;
}

static int give(struct stream *stream, char *text)
{
	if (!text)
		return -ENOMEM;
	stream->text = text;
	stream->len = strlen(text);
	stream->taken = 0;
	return 0;
}

static const char *comma(struct stream *stream)
{
	bool first = stream->first;

	stream->first = false;
	return first ? "" : ",";
}

/* The object without its closing brace, and a list opened in it. Takes over the object. */
static int give_open(struct stream *stream, json_t *object, const char *list)
{
	CLEANUP(json_p) json_t *owned = object;
	CLEANUP(free_p) char *head = print_json(owned, PRINT_LINE);
	const char *separator = owned && json_object_size(owned) ? ", " : "";
	char *text;

	if (!head)
		return -ENOMEM;
	head[strlen(head) - 1] = '\0';
	if (asprintf(&text, "%s\n%s%s\"%s\": [", comma(stream), head, separator, list) < 0)
		return -ENOMEM;
	stream->first = true;
	return give(stream, text);
}

/* The end of a list and of the object around it; the next element of the outer list follows. */
static int give_close(struct stream *stream)
{
	stream->first = false;
	return give(stream, strdup("]}"));
}

/* The end of the only list that there is. */
static int give_end(struct stream *stream)
{
	stream->at = AT_END;
	return give(stream, strdup("\n]}\n"));
}

static int give_element(struct stream *stream, json_t *json)
{
	CLEANUP(json_p) json_t *owned = json;
	CLEANUP(free_p) char *line = print_json(owned, PRINT_LINE);
	char *text;

	if (!line || asprintf(&text, "%s\n%s", comma(stream), line) < 0)
		return -ENOMEM;
	return give(stream, text);
}

static int step_pool(struct stream *stream)
{
	const struct model *model = stream->options.context->model;
	json_t *head;

	if (stream->pool == stream->pool_end)
		return give_end(stream);

	head = json_object();
	json_put_text(&head, "name", model->pools[stream->pool].name);
	stream->group = stream->options.groups->first[stream->pool];
	stream->at = AT_SERVICE;
	return give_open(stream, head, "services");
}

static int step_whole(struct stream *stream)
{
	const struct stream_options *options = &stream->options;

	if (stream->group == options->groups->first[options->pool + 1])
		return give_end(stream);
	return give_element(stream, options->whole(options->context,
						   options->groups->services[stream->group++]));
}

static int step_service(struct stream *stream)
{
	const struct model *model = stream->options.context->model;
	const struct groups *groups = stream->options.groups;
	const struct service *service;
	json_t *head;

	if (stream->group == groups->first[stream->pool + 1]) {
		stream->pool++;
		stream->at = AT_POOL;
		return give_close(stream);
	}

	service = &model->services[groups->services[stream->group]];
	head = json_object();
	json_put_text(&head, "name", service->name);
	json_put_text(&head, "settings", model->settings[service->settings].name);
	if (stream->options.service)
		stream->options.service(&head, stream->options.context,
					groups->services[stream->group]);
	stream->member = 0;
	stream->at = AT_ROW;
	return give_open(stream, head, "endpoints");
}

static int step_row(struct stream *stream)
{
	const struct stream_options *options = &stream->options;
	struct render_row row = {
		.service = options->groups->services[stream->group],
		.member = stream->member,
		.now_ms = stream->now_ms,
	};
	const struct service *service = &options->context->model->services[row.service];

	while (row.member < service->n_endpoints &&
	       !board_is_shown(options->context->board, service->endpoints[row.member]))
		row.member++;
	stream->member = row.member;
	if (row.member == service->n_endpoints) {
		stream->group++;
		stream->at = AT_SERVICE;
		return give_close(stream);
	}

	stream->member++;
	return give_element(stream, options->row(options->context, &row));
}

static int step(struct stream *stream)
{
	switch (stream->at) {
	case AT_START:
		if (stream->options.whole) {
			stream->at = AT_WHOLE;
			stream->group = stream->options.groups->first[stream->pool];
			return give_open(stream, json_incref(stream->lead), "services");
		}
		stream->at = AT_POOL;
		return give_open(stream, json_incref(stream->lead), "pools");
	case AT_POOL:
		return step_pool(stream);
	case AT_SERVICE:
		return step_service(stream);
	case AT_ROW:
		return step_row(stream);
	case AT_WHOLE:
		return step_whole(stream);
	case AT_END:
		break;
	}
	return 0;
}

/* Make the next piece if the last one is used up. Without a piece afterwards: the end. */
static int refill(struct stream *stream)
{
	if (stream->text && stream->taken < stream->len)
		return 0;
	free(take_ptr(stream->text));
	stream->len = stream->taken = 0;
	return step(stream);
}

ssize_t stream_read(struct stream *stream, char *buf, size_t size)
{
	size_t done = 0;
	int r;

	while (done < size) {
		size_t n;

		r = refill(stream);
		if (r < 0)
			return r;
		if (!stream->text)
			break;
		n = stream->len - stream->taken;
		if (n > size - done)
			n = size - done;
		memcpy(buf + done, stream->text + stream->taken, n);
		stream->taken += n;
		done += n;
	}
	return (ssize_t)done;
}
