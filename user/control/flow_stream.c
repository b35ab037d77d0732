// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/flow_stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/print.h"
#include "control/render.h"
#include "dataplane/flows.h"
#include "diagnose/json.h"

struct flow_stream {
	const struct api_context *context;
	uint32_t pool, limit;
	bool *wanted; /* by endpoint; NULL: all */
	struct flow_list *list;
	uint64_t total;
	uint32_t listed;
	bool ended, lost; /* lost: memory ran out */
	FILE *out; /* collects in text */
	char *text;
	size_t len, taken; /* len: as of the last fflush() */
};

static bool has_wanted(struct flow_stream *stream, const struct wanted *wanted)
{
	const struct model *model = stream->context->model;
	bool any = false;

	for (uint32_t s = 0; s < model->n_services; s++) {
		const struct service *service = &model->services[s];

		for (uint32_t i = 0; service->pool == stream->pool && i < service->n_endpoints; i++)
			if (wanted_is(wanted, stream->context, service->endpoints[i]))
				any = stream->wanted[service->endpoints[i]] = true;
	}
	return any;
}

static int open_text(struct flow_stream *stream)
{
	free(take_ptr(stream->text));
	stream->len = stream->taken = 0;
	stream->out = open_memstream(&stream->text, &stream->len);
	return stream->out ? 0 : -ENOMEM;
}

int flow_stream_new(struct flow_stream **ret, const struct flow_stream_options *options)
{
	CLEANUP(flow_stream_free_p) struct flow_stream *stream = calloc(1, sizeof(*stream));
	size_t n = options->context->model->n_endpoints + 1; /* calloc(0) may be NULL */
	int r;

	if (!stream)
		return -ENOMEM;
	stream->context = options->context;
	stream->pool = options->pool;
	stream->limit = options->limit;
	if (options->wanted) {
		stream->wanted = calloc(n, sizeof(*stream->wanted));
		if (!stream->wanted)
			return -ENOMEM;
		if (!has_wanted(stream, options->wanted))
			return -ENOENT;
	}
	r = flow_list_new(&stream->list, options->context->dataplane);
	if (r < 0)
		return r;
	r = open_text(stream);
	if (r < 0)
		return r;
	fputs("{\"flows\": [", stream->out);

	*ret = take_ptr(stream);
	return 0;
}

void flow_stream_free(struct flow_stream *stream)
{
	if (!stream)
		return;
	if (stream->out)
		fclose(stream->out);
	flow_list_free(stream->list);
	free(stream->wanted);
	free(stream->text);
	free(stream);
}

static json_t *render_endpoint(const struct flow_stream *stream, uint32_t index)
{
	const struct endpoint *endpoint = &stream->context->model->endpoints[index];
	struct addr addr;

	if (board_where(stream->context->board, index, &addr) != BOARD_FOUND)
		memcpy(addr.bytes, endpoint->key.addr, sizeof(addr.bytes));
	return render_end(&addr, endpoint->key.port);
}

static json_t *render_flow(const struct flow_stream *stream, const struct flow_row *row)
{
	const struct model *model = stream->context->model;
	const struct service *service = &model->services[row->service];
	json_t *json = json_object();

	json_put(&json, "client", render_end(&row->client.addr, row->client.port));
	json_put(&json, "to", render_end(&row->to.addr, row->to.port));
	json_put_text(&json, "proto", row->proto == SL_UDP ? "udp" : "tcp");
	json_put_text(&json, "pool", model->pools[service->pool].name);
	json_put_text(&json, "service", service->name);
	json_put(&json, "endpoint", render_endpoint(stream, row->endpoint));
	if (row->source.port)
		json_put(&json, "source", render_end(&row->source.addr, row->source.port));
	json_put_text(&json, "state", flow_state_name(row->state));
	json_put_uint(&json, "idle_s", row->idle_s);
	return json;
}

static void take_row(void *arg, const struct flow_row *row)
{
	struct flow_stream *stream = arg;
	const struct model *model = stream->context->model;
	CLEANUP(json_p) json_t *json = NULL;
	CLEANUP(free_p) char *line = NULL;

	if (stream->pool != INDEX_NONE && model->services[row->service].pool != stream->pool)
		return;
	if (stream->wanted && !stream->wanted[row->endpoint])
		return;
	stream->total++;
	if (stream->listed == stream->limit)
		return;
	json = render_flow(stream, row);
	line = print_json(json, PRINT_LINE);
	if (!line)
		stream->lost = true;
	else
		fprintf(stream->out, "%s\n%s", stream->listed ? "," : "", line);
	stream->listed++;
}

/* The next part of the tables, or what is said at their end. */
static int step(struct flow_stream *stream)
{
	int r = flow_list_next(stream->list, take_row, stream);

	if (r < 0 || stream->lost)
		return r < 0 ? r : -ENOMEM;
	if (r == 0) {
		fprintf(stream->out,
			"\n], \"listed\": %" PRIu32 ", \"total\": %" PRIu64 ", \"limit\": %" PRIu32
			"}\n",
			stream->listed, stream->total, stream->limit);
		stream->ended = true;
	} else {
		/* Blanks mean nothing in JSON; an empty part would be the end. */
		fputc(' ', stream->out);
	}
	return 0;
}

/* One part of the tables at most, since others are waiting. */
static int refill(struct flow_stream *stream)
{
	int r;

	if (stream->taken < stream->len || stream->ended)
		return 0;
	if (!stream->out && open_text(stream) < 0)
		return -ENOMEM;
	r = step(stream);
	if (r < 0)
		return r;
	return fclose(take_ptr(stream->out)) == 0 ? 0 : -ENOMEM;
}

ssize_t flow_stream_read(struct flow_stream *stream, char *buf, size_t size)
{
	size_t n;
	int r;

	r = refill(stream);
	if (r < 0)
		return r;
	n = stream->len - stream->taken;
	if (n > size)
		n = size;
	memcpy(buf, stream->text + stream->taken, n);
	stream->taken += n;
	return (ssize_t)n;
}
