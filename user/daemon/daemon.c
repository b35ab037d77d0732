// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "control/api.h"
#include "daemon/changes.h"
#include "daemon/names.h"
#include "daemon/orders.h"
#include "daemon/pipeline.h"
#include "daemon/trusts.h"
#include "dataplane/dataplane.h"
#include "model/board.h"
#include "model/plan.h"
#include "probe/engine.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/log.h"

/* Heartbeats in the time after which the kernel may think the daemon dead. */
#define HEARTBEATS_PER_LOSS 4
#define HEARTBEAT_MAX_MS 1000

struct daemon {
	const struct model *model;
	uv_loop_t loop;
	uv_timer_t heartbeat;
	uv_signal_t signals[3];
	int n_signals;
	struct plan *plans;
	struct trusts *trusts;
	struct board *board;
	struct dataplane *dataplane;
	struct pipeline *pipeline;
	struct engine *engine;
	struct names *names;
	struct orders *orders;
	struct api *api;
	bool lost; /* somebody removed the gate; said once */
	bool lost_device[LIMIT_INTERFACES]; /* by attachment; said once */
};

static void check_devices(struct daemon *daemon)
{
	uint32_t n;
	const struct attachment *attachments = dataplane_attachments(daemon->dataplane, &n);

	for (uint32_t i = 0; i < n; i++) {
		if (daemon->lost_device[i] || dataplane_has_device(&attachments[i]))
			continue;
		daemon->lost_device[i] = true;
		log_error("interface '%s' was removed, and its gate with it: once it is back, it "
			  "is guarded only after sluiced is started again",
			  attachments[i].interface);
	}
}

static void on_heartbeat(uv_timer_t *timer)
{
	struct daemon *daemon = timer->data;

	dataplane_heartbeat(daemon->dataplane, clock_mono_ns());
	check_devices(daemon);
	if (daemon->lost || dataplane_in_force(daemon->dataplane))
		return;
	daemon->lost = true;
	if (daemon->pipeline)
		pipeline_block(daemon->pipeline, "the pinned maps were removed under the daemon");
	log_error(
		"the gate was removed from outside ('sluice detach --all'?): probing goes on, but "
		"nothing is guarded until sluiced is started again");
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct daemon *daemon = handle->data;

	if (signum == SIGHUP) {
		log_warn("SIGHUP ignored: reloading is not available in this version; restart "
			 "sluiced, the gate stays in force meanwhile");
		return;
	}
	log_info("%s: stopping", signum == SIGTERM ? "SIGTERM" : "SIGINT");
	uv_stop(&daemon->loop);
}

static int start_loop(struct daemon *daemon, struct err *err)
{
	static const int signums[] = { SIGTERM, SIGINT, SIGHUP };
	int r;

	r = uv_loop_init(&daemon->loop);
	if (r < 0)
		return err_set(err, r, "event loop: %s", uv_strerror(r));
	daemon->loop.data = daemon;
	uv_timer_init(&daemon->loop, &daemon->heartbeat);
	daemon->heartbeat.data = daemon;

	for (size_t i = 0; i < sizeof(signums) / sizeof(signums[0]); i++) {
		uv_signal_init(&daemon->loop, &daemon->signals[i]);
		daemon->signals[i].data = daemon;
		daemon->n_signals++;
		r = uv_signal_start(&daemon->signals[i], on_signal, signums[i]);
		if (r < 0)
			return err_set(err, r, "signal handler: %s", uv_strerror(r));
	}
	return 0;
}

static int make_plans(struct daemon *daemon, struct err *err)
{
	const struct model *model = daemon->model;
	int r;

	daemon->plans = calloc(model->n_endpoints + 1, sizeof(*daemon->plans));
	daemon->trusts = trusts_new(model);
	daemon->board = board_new(model->n_endpoints);
	if (!daemon->plans || !daemon->trusts || !daemon->board ||
	    board_add_names(daemon->board, model->n_names) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < model->n_endpoints; i++) {
		daemon->plans[i] = plan_endpoint(model, &model->endpoints[i]);
		r = trusts_give(daemon->trusts, model->endpoints[i].settings, &daemon->plans[i],
				err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int start_pipeline(struct daemon *daemon)
{
	const struct pipeline_parts parts = {
		.loop = &daemon->loop,
		.model = daemon->model,
		.plans = daemon->plans,
		.board = daemon->board,
		.dataplane = daemon->dataplane,
	};

	return pipeline_new(&daemon->pipeline, &parts);
}

static int start_engine(struct daemon *daemon, struct err *err)
{
	const struct engine_options options = {
		.workers = daemon->model->gateway.probe_workers,
		.in_flight = daemon->model->gateway.probes_in_flight,
		.report = pipeline_report,
		.flush = pipeline_flush,
		.arg = daemon->pipeline,
	};

	return engine_start(&daemon->engine, daemon->plans, daemon->model->n_endpoints, &options,
			    err);
}

static int start_names(struct daemon *daemon, struct err *err)
{
	const struct names_parts parts = {
		.loop = &daemon->loop,
		.model = daemon->model,
		.board = daemon->board,
		.dataplane = daemon->dataplane,
		.pipeline = daemon->pipeline,
		.engine = daemon->engine,
	};

	return names_start(&daemon->names, &parts, err);
}

static int make_change(void *arg, const struct change *change, struct err *err)
{
	struct daemon *daemon = arg;

	return changes_make(daemon->pipeline, daemon->model, change, err);
}

static int start_orders(struct daemon *daemon)
{
	return orders_new(&daemon->orders, &daemon->loop, make_change, daemon);
}

static void start_heartbeat(struct daemon *daemon)
{
	uint64_t period_ms = daemon->model->gateway.daemon_loss_after_ms / HEARTBEATS_PER_LOSS;

	if (period_ms > HEARTBEAT_MAX_MS)
		period_ms = HEARTBEAT_MAX_MS;
	on_heartbeat(&daemon->heartbeat);
	uv_timer_start(&daemon->heartbeat, on_heartbeat, period_ms, period_ms);
}

static int start(struct daemon *daemon, const struct daemon_options *options, struct err *err)
{
	struct api_context context = {
		.model = daemon->model,
		.config_path = options->config_path,
		.started_ms = clock_wall_ms(),
	};
	int r;

	r = dataplane_supported(err);
	if (r < 0)
		return r;
	r = start_loop(daemon, err);
	if (r < 0)
		return r;
	r = make_plans(daemon, err);
	if (r < 0)
		return r;
	r = api_listen(&daemon->api, daemon->model->gateway.api_socket, err);
	if (r < 0)
		return r;
	r = dataplane_open(&daemon->dataplane, daemon->model, err);
	if (r < 0)
		return r;
	start_heartbeat(daemon);
	r = start_pipeline(daemon);
	if (r < 0)
		return r;
	r = start_engine(daemon, err);
	if (r < 0)
		return r;
	r = start_names(daemon, err);
	if (r < 0)
		return r;

	r = start_orders(daemon);
	if (r < 0)
		return r;

	context.plans = daemon->plans;
	context.weights = pipeline_weights(daemon->pipeline);
	context.change = orders_change;
	context.change_arg = daemon->orders;
	context.board = daemon->board;
	context.engine = daemon->engine;
	context.dataplane = daemon->dataplane;
	return api_serve(daemon->api, &context, err);
}

static void log_dataplane(const struct daemon *daemon)
{
	const struct attachment *attachments;
	const char *note;
	uint32_t n;

	for (uint32_t i = 0; (note = dataplane_note(daemon->dataplane, i)); i++)
		log_info("%s", note);

	attachments = dataplane_attachments(daemon->dataplane, &n);
	for (uint32_t i = 0; i < n; i++) {
		const struct attachment *a = &attachments[i];

		log_info("%s: ingress %s, egress %s%s", a->interface, attach_mode_name(a->ingress),
			 attach_mode_name(a->egress), a->adopted ? " (adopted)" : "");
		for (uint32_t step = 0; step < a->n_steps; step++)
			log_info("%s: %s", a->interface, a->steps[step]);
	}
}

/*
 * Users before what they use: the API's thread reads the engine's counters, names change what the
 * engine probes, the workers hand their
 * verdicts to the pipeline, and all of them use the data plane.
 */
static void stop_threads(struct daemon *daemon)
{
	/* The API's thread may wait for this one. */
	orders_close(daemon->orders);
	api_stop(take_ptr(daemon->api));
	orders_free(take_ptr(daemon->orders));
	names_stop(take_ptr(daemon->names));
	engine_stop(take_ptr(daemon->engine));
	pipeline_free(take_ptr(daemon->pipeline));
}

static void close_loop(struct daemon *daemon)
{
	/* The loop is there only once start_loop() has set data. */
	if (!daemon->loop.data)
		return;
	uv_close((uv_handle_t *)&daemon->heartbeat, NULL);
	for (int i = 0; i < daemon->n_signals; i++)
		uv_close((uv_handle_t *)&daemon->signals[i], NULL);
	uv_run(&daemon->loop, UV_RUN_DEFAULT);
	uv_loop_close(&daemon->loop);
}

static int stop_dataplane(struct daemon *daemon, struct err *err)
{
	const struct gateway *gateway = &daemon->model->gateway;
	bool in_force = dataplane_in_force(daemon->dataplane);
	int r;

	if (!gateway->detach_on_exit) {
		dataplane_close(take_ptr(daemon->dataplane));
		if (in_force)
			log_info("stopped; the gate stays in force (on_exit: keep); "
				 "'sluice detach --all' removes it");
		else
			log_info("stopped; the gate had been removed before");
		return 0;
	}
	r = dataplane_destroy(take_ptr(daemon->dataplane), err);
	if (r >= 0)
		log_info("stopped; the gate is detached (on_exit: detach)");
	return r;
}

/* A failed start leaves no gate behind that was not in force before. */
static void undo_dataplane(struct daemon *daemon)
{
	struct err ignored;

	if (!daemon->dataplane)
		return;
	if (dataplane_is_new(daemon->dataplane))
		dataplane_destroy(take_ptr(daemon->dataplane), &ignored);
	else
		dataplane_close(take_ptr(daemon->dataplane));
}

int daemon_run(const struct daemon_options *options, struct err *err)
{
	struct daemon daemon = { .model = options->model };
	int r;

	r = start(&daemon, options, err);
	if (r == 0) {
		log_dataplane(&daemon);
		log_info("ready: mode %s, pools %u, endpoints %u",
			 daemon.model->gateway.mode == SL_MODE_OBSERVE ? "observe" : "enforce",
			 daemon.model->n_pools, model_declared(daemon.model));
		options->ready(options->ready_arg);
		uv_run(&daemon.loop, UV_RUN_DEFAULT);
	}

	stop_threads(&daemon);
	if (r == 0)
		r = stop_dataplane(&daemon, err);
	else
		undo_dataplane(&daemon);
	close_loop(&daemon);
	free(daemon.plans);
	trusts_free(daemon.trusts);
	board_free(daemon.board);

	return r;
}
