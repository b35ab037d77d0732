// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/live.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "control/print.h"
#include "control/render.h"
#include "util/clock.h"
#include "util/number.h"

#define STATUS_PERIOD_MS 1000
#define BATCH_BYTES 16384 /* rows are told together, up to about as much */
#define RETRY_MS 500 /* how soon a browser tries again */
#define ID_LEN 48
#define ID_MAX UINT64_MAX

struct live {
	struct request
		request; /* what it points to outlives the answer; method, path and body do not */
	uint64_t generation;
	uint64_t known; /* the revision that the reader has seen all of */
	uint64_t aim; /* the revision that this pass ends with; 0: none is under way */
	struct edition_place at; /* where the pass is: position in groups->services, and there */
	uint64_t edition; /* what the first pass reads */
	size_t batch; /* how many of its batches were read */
	bool knows_outline;
	uint64_t status_ms; /* monotonic: when it was told last */
	char *text; /* made, but not yet read */
	size_t len, taken;
};

/* --- the status, once for all ----------------------------------------------------------------- */

void live_cache_init(struct live_cache *cache)
{
	*cache = (struct live_cache){ .made_ms = 0 };
	pthread_mutex_init(&cache->lock, NULL);
	edition_init(&cache->edition);
}

void live_cache_clear(struct live_cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	free(take_ptr(cache->text));
	cache->made_ms = 0;
	pthread_mutex_unlock(&cache->lock);
	edition_clear(&cache->edition);
}

static char *make_status(const struct api_context *context)
{
	CLEANUP(json_p) json_t *json = render_bulletin(context);

	return print_json(json, PRINT_LINE);
}

/* A copy. NULL: out of memory. */
static char *read_status(struct live_cache *cache, const struct api_context *context)
{
	uint64_t now_ms = clock_mono_ms();
	char *text;

	pthread_mutex_lock(&cache->lock);
	if (!cache->made_ms || now_ms - cache->made_ms >= STATUS_PERIOD_MS) {
		free(cache->text);
		cache->text = make_status(context);
		cache->made_ms = now_ms;
	}
	text = cache->text ? strdup(cache->text) : NULL;
	pthread_mutex_unlock(&cache->lock);
	return text;
}

/* --- what is told ----------------------------------------------------------------------------- */

static void give(struct live *live, char *text)
{
	live->text = text;
	live->len = strlen(text);
	live->taken = 0;
}

static int tell(struct live *live, const char *event, const char *data)
{
	char *text;

	if (!data || asprintf(&text, "event: %s\ndata: %s\n\n", event, data) < 0)
		return -ENOMEM;
	give(live, text);
	return 0;
}

static int tell_outline(struct live *live)
{
	CLEANUP(json_p)
	json_t *json = render_outline(live->request.context, live->request.groups);
	CLEANUP(free_p) char *data = NULL;
	char generation[ID_LEN];

	snprintf(generation, sizeof(generation), "%" PRIu64, live->generation);
	json_put_text(&json, "generation", generation);
	data = print_json(json, PRINT_LINE);
	live->knows_outline = true;
	return tell(live, "outline", data);
}

static int tell_complete(struct live *live)
{
	char *text;

	if (asprintf(&text,
		     "event: complete\nid: %" PRIu64 "-%" PRIu64 "\ndata: {\"revision\": %" PRIu64
		     "}\n\n",
		     live->generation, live->known, live->known) < 0)
		return -ENOMEM;
	give(live, text);
	return 0;
}

static int tell_status(struct live *live, uint64_t now_ms)
{
	CLEANUP(free_p)
	char *data = read_status(live->request.cache, live->request.context);

	live->status_ms = now_ms;
	return tell(live, "status", data);
}

/* --- a pass over the board -------------------------------------------------------------------- */

static json_t *render_row(const struct live *live, uint32_t service, uint32_t endpoint)
{
	const struct api_context *context = live->request.context;
	const struct render_row row = { service, live->at.member, clock_wall_ms() };
	json_t *json;

	if (board_is_shown(context->board, endpoint)) {
		json = render_brief(context, &row);
	} else {
		json = json_object();
		json_put_bool(&json, "gone", true);
	}
	json_put_uint(&json, "service", service);
	json_put_uint(&json, "member", live->at.member);
	return json;
}

struct batch {
	FILE *out;
	char *text;
	size_t len;
	bool any;
};

static void batch_done(struct batch *batch)
{
	if (batch->out)
		fclose(batch->out);
	free(batch->text);
}

static int add_row(struct batch *batch, json_t *row)
{
	CLEANUP(json_p) json_t *owned = row;
	CLEANUP(free_p) char *line = print_json(owned, PRINT_LINE);

	if (!line)
		return -ENOMEM;
	fprintf(batch->out, "%s%s", batch->any ? "," : "", line);
	batch->any = true;
	return 0;
}

/* Whether the reader has yet to hear of it. At his first pass he need not know what is not there. */
static bool is_news(const struct live *live, uint32_t endpoint)
{
	const struct board *board = live->request.context->board;

	return board_changed(board, endpoint) > live->known &&
	       (live->known || board_is_shown(board, endpoint));
}

/* Rows until the batch is full or the pass has come to its end. */
static int fill_batch(struct live *live, struct batch *batch)
{
	const struct model *model = live->request.context->model;
	const struct groups *groups = live->request.groups;
	struct edition_place *at = &live->at;
	int r;

	for (; at->group < model->n_services; at->group++, at->member = 0) {
		uint32_t index = groups->services[at->group];
		const struct service *service = &model->services[index];

		for (; at->member < service->n_endpoints; at->member++) {
			uint32_t endpoint = service->endpoints[at->member];

			if (!is_news(live, endpoint))
				continue;
			if (ftell(batch->out) > BATCH_BYTES)
				return 0;
			r = add_row(batch, render_row(live, index, endpoint));
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Of all endpoints, as others got it. */
static bool tell_edition(struct live *live)
{
	char *text =
		edition_find(&live->request.cache->edition, live->edition, live->batch, &live->at);

	if (text)
		give(live, text);
	return text != NULL;
}

static int make_rows(struct live *live)
{
	CLEANUP(batch_done) struct batch batch = { 0 };
	const struct edition_place from = live->at;
	int r;

	batch.out = open_memstream(&batch.text, &batch.len);
	if (!batch.out)
		return -ENOMEM;
	fprintf(batch.out, "event: rows\ndata: {\"rows\": [");
	r = fill_batch(live, &batch);
	if (r < 0)
		return r;
	fprintf(batch.out, "]}\n\n");
	r = fclose(batch.out);
	batch.out = NULL;
	if (r < 0)
		return -ENOMEM;
	if (!batch.any)
		return 0;
	if (!live->known)
		edition_add(&live->request.cache->edition, live->edition, batch.text, &from,
			    &live->at);
	give(live, take_ptr(batch.text));
	return 0;
}

static int tell_rows(struct live *live)
{
	int r = !live->known && tell_edition(live) ? 0 : make_rows(live);

	live->batch++;
	return r;
}

/* From what the reader knows to what is so now; at first to what the edition begins with. */
static void begin_pass(struct live *live, uint64_t revision)
{
	live->aim = revision;
	live->at = (struct edition_place){ 0, 0 };
	live->batch = 0;
	if (!live->known)
		live->edition = edition_begin(&live->request.cache->edition, revision, &live->aim);
}

static bool pass_is_over(const struct live *live)
{
	return live->at.group == live->request.context->model->n_services;
}

/* 0: there may be a piece. */
static int go_on(struct live *live)
{
	int r;

	if (!live->aim) {
		uint64_t revision = board_revision(live->request.context->board);

		if (revision == live->known)
			return 0;
		begin_pass(live, revision);
	}
	if (!pass_is_over(live)) {
		r = tell_rows(live);
		if (r < 0 || live->text)
			return r;
	}
	live->known = live->aim;
	live->aim = 0;
	return tell_complete(live);
}

static int refill(struct live *live)
{
	uint64_t now_ms = clock_mono_ms();

	if (live->text && live->taken < live->len)
		return 0;
	free(take_ptr(live->text));
	live->len = live->taken = 0;
	if (!live->knows_outline)
		return tell_outline(live);
	if (!live->status_ms || now_ms - live->status_ms >= STATUS_PERIOD_MS)
		return tell_status(live, now_ms);
	return go_on(live);
}

static ssize_t live_read(void *arg, char *buf, size_t size)
{
	struct live *live = arg;
	int r = refill(live);
	size_t n;

	if (r < 0)
		return r;
	if (!live->text)
		return -EAGAIN;
	n = live->len - live->taken;
	if (n > size)
		n = size;
	memcpy(buf, live->text + live->taken, n);
	live->taken += n;
	return (ssize_t)n;
}

static void live_free(void *arg)
{
	struct live *live = arg;

	free(live->text);
	free(live);
}

/* --- requests --------------------------------------------------------------------------------- */

static const char *parameter(const struct request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

/* "GENERATION-REVISION", of this generation; what else it is, the reader begins anew. */
static uint64_t revision_of(const char *id, uint64_t generation)
{
	char text[ID_LEN], *dash;
	uint64_t of, revision;

	if (!id || strlen(id) >= sizeof(text))
		return 0;
	memcpy(text, id, strlen(id) + 1);
	dash = strchr(text, '-');
	if (!dash)
		return 0;
	*dash = '\0';
	if (number_parse(&of, text, 0, ID_MAX) < 0 ||
	    number_parse(&revision, dash + 1, 0, ID_MAX) < 0)
		return 0;
	return of == generation ? revision : 0;
}

void live_answer(const struct request *request, const char *rest, struct answer *answer)
{
	const char *id =
		MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Last-Event-ID");
	struct live *live = calloc(1, sizeof(*live));
	char *hello;

	(void)rest;
	if (!live || asprintf(&hello, "retry: %d\n\n", RETRY_MS) < 0) {
		free(live);
		return;
	}
	live->request = *request;
	live->generation = request->context->generation;
	live->known = revision_of(id ?: parameter(request, "after"), live->generation);
	if (live->known > board_revision(request->context->board))
		live->known = 0;
	live->knows_outline = live->known != 0;
	give(live, hello);
	answer->type = "text/event-stream";
	answer->waiters = request->waiters;
	answer->source = (struct source){ live, live_read, live_free };
}
