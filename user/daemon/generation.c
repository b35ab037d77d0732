// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/generation.h"

#include <errno.h>
#include <string.h>

#include "daemon/evidence.h"
#include "daemon/names.h"
#include "daemon/pipeline.h"
#include "daemon/trusts.h"
#include "util/err.h"

int generation_new(struct generation **ret, const struct model *model, struct err *err)
{
	CLEANUP(generation_free_p) struct generation *g = calloc(1, sizeof(*g));
	int r;

	err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	if (!g)
		return -ENOMEM;
	g->model = model;
	g->plans = calloc(model->n_endpoints + 1, sizeof(*g->plans));
	g->trusts = trusts_new(model);
	g->board = board_new(model->n_endpoints);
	if (!g->plans || !g->trusts || !g->board || board_add_names(g->board, model->n_names) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < model->n_endpoints; i++) {
		g->plans[i] = plan_endpoint(model, &model->endpoints[i]);
		r = trusts_give(g->trusts, model->endpoints[i].settings, &g->plans[i], err);
		if (r < 0)
			return r;
	}
	*ret = take_ptr(g);
	return 0;
}

static int start_pipeline(struct generation *g, const struct generation_parts *from)
{
	const struct pipeline_parts parts = {
		.loop = from->loop,
		.model = g->model,
		.plans = g->plans,
		.board = g->board,
		.dataplane = from->dataplane,
		.events = from->events,
		.supervisor = from->supervisor,
		.kept = from->kept,
	};

	return pipeline_new(&g->pipeline, &parts);
}

static int start_engine(struct generation *g, struct err *err)
{
	const struct engine_options options = {
		.workers = g->model->gateway.probe_workers,
		.in_flight = g->model->gateway.probes_in_flight,
		.report = pipeline_report,
		.flush = pipeline_flush,
		.arg = g->pipeline,
	};

	return engine_start(&g->engine, g->plans, g->model->n_endpoints, &options, err);
}

static int start_names(struct generation *g, const struct generation_parts *from, struct err *err)
{
	const struct names_parts parts = {
		.loop = from->loop,
		.model = g->model,
		.board = g->board,
		.dataplane = from->dataplane,
		.pipeline = g->pipeline,
		.engine = g->engine,
	};

	return names_start(&g->names, &parts, err);
}

static int start_evidence(struct generation *g, const struct generation_parts *p, struct err *err)
{
	const struct evidence_parts parts = {
		.loop = p->loop,
		.model = g->model,
		.board = g->board,
		.dataplane = p->dataplane,
		.pipeline = g->pipeline,
		.engine = g->engine,
	};
	int r = evidence_new(&g->evidence, &parts);

	return r < 0 ? err_set(err, r, "watch what clients meet: %s", strerror(-r)) : 0;
}

int generation_start(struct generation *g, const struct generation_parts *parts,
		     const struct generation *before, struct err *err)
{
	int r;

	r = start_pipeline(g, parts);
	if (r < 0)
		return r;
	if (before && before->pipeline)
		pipeline_inherit(g->pipeline, before->pipeline);
	/* What another configuration knew may be about another probe. */
	for (uint32_t i = 0; !before && i < g->model->n_endpoints; i++)
		g->plans[i].settled = pipeline_is_settled(g->pipeline, i);
	r = start_engine(g, err);
	if (r < 0)
		return r;
	r = start_evidence(g, parts, err);
	if (r < 0)
		return r;
	return start_names(g, parts, err);
}

/* Users before what they use: names change what the engine probes, its workers report. */
void generation_quiet(struct generation *g)
{
	names_stop(take_ptr(g->names));
	evidence_free(take_ptr(g->evidence));
	engine_stop(take_ptr(g->engine));
}

void generation_free(struct generation *g)
{
	if (!g)
		return;
	generation_quiet(g);
	pipeline_free(g->pipeline);
	trusts_free(g->trusts);
	board_free(g->board);
	free(g->plans);
	free(g);
}
