// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "control/listener.h"
#include "daemon/configure.h"
#include "daemon/daemon_work.h"
#include "daemon/pipeline.h"
#include "daemon/privileges.h"
#include "dataplane/bpffs.h"
#include "store/verdicts.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/notify.h"

/* Heartbeats in the time after which the kernel may think the daemon dead. */
#define HEARTBEATS_PER_LOSS 4
#define HEARTBEAT_MAX_MS 1000

/* Routing daemons change many routes at once; what follows from them is found out once. */
#define NETWORK_REST_MS 50

#define LINE_LEN 256

static void on_heartbeat(uv_timer_t *timer)
{
	struct daemon *daemon = timer->data;

	notify_alive(&daemon->notify, clock_mono_ns());
	dataplane_heartbeat(daemon->dataplane, clock_mono_ns());
	/* Without its pins no interface can be looked after. */
	daemon_mend_pins(daemon);
	daemon_tend_interfaces(daemon);
	daemon_note_stall(daemon);
	api_expire(daemon->api);
	refusals_tell_held(daemon->refusals, clock_mono_ms());
	if (daemon->lost || dataplane_in_force(daemon->dataplane))
		return;
	daemon->lost = true;
	carrier_dismiss(daemon->carrier);
	if (daemon->generation->pipeline)
		pipeline_block(daemon->generation->pipeline,
			       "the pinned maps were removed under the daemon");
	tell_interface(daemon->events, EVENT_ERROR, "gate_removed",
		       "the gate was removed from outside ('sluice detach --all'?): probing goes "
		       "on, but nothing is guarded until sluiced is started again");
}

static void on_hangup(void *arg, const struct change_giver *giver)
{
	struct daemon *daemon = arg;

	jobs_queue(daemon->jobs, &(struct change){ .action = CHANGE_RELOAD, .giver = *giver });
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct daemon *daemon = handle->data;

	log_info("%s: stopping", signum == SIGTERM ? "SIGTERM" : "SIGINT");
	uv_stop(&daemon->loop);
}

static int start_loop(struct daemon *daemon, struct err *err)
{
	static const int signums[] = { SIGTERM, SIGINT };
	int r;

	r = uv_loop_init(&daemon->loop);
	if (r < 0)
		return err_set(err, r, "event loop: %s", uv_strerror(r));
	daemon->loop.data = daemon;
	uv_timer_init(&daemon->loop, &daemon->heartbeat);
	uv_timer_init(&daemon->loop, &daemon->network_rest);
	daemon->heartbeat.data = daemon->network_rest.data = daemon;

	for (size_t i = 0; i < sizeof(signums) / sizeof(signums[0]); i++) {
		uv_signal_init(&daemon->loop, &daemon->signals[i]);
		daemon->signals[i].data = daemon;
		daemon->n_signals++;
		r = uv_signal_start(&daemon->signals[i], on_signal, signums[i]);
		if (r < 0)
			return err_set(err, r, "signal handler: %s", uv_strerror(r));
	}
	return hangup_start(&daemon->hangup, &daemon->loop, on_hangup, daemon, err);
}

static void on_network_rest(uv_timer_t *timer)
{
	struct daemon *daemon = timer->data;

	dataplane_follow_network(daemon->dataplane);
}

static void on_network(uv_poll_t *poll, int status, int events)
{
	struct daemon *daemon = poll->data;

	(void)status;
	(void)events;
	if (dataplane_note_network(daemon->dataplane) &&
	    !uv_is_active((uv_handle_t *)&daemon->network_rest))
		uv_timer_start(&daemon->network_rest, on_network_rest, NETWORK_REST_MS, 0);
}

/* The first data plane that forwards has the descriptor; those that follow take it over. */
int daemon_follow_network(struct daemon *daemon, struct err *err)
{
	int fd = dataplane_network_fd(daemon->dataplane), r;

	if (fd < 0 || daemon->follows_network)
		return 0;
	r = uv_poll_init(&daemon->loop, &daemon->network, fd);
	if (r < 0)
		return err_set(err, r, "watch the network: %s", uv_strerror(r));
	daemon->follows_network = true;
	daemon->network.data = daemon;
	r = uv_poll_start(&daemon->network, UV_READABLE, on_network);
	return r < 0 ? err_set(err, r, "watch the network: %s", uv_strerror(r)) : 0;
}

static int start_orders(struct daemon *daemon)
{
	return orders_new(&daemon->orders, &daemon->loop, configure_order, daemon);
}

static void on_job_queued(uv_async_t *async)
{
	configure_run_jobs(async->data);
}

/* Any thread. */
static void wake_for_job(void *arg)
{
	uv_async_send(arg);
}

static int start_jobs(struct daemon *daemon, struct err *err)
{
	int r = uv_async_init(&daemon->loop, &daemon->job_queued, on_job_queued);

	if (r < 0)
		return err_set(err, r, "event loop: %s", uv_strerror(r));
	daemon->takes_jobs = true;
	daemon->job_queued.data = daemon;
	jobs_on_queued(daemon->jobs, wake_for_job, &daemon->job_queued);
	return 0;
}

void daemon_start_heartbeat(struct daemon *daemon)
{
	uint64_t period_ms = daemon->model->gateway.daemon_loss_after_ms / HEARTBEATS_PER_LOSS;

	if (period_ms > HEARTBEAT_MAX_MS)
		period_ms = HEARTBEAT_MAX_MS;
	on_heartbeat(&daemon->heartbeat);
	uv_timer_start(&daemon->heartbeat, on_heartbeat, period_ms, period_ms);
}

int daemon_serve(struct daemon *daemon, struct err *err)
{
	const struct generation *generation = daemon->generation;
	const struct api_context context = {
		.model = generation->model,
		.plans = generation->plans,
		.board = generation->board,
		.engine = generation->engine,
		.dataplane = daemon->dataplane,
		.weights = pipeline_weights(generation->pipeline),
		.supervisor = carrier_supervisor(daemon->carrier),
		.change = orders_change,
		.change_arg = daemon->orders,
		.refused = refusals_note,
		.refused_arg = daemon->refusals,
		.config_path = daemon->options->config_path,
		.jobs = daemon->jobs,
		.layers = daemon->layers,
		.events = daemon->events,
		.started_ms = daemon->started_ms,
		.started_mono_ms = daemon->started_mono_ms,
	};

	return api_serve(daemon->api, &context, err);
}

int daemon_start_generation(struct daemon *daemon, struct generation *generation,
			    const struct generation *before, struct err *err)
{
	const struct generation_parts parts = {
		.loop = &daemon->loop,
		.dataplane = daemon->dataplane,
		.events = daemon->events,
		.supervisor = carrier_supervisor(daemon->carrier),
		.kept = &daemon->kept,
	};

	return generation_start(generation, &parts, before, err);
}

/* Without it, health begins with what the kernel acts on. */
static void read_kept(struct daemon *daemon, const struct gateway *gateway)
{
	struct err err;

	if (verdicts_read(&daemon->kept, gateway->state_dir, &err) < 0)
		log_warn("verdicts of before cannot be read: %s", err.text);
}

static int start_events(struct daemon *daemon, struct err *err)
{
	int r;

	r = tell_open(&daemon->events, &daemon->file->gateway, err);
	if (r < 0)
		return r;
	daemon->refusals = refusals_new(daemon->events);
	return daemon->refusals ? 0 : -ENOMEM;
}

/* What is configured: the file, and what was changed over it. */
static int start_model(struct daemon *daemon, struct err *err)
{
	int r;

	r = runtime_open(&daemon->runtime, take_ptr(daemon->file), daemon->layers, daemon->events,
			 err);
	if (r == 0)
		r = runtime_compose(&daemon->model, daemon->runtime, err);
	return r < 0 ? r : generation_new(&daemon->generation, daemon->model, err);
}

static int start_dataplane(struct daemon *daemon, struct err *err)
{
	int r;

	/* What changes from now on is not missed. */
	r = daemon_watch_interfaces(daemon, err);
	if (r == 0)
		r = dataplane_open(&daemon->dataplane, daemon->model, err);
	if (r < 0)
		return r;
	daemon_start_heartbeat(daemon);
	r = daemon_follow_network(daemon, err);
	if (r == 0) {
		carrier_prepare_anyway(daemon->carrier, daemon->model);
		carrier_stage(daemon->carrier);
		r = daemon_start_generation(daemon, daemon->generation, NULL, err);
	}
	if (r == 0)
		configure_impose_orders(daemon);
	if (r == 0)
		carrier_commit(daemon->carrier);
	return r;
}

/* Now, or after a reload. */
static bool may_start_haproxy(const struct model *file)
{
	return file->gateway.l7.configured || model_l7(file) > 0;
}

static int start(struct daemon *daemon, struct err *err)
{
	const struct gateway *gateway = &daemon->file->gateway;
	int r;

	daemon->started_ms = clock_wall_ms();
	daemon->started_mono_ms = clock_mono_ms();
	daemon->jobs = jobs_new();
	daemon->layers = layers_new();
	if (!daemon->jobs || !daemon->layers)
		return -ENOMEM;
	r = dataplane_supported(err);
	if (r == 0)
		r = start_loop(daemon, err);
	if (r == 0)
		r = api_listen(&daemon->api, gateway->api_socket, &gateway->listen, err);
	/* There are no threads yet. */
	if (r == 0)
		r = privileges_drop(bpffs_is_ours(gateway->bpffs), may_start_haproxy(daemon->file),
				    err);
	/* Nobody else runs with this configuration, as the socket shows, and nobody writes yet. */
	if (r == 0)
		read_kept(daemon, gateway);
	if (r == 0)
		r = start_events(daemon, err);
	if (r == 0 && !(daemon->carrier = carrier_new(&daemon->loop, daemon->events)))
		r = -ENOMEM;
	if (r == 0)
		r = start_model(daemon, err);
	if (r == 0)
		r = start_dataplane(daemon, err);
	if (r == 0)
		r = start_orders(daemon);
	if (r == 0)
		r = start_jobs(daemon, err);
	return r < 0 ? r : daemon_serve(daemon, err);
}

void daemon_tell_manager(const struct daemon *daemon)
{
	const struct model *model = daemon->model;
	char state[LINE_LEN];

	snprintf(state, sizeof(state), "READY=1\nSTATUS=mode %s, pools %u, endpoints %u",
		 model->gateway.mode == SL_MODE_OBSERVE ? "observe" : "enforce", model->n_pools,
		 model_declared(model));
	notify_tell(&daemon->notify, state);
}

void daemon_log_metrics(const struct listen *listen)
{
	if (listen->key.port)
		log_info("metrics: http://%s/metrics%s", listen->text,
			 listener_is_local(listen) ? "" : ", for whoever reaches that address");
}

void daemon_log_dataplane(struct daemon *daemon)
{
	const char *note;

	for (uint32_t i = 0; (note = dataplane_note(daemon->dataplane, i)); i++)
		if (dataplane_note_is_loss(daemon->dataplane, i))
			tell_interface(daemon->events, EVENT_ERROR, "not_taken_over", note);
		else
			log_info("%s", note);
	tell_attachments(daemon->events, &daemon->interfaces, daemon->dataplane, false);
}

static void conclude(struct pipeline *pipeline)
{
	pipeline_tell_held(pipeline);
	pipeline_keep_all(pipeline);
}

/*
 * Users before what they use: the API's thread reads what the generation knows, and both use the
 * data plane.
 */
static void stop_threads(struct daemon *daemon)
{
	/* The API's thread may wait for this one. */
	orders_close(daemon->orders);
	api_stop(take_ptr(daemon->api));
	orders_free(take_ptr(daemon->orders));
	if (daemon->refusals)
		refusals_tell_held(daemon->refusals, REFUSALS_END);
	if (daemon->generation && daemon->generation->pipeline)
		conclude(daemon->generation->pipeline);
	generation_free(take_ptr(daemon->generation));
	configure_forget_job(take_ptr(daemon->waiting_job));
	carrier_free(take_ptr(daemon->carrier),
		     daemon->model && daemon->model->gateway.detach_on_exit);
}

static void close_loop(struct daemon *daemon)
{
	/* The loop is there only once start_loop() has set data. */
	if (!daemon->loop.data)
		return;
	uv_close((uv_handle_t *)&daemon->heartbeat, NULL);
	uv_close((uv_handle_t *)&daemon->network_rest, NULL);
	for (int i = 0; i < daemon->n_signals; i++)
		uv_close((uv_handle_t *)&daemon->signals[i], NULL);
	hangup_stop(&daemon->hangup);
	if (daemon->takes_jobs)
		uv_close((uv_handle_t *)&daemon->job_queued, NULL);
	if (daemon->follows_network)
		uv_close((uv_handle_t *)&daemon->network, NULL);
	daemon_unwatch_interfaces(daemon);
	uv_run(&daemon->loop, UV_RUN_DEFAULT);
	uv_loop_close(&daemon->loop);
}

/* What becomes of the gate without this process. */
static const char *last_words(const struct dataplane *dataplane)
{
	if (!dataplane_in_force(dataplane))
		return "stopped; the gate had been removed before";
	if (!dataplane_in_sight(dataplane))
		return "stopped; the gate ends with this process, because the BPF file system that it "
		       "was pinned in was unmounted";
	return "stopped; the gate stays in force (on_exit: keep); 'sluice detach --all' removes it";
}

static int stop_dataplane(struct daemon *daemon, struct err *err)
{
	const struct gateway *gateway = &daemon->model->gateway;
	const char *words = last_words(daemon->dataplane);
	int r;

	if (!gateway->detach_on_exit) {
		dataplane_close(take_ptr(daemon->dataplane));
		tell_daemon(daemon->events, EVENT_INFO, "stopped", words);
		return 0;
	}
	r = dataplane_destroy(take_ptr(daemon->dataplane), err);
	if (r >= 0)
		tell_daemon(daemon->events, EVENT_INFO, "stopped",
			    "stopped; the gate is detached (on_exit: detach)");
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

/* The log says it at the very end. */
static void tell_failure(struct daemon *daemon, const struct err *err)
{
	struct event event = { .kind = EVENT_DAEMON, .severity = EVENT_ERROR };

	event_set(event.after, "failed");
	event_set(event.text, err->text);
	events_add(daemon->events, &event);
}

static void tell_ready(struct daemon *daemon)
{
	const struct model *model = daemon->model;
	char line[LINE_LEN];

	daemon_log_dataplane(daemon);
	daemon_log_metrics(&model->gateway.listen);
	snprintf(line, sizeof(line), "ready: mode %s, pools %u, endpoints %u",
		 model->gateway.mode == SL_MODE_OBSERVE ? "observe" : "enforce", model->n_pools,
		 model_declared(model));
	tell_daemon(daemon->events, EVENT_INFO, "started", line);
}

int daemon_run(const struct daemon_options *options, struct err *err)
{
	struct daemon daemon = { .options = options, .file = options->model };
	int r;

	notify_init(&daemon.notify);
	r = start(&daemon, err);
	if (r == 0) {
		tell_ready(&daemon);
		options->ready(options->ready_arg);
		daemon_tell_manager(&daemon);
		uv_run(&daemon.loop, UV_RUN_DEFAULT);
		notify_tell(&daemon.notify, "STOPPING=1");
		if (daemon.broken < 0)
			r = err_set(err, daemon.broken, "%s", daemon.broken_by.text);
	}

	stop_threads(&daemon);
	/* Before the descriptor goes. */
	if (daemon.follows_network)
		uv_poll_stop(&daemon.network);
	if (r == 0)
		r = stop_dataplane(&daemon, err);
	else
		undo_dataplane(&daemon);
	close_loop(&daemon);
	runtime_close(daemon.runtime);
	kept_list_done(&daemon.kept);
	model_free(daemon.file);
	model_free(daemon.model);
	jobs_free(daemon.jobs);
	layers_free(daemon.layers);
	if (r < 0 && daemon.events)
		tell_failure(&daemon, err);
	refusals_free(daemon.refusals);
	events_close(daemon.events);

	return r;
}
